"""Quarantine: bytes that came but may not be sealed are kept aside with the reason, and the ledger says so.

Order of effects; doing all of it again finishes what a crash interrupted:

1. the reason is written beside where the bytes will lie     crash: recovery finds a reason without an end and goes on
2. the bytes move into quarantine                            crash: the same
3. one transaction: ledger entry and the upload's end        only now is anybody told
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.custody.record import record
from evidence.db.pool import Pool
from ingest import store
from ingest.offload import on_disk
from ingest.spool import Spool
from ingest.store import Source, UploadRow


class Quarantine:
    """Takes uploads out of the way that leads to a clip."""

    def __init__(self, *, pool: Pool, spool: Spool, clock: Clock, entropy: Entropy) -> None:
        self._pool = pool
        self._spool = spool
        self._clock = clock
        self._entropy = entropy

    async def hold(
        self, row: UploadRow, *, code: str, reason: str, details: Mapping[str, object] | None = None
    ) -> None:
        """Keep an upload's bytes aside for good.

        Args:
            row: The upload, still under way.
            code: Stable code of the error that its sender gets.
            reason: One sentence for people.
            details: JSON-ready facts for whoever looks into it.
        """
        text = {
            "upload": str(row.id),
            "actor": row.actor,
            "path": row.source.path,
            "code": code,
            "reason": reason,
            "details": dict(details or {}),
            "at": format_time(self._clock()),
        }
        raw = json.dumps(text, ensure_ascii=False, indent=2).encode() + b"\n"
        await on_disk(self._spool.hold_back, row.id, raw)
        await self._conclude(row, code=code, reason=reason)

    async def hold_orphan(self, upload: UUID) -> None:
        """Keep bytes aside that no row knows: from a database older than the disk, for example."""
        now = self._clock()
        row = UploadRow(
            id=upload, actor="service", spool=self._spool.id, length=None, metadata={}, source=Source(name="", path=""),
            created_at=now,
        )  # fmt: skip
        await store.insert(self._pool, row)
        await self.hold(row, code="upload.unknown", reason="bytes were found on disk that no upload accounts for")

    async def resume(self, row: UploadRow) -> bool:
        """Finish a quarantine that a crash interrupted; tell whether there was one."""
        try:
            text = json.loads(self._spool.reason_path(row.id).read_bytes())
        except FileNotFoundError:
            return False
        await on_disk(self._spool.hold_back, row.id, self._spool.reason_path(row.id).read_bytes())
        await self._conclude(row, code=text["code"], reason=text["reason"])
        return True

    async def _conclude(self, row: UploadRow, *, code: str, reason: str) -> None:
        path = self._spool.quarantined_path(row.id)
        size = path.stat().st_size if path.exists() else 0
        async with self._pool.acquire() as conn, conn.transaction():
            now = self._clock()
            if not await store.finish_quarantined(conn, row.id, code=code, reason=reason, at=now):
                return
            await record(
                conn,
                type="upload.quarantined",
                actor="service",
                subject=f"upload:{row.id}",
                payload={
                    "upload": str(row.id),
                    "code": code,
                    "reason": reason,
                    "size": size,
                    "name": row.source.name,
                    "actor": row.actor,
                },
                clock=self._clock,
                entropy=self._entropy,
            )
        # Crash before the commit: the reason lies there and the row is still under way, so recovery comes back here.
