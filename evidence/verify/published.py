"""Judging the proof beside a published record (`<name>.published`): pure, offline.

Obligations, for each entry of the proof:

1. it is canonical, says that something was published or withdrawn, and all are about one publication
2. where payload and salt came along, they are what the entry commits to, and the payload names that publication
3. the entry is in the log of the checkpoint, and the checkpoint is signed by a believed key (`judge.judge_log`)

What the reader owes: that the text they were shown elsewhere is the one in the payload, which `shilu-verify --json` and
the file itself show; and that there is no newer version, which only the service's own page or the log can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evidence.core.clock import format_time
from evidence.core.wire.published import PublishedPart, parse_published
from evidence.core.wire.receipt import Receipt, parse_payload
from evidence.errors import WireError
from evidence.verify.findings import finding
from evidence.verify.judge import judge_log
from ledger.canonical import SALT_BYTES, Entry, JsonObject, commitment, decode_entry
from ledger.errors import CodedError
from ledger.findings import Finding, is_clean
from ledger.policy import Policy

PUBLISHED: Final = "publication.published"
WITHDRAWN: Final = "publication.withdrawn"
_REASON_SHOWN = 200


def judge_published(raw: bytes, *, policy: Policy, subject: str) -> list[Finding]:
    """Judge a proof.

    Args:
        raw: The file's bytes.
        policy: The log keys that are believed, and the witnesses they need.
        subject: What the findings are about.
    """
    try:
        parts = parse_published(raw)
        entries = [decode_entry(part.entry) for part in parts]
    except (WireError, CodedError) as error:
        return [finding("published.malformed", subject, reason=error.code)]
    about = entries[0].subject
    found: list[Finding] = []
    for part, entry in zip(parts, entries, strict=True):
        if entry.type not in {PUBLISHED, WITHDRAWN} or entry.subject != about:
            found.append(finding("published.other", subject, type=entry.type, about=entry.subject))
            continue
        found += _judge_part(part, entry, policy, subject)
    return found


def _judge_part(part: PublishedPart, entry: Entry, policy: Policy, subject: str) -> Iterator[Finding]:
    receipt = Receipt(
        entry=part.entry, payload=part.payload or b"", salt=part.salt or bytes(SALT_BYTES), proof=part.proof
    )
    proof, _, logged = judge_log(receipt, policy, subject)
    yield from (one for one in logged if not is_clean([one]))
    if proof is None or not is_clean(list(logged)):
        return
    where: dict[str, object] = {"at": format_time(entry.at), "index": proof.index}
    if part.payload is None or part.salt is None:
        code = "published.withheld" if entry.type == PUBLISHED else "published.gone"
        yield finding(code, subject, **where, **({} if entry.type == PUBLISHED else {"reason": "-"}))
        return
    said = _said(part.payload)
    committed = commitment(salt=part.salt, payload=part.payload) == entry.commit
    if not committed or said is None or entry.subject != f"publication:{said.get('publication')}":
        yield finding("published.not_committed", subject, index=proof.index)
    elif entry.type == PUBLISHED:
        yield finding("published.shown", subject, **where, version=said.get("version"))
    else:
        yield finding("published.gone", subject, **where, reason=str(said.get("reason", ""))[:_REASON_SHOWN])


def _said(payload: bytes) -> JsonObject | None:
    try:
        return parse_payload(payload)
    except WireError:
        return None
