"""Making packages of a small house in tests, without a service around it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from evidence.export import job_store
from evidence.export.clip import Exporter
from evidence.export.job_store import ExportJob
from evidence.export.jobs import ExportMaker, ExportSettings
from evidence.export.orders import find_export, order_export
from evidence.export.parts import Part
from evidence.verify.excerpt_statement import Span, Told
from tests.support.payloads import STAFF
from tests.support.small_house import SmallHouse

OBSERVATION = {
    "code": "timeline.gap",
    "zh": "时间线有间断",
    "en": "a gap",
    "causes_zh": "暂停录制",
    "causes_en": "a pause",
}


def exporter_of(house: SmallHouse) -> Exporter:
    """Return what proves clips of a small house."""
    return Exporter(house.pool, house.reader, house.objects, house.policy, house.clock, house.entropy)


def maker_of(house: SmallHouse, **settings: Any) -> ExportMaker:
    """Return what makes packages in `exports` below the house's folder."""

    async def exporter() -> Exporter:
        return exporter_of(house)

    async def observe(clip: UUID) -> Sequence[Mapping[str, Any]]:
        return [OBSERVATION] if clip == next(iter(house.clips.values())) else []

    async def publish_wait(_entry_id: UUID, _seconds: float) -> bool:
        await house.publish()
        return True

    (house.root / "exports").mkdir(exist_ok=True)
    return ExportMaker(
        pool=house.pool,
        folder=house.root / "exports",
        exporter=exporter,
        observe=observe,
        publish_wait=publish_wait,
        clock=house.clock,
        entropy=house.entropy,
        settings=ExportSettings(**settings),
    )


async def order(
    house: SmallHouse, *, case: UUID | None = None, clips: Sequence[UUID] = (), parts: Sequence[Part] = ()
) -> ExportJob:
    """Ask for a package."""
    async with house.pool.acquire() as conn, conn.transaction():
        return await order_export(
            conn,
            case=case,
            clips=clips,
            parts=parts,
            purpose="litigation",
            actor=STAFF,
            reader=house.reader,
            clock=house.clock,
            entropy=house.entropy,
        )


def part_of(clip: UUID, *chunks: tuple[int, int], spans: Sequence[tuple[int, int]] = ((1000, 2000),)) -> Part:
    """Return a part of a clip: runs of chunks, and seconds that nobody has looked for in them."""
    return Part(clip=clip, spans=tuple(Told(Span(*one), Span(0, one[1])) for one in spans), chunks=chunks)


async def make(house: SmallHouse, job: ExportJob) -> Path:
    """Make a package that was asked for, and return its archive."""
    maker = maker_of(house)
    assert await maker.attempt()
    done = await find_export(house.pool, job.export)
    assert done.state == "done", done
    assert done.size == maker.archive_of(job.export).stat().st_size
    return maker.archive_of(job.export)


async def case_of(house: SmallHouse, number: str | None = None) -> UUID:
    """Return a case by its number, the first of the small house without one."""
    case: UUID = await house.pool.fetchval(
        "SELECT case_id FROM case_file WHERE number = $1 OR $1 IS NULL ORDER BY entry_id", number
    )
    return case


def unpack(archive: Path, target: Path) -> Path:
    """Unpack an archive and return the package's folder."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(target)
    (folder,) = target.iterdir()
    return folder


async def take(house: SmallHouse, seconds: float = 30.0) -> job_store.ExportLease:
    """Take the next job as a worker would that dies then."""
    lease = await job_store.take_next(house.pool, token=house.new_id(), lease_seconds=seconds)
    assert lease is not None
    return lease
