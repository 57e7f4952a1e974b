"""Time stamps on record: the book that `ledger.stamping` reads and writes, kept as entries of the ledger."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from evidence.core.clock import Clock, Entropy, format_time
from evidence.custody.record import record
from evidence.custody.timestamp_store import last_timestamp, worth_stamping
from evidence.db.pool import Pool
from ledger.stamping import LastStamp, Stamp


@dataclass(frozen=True, slots=True)
class TimestampBook:
    """See `ledger.stamping.StampRecord`: each stamp is an entry `log.timestamped`, so one that is gone is missed."""

    pool: Pool
    clock: Clock
    entropy: Entropy

    async def last(self, authority: str) -> LastStamp | None:
        """Return the newest stamp of an authority."""
        async with self.pool.acquire() as conn:
            row = await last_timestamp(conn, authority)
        return None if row is None else LastStamp(row.size, row.stamped_at, row.recorded_at)

    async def wanted(self, *, after_size: int) -> bytes | None:
        """Return the published note to have stamped next, see `worth_stamping`."""
        async with self.pool.acquire() as conn:
            return await worth_stamping(conn, after_size=after_size)

    async def keep(self, stamp: Stamp) -> None:
        """Put a stamp on record."""
        async with self.pool.acquire() as conn, conn.transaction():
            await record(
                conn,
                type="log.timestamped",
                actor="service",
                subject="log",
                payload={
                    "size": stamp.size,
                    "root": stamp.root.hex(),
                    "authority": stamp.authority,
                    "time": format_time(stamp.said.at),
                    "checkpoint": stamp.checkpoint.decode(),
                    "response": base64.b64encode(stamp.response).decode("ascii"),
                },
                clock=self.clock,
                entropy=self.entropy,
            )
