"""A file as a whole: intact recordings weigh nothing, altered ones are told by what was done; reports are strict."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ingest.media.continuity.codes import CODES
from ingest.media.continuity.meaning import Severity
from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.observe import observe
from ingest.media.continuity.report import Report, TrackRead, format_report, parse_report
from ingest.media.errors import ContinuityMalformed
from tests.support.continuity import MAKES
from tests.support.manipulated import EDITS, appended, edited, joined, re_encoded, times_changed
from tests.support.media import Film
from tests.support.media import write as write_media
from tests.support.shared import shared_folder

# Muxers state a hole behind the first picture of a delayed stream in a container without such times.
NOTICES = {"avi of MPEG-4": {"timeline.picture_gap"}}
INTACT_FOOTAGE = [
    *("corridor-139s-10fps-silent.mp4", "dashcam-vfr-5s.mp4", "gopro-karma.mp4", "h263-nonutf8-tags.3gp"),
    *("h264-1080p50-pcm.mov", "h264-aac.ts", "iphone-hevc-hlg-rot90-editlist.mp4", "mpeg4-mp3.avi"),
    *("nasa-speech-2v2a2s.mp4", "signed/axis-original.mp4", "signed/axis-signed.mp4", "damaged/ba_mw_d-intact.264"),
]
Alter = Callable[[Path, Path], Path]


def observed(path: Path) -> Report:
    return observe(path, lambda read: None)


def codes(report: Report, *severities: Severity) -> set[str]:
    return {code for code in report.notebook.counts if CODES[code].severity in severities}


@pytest.mark.parametrize("name", MAKES)
def test_an_intact_recording_gives_no_occasion(intact: Mapping[str, Path], name: str) -> None:
    report = observed(intact[name])
    assert codes(report, Severity.HIGH) == set()
    assert codes(report, Severity.NOTICE) == NOTICES.get(name, set())
    assert report.whole
    assert len(report.tracks) == 1 + (MAKES[name].sound is not None)
    if MAKES[name].codec in ("libx264", "libx265"):
        assert report.tracks[0].pictures == len(MAKES[name].times_ms)


@pytest.mark.parametrize("name", INTACT_FOOTAGE)
def test_no_cameras_file_weighs_high(name: str) -> None:
    report = observed(shared_folder("footage", *name.split("/")))
    assert codes(report, Severity.HIGH) == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("truncated-after-moov.m4b", {"container.samples_outside"}),
        ("mdat-too-long.mp4", {"container.truncated"}),
        ("ba_mw_d-p-lost.264", {"bitstream.frame_gap", "bitstream.order_gap"}),
        ("ba_mw_d-idr-lost.264", {"bitstream.start_missing"}),
    ],
)
def test_damaged_files_of_others_are_told_by_their_damage(name: str, expected: set[str]) -> None:
    assert codes(observed(shared_folder("footage", "damaged", name)), Severity.HIGH) == expected


def altered(kind: str) -> Alter:
    return lambda source, target: edited(source, target, EDITS[kind])


ALTERED: list[tuple[str, Alter, str, str]] = [
    ("picture dropped", altered("picture dropped"), "mp4", "bitstream.frame_gap"),
    ("picture dropped", altered("picture dropped"), "mp4 with B-pictures", "bitstream.frame_gap"),
    ("picture dropped", altered("picture dropped"), "mkv of H.265", "bitstream.order_gap"),
    ("picture dropped", altered("picture dropped"), "ts", "bitstream.order_gap"),
    ("full picture dropped", altered("full picture dropped"), "mp4", "bitstream.frame_gap"),
    ("full picture dropped", altered("full picture dropped"), "mp4 of H.265", "bitstream.reference_missing"),
    ("middle cut out", altered("middle cut out"), "mp4 of H.265", "bitstream.reference_missing"),
    ("cut to a part", altered("cut to a part"), "mp4 of H.265", "bitstream.starts_inside"),
    ("cut to a part", altered("cut to a part"), "mp4", ""),
    ("joined", lambda source, target: joined(source, source, target), "mp4", "bitstream.encoder_restarted"),
    ("joined", lambda source, target: joined(source, source, target), "avi", "bitstream.encoder_restarted"),
    ("joined", lambda source, target: joined(source, source, target), "mp4 of MPEG-4", "bitstream.sound_restarted"),
    ("appended", appended, "mkv", "container.trailing_bytes"),
    ("re-muxed", altered("re-muxed"), "mp4", ""),
    ("re-encoded", re_encoded, "mp4", ""),
]


@pytest.mark.parametrize(("kind", "alter", "name", "expected"), ALTERED, ids=lambda value: str(value)[:24])
def test_an_altered_recording_is_told_or_honestly_not(
    intact: Mapping[str, Path], tmp_path: Path, kind: str, alter: Alter, name: str, expected: str
) -> None:
    """An empty expectation means that nothing can be seen, which is as true a statement as the others."""
    source = intact[name]
    report = observed(alter(source, tmp_path / f"altered{source.suffix}"))
    seen = codes(report, Severity.HIGH, Severity.NOTICE)
    assert (expected in seen) if expected else not codes(report, Severity.HIGH)


def test_a_changed_time_in_one_place_is_told_and_in_all_is_not(tmp_path: Path) -> None:
    make = MAKES["mp4 silent"]
    source = tmp_path / "dated.mp4"
    film = Film(size=(160, 120), times_ms=make.times_ms[:20], options={"preset": "ultrafast"})
    write_media(source, film=film, tags={"creation_time": "2026-11-21T08:00:00Z"})
    one = times_changed(source, tmp_path / "one.mp4", everywhere=False)
    everywhere = times_changed(source, tmp_path / "all.mp4", everywhere=True)
    assert codes(observed(one), Severity.HIGH) == {"container.times_disagree"}
    assert codes(observed(everywhere), Severity.HIGH) == set()


def sample() -> Report:
    notebook = Notebook()
    notebook.note("container.software", program="Lavf62")
    notebook.note("bitstream.frame_gap", Place(track=0, first_byte=5, end_byte=9, from_ms=40), number=3)
    return Report(100, "mp4", 7, True, (TrackRead(0, "h264", 7, 1), TrackRead(1, "aac")), notebook)


def test_a_report_comes_back_the_heaviest_first() -> None:
    body = parse_report(format_report(sample()))
    assert body["observations"] == [
        {
            "code": "bitstream.frame_gap",
            "severity": "high",
            "track": 0,
            "bytes": [5, 9],
            "ms": [40, 40],
            "measured": {"number": 3},
        },
        {"code": "container.software", "severity": "info", "measured": {"program": "Lavf62"}},
    ]
    assert body["tracks"] == [
        {"track": 0, "codec": "h264", "pictures": 7, "entries": 1},
        {"track": 1, "codec": "aac"},
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "shilu/continuity@v2"},
        {"size": "1"},
        {"walk": None},
        {"whole": 1},
        {"tracks": {}},
        {"tracks": [{"track": "0", "codec": "h264"}]},
        {"counts": []},
        {"counts": {"a": "b"}},
        {"observations": [{"code": "a", "severity": "certain", "measured": {}}]},
        {"observations": [{"code": "a", "severity": "high"}]},
        {"observations": [{"code": "a", "severity": "high", "measured": {}, "bytes": [1]}]},
        {"observations": [{"code": "a", "severity": "high", "measured": {}, "verdict": "x"}]},
        {"observations": [{"code": "a", "severity": "high", "measured": {}}] * 1001},
        {"more": 1},
    ],
    ids=range(14),
)
def test_what_is_no_report_is_refused(fields: Mapping[str, object]) -> None:
    body = json.loads(format_report(sample())) | fields
    raw = json.dumps(body, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    with pytest.raises(ContinuityMalformed):
        parse_report(raw)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{}", b'{"a": 1}', b"\xff"], ids=range(6))
def test_noise_is_no_report(raw: bytes) -> None:
    with pytest.raises(ContinuityMalformed):
        parse_report(raw)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_fuzz_no_mutant_breaks_an_observation(intact: Mapping[str, Path], tmp_path: Path, seed: int) -> None:
    """Containers, heads of packets and lengths altered at random: whatever comes out, it is a report."""
    chance = random.Random(seed)
    for name, path in intact.items():
        data = bytearray(path.read_bytes())
        for _ in range(6):
            mutant = bytearray(data)
            for _ in range(chance.randrange(1, 30)):
                place = chance.randrange(len(mutant))
                mutant[place : place + chance.randrange(0, 5)] = chance.randbytes(chance.randrange(0, 5))
                mutant = mutant or bytearray(data)
            target = tmp_path / f"mutant{path.suffix}"
            target.write_bytes(mutant)
            assert parse_report(format_report(observed(target)))["size"] == len(mutant), name
