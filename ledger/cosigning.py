"""The log's side of witnessing: ask all witnesses of a policy for their cosignatures, and hold back below the quorum.

One round asks every witness that has an address, at the same time, each within `request_seconds`. It ends when all have
answered, or `grace_seconds` after the quorum was reached: a slow witness delays a publication by no more than that.
Cosignatures that came as files (`ledger.shelf`) count like answers. Nothing is believed: each line is verified with the
witness's key from the policy before it is attached.

What a witness cosigned last is not stored. It is remembered while the process lives, guessed to be the last publication
at first, and told by the witness itself: 409 with the size, after which it is asked once more. The consistency proof
comes from the tiles, which are durable for a size before anybody is asked about it (`ledger.leader`, arrow 2). So a
crash anywhere in a round costs one more question.

How refusals read (C2SP tlog-witness; older witnesses say 409 for 422 and 403 for 404, which is told apart here):

    404, 403                           does not know this log or its key
    409 with a size above the log's    has seen more than there is: the log went back, look for a restored database
    409 without news, 422              has seen another history under this name: look at once
    anything else, no answer           out of order; the others may do
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

from ledger.checkpoint import Checkpoint, parse_checkpoint
from ledger.cosignature import cosigned_at
from ledger.errors import CheckpointWithheld, CodedError, NoteMalformed
from ledger.lexemes import parse_decimal
from ledger.note import Note, OpenedNote, Signature, format_note, parse_note, parse_signature
from ledger.policy import Policy, Verdict, Witness
from ledger.tree import SIZE_MAX
from ledger.witness.judge import SIZE_TYPE
from ledger.witness.request import format_request

REPLY_BYTES_MAX = 64 * 1024
"""Longest answer of a witness that is read, in bytes; a post-quantum cosignature has about 3.3 KiB."""

_QUESTIONS_MAX = 2


@dataclass(frozen=True, slots=True)
class WitnessReply:
    """An answer of a witness as it came: HTTP status, content type without parameters, body."""

    status: int
    content_type: str
    body: bytes


class WitnessTransport(Protocol):
    """Brings requests to witnesses."""

    async def add_checkpoint(self, url: str, body: bytes) -> WitnessReply:
        """Post a request to `<url>/add-checkpoint` and return the answer, whatever its status.

        Raises:
            OSError: There was no answer, or one longer than `REPLY_BYTES_MAX`.
        """
        ...


class Proofs(Protocol):
    """Makes consistency proofs up to a size that need not be published yet; see `ledger.reader.LogReader`."""

    async def consistency(self, *, old_size: int, new: Checkpoint | None = None) -> tuple[bytes, ...]:
        """Prove that the log of `old_size` entries is a prefix of `new`."""
        ...


class Shelf(Protocol):
    """Keeps cosignatures that came as files."""

    async def signatures(self, text: str, size: int) -> Sequence[Signature]:
        """Return what was kept for the checkpoint of this text and size, verified or not."""
        ...


@dataclass(frozen=True, slots=True)
class CosigningSettings:
    """How long witnesses are waited for.

    Attributes:
        request_seconds: Longest wait for one answer.
        grace_seconds: How long the others are waited for once the quorum is reached.
    """

    request_seconds: float = 5.0
    grace_seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class WitnessReport:
    """How one witness does, for metrics and operators.

    Attributes:
        name: Its name in the policy.
        size: Size it cosigned last as far as this process knows, or None.
        succeeded_at: When it last cosigned for this process, or None.
        error: Why it did not when it was asked last, or None.
        offset_seconds: Its clock minus ours, when it last cosigned; None when it does not say what time it is.
    """

    name: str
    size: int | None = None
    succeeded_at: datetime | None = None
    error: str | None = None
    offset_seconds: float | None = None


class _Refused(Exception):
    """A witness did not cosign; the text says why."""


class Cosigning:
    """Collects cosignatures for the leader, see `ledger.leader.Cosign`.

    Args:
        policy: The witnesses, their addresses, and the quorum.
        transport: The way to them.
        proofs: Where proofs come from.
        clock: Says when a witness succeeded.
        settings: See `CosigningSettings`.
        shelf: Cosignatures that came as files, or None.
    """

    def __init__(
        self,
        policy: Policy,
        transport: WitnessTransport,
        proofs: Proofs,
        *,
        clock: Callable[[], datetime],
        settings: CosigningSettings | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self._policy = policy
        self._transport = transport
        self._proofs = proofs
        self._clock = clock
        self._settings = settings or CosigningSettings()
        self._shelf = shelf
        self._reports = {witness.name: WitnessReport(witness.name) for witness in policy.witnesses}

    @property
    def reports(self) -> tuple[WitnessReport, ...]:
        """The witnesses of the policy, in its order."""
        return tuple(self._reports.values())

    async def __call__(self, note: bytes, *, old_size: int, new_size: int) -> bytes:
        """Return the note with all cosignatures that came; see `ledger.leader.Cosign`.

        Raises:
            CheckpointWithheld: They do not make up the quorum.
        """
        parsed = parse_note(note)
        found: dict[str, Signature] = {}
        if self._shelf is not None:
            for signature in await self._shelf.signatures(parsed.text, new_size):
                found.update(self._belonging(signature, parsed.text))
        await self._ask_all(note, parsed.text, old_size=old_size, found=found)
        cosigned, verdict = self._attach(parsed, found)
        if not verdict.quorum_met:
            raise CheckpointWithheld(self._complaint(new_size, found), size=new_size, missing=list(verdict.missing))
        return cosigned

    async def _ask_all(self, note: bytes, text: str, *, old_size: int, found: dict[str, Signature]) -> None:
        """Ask everybody at once and add what comes to `found`, until it is enough or all have answered."""
        checkpoint, parsed = parse_checkpoint(text), parse_note(note)
        waiting = {
            asyncio.create_task(self._ask(witness, witness.url, note, checkpoint, old_size)): witness
            for witness in self._policy.witnesses
            if witness.url is not None
        }
        loop = asyncio.get_running_loop()
        end: float | None = None
        try:
            while waiting and (end is None or loop.time() < end):
                timeout = None if end is None else end - loop.time()
                done, _ = await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    witness = waiting.pop(task)
                    if signature := self._note_outcome(witness, task, checkpoint.size):
                        found[witness.name] = signature
                if end is None and self._attach(parsed, found)[1].quorum_met:
                    end = loop.time() + self._settings.grace_seconds
        finally:
            for task, witness in waiting.items():
                task.cancel()
                self._report(witness, error="slower than the others, who were enough")
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _ask(self, witness: Witness, url: str, note: bytes, checkpoint: Checkpoint, old_size: int) -> Signature:
        """Ask one witness, a second time where it says what it cosigned last.

        Raises:
            _Refused: It does not cosign.
            OSError: It does not answer.
            CodedError: There is no proof for it.
        """
        known = self._reports[witness.name].size
        old_size = min(old_size if known is None else known, checkpoint.size)
        for _ in range(_QUESTIONS_MAX):
            proof: tuple[bytes, ...] = ()
            if 0 < old_size < checkpoint.size:
                proof = await self._proofs.consistency(old_size=old_size, new=checkpoint)
            body = format_request(old_size=old_size, proof=proof, note=note)
            async with asyncio.timeout(self._settings.request_seconds):
                reply = await self._transport.add_checkpoint(url, body)
            if reply.status == HTTPStatus.OK:
                return _cosignature(witness, reply.body, parse_note(note).text)
            old_size = _told_size(reply, asked=old_size, size=checkpoint.size)
            self._report(witness, size=old_size)
        raise _Refused("names another size each time it is asked")

    def _note_outcome(self, witness: Witness, task: asyncio.Task[Signature], size: int) -> Signature | None:
        try:
            signature = task.result()
        except TimeoutError:
            self._report(witness, error="does not answer in time")
        except OSError as error:
            self._report(witness, error=f"does not answer ({type(error).__name__})")
        except _Refused as error:
            self._report(witness, error=str(error))
        except CodedError as error:
            self._report(witness, error=f"cannot be asked: {error}")
        else:
            now, at = self._clock(), cosigned_at(signature.value)
            # An ML-DSA cosignature of time 0 states no time (C2SP tlog-cosignature).
            offset = at - now.timestamp() if at else None
            self._reports[witness.name] = WitnessReport(
                witness.name, size=size, succeeded_at=now, offset_seconds=offset
            )
            return signature
        return None

    def _report(self, witness: Witness, **news: object) -> None:
        self._reports[witness.name] = replace(self._reports[witness.name], **news)  # type: ignore[arg-type]

    def _belonging(self, signature: Signature, text: str) -> Iterable[tuple[str, Signature]]:
        for witness in self._policy.witnesses:
            if _is_true(witness, signature, text):
                yield witness.name, signature

    def _attach(self, note: Note, found: dict[str, Signature]) -> tuple[bytes, Verdict]:
        """Write the note with the cosignatures in the policy's order, and judge it."""
        lines = tuple(found[witness.name] for witness in self._policy.witnesses if witness.name in found)
        raw = format_note(Note(note.text, note.signatures + lines))
        # Each of them was verified when it came, so the note is as good as opened.
        witnesses = [witness for witness in self._policy.witnesses if witness.name in found]
        proofs = tuple((witness.verifier, found[witness.name].value) for witness in witnesses)
        return raw, self._policy.check(OpenedNote(note.text, proofs))

    def _complaint(self, size: int, found: dict[str, Signature]) -> str:
        reasons = [
            f"{report.name}: {report.error or 'no cosignature of it came'}"
            for report in self._reports.values()
            if report.name not in found
        ]
        return f"{len(found)} of {len(self._reports)} witnesses cosigned {size} entries; {'; '.join(reasons)}"


def _cosignature(witness: Witness, body: bytes, text: str) -> Signature:
    """Return the witness's own line out of an answer; lines of unknown keys are ignored."""
    try:
        lines = [parse_signature(line) for line in body.decode("utf-8").removesuffix("\n").split("\n")]
    except (UnicodeDecodeError, NoteMalformed) as error:
        raise _Refused("answers with what is not a signature") from error
    for signature in lines:
        if _is_true(witness, signature, text):
            return signature
    raise _Refused("answers with a cosignature that is not its own over this checkpoint")


def _is_true(witness: Witness, signature: Signature, text: str) -> bool:
    key = witness.verifier
    return (signature.name, signature.key_id) == (key.name, key.key_id) and key.verifies(text, signature.value)


def _told_size(reply: WitnessReply, *, asked: int, size: int) -> int:
    """Return the size that a witness says it cosigned last, when asking with it makes sense."""
    match reply.status:
        case HTTPStatus.CONFLICT:
            told = _parse_size(reply)
            if told is not None and told > size:
                raise _Refused(f"has cosigned {told} entries, more than the log has: the log went back")
            if told is not None and told != asked:
                return told
            raise _Refused("has cosigned another history under this name (409)")
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            raise _Refused("has cosigned another history under this name (422)")
        case HTTPStatus.NOT_FOUND | HTTPStatus.FORBIDDEN:
            raise _Refused(f"does not know this log or its key ({reply.status})")
        case _:
            raise _Refused(f"answers with status {reply.status}")


def _parse_size(reply: WitnessReply) -> int | None:
    try:
        text = reply.body.decode("ascii")
        if reply.content_type != SIZE_TYPE or not text.endswith("\n"):
            return None
        return parse_decimal(text[:-1], maximum=SIZE_MAX)
    except ValueError:
        return None
