"""The dates in a log's entries, held against each other and against the clocks of those who saw them.

These are the rules of the audit (`ledger.audit_times`), as far as they can be applied without the service's rows:

1. no entry is dated after a witness saw it; without witnesses, after this monitor saw it
2. no entry is dated before an earlier one, up to an hour with a warning: a transaction that stayed open explains it

What was the latest date so far is remembered from look to look, so that an entry which is added and dated back is named
although the monitor has long turned to other parts of the log. An entry that is not of this house's form states no date
that could be judged: of such a log only the tree is watched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger import audit_findings
from ledger.audit_times import EntryTimes, TimeJudge, TimeRules
from ledger.canonical import decode_entry
from ledger.errors import EntryMalformed
from ledger.findings import Finding
from ledger.mirror import findings as codes
from ledger.mirror.findings import found

_CODES = {
    audit_findings.ENTRY_POSTDATED: codes.ENTRY_POSTDATED,
    audit_findings.ENTRY_BACKDATED: codes.ENTRY_BACKDATED,
    audit_findings.ENTRY_LATE: codes.ENTRY_LATE,
}
DATE_CODES = frozenset(_CODES.values())
"""What is found here: it accuses who dated the entries, not the tree that holds them."""


@dataclass(slots=True)
class Dated:
    """How far dates were judged from the log's beginning, in one go or over many looks.

    Attributes:
        latest: The latest date among them, POSIX seconds; None before the first.
        size: Entries before this index are among them.
    """

    latest: float | None = None
    size: int = 0


def judge_dates(
    entries: Sequence[bytes], *, start: int, before: Dated, seen_at: float, tolerance_seconds: float
) -> Iterator[Finding]:
    """Judge the dates of proved entries that stand side by side, and remember them in `before` if they lead on from it.

    Args:
        entries: The entries' bytes.
        start: Index of the first.
        before: What is known about the entries before; moved on to the end of these if they go beyond it.
        seen_at: POSIX seconds when they were in the log for sure.
        tolerance_seconds: How far clocks may be apart.
    """
    rules = TimeRules(tolerance_seconds=tolerance_seconds, now=datetime.fromtimestamp(seen_at, UTC))
    known = max(0, before.size - start)
    old = TimeJudge(rules)
    yield from _judged(old, entries[:known], start)
    if known >= len(entries):
        return
    dates = [date for date in (old.latest, _instant(before.latest)) if date is not None]
    new = TimeJudge(rules, latest=max(dates, default=None))
    yield from _judged(new, entries[known:], start + known)
    before.latest = None if new.latest is None else new.latest.timestamp()
    before.size = start + len(entries)


def _judged(judge: TimeJudge, entries: Sequence[bytes], start: int) -> Iterator[Finding]:
    for index, raw in enumerate(entries, start):
        try:
            at = decode_entry(raw).at
        except EntryMalformed:
            continue
        for finding in judge.entry(index, EntryTimes(at, None)):
            yield found(_CODES[finding.code], finding.subject, finding.message, **finding.details)


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
