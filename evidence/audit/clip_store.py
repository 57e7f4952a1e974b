"""SQL of what audits named of clips: kept for the search, as long as the newest audit of that reach names it.

An audit names things: an object, a row, an entry, a clip. `clip_of` says which clip a finding is about, where it is
about one; what concerns the log as a whole is no clip's. Nothing here is evidence: `audit.completed` is, and the next
audit says it all again.

Crash story: one transaction beside the entry `audit.completed`; whatever is lost is said again by the next round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from evidence.db.pool import Connection
from ledger.findings import Finding, Severity

KEPT_MAX = 10_000
"""Most findings of one audit that are kept: after a disaster nobody looks for clips one by one."""

_CLIP_OF_ENTRY = """SELECT split_part(subject, ':', 2)::uuid FROM custody_payload
    WHERE entry_id = $1 AND subject ~ '^clip:[0-9a-f-]{36}$'"""

_CLIP_OF_OBJECT = """SELECT clip FROM clip WHERE sha256 = $1
    UNION ALL SELECT clip FROM clip_object WHERE sha256 = $1 LIMIT 1"""


async def keep_findings(
    conn: Connection, findings: Sequence[Finding], *, resolves: Collection[Severity], at: datetime
) -> int:
    """Keep what an audit named of clips, in the caller's transaction.

    Args:
        findings: All that it named; those above `KEPT_MAX` are left out, and then nothing counts as resolved.
        resolves: Of which severities it named everything that there is, bytes included: what it did not name of them
            is resolved.

    Returns:
        How many of the findings are about a clip.
    """
    named: dict[tuple[UUID, str, str], Finding] = {}
    for finding in findings[:KEPT_MAX]:
        if finding.severity is not Severity.OK and (clip := await clip_of(conn, finding)) is not None:
            named[clip, finding.code, finding.subject] = finding
    await conn.executemany(
        """INSERT INTO clip_finding (clip, code, subject, severity, message, first_at, last_at)
           VALUES ($1, $2, $3, $4, $5, $6, $6)
           ON CONFLICT (clip, code, subject) DO UPDATE SET severity = excluded.severity, message = excluded.message,
               last_at = excluded.last_at, resolved_at = NULL""",
        [(*key, finding.severity.value, finding.message, at) for key, finding in named.items()],
    )
    if len(findings) <= KEPT_MAX:
        await conn.execute(
            """UPDATE clip_finding SET resolved_at = $1
               WHERE resolved_at IS NULL AND last_at < $1 AND severity = ANY($2::text[])""",
            at,
            [severity.value for severity in resolves],
        )
    return len(named)


async def clip_of(conn: Connection, finding: Finding) -> UUID | None:
    """Return the clip that a finding is about; None when it is about none, or about one that nothing leads to."""
    kind, _, name = finding.subject.partition(":")
    key = finding.details.get("key")
    for stated in (finding.details.get("clip"), key.get("clip") if isinstance(key, Mapping) else None):
        if (clip := _uuid(stated)) is not None:
            return clip
    found: object = None
    if kind == "clip":
        found = _uuid(name)
    elif kind == "entry" and (entry := _uuid(name)) is not None:
        found = await conn.fetchval(_CLIP_OF_ENTRY, entry)
    elif kind == "object" and (sha256 := _digest(name)) is not None:
        found = await conn.fetchval(_CLIP_OF_OBJECT, sha256)
    return found if isinstance(found, UUID) else None


def _uuid(value: object) -> UUID | None:
    try:
        return value if isinstance(value, UUID) else UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _digest(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
