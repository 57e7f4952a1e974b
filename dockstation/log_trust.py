"""Whom the station believes about the log: the key that was pinned at enrolment, and those that followed it.

The pin in `enrolment.toml` stays as history. Beside it `log.keys` holds the statements by which the log's keys followed
each other (`ledger.key_history`), fetched from the service and believed only because they lead on, signature by
signature, from the pinned key. A service cannot introduce a key by itself, and nobody has to come to the station.

They are asked for when a receipt is signed by no key that speaks, and now and then before a receipt is believed: so the
end of a key that leaked is known soon. What is known already is never given up: statements that branch off from it are
refused, and nothing is cleared on the word of a key they would introduce.

Order of effects: statements fetched -> chain checked against the pin and what is on the disk -> `log.keys` replaced in
one step -> receipts judged by it. Killed before the replacement, the station asks again; after it, it knows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from dockstation.config import StateFolder
from dockstation.errors import ConfigInvalid, ReceiptRefused, StateUnwritable
from dockstation.identity import Enrolment
from dockstation.service import Service
from evidence.core.durable import write_file
from ledger.errors import LedgerInputError
from ledger.key_history import KeyHistory
from ledger.policy import Policy

ASK_SECONDS = 3600.0
"""How long the statements are taken for all there are."""


class LogTrust:
    """See the module.

    Args:
        folder: The state folder.
        enrolment: What was pinned.
        monotonic: Seconds that only grow.

    Raises:
        ConfigInvalid: `log.keys` was damaged, or does not lead on from the pinned key.
    """

    def __init__(
        self, folder: StateFolder, enrolment: Enrolment, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = folder.log_keys
        self._enrolment = enrolment
        self._monotonic = monotonic
        self._ask_at = 0.0
        self._learning = asyncio.Lock()
        self.keys = self._load()

    @property
    def policy(self) -> Policy | None:
        """The pinned witness policy, with all keys of the log for their sizes; None where none was pinned."""
        if not self._enrolment.policy:
            return None
        return Policy.parse(self._enrolment.policy).with_keys(self.keys)

    async def refresh(self, service: Service) -> None:
        """Ask the service for statements unless it was asked lately; see `learn`."""
        if self._monotonic() >= self._ask_at:
            await self.learn(service)

    async def learn(self, service: Service) -> bool:
        """Ask the service for statements, and keep what leads on from what is known; tell whether that is news.

        Raises:
            ReceiptRefused: They are false, no chain, of another log, or branch off from those known.
            StateUnwritable: The station's disk does not take them.
            DockError: See `dockstation.link`.
        """
        async with self._learning:
            raw = await service.log_keys()
            self._ask_at = self._monotonic() + ASK_SECONDS
            if raw is None:
                return False
            try:
                told = KeyHistory.parse(raw)
                known = self.keys.joined(told) if self.keys.statements else told
            except LedgerInputError as error:
                raise ReceiptRefused(f"the service's word about the log's keys is not believed: {error}") from error
            if self._enrolment.log not in known.verifiers:
                raise ReceiptRefused("the service tells of keys that do not follow from the one pinned at enrolment")
            if known == self.keys:
                return False
            try:
                await asyncio.to_thread(write_file, self._path, known.format(), mode=0o644)
            except OSError as error:
                raise StateUnwritable(f"{self._path}: {error.strerror}") from error
            self.keys = known
            return True

    def _load(self) -> KeyHistory:
        if not self._path.exists():
            return KeyHistory.of(self._enrolment.log)
        try:
            keys = KeyHistory.parse(self._path.read_bytes())
        except (OSError, LedgerInputError) as error:
            raise ConfigInvalid(f"{self._path}: {error}; it may be removed, and is then asked for again") from error
        if self._enrolment.log not in keys.verifiers:
            raise ConfigInvalid(f"{self._path} does not lead on from the log key in the enrolment")
        return keys
