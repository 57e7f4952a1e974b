"""Reads `review.receipts`: what each receipt proves, in the order of the log. Obligation 1 of `rounds`, half of 2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from evidence.core.wire.receipt import Receipt, open_payload, parse_receipt
from evidence.errors import WireLimit, WireMalformed
from evidence.verify.findings import finding
from evidence.verify.judge import judge_log
from ledger.canonical import Entry, JsonObject, decode_entry
from ledger.errors import CodedError
from ledger.findings import Finding, is_clean
from ledger.policy import Policy

REVIEW_BYTES_MAX: Final = 256 * 1024 * 1024
"""Longest list of receipts that is judged."""

RECEIPTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one receipt proves: its place in the list from 1, the entry, its index in the log, and its payload."""

    place: int
    entry: Entry
    index: int
    content: JsonObject


def read_rounds(raw: bytes, *, policy: Policy, subject: str) -> tuple[list[Said], list[Finding]]:
    """Return what a list of receipts proves; with anything wrong in it, nothing, and what is wrong.

    Args:
        raw: Bytes of the file, at most one beyond the limit.
        policy: The log keys that are believed, and the witnesses they need.
        subject: What the findings are about.
    """
    said, faults, state = list[Said](), list[Finding](), None
    try:
        for place, receipt in enumerate(_receipts(raw), 1):
            entry = decode_entry(receipt.entry)
            content = open_payload(entry, payload=receipt.payload, salt=receipt.salt)
            proof, checkpoint, logged = judge_log(receipt, policy, subject)
            codes = [one.code for one in logged if not is_clean([one])]
            state = state or checkpoint
            if proof is None or checkpoint is None or codes or checkpoint != state:
                told = ", ".join(codes) or "another checkpoint"
                faults.append(finding("rounds.not_proved", subject, place=place, codes=told))
                continue
            if said and proof.index <= said[-1].index:
                faults.append(finding("rounds.out_of_order", subject, place=place))
            said.append(Said(place=place, entry=entry, index=proof.index, content=content))
    except CodedError as error:
        return [], [finding("rounds.malformed", subject, reason=error.message)]
    return ([], faults) if faults else (said, [])


def _receipts(raw: bytes) -> Iterator[Receipt]:
    if len(raw) > REVIEW_BYTES_MAX:
        raise WireLimit(f"it is longer than {REVIEW_BYTES_MAX} bytes")
    lines = raw.split(b"\n")
    if len(lines) < 3 or len(lines) % 2 == 0 or lines.pop():
        raise WireMalformed("it does not end with a whole receipt")
    if len(lines) > 2 * RECEIPTS_MAX:
        raise WireLimit(f"it holds more than {RECEIPTS_MAX} receipts")
    for start in range(0, len(lines), 2):
        yield parse_receipt(b"%b\n%b\n" % (lines[start], lines[start + 1]))


def text_at(content: JsonObject, *names: str) -> str:
    """Return a text within a payload.

    Raises:
        WireMalformed: There is none at that place.
    """
    value: Any = content
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, str):
        raise WireMalformed(f"there is no text at {'.'.join(names)}")
    return value


def object_at(content: JsonObject, name: str) -> JsonObject:
    """Return an object within a payload.

    Raises:
        WireMalformed: There is none at that place.
    """
    value = content.get(name)
    if not isinstance(value, dict):
        raise WireMalformed(f"there is no object at {name}")
    return value
