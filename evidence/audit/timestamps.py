"""Time stamps on record, judged again: what an entry `log.timestamped` states holds by the stamp that it carries.

1. the checkpoint in it is one that this log signed, with the size and root stated
2. the response is a time stamp of that checkpoint, byte for byte, and states the time stated
3. where the auditor knows the authority, its roots vouch for the signer
4. the service's clock and the authority's agreed when it was recorded, give or take the tolerance

An authority that is not configured any more is a warning: its stamps were judged when they were taken.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evidence.audit import findings as codes
from evidence.audit.findings import found
from evidence.core.clock import format_time
from evidence.custody.store import StoredPayload
from ledger.canonical import JsonObject
from ledger.errors import CodedError
from ledger.findings import Finding
from ledger.key_history import KeyHistory
from ledger.timestamp.certificate import Certificate
from ledger.timestamp.stamp import StampedAt, check_stamp, open_stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRules:
    """By what time stamps on record are judged.

    Attributes:
        roots: Name of an authority -> whose word counts for it; None when the auditor knows no authority at all.
        tolerance_seconds: How far clocks may be apart; None to leave that alone.
    """

    roots: Mapping[str, Sequence[Certificate]] | None = None
    tolerance_seconds: float | None = None


def judge_timestamp(
    stored: StoredPayload, payload: JsonObject, *, log: KeyHistory, rules: StampRules
) -> Iterator[Finding]:
    """Yield what is wrong with a time stamp on record; see the module."""
    subject, authority = f"entry:{stored.entry_id}", str(payload.get("authority"))
    try:
        note, response = str(payload["checkpoint"]).encode(), base64.b64decode(str(payload["response"]))
        checkpoint = log.open_checkpoint(note)
        said, is_known = _judge(response, note, (rules.roots or {}).get(authority))
    except (KeyError, ValueError):
        # The replay says that it is no event.
        return
    except CodedError as error:
        message = f"the time stamp of {authority} on record does not hold: {error.message}"
        yield found(codes.TIMESTAMP_FALSE, subject, message, authority=authority)
        return
    stated = (payload.get("size"), payload.get("root"), payload.get("time"))
    if stated != (checkpoint.size, checkpoint.root.hex(), format_time(said.at)):
        message = f"the record states another size, root or time than the time stamp of {authority} that it carries"
        yield found(codes.TIMESTAMP_DISAGREES, subject, message, authority=authority)
    if rules.roots is not None and not is_known:
        message = f"authority {authority} is not configured: whether anybody vouches for its stamp was not judged"
        yield found(codes.TIMESTAMP_UNJUDGED, subject, message, authority=authority)
    seconds = (stored.at - said.at).total_seconds()
    if rules.tolerance_seconds is not None and abs(seconds) > rules.tolerance_seconds + (said.accuracy_seconds or 0.0):
        message = f"{authority} stated a time {abs(seconds):.0f} s from the service's when its stamp was recorded"
        yield found(codes.TIMESTAMP_CLOCK, subject, message, authority=authority, seconds=seconds)


def _judge(response: bytes, note: bytes, roots: Sequence[Certificate] | None) -> tuple[StampedAt, bool]:
    if roots is None:
        return open_stamp(response, data=note), False
    return check_stamp(response, data=note, roots=roots), True
