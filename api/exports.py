"""Packages for commands and requests: the composition of `evidence.export.jobs`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from api.excerpts import exporter_of
from api.services import Services
from evidence.clips.clips import get_clip
from evidence.core.ids import uuid7
from evidence.export.archive import write_package_folder
from evidence.export.clip import in_thread
from evidence.export.folder import blaming_target, require_free
from evidence.export.jobs import ExportMaker, ExportSettings
from evidence.export.orders import spans_wanted
from evidence.export.packages import announce, read_package, trace_of
from evidence.export.packing import plan_of, root_name
from evidence.export.parts import Part, Wanted
from evidence.export.spool import spooling
from ingest.media.continuity.codes import CODES
from ingest.media.continuity.report import BYTES_MAX, parse_report
from ingest.parts import locate_part
from ledger.errors import CodedError

KIND = "continuity"

_PUBLICATION_SECONDS: Final = 15.0


def maker_of(services: Services) -> ExportMaker:
    """Return what makes packages in this house."""

    async def publish_wait(entry_id: UUID, seconds: float) -> bool:
        return await services.waiter.wait(entry_id, timeout_seconds=seconds) is not None

    return ExportMaker(
        pool=services.pool,
        folder=services.folders.exports,
        exporter=partial(exporter_of, services),
        observe=partial(observations_of, services),
        publish_wait=publish_wait,
        clock=services.clock,
        entropy=services.entropy,
        settings=ExportSettings(keep_days=services.config.export_keep_days),
    )


async def locate_parts(
    services: Services, *, case: UUID | None, clips: Sequence[UUID], wanted: Sequence[Wanted]
) -> tuple[Part, ...]:
    """Find out which chunks hold the seconds that somebody wants of exhibits in the place of their originals.

    Raises:
        CaseUnknown, ClipUnknown, ExportEmpty, ExportTooLarge, ExportSpansInvalid, ExportTooManySpans: See
            `evidence.export.orders.spans_wanted`.
        ExcerptImpossible: See `ingest.parts.locate_part`.
    """
    if not wanted:
        return ()
    async with services.pool.acquire() as conn:
        spans = await spans_wanted(conn, case=case, clips=clips, wanted=wanted)
    exporter, workspace = await exporter_of(services), services.folders.work
    return tuple([await locate_part(exporter, clip, those, workspace=workspace) for clip, those in spans.items()])


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenPackage:
    """A package in a folder; `traced` when the receipt of its hand-over lies in it."""

    export: UUID
    folder: Path
    entry_id: UUID
    exhibits: int
    excerpts: int
    files: int
    traced: bool

    def as_json(self) -> dict[str, object]:
        """Return the JSON object that `shilu export --package --json` prints."""
        return {
            "export": str(self.export),
            "folder": str(self.folder),
            "entry": str(self.entry_id),
            "exhibits": self.exhibits,
            "excerpts": self.excerpts,
            "files": self.files,
            "traced": self.traced,
        }


async def write_package(
    services: Services,
    *,
    case: UUID | None,
    clips: Sequence[UUID],
    wanted: Sequence[Wanted] = (),
    to: Path,
    purpose: str,
    actor: str,
    advance: Callable[[str, int, int], None],
) -> WrittenPackage:
    """Write a package as a folder below `to`, as of the newest checkpoint; on record before a byte leaves.

    Exhibits with seconds that are `wanted` are handed over as excerpts of them, all others whole.

    Without a service that publishes, nobody can show the hand-over's receipt: then the package lacks it and says so.

    Raises:
        CaseUnknown, ClipUnknown, ExportEmpty, ExportTooLarge, ReceiptPending, EvidenceDamaged: See `read_package`.
        ExportSpansInvalid, ExportTooManySpans, ExcerptImpossible: See `locate_parts`.
        ExportTargetTaken, ExportTargetUnusable, ExportNoSpace: See `write_package_folder`.
    """
    parts = await locate_parts(services, case=case, clips=clips, wanted=wanted)
    note, at = await services.reader.checkpoint(), services.clock()
    exporter = replace(await exporter_of(services), asof=note)
    observe = partial(observations_of, services)
    with blaming_target(to), spooling(services.folders.exports) as spool:
        package = await read_package(
            exporter, pool=services.pool, case=case, clips=clips, parts=parts, observe=observe, spool=spool
        )
        target = to / root_name(package.subject)
        require_free(target)
        export = uuid7(clock=services.clock, entropy=services.entropy)
        async with services.pool.acquire() as conn, conn.transaction():
            entry_id = await announce(conn, exporter, package, export=export, purpose=purpose, actor=actor)
        traced = await services.waiter.wait(entry_id, timeout_seconds=_PUBLICATION_SECONDS) is not None
        trace = await trace_of(exporter, entry_id, pool=services.pool) if traced else None
        plan = plan_of(
            exporter.showing, package.subject, package.payload, export=str(export), purpose=purpose, at=at, trace=trace
        )
        await asyncio.to_thread(to.mkdir, parents=True, exist_ok=True)

        def write(stop: threading.Event) -> None:
            write_package_folder(
                plan,
                target,
                locate=lambda sha256: services.objects.open_path(sha256.hex()),
                stop=stop,
                progress=partial(advance, target.name),
            )

        await in_thread(write)
    return WrittenPackage(
        export=export,
        folder=target,
        entry_id=entry_id,
        exhibits=len(package.subject.numbered),
        excerpts=len(package.excerpts),
        files=len(plan.members),
        traced=traced,
    )


async def observations_of(services: Services, clip: UUID) -> Sequence[Mapping[str, Any]]:
    """Return what the continuity of a clip gives occasion to note; nothing where no report was made or is readable."""
    async with services.pool.acquire() as conn:
        made = (await get_clip(conn, clip)).made(KIND)
    if made is None:
        return []

    def read() -> bytes:
        with services.objects.open_path(made.sha256.hex()).open("rb") as file:
            return file.read(BYTES_MAX + 1)

    try:
        report: Mapping[str, Any] = parse_report(await asyncio.to_thread(read))
    except CodedError as error:
        return [{"code": error.code, "zh": "连续性报告无法读取", "en": "the report cannot be read", "causes_zh": ""}]
    return [_told(noted) for noted in report["observations"]]


def _told(noted: Mapping[str, Any]) -> Mapping[str, Any]:
    meaning = CODES.get(noted["code"])
    return {
        "code": noted["code"],
        "severity": noted["severity"],
        "ms": noted.get("ms"),
        "zh": meaning.zh if meaning else "",
        "en": meaning.en if meaning else "",
        "causes_zh": meaning.causes_zh if meaning else "",
        "causes_en": meaning.causes_en if meaning else "",
    }
