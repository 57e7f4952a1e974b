"""Work on many clips that commands and background duties share: verify what is stored, export it, audit all of it."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from api.audit_record import record_audit
from api.audit_rules import further_checks, stamp_rules, time_rules
from api.services import Services
from evidence.audit.house import audit_house
from evidence.clips.search import list_clips
from evidence.clips.store import clip_row, read_leaves
from evidence.core.wire.receipt import Receipt, format_receipt
from evidence.db.pool import Connection, connect
from evidence.errors import ClipUnknown, ObjectMissing
from evidence.export.clip import Exporter
from evidence.receipts import build_dock_receipts, build_receipt, stamps_of
from evidence.retention.disposal_store import disposed_among
from evidence.retention.tombstones import require_kept
from evidence.verify.clip import verify_clip
from evidence.verify.times import Stamps
from ledger.findings import Finding, Severity, is_clean
from ledger.proof import parse_proof

Advance = Callable[[str, int, int], None]
"""Called with a clip's name, bytes done and bytes in all; may come from another thread."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What came out of verifying one stored clip."""

    clip: UUID
    name: str
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether every obligation is met."""
        return is_clean(self.findings)

    def as_json(self) -> dict[str, object]:
        """Return the JSON object that `shilu verify --json` prints for this clip."""
        return {
            "id": str(self.clip),
            "file": self.name,
            "verified": self.holds,
            "findings": [finding.as_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class ExportedClip:
    """Where a clip's evidence folder was written, and the original's path in it."""

    clip: UUID
    folder: Path
    file: Path
    index: int

    def as_json(self) -> dict[str, object]:
        """Return the JSON object that `shilu export --json` prints for this clip."""
        return {"id": str(self.clip), "folder": str(self.folder), "file": str(self.file), "index": self.index}


@dataclass(frozen=True, slots=True)
class Audited:
    """What came out of an audit; size and root are of the newest published checkpoint, the root in base64."""

    size: int
    root: str
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs."""
        return is_clean(self.findings)

    def counts(self) -> dict[str, int]:
        """Return how many differences were named, by code."""
        return dict(Counter(finding.code for finding in self.findings if finding.severity is Severity.ERROR))

    def as_json(self) -> dict[str, object]:
        """Return the JSON object that `shilu audit --json` prints."""
        return {
            "clean": self.is_clean,
            "size": self.size,
            "root": self.root,
            "findings": [finding.as_json() for finding in self.findings],
        }


async def verify_clips(
    services: Services, clips: Sequence[UUID] | None, *, advance: Advance
) -> AsyncGenerator[Verified, None]:
    """Verify stored originals by the same checks that run offline.

    Args:
        clips: Which; None for all.

    Raises:
        ClipUnknown, ClipDisposed: One of them is not there; nothing after it is verified.
    """
    policy = (await services.policy()).with_keys(await services.log_keys())
    roots = tuple(root for authority in services.authorities for root in authority.roots) or None
    for clip in clips if clips is not None else await every_clip(services):
        async with services.pool.acquire() as conn:
            row = await clip_row(conn, clip)
            if row is None:
                raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
            await require_kept(conn, clip)
            stamped = await stamps_of(conn, row.entry_id)
            note = stamped[0].checkpoint if stamped else None
            receipt = await build_receipt(conn, services.reader, row.entry_id, note=note)
            leaves = await read_leaves(conn, sha256=row.sha256)
            dock = await _dock_receipts(conn, services, receipt)
        verification = await asyncio.to_thread(
            verify_clip,
            await asyncio.to_thread(_original, services, row.sha256.hex()),
            None if receipt is None else format_receipt(receipt),
            policy=policy,
            leaves=None if leaves is None else b"".join(leaves),
            stamps=Stamps(responses={one.authority: one.response for one in stamped}, roots=roots),
            dock=dock,
            progress=partial(advance, row.name),
        )
        yield Verified(clip, row.name, verification.findings)


async def _dock_receipts(conn: Connection, services: Services, receipt: Receipt | None) -> bytes | None:
    if receipt is None:
        return None
    return await build_dock_receipts(conn, services.reader, receipt, before=parse_proof(receipt.proof).index)


async def export_clips(
    services: Services, clips: Sequence[UUID] | None, *, to: Path, actor: str, purpose: str, advance: Advance
) -> AsyncIterator[ExportedClip]:
    """Write one evidence folder per clip below `to`, which is made if it is missing; see `evidence.export.clip`."""
    exporter = Exporter(
        pool=services.pool,
        reader=services.reader,
        objects=services.objects,
        policy=await services.policy(),
        keys=await services.log_keys(),
        clock=services.clock,
        entropy=services.entropy,
    )
    to.mkdir(parents=True, exist_ok=True)
    for clip in clips if clips is not None else await every_clip(services):
        exported = await exporter.export_clip(
            clip=clip,
            target=to / str(clip),
            actor=actor,
            purpose=purpose,
            progress=partial(advance, str(clip)),
        )
        yield ExportedClip(clip, exported.folder, exported.file, exported.index)


async def audit_all(
    services: Services, *, since: bytes | None, put_on_record: bool, say: Callable[[str], None]
) -> Audited:
    """Audit log, rows and objects both ways; see `evidence.audit.house`.

    Args:
        since: A signed checkpoint that somebody kept; the log must still contain its state.
        put_on_record: Whether the result becomes an entry of the ledger.
        say: Called with what is being looked at.

    Raises:
        CodedError: `since` is no checkpoint of this log.
    """
    keys = await services.log_keys()
    checkpoint = None if since is None else keys.open_checkpoint(since)
    conn = await connect(services.dsn, program="shilu-audit")
    try:
        stream = audit_house(
            conn,
            storage=services.storage,
            objects=services.local,
            log=keys,
            since=checkpoint,
            checks=further_checks(services.local, services.second, services.clock),
            times=time_rules(services.config, services.witness_policy, services.clock),
            stamps=stamp_rules(services.config, services.authorities),
            progress=lambda part, done, of: say(f"{part} {done}" + (f" of {of}" if of else "")),
        )
        async with aclosing(stream) as findings:
            found = tuple([finding async for finding in findings])
    finally:
        await conn.close()
    newest = (await services.log_keys()).open_checkpoint(await services.reader.checkpoint())
    audited = Audited(size=newest.size, root=root_text(newest.root), findings=found)
    if put_on_record:
        await record_audit(
            services.pool, newest, found, resolves=tuple(Severity), clock=services.clock, entropy=services.entropy
        )
    return audited


async def every_clip(services: Services) -> list[UUID]:
    """Return the ids of all clips whose objects are kept, those received last first."""
    ids: list[UUID] = []
    cursor: str | None = None
    while True:
        async with services.pool.acquire() as conn:
            page = await list_clips(conn, cursor=cursor, limit=200)
            gone = await disposed_among(conn, [item.clip for item in page.items])
        ids += [item.clip for item in page.items if item.clip not in gone]
        cursor = page.next
        if cursor is None:
            return ids


def root_text(root: bytes) -> str:
    """Write a tree's root as checkpoints do, in base64."""
    return base64.b64encode(root).decode("ascii")


def _original(services: Services, sha256: str) -> Path:
    try:
        return services.objects.open_path(sha256)
    except ObjectMissing:
        # A path that leads nowhere: the verification then says `file.missing` in its own place and order.
        return services.folders.objects / sha256
