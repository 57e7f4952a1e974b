"""Excerpts for commands and requests: the composition of `ingest.excerpts`, and one file of a folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

from api.services import Services
from evidence.export.clip import Exporter
from evidence.export.excerpt import Excerpted
from ingest.excerpts import Wish, make_excerpt

# A fixed time: what lies in the archive has its own times, and two archives of one folder are the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


async def exporter_of(services: Services) -> Exporter:
    """Return what proves and exports clips of this house, by its keys and witnesses of now."""
    return Exporter(
        pool=services.pool,
        reader=services.reader,
        objects=services.objects,
        policy=await services.policy(),
        keys=await services.log_keys(),
        clock=services.clock,
        entropy=services.entropy,
    )


async def excerpt(services: Services, wish: Wish, *, target: Path) -> Excerpted:
    """Write an excerpt's folder once there is room for its making; see `ingest.excerpts.make_excerpt`."""
    async with services.pieces_at_once:
        return await make_excerpt(await exporter_of(services), wish, target=target, workspace=services.folders.work)


def pack(folder: Path, archive: Path) -> None:
    """Put a folder into a ZIP archive as it is, nothing compressed: footage does not get smaller. Blocks."""
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_STORED) as packed:
        for path in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(f"{folder.name}/{path.name}", date_time=_ZIP_TIME)
            entry.external_attr = 0o444 << 16
            with path.open("rb") as source, packed.open(entry, "w", force_zip64=True) as target:
                while piece := source.read(1024 * 1024):
                    target.write(piece)
