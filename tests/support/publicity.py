"""People who publish, in tests: one writes, another approves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from evidence.db.pool import Pool
from evidence.publicity import records
from evidence.publicity.masking import Decision, Verdict
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.retention import APPRAISER, APPROVER

WRITER = APPRAISER
"""Who drafts; `tests.support.retention.let_in` puts both on record where an audit asks who they were."""

BRIEF: Mapping[str, str] = {
    "authority": "某市生态环境局",
    "subject": "某化工厂",
    "category": "行政处罚",
    "conclusion": "罚款人民币十万元",
}

REGISTER: Mapping[str, str] = {
    "authority": "某市应急管理局",
    "title": "随机抽查事项清单",
    "body": "一、抽查主体",
    "effective_from": "2026-03-02",
}


@dataclass(kw_only=True)
class Press:
    """Takes steps with publications, each in a transaction of its own."""

    pool: Pool
    clock: SteppingClock
    entropy: SeededEntropy

    async def draft(
        self,
        fields: Mapping[str, str] = BRIEF,
        *,
        form: str = "brief",
        kind: str = "penalty",
        until: date | None = None,
        actor: str = WRITER,
    ) -> UUID:
        """Draft and scan."""
        async with self.pool.acquire() as conn, conn.transaction():
            row = await records.draft(
                conn,
                form=form,
                kind=kind,
                fields=fields,
                until=until,
                actor=actor,
                clock=self.clock,
                entropy=self.entropy,
            )
        return row.publication

    async def correct(
        self, publication: UUID, fields: Mapping[str, str] = BRIEF, *, seen: int = 1, reason: str = "名称有误"
    ) -> int:
        """Draft the next version."""
        async with self.pool.acquire() as conn, conn.transaction():
            row = await records.correct(
                conn,
                publication,
                seen=seen,
                fields=fields,
                reason=reason,
                actor=WRITER,
                clock=self.clock,
                entropy=self.entropy,
            )
        return row.version

    async def mask_all(self, publication: UUID, version: int = 1, *, actor: str = WRITER) -> None:
        """Mask every span of the scan."""
        async with self.pool.acquire() as conn, conn.transaction():
            known = await records.publication_of(conn, publication)
            decisions = [
                Decision(field=field, start=span.start, end=span.end, verdict=Verdict.MASK)
                for field, spans in known.spans().items()
                for span in spans
            ]
            await records.judge(
                conn,
                publication,
                version=version,
                decisions=decisions,
                actor=actor,
                clock=self.clock,
                entropy=self.entropy,
            )

    async def approve(self, publication: UUID, version: int = 1, *, actor: str = APPROVER) -> None:
        """Approve the newest version."""
        async with self.pool.acquire() as conn, conn.transaction():
            await records.approve(
                conn, publication, version=version, actor=actor, clock=self.clock, entropy=self.entropy
            )

    async def publish(self, publication: UUID, version: int = 1) -> None:
        """Publish what was approved."""
        async with self.pool.acquire() as conn, conn.transaction():
            await records.publish(
                conn, publication, version=version, actor=WRITER, clock=self.clock, entropy=self.entropy
            )

    async def issue(self, publication: UUID, version: int = 1) -> UUID:
        """Approve and publish."""
        await self.approve(publication, version)
        await self.publish(publication, version)
        return publication

    async def withdraw(self, publication: UUID, *, cause: str = "revoked", reason: str = "行政复议撤销原决定") -> None:
        """Withdraw."""
        async with self.pool.acquire() as conn, conn.transaction():
            await records.withdraw(
                conn,
                publication,
                cause=cause,
                reason=reason,
                actor=APPROVER,
                clock=self.clock,
                entropy=self.entropy,
            )
