"""The audit's look at time: do entries, rows and strangers' clocks tell one story? Pure; fed in the order of the log.

What is known about time, and by whom:

    at            in the entry, the service's clock, taken just before the entry is appended
    appended_at   beside it in its row, the database's clock
    signed_at, published_at   beside each checkpoint, the leader's clock
    cosignatures  in the published note, the witnesses' clocks, signed by them
    now           the auditor's clock

An entry is older than the first checkpoint that covers it; a cosignature lies between signing and publication; what
comes later in the log was dated later. So, give or take a tolerance:

1. `at` and `appended_at` agree
2. an entry is not dated after the checkpoint that covers it first was signed, nor after a witness saw that
3. an entry is not dated before an earlier one. A transaction that stays open long is an honest cause, so up to an hour
   this is a warning; no transaction of the house lives that long
4. checkpoints are signed and published one after the other, each published after it was signed
5. each witness's time lies between signing and publication of the checkpoint it is under
6. nothing is dated after now

These hold in honest runs however long a sequencer was away (a backlog is taken in its order), however late an office
cosigns by file (its line is published only with a checkpoint that waited for it), and over changes of leadership (the
clocks of the candidates agree within the tolerance, or one is wrong). A clock that was set wrong for a while is found
where it jumped, and one that is set right again as well; which of two clocks was wrong, nobody can tell from here.

A cosignature of time 0 states no time (C2SP tlog-cosignature). After each checkpoint one finding of a kind is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ledger import audit_findings as codes
from ledger.audit_findings import broken
from ledger.cosignature import cosigned_at
from ledger.errors import LedgerInputError
from ledger.findings import Finding, Severity
from ledger.note import OpenedNote, parse_note
from ledger.policy import Policy

LATE_SECONDS_MAX = 3600.0
"""From this lateness on no open transaction explains an entry that is dated before earlier ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRules:
    """By what times are judged.

    Attributes:
        tolerance_seconds: How far clocks may be apart.
        policy: The witnesses, whose lines are judged too; None for none.
        now: The clock of whoever judges: all that is judged was there by then.
    """

    tolerance_seconds: float = 300.0
    policy: Policy | None = None
    now: datetime


@dataclass(frozen=True, slots=True)
class EntryTimes:
    """When an entry came, by itself and by its row; None for who sees no rows."""

    at: datetime
    appended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointTimes:
    """Rows of one signed size; None where there is none.

    Attributes:
        size: How many entries it covers.
        signed_at: When it was signed.
        published_at: When it was published.
        published_note: The note as it was published.
    """

    size: int
    signed_at: datetime | None
    published_at: datetime | None
    published_note: bytes | None


class TimeJudge:
    """Judges the times of a log; wants each entry once, and each checkpoint after the entries that it covers.

    Args:
        latest: The latest date among the entries before the first one that is judged; None for a log's beginning.
    """

    def __init__(self, rules: TimeRules, *, latest: datetime | None = None) -> None:
        self._rules = rules
        self._tolerance = timedelta(seconds=rules.tolerance_seconds)
        self._late_max = timedelta(seconds=max(LATE_SECONDS_MAX, rules.tolerance_seconds))
        self._latest = latest
        self._uncovered: tuple[int, datetime] | None = None
        self._signed_at: datetime | None = None
        self._published_at: datetime | None = None
        self._named: set[str] = set()

    @property
    def latest(self) -> datetime | None:
        """The date by which the next entry is judged."""
        return self._latest

    def entry(self, index: int, times: EntryTimes) -> Iterator[Finding]:
        """Judge an entry by its row, by those before it and by the clock; points 1, 3 and 6."""
        subject, facts = f"entry:{index}", {"index": index, "at": times.at.isoformat()}
        if times.appended_at is not None and abs(times.appended_at - times.at) > self._tolerance:
            message = f"entry {index} is dated {_apart(times.at, times.appended_at)} from when its row was appended"
            yield from self._once(codes.ENTRY_MISDATED, subject, message, **facts)
            return
        if times.at > self._rules.now + self._tolerance:
            message = f"entry {index} is dated {_apart(times.at, self._rules.now)} after it was seen"
            yield from self._once(codes.ENTRY_POSTDATED, subject, message, **facts)
            return
        if self._latest is not None and times.at < self._latest - self._tolerance:
            message = f"entry {index} is dated {_apart(times.at, self._latest)} before one that comes earlier"
            is_explained = self._latest - times.at <= self._late_max
            code = codes.ENTRY_LATE if is_explained else codes.ENTRY_BACKDATED
            yield from self._once(code, subject, message, **facts)
            # Judged from here on by this one: a clock that was set right again is one finding, not one for each entry.
            self._latest = times.at
        self._latest = times.at if self._latest is None else max(self._latest, times.at)
        if self._uncovered is None or times.at > self._uncovered[1]:
            self._uncovered = index, times.at

    def checkpoint(self, times: CheckpointTimes) -> Iterator[Finding]:
        """Judge a checkpoint and the entries that it covers first; points 2, 4 and 5, and the witnesses' lines."""
        subject = f"checkpoint:{times.size}"
        seen, findings = self._witnessed(times, subject)
        yield from findings
        yield from self._entries_before(times, seen)
        yield from self._in_order(times, subject)
        for name, at in seen:
            low, high = times.signed_at, times.published_at
            if (low and at < low - self._tolerance) or (high and at > high + self._tolerance):
                message = f"witness {name} states another time than the rows of the checkpoint of {times.size} entries"
                facts = {"witness": name, "stated": at.isoformat(), "size": times.size}
                yield from self._once(codes.CLOCK_DISPUTED, subject, message, **facts)
        self._named.clear()

    def _witnessed(self, times: CheckpointTimes, subject: str) -> tuple[list[tuple[str, datetime]], list[Finding]]:
        """Return what the policy's witnesses state in a published note, and what is wrong with their lines."""
        policy, seen, found = self._rules.policy, list[tuple[str, datetime]](), list[Finding]()
        if policy is None or not policy.witnesses or times.published_note is None:
            return seen, found
        try:
            note = parse_note(times.published_note)
        except LedgerInputError:
            # The audit of signatures names it.
            return seen, found
        proofs = []
        for signature in note.signatures:
            for witness in policy.witnesses:
                key = witness.verifier
                if (key.name, key.key_id) != (signature.name, signature.key_id):
                    continue
                if not key.verifies(note.text, signature.value):
                    message = f"a line of witness {witness.name} under {times.size} entries is not its signature"
                    found.append(broken(codes.COSIGNATURE_FALSE, subject, message, witness=witness.name))
                    continue
                proofs.append((key, signature.value))
                if (stated := _instant(cosigned_at(signature.value))) is not None:
                    seen.append((witness.name, stated))
        verdict = policy.check(OpenedNote(note.text, tuple(proofs)))
        if not found and not verdict.quorum_met:
            message = (
                f"the checkpoint of {times.size} entries is on record with fewer cosignatures than the policy asks"
            )
            found.append(_warn(codes.QUORUM_BELOW, subject, message, missing=list(verdict.missing)))
        return seen, found

    def _entries_before(self, times: CheckpointTimes, seen: Sequence[tuple[str, datetime]]) -> Iterator[Finding]:
        bounds = [at for at in (times.signed_at, *(at for _, at in seen)) if at is not None]
        if self._uncovered is None or not bounds:
            return
        index, at = self._uncovered
        self._uncovered = None
        earliest = min(bounds)
        if at > earliest + self._tolerance:
            message = f"entry {index} is dated {_apart(at, earliest)} after its checkpoint was signed or seen"
            facts = {"index": index, "at": at.isoformat(), "size": times.size}
            yield from self._once(codes.ENTRY_POSTDATED, f"entry:{index}", message, **facts)
            # Those that follow are not measured by an entry that nobody believes.
            self._latest = earliest

    def _in_order(self, times: CheckpointTimes, subject: str) -> Iterator[Finding]:
        known = (
            ("signed", self._signed_at, times.signed_at),
            ("published", self._published_at, times.published_at),
            ("published after it was signed", times.signed_at, times.published_at),
            ("dated in the past", times.signed_at, self._rules.now),
            ("dated in the past", times.published_at, self._rules.now),
        )
        for what, before, after in known:
            if before is not None and after is not None and after < before - self._tolerance:
                message = f"the checkpoint of {times.size} entries is not {what} in its order: {_apart(before, after)}"
                yield from self._once(codes.CLOCK_JUMPED, subject, message, size=times.size)
        self._signed_at, self._published_at = times.signed_at, times.published_at or self._published_at

    def _once(self, code: str, subject: str, message: str, **facts: object) -> Iterator[Finding]:
        if code not in self._named:
            self._named.add(code)
            make = _warn if code == codes.ENTRY_LATE else broken
            yield make(code, subject, message, **facts)


def _apart(one: datetime, other: datetime) -> str:
    return f"{abs((one - other).total_seconds()):.0f} s"


def _instant(seconds: int) -> datetime | None:
    """Return a witness's time; None where it states none, or one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)


def _warn(code: str, subject: str, message: str, **details: object) -> Finding:
    return Finding(code, Severity.WARNING, subject, message, details)
