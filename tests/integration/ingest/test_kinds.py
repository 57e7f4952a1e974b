"""R7: films, sound, photographs and fixed cameras, one model of evidence for all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import av
import pytest

from evidence.clips.store import newest_derivation
from evidence.core.clock import utc_now
from evidence.registers.attribution import attribution_of
from evidence.registers.recorders import RecorderFacts, RecorderKind, register_recorder
from ingest.derive import Derivation
from ingest.settings import WorkerSettings
from tests.support.intake import Intake
from tests.support.media import Film, Sound, quadrants, write
from tests.support.parties import PaperDock
from tests.support.registry import ADMINISTRATOR, Registry

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def photograph(path: Path) -> Path:
    with av.open(str(path), "w", format="image2") as output:
        stream = output.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(quadrants(0, 128, 96), format="rgb24")))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("kind", "outcome", "present"),
    [
        ("film", "reviewable", {"pictures", "sounds"}),
        ("sound", "audio", {"sounds"}),
        ("photograph", "still", {"pictures"}),
        ("fixed camera", "reviewable", {"pictures"}),
    ],
)
async def test_r7_each_kind_of_media_is_sealed_derived_and_attributed(
    intake: Intake, dock: PaperDock, tmp_path: Path, kind: str, outcome: str, present: set[str]
) -> None:
    film, sound = Film(times_ms=tuple(range(0, 1000, 40))), Sound(pieces_ms=((0, 1000),))
    files = {
        "film": lambda: write(tmp_path / "a.mp4", film=film, sound=sound),
        "sound": lambda: write(tmp_path / "a.m4a", sound=sound),
        "photograph": lambda: photograph(tmp_path / "a.jpg"),
        "fixed camera": lambda: write(tmp_path / "a.mp4", film=film),
    }
    file = files[kind]()
    async with intake.pool.acquire() as conn:
        registry = Registry(conn=conn, clock=utc_now, entropy=intake.entropy)
        unit = (await registry.unit("一中队")).unit
        officer = await registry.officer("1001")
        await registry.assign("somebody else's", "1001", AT)
        if kind == "fixed camera":
            facts = RecorderFacts(recorder=dock.recorder, kind=RecorderKind.FIXED_CAMERA, unit=unit)
            async with conn.transaction():
                await register_recorder(conn, facts, actor=ADMINISTRATOR, clock=utc_now, entropy=intake.entropy)
        else:
            await registry.assign(dock.recorder, "1001", datetime(2020, 1, 1, tzinfo=UTC))
        _, sealed = await intake.dock_sealed(dock, file.read_bytes(), path=file.name, recorded_at=AT)
        found = await attribution_of(conn, sealed.clip)
    assert (found.officer, found.unit, found.flags) == (None if kind == "fixed camera" else officer, unit, ())
    work = Derivation(
        pool=intake.pool,
        objects=intake.objects,
        workspace=tmp_path / "work",
        clock=utc_now,
        entropy=intake.entropy,
        settings=WorkerSettings(),
    )
    assert await work.attempt(sealed.clip) is None
    async with intake.pool.acquire() as conn:
        derived = await newest_derivation(conn, sealed.clip)
    assert derived is not None
    assert derived.outcome == outcome
    tracks = {name: derived.probe[name] for name in ("pictures", "sounds")}
    assert {name for name, found in tracks.items() if found} == present, derived.probe
