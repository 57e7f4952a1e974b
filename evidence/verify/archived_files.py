"""Reads from disk what `evidence.verify.archived` judges: case, originals of a package, and what lies beside them.

Likewise the receipts of the case's review, for `evidence.verify.rounds`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from evidence.core.wire.receipt import RECEIPT_BYTES_MAX, parse_receipt
from evidence.errors import WireError
from evidence.verify.archived import ANNOTATION_NAME, CASE_NAME, CUSTODY_NAME, Held, judge_archived
from evidence.verify.clip import Verification
from evidence.verify.package import Item
from evidence.verify.rounds import REVIEW_NAME, judge_rounds
from evidence.verify.rounds_reading import REVIEW_BYTES_MAX
from ledger.canonical import PAYLOAD_BYTES_MAX, decode_entry
from ledger.errors import CodedError
from ledger.findings import Finding
from ledger.policy import Policy

CUSTODY_BYTES_MAX: Final = 256 * 1024 * 1024
"""Longest custody log that is read; what is behind it proves nothing."""


def judge_case_in(
    root: Path, read: Sequence[tuple[Item, Verification]], *, policy: Policy, subject: str
) -> list[Finding]:
    """Judge a package as an archived case, where it says that it is one; else find nothing.

    Args:
        root: The package's folder.
        read: The originals that were verified in this run, and what came out.
        policy: The log keys that are believed.
        subject: What the findings are about.
    """
    raw = _read(root / "data" / CASE_NAME, RECEIPT_BYTES_MAX)
    if raw is None:
        return []
    held = _held(root / "data", read)
    return judge_archived(raw, held, policy=policy, subject=subject, stated_case=_stated_case(root))


def judge_review_in(root: Path, *, policy: Policy, subject: str) -> list[Finding]:
    """Judge the review of a package's case, where receipts of it came along; else find nothing.

    Args:
        root: The package's folder.
        policy: The log keys that are believed.
        subject: What the findings are about.
    """
    raw = _read(root / "data" / REVIEW_NAME, REVIEW_BYTES_MAX)
    if raw is None:
        return []
    return judge_rounds(raw, policy=policy, subject=subject, stated_case=_stated_case(root))


def _held(data: Path, read: Sequence[tuple[Item, Verification]]) -> Iterator[Held]:
    for item, verified in read:
        folder = item.file.parent
        if folder.is_relative_to(data):
            yield Held(
                place=folder.relative_to(data).as_posix(),
                sealed=verified.clip,
                entry=_entry_of(item.receipt()),
                holds=verified.holds,
                custody=_read(folder / CUSTODY_NAME, CUSTODY_BYTES_MAX),
                annotation=_read(folder / ANNOTATION_NAME, PAYLOAD_BYTES_MAX),
                whole=not verified.is_excerpt,
            )


def _entry_of(receipt: bytes | None) -> UUID | None:
    try:
        return None if receipt is None else decode_entry(parse_receipt(receipt).entry).id
    except (WireError, CodedError):
        return None


def _stated_case(root: Path) -> str | None:
    """Return the case that `package.json` names."""
    try:
        raw = _read(root / "data" / "package.json", PAYLOAD_BYTES_MAX) or b"null"
        case = json.loads(raw.decode())["case"]["case"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return case if isinstance(case, str) else None


def _read(path: Path, bytes_max: int) -> bytes | None:
    """Return a file's bytes, at most one beyond the limit; None where there is none or it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(bytes_max + 1)
    except OSError:
        return None
