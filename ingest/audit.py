"""The audit of uploads: what a sender was told about its upload is what the record says, both ways.

1. Each sealed upload has its source of a clip under the entry that its row names: of this very upload, or of an earlier
   one of the same content from the same place, and with the same clip. If it were not so, a sender would hold an
   acknowledgement that nothing accounts for.
2. Each quarantined upload has the payload of its refusal.
3. What the record calls sealed, quarantined or given up is not open or ended otherwise in the rows.
4. Each sealed beginning of a file (`clip.prefix`) is the beginning of the clip that came of it, or still waits, or is
   kept in quarantine. Its leaves are proved by the clip's root before they are used.

It is handed to `evidence.audit.house.audit_house` as a further check; that audit has compared sources and payloads
with the ledger before. Rows of uploads are no evidence: one that is missing altogether is not a finding.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from evidence.db.pool import Connection
from evidence.verify.hashing import split_leaves
from ingest import audit_store
from ingest.audit_store import EndedUpload, PrefixOnRecord
from ledger.findings import Finding, Severity
from ledger.tree import root_of

SOURCE_MISSING = "upload.source_missing"
SOURCE_DIFFERS = "upload.source_differs"
REFUSAL_MISSING = "upload.refusal_missing"
STATE_DIFFERS = "upload.state_differs"
PREFIX_CONTRADICTED = "prefix.contradicted"
PREFIX_ABANDONED = "prefix.abandoned"
PREFIX_UNJUDGED = "prefix.unjudged"

FINDINGS: Mapping[str, str] = {
    SOURCE_MISSING: "An upload was acknowledged as sealed, and the record has no source of a clip under its entry.",
    SOURCE_DIFFERS: "A sealed upload names another clip or kind of sealing than the record, or another's entry.",
    REFUSAL_MISSING: "An upload is in quarantine, and the record has no payload that says why.",
    STATE_DIFFERS: "The record says that an upload was sealed, quarantined or given up, and its row says otherwise.",
    PREFIX_CONTRADICTED: "A clip does not begin with what was sealed of it while it was still being written.",
    PREFIX_ABANDONED: "The beginning of a file was sealed, and neither a clip nor anything kept came of it.",
    PREFIX_UNJUDGED: "The leaf hashes that would show how a clip begins are gone or are not that clip's.",
}
"""Every code with its meaning; all are errors."""


async def audit_uploads(conn: Connection) -> AsyncIterator[Finding]:
    """Yield what differs between uploads and the record.

    Args:
        conn: A connection for the audit alone.
    """
    async for one in audit_store.ended_uploads(conn):
        if one.state == "quarantined":
            if not one.payloads:
                yield _broken(REFUSAL_MISSING, one, "is in quarantine, and nothing on record says why")
        elif one.source_clip is None:
            yield _broken(SOURCE_MISSING, one, f"was acknowledged as sealed into clip {one.clip}, which knows nothing")
        elif differences := _differences(one):
            message = f"does not agree with the record about: {', '.join(differences)}"
            yield _broken(SOURCE_DIFFERS, one, message, fields=differences)
    async for upload, state in audit_store.sealed_elsewhere(conn):
        message = f"upload {upload} has ended on record, and is {state} in its row"
        yield Finding(STATE_DIFFERS, Severity.ERROR, f"upload:{upload}", message, {"state": state})
    async for prefix in audit_store.prefixes_on_record(conn):
        if found := _judge_prefix(prefix):
            yield found


def _judge_prefix(prefix: PrefixOnRecord) -> Finding | None:
    code, message = None, ""
    if prefix.clip is None:
        if prefix.state in {"open", "complete", "quarantined"}:
            return None
        code, message = PREFIX_ABANDONED, "has ended without a clip and without anything that was kept"
    else:
        leaves = split_leaves(prefix.leaves or b"")
        if not leaves or root_of(leaves) != prefix.clip_root:
            code, message = PREFIX_UNJUDGED, f"became clip {prefix.clip}, of which no leaf hashes are at hand"
        elif root_of(leaves[: prefix.chunks]) != prefix.root or len(leaves) < prefix.chunks:
            code, message = PREFIX_CONTRADICTED, f"became clip {prefix.clip}, which begins otherwise"
    if code is None:
        return None
    facts = {"chunks": prefix.chunks, "clip": None if prefix.clip is None else str(prefix.clip)}
    message = f"the first {prefix.chunks} chunks of upload {prefix.upload} are on record, and it {message}"
    return Finding(code, Severity.ERROR, f"upload:{prefix.upload}", message, facts)


def _differences(one: EndedUpload) -> list[str]:
    pairs = {
        "clip": (one.clip, one.source_clip),
        "repeated": (one.repeated, one.source_repeated),
        "source": (True, one.is_its_own),
    }
    return [name for name, (row, record) in pairs.items() if row != record]


def _broken(code: str, one: EndedUpload, message: str, **details: object) -> Finding:
    facts = {"clip": str(one.clip), "entry": str(one.entry), **details} if one.state == "sealed" else details
    return Finding(code, Severity.ERROR, f"upload:{one.upload}", f"upload {one.upload} {message}", facts)
