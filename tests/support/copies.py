"""Copies in tests: what copies, what is sealed and made to be copied, what the audit says of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any
from uuid import UUID

from evidence.audit.copies import audit_copies
from evidence.core.clock import utc_now
from evidence.objects.s3 import S3Objects
from evidence.objects.tiered import TieredObjects
from ingest.copies import Copier, CopySettings
from ingest.derive import Derivation
from ingest.settings import WorkerSettings
from tests.support.clock import SeededEntropy
from tests.support.intake import Intake, footage
from tests.support.makers import Maker
from tests.support.s3_bucket import SMALL

YEARS = CopySettings(retention_days=3650, look_seconds=0.05)
ONCE = replace(SMALL, tries=1, read_seconds=2.0)


def copier(intake: Intake, second: S3Objects, *, seed: int = 1, **changes: Any) -> Copier:
    """Return what copies in one process."""
    return Copier(
        pool=intake.pool,
        local=intake.objects,
        second=second,
        clock=utc_now,
        entropy=SeededEntropy(7000 + seed),
        settings=replace(YEARS, **changes),
    )


async def sealed(intake: Intake, *, seed: int = 1) -> str:
    """Seal a small file and return its digest."""
    data = footage(1000, seed=seed)
    view = await intake.staff_upload(data, name=f"{seed}.mp4")
    await intake.send(view, data)
    assert (await intake.state(view)).clip is not None
    return hashlib.sha256(data).hexdigest()


async def derived(intake: Intake, name: str) -> list[str]:
    """Have a small clip derived and return the digests of what was made."""
    clip: UUID = await intake.pool.fetchval("SELECT clip FROM clip WHERE sha256 = $1", bytes.fromhex(name))
    await worker(intake, Maker()).attempt(clip)
    rows = await intake.pool.fetch("SELECT sha256 FROM clip_object WHERE clip = $1", clip)
    return [row["sha256"].hex() for row in rows]


def worker(intake: Intake, media: Maker, objects: TieredObjects | None = None, folder: str = "work") -> Derivation:
    return Derivation(
        pool=intake.pool,
        objects=objects or intake.objects,
        workspace=intake.folder / folder,
        clock=utc_now,
        entropy=SeededEntropy(77),
        settings=WorkerSettings(),
        media=media,
    )


async def rows(intake: Intake) -> list[dict[str, Any]]:
    found = await intake.pool.fetch("SELECT * FROM clip_copy ORDER BY entry_id, sha256")
    return [{**dict(row), "sha256": row["sha256"].hex()} for row in found]


async def codes(intake: Intake, second: S3Objects) -> list[str]:
    """Audit the second store and return the codes of what was found."""
    async with intake.pool.acquire() as conn:
        return [finding.code async for finding in audit_copies(conn, second=second)]
