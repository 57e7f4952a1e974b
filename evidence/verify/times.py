"""Obligation 9: when the checkpoint existed, by the word of strangers' clocks (RFC 3161 time stamps); pure.

A stamp is over the checkpoint in the receipt, byte for byte. So it says of the entry, which obligation 6 finds in that
checkpoint, that it was there at the stated time at the latest. Without a stamp nothing is said about when, and nothing
fails; with one that is false something was forged, and it does.

Roots come from the reader. Without them a stamp can be consistent at best: anybody can be an authority.
Twin of the functions of the same names in `page/source/judge.js`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from evidence.core.clock import format_time
from evidence.verify.findings import finding
from ledger.errors import CodedError
from ledger.findings import Finding
from ledger.timestamp.certificate import Certificate
from ledger.timestamp.errors import TimestampFalse, TimestampMismatch
from ledger.timestamp.stamp import check_stamp, open_stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """The time stamps that came along with one original; nothing is checked yet.

    Attributes:
        checkpoint: The file with the checkpoint's bytes, for other programs; None when there is none.
        responses: Name of the authority -> its response (RFC 3161, DER).
        roots: Whose word counts; None when the reader gave none.
    """

    checkpoint: bytes | None = None
    responses: Mapping[str, bytes] = field(default_factory=dict)
    roots: tuple[Certificate, ...] | None = None


def judge_times(stamps: Stamps, *, checkpoint: bytes, subject: str) -> list[Finding]:
    """Judge obligation 9.

    Args:
        stamps: What came along.
        checkpoint: The checkpoint in the receipt, byte for byte.
        subject: What the findings are about.
    """
    found = []
    if stamps.checkpoint is not None and stamps.checkpoint != checkpoint:
        found.append(finding("time.checkpoint_differs", subject))
    for authority, response in sorted(stamps.responses.items()):
        found.append(_judge(authority, response, stamps.roots, checkpoint, subject))
    if not stamps.responses:
        found.append(finding("time.none", subject))
    return found


def _judge(
    authority: str, response: bytes, roots: tuple[Certificate, ...] | None, checkpoint: bytes, subject: str
) -> Finding:
    try:
        if roots is None:
            said = open_stamp(response, data=checkpoint)
        else:
            said = check_stamp(response, data=checkpoint, roots=roots)
    except TimestampMismatch:
        return finding("time.of_other_data", subject, authority=authority)
    except TimestampFalse as error:
        return finding("time.false", subject, authority=authority, reason=error.message)
    except CodedError as error:
        return finding("time.malformed", subject, authority=authority, reason=error.message)
    code = "time.trust_owed" if roots is None else "met.time"
    details = {"authority": authority, "time": format_time(said.at), "signer_sha256": said.signer_sha256.hex()}
    return finding(code, subject, **details)
