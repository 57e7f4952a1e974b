"""The list of bad and odd input, one line a kind: what becomes of the clip, why, and what is made of it.

What is no footage at all, lists of other files, stills and damage have pages of their own (`test_hostile`,
`test_stills`, `test_damage`); here is what a recorder may really write, and what somebody may write to hurt.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from ingest.media.limits import MEBIBYTE, Limits
from ingest.media.result import MediaResult
from ingest.media.runner import derive_media
from ingest.media.speech import detector_name
from tests.integration.ingest.media.conftest import Derive
from tests.support import bombs
from tests.support.media import Film, Sound, repeated, see, write

X264 = {"preset": "ultrafast"}
SECOND = tuple(range(0, 1000, 40))
FILM = Film(size=(160, 120), times_ms=SECOND, options=X264, keyframe_every=5)
TINY = replace(FILM, size=(32, 32))
MJPEG = replace(FILM, codec="mjpeg", pixel_format="yuvj420p", options=None)
RAW = replace(FILM, codec="ffv1", options=None, pixel_format="bgr0")
TELEPHONE = Sound(codec="pcm_alaw", sample_rate=8000, pieces_ms=((0, 1000),))
AAC = Sound(pieces_ms=((0, 1000),))
FASTSTART = {"movflags": "+faststart"}

TOLD = frozenset(("continuity",))
PICTURES = TOLD | {"proxy", "poster", "frames", "playlist", "storyboard", "storyboard-sheet"}
SOUNDS = TOLD | {"proxy", "frames", "playlist", "waveform"} | ({"speech"} if detector_name() else set())


@dataclass(frozen=True)
class Case:
    """A kind of input and what must become of it; `pictures` as counted by the decoder."""

    make: Callable[[Path], Path]
    outcome: str
    kinds: frozenset[str]
    action: str | None = None
    code: str | None = None
    pictures: int | None = None


def film(name: str, film: Film | None = FILM, sound: Sound | None = None, **options: object) -> Callable[[Path], Path]:
    """Return a maker of a film."""
    return lambda folder: write(folder / name, film=film, sound=sound, **options)  # type: ignore[arg-type]


def changed(
    change: Callable[[bytes], bytes], name: str, film: Film | None = FILM, sound: Sound | None = None, **options: object
) -> Callable[[Path], Path]:
    """Return a maker of a film whose bytes are changed afterwards."""

    def make(folder: Path) -> Path:
        path = write(folder / name, film=film, sound=sound, **options)  # type: ignore[arg-type]
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def bytes_of(make: Callable[[], bytes]) -> Callable[[Path], Path]:
    """Return a maker of a file written by hand."""

    def written(folder: Path) -> Path:
        (folder / "in.mp4").write_bytes(make())
        return folder / "in.mp4"

    return written


def heard(name: str, codec: str, rate: int, container: str, **options: object) -> Case:
    """Return the case of a recording of sound alone."""
    sound = Sound(codec=codec, sample_rate=rate, pieces_ms=((0, 1000),))
    return Case(film(name, None, sound, container=container, **options), "audio", SOUNDS, "audio-only", pictures=0)


def whole(make: Callable[[Path], Path], pictures: int = 25, *, action: str = "full", sound: bool = False) -> Case:
    """Return the case of a film that comes out whole."""
    return Case(make, "reviewable", PICTURES | SOUNDS if sound else PICTURES, action, pictures=pictures)


def hopeless(make: Callable[[Path], Path], code: str, kinds: frozenset[str] = TOLD) -> Case:
    """Return the case of a file that nothing can be made of."""
    return Case(make, "undecodable", kinds, code=code)


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """A folder for one derivation in a process of its own."""
    (tmp_path / "child").mkdir()
    return tmp_path / "child"


CASES: dict[str, Case] = {
    # Sound alone, as recorders and telephones write it.
    "G.711 A-law in WAV": heard("in.wav", "pcm_alaw", 8000, "wav"),
    "G.711 mu-law in AU": heard("in.au", "pcm_mulaw", 8000, "au"),
    "G.726 in WAV": heard("in.wav", "g726", 8000, "wav"),
    "ADPCM in WAV": heard("in.wav", "adpcm_ima_wav", 8000, "wav"),
    "PCM of 8 bits": heard("in.wav", "pcm_u8", 8000, "wav"),
    "PCM of 24 bits": heard("in.wav", "pcm_s24le", 48_000, "wav"),
    "PCM of floats at 96 kHz": heard("in.mov", "pcm_f32be", 96_000, "mov"),
    "sound under the name of a film": heard("in.mp4", "libmp3lame", 44_100, "mp3"),
    "AAC alone": Case(
        film("in.m4a", None, AAC, container="ipod", muxer=FASTSTART), "audio", SOUNDS - {"playlist"}, "keep", pictures=0
    ),
    # Pictures with the sound of a telephone line.
    "H.264 with G.711 in MOV": whole(film("in.mov", FILM, TELEPHONE, container="mov"), action="audio-only", sound=True),
    "H.264 with G.711 in AVI": whole(film("in.avi", FILM, TELEPHONE, container="avi"), sound=True),
    "MJPEG with G.711 in AVI": whole(
        film("in.avi", MJPEG, replace(TELEPHONE, codec="pcm_mulaw"), container="avi"), sound=True
    ),
    # Names and words.
    "a transport stream called .mp4": whole(film("in.mp4", FILM, AAC, container="mpegts"), sound=True),
    "words in GBK": whole(
        changed(
            lambda raw: raw.replace(b"TITLETITLE", "执法记录".encode("gbk") + b"\xff\xfe"),
            "in.mp4",
            tags={"title": "TITLETITLE"},
        ),
        action="remux",
    ),
    # Sizes and shapes.
    "a film of one pixel": whole(film("in.mkv", replace(RAW, size=(1, 1)), container="matroska")),
    "a film one pixel high": whole(film("in.mkv", replace(RAW, size=(16_000, 1)), container="matroska")),
    "pixels 255 times as wide as high": whole(
        film("in.mkv", replace(TINY, codec="mpeg4", options=None, pixel_aspect=Fraction(255)), container="matroska")
    ),
    # Rates and lengths.
    "a thousand pictures a second": whole(
        film("in.mkv", replace(TINY, times_ms=tuple(range(1000))), container="matroska"), 1000
    ),
    "two thousand million ticks a second": whole(
        changed(
            lambda raw: bombs.with_time_scale(raw, 2**31 - 1),
            "in.mp4",
            replace(TINY, times_ms=tuple(range(500))),
            muxer=FASTSTART,
        ),
        500,
    ),
    "ten hours between two pictures": whole(
        film("in.mkv", replace(TINY, times_ms=(0, 40, 36_000_000, 36_000_040)), container="matroska"), 4
    ),
    # Containers that promise, nest, or unpack.
    "a compressed index": whole(changed(bombs.packed_index, "in.mov", container="mov"), action="remux"),
    "boxes in boxes": hopeless(bytes_of(lambda: bombs.boxes_in_boxes(20_000)), "media."),
    "a hundred thousand empty boxes": hopeless(bytes_of(lambda: bombs.boxes_in_a_row(100_000)), "media."),
    "ten thousand attachments": whole(
        changed(lambda raw: bombs.with_attachments(raw, 10_000), "in.mkv", FILM, AAC, container="matroska"), sound=True
    ),
    "an attachment without end": whole(changed(bombs.without_end_of_attachments, "in.mkv", container="matroska")),
    "raw pictures compressed a thousandfold": whole(bytes_of(lambda: bombs.black_film(2048, 5)), 5),
}


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_input_becomes_what_the_table_says(derive: Derive, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    began = time.monotonic()
    result = derive(case.make(tmp_path))
    assert time.monotonic() - began < 20
    check(result, case)


def check(result: MediaResult, case: Case) -> None:
    """Compare a result with what was expected of it."""
    assert result.outcome == case.outcome, result.reason
    assert {made.kind for made in result.objects} == case.kinds
    assert (result.reason is None) is (case.code is None), result.reason
    assert (result.reason or "").startswith(case.code or "")
    if case.action is not None:
        assert result.parameters["action"] == case.action, result.parameters
    if case.pictures is not None:
        decoded = result.probe["decoded"]
        assert isinstance(decoded, dict)
        assert decoded["pictures"] == case.pictures


async def test_an_index_that_promises_four_gibibytes_is_refused(tmp_path: Path, workdir: Path) -> None:
    source = changed(lambda raw: bombs.packed_index(raw, claimed_bytes=2**32 - 1), "in.mov", container="mov")(tmp_path)
    check(await derive_media(source, workdir), hopeless(lambda folder: source, "media.memory_limit", frozenset()))


async def test_an_index_that_unpacks_into_nothing_costs_what_is_allowed(tmp_path: Path, workdir: Path) -> None:
    (tmp_path / "in.mov").write_bytes(bombs.index_of_nothing(unpacked_bytes=160 * MEBIBYTE))
    assert (tmp_path / "in.mov").stat().st_size < 300_000
    result = await derive_media(tmp_path / "in.mov", workdir, Limits(memory_bytes=360 * MEBIBYTE))
    assert (result.outcome, (result.reason or "")[:18]) == ("undecodable", "media.memory_limit")


@pytest.mark.slow
def test_tables_of_millions_of_samples_are_not_gone_through(derive: Derive, tmp_path: Path) -> None:
    source = changed(lambda raw: bombs.with_samples(raw, 2**22), "in.mp4", muxer=FASTSTART)(tmp_path)
    assert source.stat().st_size < 5000
    check(derive(source), hopeless(lambda folder: folder, "media.nothing_decodes: no picture and no sound"))


@pytest.mark.slow
async def test_five_hours_of_copied_footage_are_reviewable(tmp_path: Path, workdir: Path) -> None:
    """A recorder that never stopped: 18,000 seconds, one second over and over, its packets copied."""
    five_a_second = replace(FILM, size=(64, 48), times_ms=tuple(range(0, 10_000, 200)))
    # Silence: whether somebody speaks in five hours is another question, and costs half a minute.
    sound = Sound(codec="aac", sample_rate=8000, hertz=0, pieces_ms=((0, 10_000),))
    piece = write(tmp_path / "piece.mp4", film=five_a_second, sound=sound)
    source = repeated(piece, tmp_path / "long.mp4", 1765)
    result = await derive_media(source, workdir)
    assert (result.outcome, result.reason) == ("reviewable", None)
    assert {made.kind for made in result.objects} == PICTURES | SOUNDS
    decoded = result.probe["decoded"]
    assert isinstance(decoded, dict)
    assert decoded["pictures"] == 1765 * 50
    assert isinstance(decoded["duration_ms"], int)
    assert decoded["duration_ms"] > 5 * 3_600_000
    assert [made.path.stat().st_size < 30_000_000 for made in result.objects] == [True] * len(result.objects)


@pytest.mark.slow
async def test_a_second_of_4k_at_60_pictures_becomes_a_copy_of_720_lines(tmp_path: Path, workdir: Path) -> None:
    film = replace(FILM, size=(3840, 2160), times_ms=tuple(1000 * n // 60 for n in range(60)), keyframe_every=60)
    result = await derive_media(write(tmp_path / "in.mp4", film=film, sound=AAC), workdir)
    check(result, whole(lambda folder: folder, 60, sound=True))
    seen = see(next(made.path for made in result.objects if made.kind == "proxy"))
    assert (seen.size, len(seen.times)) == ((1280, 720), 60)
