"""The keys of a followed log, as its statements tell them: from the key that is trusted to those that followed it.

A log of this house shows its statements beside its checkpoint: `keys/1`, `keys/2` and so on (`ledger.key_history`).
Each round asks for the one that comes next; what leads on from a trusted key is believed, and kept in the copy before a
checkpoint is judged by it. What was believed once stays: other statements than those kept are not looked at, and a log
that signs by them shows a checkpoint that nobody trusted signed. A source that does not answer, or has none, tells no
news; a log of strangers has none.
"""

from __future__ import annotations

from ledger.errors import LedgerInputError
from ledger.key_history import SUCCESSIONS_MAX, KeyHistory, statement_path
from ledger.key_statement import Succession, open_statement
from ledger.mirror import findings as codes
from ledger.mirror.errors import Deviation, SourceUnreachable
from ledger.mirror.findings import found
from ledger.mirror.folder import FollowFolder
from ledger.mirror.source import LogSource
from ledger.policy import Policy


class FollowedKeys:
    """See the module.

    Args:
        policy: Whose signatures are believed to begin with.
        folder: Where statements are kept; None to remember only while this object lives.
    """

    def __init__(self, policy: Policy, folder: FollowFolder | None) -> None:
        self._trusted = policy
        self._folder = folder
        self._statements: list[bytes] | None = None
        self.policy = policy

    async def refresh(self, source: LogSource) -> None:
        """Take over the statements that are new.

        Raises:
            Deviation: One is false, out of its place, or leads on from nobody who is trusted.
        """
        if self._statements is None:
            self._statements = await self._kept()
            self._believe(self._statements)
        news = await self._news(source, self._statements)
        if news:
            self._believe([*self._statements, *news.values()])
            if self._folder:
                await self._folder.copy.put_immutable(news)
            self._statements += news.values()

    async def _news(self, source: LogSource, known: list[bytes]) -> dict[str, bytes]:
        """Fetch what comes after the known statements; nobody is trusted before all of it is seen."""
        news: dict[str, bytes] = {}
        while len(known) + len(news) < 2 * SUCCESSIONS_MAX:
            path = statement_path(len(known) + len(news) + 1)
            try:
                raw = await source.get(path)
            except SourceUnreachable:
                break
            if raw is None:
                break
            news[path] = raw
        return news

    async def _kept(self) -> list[bytes]:
        statements: list[bytes] = []
        while self._folder and (raw := await self._folder.copy.get(statement_path(len(statements) + 1))) is not None:
            statements.append(raw)
        return statements

    def _believe(self, statements: list[bytes]) -> None:
        if not statements:
            return
        path = statement_path(len(statements))
        try:
            first = open_statement(statements[0])
            # What comes first decides whose chain it is; `made` says whether it is one.
            keys = KeyHistory.made(first.old if isinstance(first, Succession) else first.retired, statements)
        except LedgerInputError as error:
            raise Deviation(found(codes.KEYS_FALSE, path, error.message, cause=error.code)) from error
        if not set(keys.verifiers) & set(self._trusted.log_verifiers):
            message = "the log's statements about its keys lead on from no key that is trusted"
            raise Deviation(found(codes.KEYS_FALSE, path, message, origin=keys.origin))
        self.policy = self._trusted.with_keys(keys)
