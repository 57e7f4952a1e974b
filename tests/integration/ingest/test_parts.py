"""Chunks for spans of seconds (E.8): located once, refused at once, and what a package then holds plays them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import numpy as np
import pytest

from evidence.core.digest import CHUNK_BYTES
from evidence.db.pool import Pool
from evidence.errors import ClipUnknown
from evidence.export.clip import Exporter
from evidence.export.parts import Part
from evidence.verify.cli import main
from evidence.verify.excerpt_statement import Span
from evidence.verify.report import Exit
from ingest.errors import ExcerptImpossible
from ingest.excerpts import SPAN_MS_MAX
from ingest.media.frame_format import write_frames
from ingest.media.process import Child
from ingest.parts import locate_part
from ledger.canonical import JsonObject
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.frame_indexes import index_of
from tests.support.media import Film, Plane, Sound, write
from tests.support.packages import exporter_of, make, order, unpack
from tests.support.small_house import SmallHouse, open_small_house

SECONDS = 12
SPANS = (Span(1200, 2000), Span(9300, 9900))


def noise(number: int, width: int, height: int) -> Plane:
    """Draw what no codec makes small, the same for the same number."""
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Twelve seconds of noise, a key frame a second; a transport stream states no places of units."""
    folder = tmp_path_factory.mktemp("films")
    film = Film(
        size=(256, 160),
        times_ms=range(0, SECONDS * 1000, 100),
        keyframe_every=10,
        options={"qp": "2", "preset": "ultrafast"},
    )
    sound = Sound(pieces_ms=((0, SECONDS * 1000),))
    kinds = {"mp4": "mp4", "transport stream": "mpegts"}
    return {
        name: write(folder / name, film=film, sound=sound, container=kind, draw=noise) for name, kind in kinds.items()
    }


@pytest.fixture
async def house(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[SmallHouse]:
    (tmp_path / "house").mkdir()
    async with open_small_house(pool, database, tmp_path / "house", clock=clock, entropy=entropy) as opened:
        yield opened


async def sealed(house: SmallHouse, film: Path, *, indexed: bool) -> UUID:
    """Seal a film; with its frame index, as the service derives one."""
    clip = await house.seal(f"{film.name}.mp4", film.read_bytes())
    if indexed:
        raw = write_frames(index_of(film))
        frames: JsonObject = {
            "kind": "frames",
            "sha256": house.objects.put(raw),
            "size": len(raw),
            "media_type": "application/vnd.shilu.frames",
        }
        made: JsonObject = {"clip": str(clip), "attempt": 1, "outcome": "reviewable", "reason": None}
        rest: JsonObject = {"tools": {}, "parameters": {}, "probe": {}, "objects": [frames]}
        await house.write("clip.derived", f"clip:{clip}", {**made, **rest})
    await house.publish()
    return clip


async def located(house: SmallHouse, clip: UUID, spans: tuple[Span, ...] = SPANS) -> Part:
    exporter: Exporter = exporter_of(house)
    work = house.root / "work"
    work.mkdir(exist_ok=True)
    part = await locate_part(exporter, clip, spans, workspace=work)
    assert not list(work.iterdir()), "nothing is left behind"
    return part


def pictures(path: Path, span: Span) -> dict[int, bytes]:
    """Return the pictures of a span by their milliseconds."""
    found = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        container.seek(round(span.from_ms / 1000 / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            at = round(float((frame.pts or 0) * stream.time_base) * 1000)
            if span.from_ms <= at < span.to_ms:
                found[at] = hashlib.sha256(frame.to_ndarray().tobytes()).digest()
            if at >= span.to_ms:
                break
    return found


async def test_e8_a_package_holds_the_seconds_of_real_footage(
    house: SmallHouse, films: dict[str, Path], tmp_path: Path
) -> None:
    film = films["mp4"]
    part = await located(house, await sealed(house, film, indexed=True))
    assert [one.asked for one in part.spans] == list(SPANS)
    assert all(one.shown is not None and one.shown.from_ms <= one.asked.from_ms for one in part.spans)
    assert len(part.chunks) >= 2
    assert sum(stop - first for first, stop in part.chunks) * CHUNK_BYTES < film.stat().st_size
    package = unpack(await make(house, await order(house, clips=[part.clip], parts=[part])), tmp_path / "out")
    exhibit, rebuilt = package / "data" / "exhibits" / "0001", tmp_path / "rebuilt.mp4"
    key = house.signer.verifier.vkey
    assert main(["--quiet", "--log-key", key, str(package)]) == Exit.VERIFIED
    assert main(["--quiet", "--log-key", key, "--rebuild", str(rebuilt), str(exhibit)]) == Exit.VERIFIED
    for span in SPANS:
        wanted = pictures(film, span)
        assert len(wanted) >= 5
        assert pictures(rebuilt, span) == wanted


async def test_the_same_seconds_are_the_same_chunks_and_outlive_their_row(
    house: SmallHouse, films: dict[str, Path]
) -> None:
    clip = await sealed(house, films["mp4"], indexed=True)
    part = await located(house, clip)
    assert await located(house, clip) == part
    assert Part.from_json(part.as_json()) == part


async def test_a_recording_without_an_index_is_read_from_end_to_end(
    house: SmallHouse, films: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = list[str]()
    start = Child.start

    async def counted(command: Any, *args: Any, **more: Any) -> Child:
        started.append(json.loads(command[-1])["task"])
        return await start(command, *args, **more)

    monkeypatch.setattr(Child, "start", counted)
    part = await located(house, await sealed(house, films["transport stream"], indexed=False))
    assert started == ["locate"], "once for all spans"
    assert all(one.shown is not None for one in part.spans)
    assert part.chunks[0][0] == 0
    assert part.chunks[-1][1] == -(-films["transport stream"].stat().st_size // CHUNK_BYTES)


async def test_what_no_excerpt_can_be_made_of_is_refused_at_once(house: SmallHouse, films: dict[str, Path]) -> None:
    clip = await sealed(house, films["mp4"], indexed=True)
    with pytest.raises(ExcerptImpossible):
        await located(house, clip, (SPANS[0], Span(900_000, 901_000)))
    with pytest.raises(ExcerptImpossible):
        await located(house, clip, (Span(0, SPAN_MS_MAX + 1),))
    with pytest.raises(ExcerptImpossible):
        await located(house, house.clips["still.jpg"])
    with pytest.raises(ClipUnknown):
        await located(house, UUID(int=5))
