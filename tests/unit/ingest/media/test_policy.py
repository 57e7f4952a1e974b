from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.errors import NoTracks, TiledStill
from ingest.media.facts import Colours, Container, PictureTrack, Probe, SoundTrack
from ingest.media.geometry import Size, Turn
from ingest.media.policy import Action, decide, without_copies
from ingest.media.tags import Tags

Change: TypeAlias = dict[str, Any]

PICTURE = PictureTrack(
    index=0,
    codec="h264",
    profile="High",
    size=Size(1280, 720),
    pixel_format="yuv420p",
    keyframe_gap_ms=2000,
    bits_per_second=6_000_000,
    default=True,
)
SOUND = SoundTrack(index=1, codec="aac", profile="LC", sample_rate=48_000, channels=2, default=True)
CONTAINER = Container(
    names="mov,mp4,m4a,3gp,3g2,mj2", size=1000, index_first=True, tags=Tags({"major_brand": "isom"}, 0)
)
FIT = Probe(CONTAINER, pictures=(PICTURE,), sounds=(SOUND,))

UNFIT_PICTURES: dict[str, list[Change]] = {
    "picture.codec": [
        {"codec": "hevc", "profile": "Main"},
        {"codec": "mpeg4"},
        {"codec": "mjpeg"},
        {"profile": "Baseline"},
        {"profile": "High 10"},
        {"profile": None},
    ],
    "picture.pixel_format": [
        {"pixel_format": "yuvj420p"},
        {"pixel_format": "yuv420p10le"},
        {"pixel_format": "yuv422p"},
        {"pixel_format": None},
        {"colours": Colours(full_range=True)},
    ],
    "picture.dynamic_range": [{"colours": Colours(9, 16, 9)}, {"colours": Colours(9, 18, 9)}],
    "picture.turn": [{"turn": turn} for turn in Turn if turn is not Turn.NONE],
    "picture.interlaced": [{"interlaced": True}],
    "picture.size": [
        {"size": Size(1920, 1080)},
        {"size": Size(1282, 720)},
        {"size": Size(1280, 722)},
        {"size": Size(720, 1282)},
        {"size": Size(641, 360)},
        {"pixel_aspect": Fraction(4, 3), "size": Size(720, 576)},
    ],
    "picture.keyframes": [{"keyframe_gap_ms": 2001}, {"keyframe_gap_ms": None}],
    "picture.bit_rate": [{"bits_per_second": 6_000_001}, {"bits_per_second": None}],
    "picture.trimmed": [{"trimmed": True}],
    "picture.undecoded": [{"decoded": False}],
}
FIT_PICTURES: list[Change] = [
    {},
    {"profile": "Main"},
    {"profile": "Constrained Baseline"},
    {"size": Size(720, 1280)},
    {"size": Size(320, 180)},
    {"pixel_aspect": Fraction(1)},
    {"keyframe_gap_ms": 0},
    {"bits_per_second": 1},
    {"colours": Colours(1, 1, 1)},
    {"colours": Colours(6, 6, 6)},
]
UNFIT_SOUNDS: dict[str, list[Change]] = {
    "sound.codec": [{"codec": "pcm_alaw", "profile": None}, {"codec": "mp3", "profile": None}, {"profile": "LTP"}],
    "sound.channels": [{"channels": 3}, {"channels": 6}],
    "sound.sample_rate": [{"sample_rate": 96_000}, {"sample_rate": 7999}],
}
UNFIT_CONTAINERS: dict[str, list[Change]] = {
    "container.format": [{"names": "mpegts"}, {"names": "avi"}, {"names": "matroska,webm"}],
    "container.fragmented": [{"fragmented": True}],
    "container.missing_bytes": [{"missing_bytes": 1}],
}


def cases(table: dict[str, list[Change]]) -> list[object]:
    return [
        pytest.param(why, change, id=f"{why}-{n}") for why, changes in table.items() for n, change in enumerate(changes)
    ]


@pytest.mark.parametrize("change", FIT_PICTURES)
def test_what_is_fit_is_kept(change: Change) -> None:
    decision = decide(replace(FIT, pictures=(replace(PICTURE, **change),)))
    assert (decision.action, decision.why) == (Action.KEEP, ())
    assert decision.copies_picture
    assert decision.copies_sound


@pytest.mark.parametrize(("why", "change"), cases(UNFIT_PICTURES))
def test_each_flaw_of_a_picture_alone_makes_it_a_full_transcode(why: str, change: Change) -> None:
    decision = decide(replace(FIT, pictures=(replace(PICTURE, **change),)))
    assert decision.action is Action.FULL
    assert decision.why == (why,)
    assert not decision.copies


@pytest.mark.parametrize(("why", "change"), cases(UNFIT_SOUNDS))
def test_each_flaw_of_a_sound_alone_leaves_the_picture_as_it_is(why: str, change: Change) -> None:
    decision = decide(replace(FIT, sounds=(replace(SOUND, **change),)))
    assert (decision.action, decision.why) == (Action.AUDIO_ONLY, (why,))
    assert decision.copies_picture
    assert not decision.copies_sound


@pytest.mark.parametrize(("why", "change"), cases(UNFIT_CONTAINERS))
def test_a_container_that_cannot_be_copied_from(why: str, change: Change) -> None:
    container = replace(CONTAINER, **change)
    assert decide(replace(FIT, container=container)).action is Action.FULL
    alone = decide(replace(FIT, container=container, pictures=()))
    assert (alone.action, alone.why) == (Action.AUDIO_ONLY, (why,))


@pytest.mark.parametrize(
    ("why", "probe"),
    [
        ("container.index_last", replace(FIT, container=replace(CONTAINER, index_first=False))),
        ("container.brand", replace(FIT, container=replace(CONTAINER, tags=Tags({"major_brand": "qt  "}, 0)))),
        ("container.tracks", replace(FIT, pictures=(PICTURE, replace(PICTURE, index=2, cover=True)))),
        ("container.tracks", replace(FIT, sounds=(SOUND, replace(SOUND, index=2, default=False)))),
        ("container.tracks", replace(FIT, tracks_omitted=1)),
    ],
)
def test_a_fit_picture_in_an_unfit_container_is_only_moved(why: str, probe: Probe) -> None:
    decision = decide(probe)
    assert (decision.action, decision.why) == (Action.REMUX, (why,))
    assert decision.picture == PICTURE
    assert decision.sound == SOUND


def test_footage_without_sound_and_sound_without_footage() -> None:
    assert decide(replace(FIT, sounds=())).action is Action.KEEP
    assert decide(replace(FIT, pictures=())).action is Action.KEEP
    silent = decide(replace(FIT, sounds=(), container=replace(CONTAINER, index_first=False)))
    assert (silent.action, silent.sound, silent.copies_sound) == (Action.REMUX, None, False)
    blind = decide(replace(FIT, pictures=(), sounds=(replace(SOUND, codec="mp3"),)))
    assert (blind.action, blind.picture, blind.copies_picture) == (Action.AUDIO_ONLY, None, False)


@pytest.mark.parametrize("sounds", [(), (SOUND,)])
def test_a_photograph_is_a_still_whatever_comes_with_it(sounds: tuple[SoundTrack, ...]) -> None:
    photograph = replace(PICTURE, still=True, codec="mjpeg", size=Size(4000, 3000))
    decision = decide(replace(FIT, pictures=(photograph,), sounds=sounds))
    assert (decision.action, decision.picture, decision.sound) == (Action.STILL, photograph, None)


@pytest.mark.parametrize(
    ("pictures", "refusal"),
    [
        ((), NoTracks),
        ((replace(PICTURE, size=Size(0, 0)),), NoTracks),
        ((replace(PICTURE, cover=True),), NoTracks),
        ((replace(PICTURE, still=True, tile=True),) * 3, TiledStill),
    ],
)
@pytest.mark.parametrize(
    "sounds", [(), (replace(SOUND, decodable=False),), (replace(SOUND, sample_rate=0),), (replace(SOUND, channels=0),)]
)
def test_nothing_to_review_says_why(
    pictures: tuple[PictureTrack, ...], sounds: tuple[SoundTrack, ...], refusal: type[Exception]
) -> None:
    decision = decide(replace(FIT, pictures=pictures, sounds=sounds))
    assert (decision.action, decision.refusal, decision.picture, decision.sound) == (Action.NONE, refusal, None, None)


def test_every_combination_of_flaws_lands_where_the_table_says() -> None:
    flawed_pictures = [None, PICTURE, replace(PICTURE, codec="hevc")]
    flawed_sounds = [None, SOUND, replace(SOUND, codec="pcm_alaw")]
    containers = [CONTAINER, replace(CONTAINER, index_first=False), replace(CONTAINER, names="avi", index_first=False)]
    seen = set()
    for picture, sound, container in product(flawed_pictures, flawed_sounds, containers):
        pictures, sounds = (picture,) if picture else (), (sound,) if sound else ()
        decision = decide(Probe(container, pictures=pictures, sounds=sounds))
        copyable = container.iso
        if picture is None and sound is None:
            expected = Action.NONE
        elif picture is not None and (picture.codec != "h264" or not copyable):
            expected = Action.FULL
        elif sound is not None and (sound.codec != "aac" or not copyable):
            expected = Action.AUDIO_ONLY
        else:
            expected = Action.KEEP if container.index_first else Action.REMUX
        assert decision.action is expected, (picture, sound, container)
        seen.add(decision.action)
    assert seen == set(Action) - {Action.STILL}


def test_the_fallback_encodes_everything_and_says_why() -> None:
    film, alone = decide(FIT), decide(replace(FIT, pictures=()))
    assert (without_copies(film).action, without_copies(film).why) == (Action.FULL, ("decoding.damaged",))
    assert without_copies(alone).action is Action.AUDIO_ONLY
    assert not without_copies(film).copies
    assert not without_copies(alone).copies


def test_the_best_picture_is_one_that_decodes_then_the_largest_then_the_default() -> None:
    small = replace(PICTURE, index=0, size=Size(320, 180))
    large = replace(PICTURE, index=3, size=Size(480, 270), default=False)
    broken = replace(PICTURE, index=4, size=Size(1920, 1080), decoded=False)
    cover = replace(PICTURE, index=5, size=Size(3000, 3000), cover=True)
    twin = replace(large, index=6, default=True)
    assert decide(replace(FIT, pictures=(small, large, broken, cover))).picture == large
    assert decide(replace(FIT, pictures=(small, large, twin))).picture == twin
    assert decide(replace(FIT, pictures=(broken, cover))).picture == broken


def test_the_best_sound_is_the_default_then_the_finest() -> None:
    coarse = replace(SOUND, index=1, sample_rate=8000)
    fine = replace(SOUND, index=4, sample_rate=16_000)
    foreign = replace(SOUND, index=5, sample_rate=48_000, default=False)
    assert decide(replace(FIT, sounds=(coarse, fine, foreign))).sound == fine
    assert decide(replace(FIT, sounds=(foreign,))).sound == foreign
    assert decide(replace(FIT, sounds=(fine, replace(fine, index=9)))).sound == fine


@given(
    st.builds(
        PictureTrack,
        index=st.integers(0, 15),
        codec=st.sampled_from(["h264", "hevc", "mjpeg"]),
        size=st.builds(Size, st.integers(0, 9000), st.integers(0, 9000)),
        profile=st.sampled_from([None, "High", "Main"]),
        pixel_format=st.sampled_from([None, "yuv420p", "yuvj420p"]),
        turn=st.sampled_from(Turn),
        keyframe_gap_ms=st.none() | st.integers(0, 5000),
        bits_per_second=st.none() | st.integers(0, 10**9),
        cover=st.booleans(),
        tile=st.booleans(),
        still=st.booleans(),
        decoded=st.booleans(),
    ),
    st.booleans(),
)
def test_any_facts_give_a_decision_that_names_its_reasons(picture: PictureTrack, with_sound: bool) -> None:
    decision = decide(replace(FIT, pictures=(picture,), sounds=(SOUND,) if with_sound else ()))
    assert decision.action in set(Action)
    assert bool(decision.why) == (decision.action in {Action.FULL, Action.AUDIO_ONLY, Action.REMUX})
    assert (decision.refusal is not None) == (decision.action is Action.NONE)
