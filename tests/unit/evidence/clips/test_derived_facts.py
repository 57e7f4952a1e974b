"""What the index takes from a derivation's probe, whoever wrote it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.clips.derived_facts import duration_ms, findings, media_kind, positions

PLACE = {"latitude_e6": 39_331_300, "longitude_e6": 112_432_900}


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ({"decoded": {"duration_ms": 5_900}, "container": {"duration_ms": 6_000}}, 5_900),
        ({"container": {"duration_ms": 6_000}}, 6_000),
        ({"duration_ms": 6_000}, 6_000),
        ({"container": {"duration_ms": None}}, None),
        ({"container": {"duration_ms": "6000"}}, None),
        ({"container": {"duration_ms": -1}}, None),
        ({"container": {"duration_ms": True}}, None),
        ({"container": {"duration_ms": 1 << 70}}, None),
        ({"container": []}, None),
        ({}, None),
    ],
)
def test_the_length_is_what_was_decoded_or_what_the_container_states(probe: Any, expected: int | None) -> None:
    assert duration_ms(probe) == expected


@pytest.mark.parametrize(
    ("probe", "content", "expected"),
    [
        ({}, {}, []),
        ({"place": PLACE}, {}, [(39_331_300, 112_432_900)]),
        ({"place": PLACE, "positions": {"track": [PLACE, PLACE]}}, {"position": PLACE}, [(39_331_300, 112_432_900)]),
        ({}, {"position": PLACE | {"datum": "cgcs2000"}}, [(39_331_300, 112_432_900)]),
        ({}, {"position": PLACE | {"datum": "gcj02"}}, []),
        ({"place": {"latitude_e6": 90_000_001, "longitude_e6": 0}}, {}, []),
        ({"place": {"latitude_e6": "1", "longitude_e6": 0}}, {}, []),
        ({"place": None, "positions": {"track": [None, 1, {}]}}, {"position": None}, []),
        ({"positions": {"track": {"a": 1}}}, {}, []),
    ],
)
def test_places_come_from_tags_tracks_and_people(probe: Any, content: Any, expected: list[tuple[int, int]]) -> None:
    assert positions(probe, content) == expected


@pytest.mark.parametrize(
    ("outcome", "probe", "expected"),
    [
        ("reviewable", {"damage": {"read_errors": 0, "time_breaks": 3}}, []),
        ("reviewable", {"damage": {"corrupt_pictures": 1}}, ["damaged"]),
        ("reviewable", {"container": {"missing_bytes": 7}}, ["damaged"]),
        ("undecodable", {}, ["damaged"]),
        ("reviewable", {"continuity": {"high": 0, "notice": 1, "info": 9}}, ["continuity", "notice"]),
        (
            "reviewable",
            {"continuity": {"high": 2, "notice": 1, "info": 9, "codes": ["container.truncated", 7]}},
            ["continuity", "high", "notice", "container.truncated"],
        ),
        ("reviewable", {"continuity": {"high": 0, "notice": 0, "info": 9, "codes": "all"}}, []),
        ("reviewable", {"continuity": {"high": 0, "notice": 0, "info": 9}}, []),
        (None, {}, []),
    ],
)
def test_what_was_noticed(outcome: str | None, probe: Any, expected: list[str]) -> None:
    assert list(findings(outcome, probe)) == expected


def test_kinds_of_media() -> None:
    outcomes = ("reviewable", "audio", "still", "undecodable", None)
    assert [media_kind(outcome) for outcome in outcomes] == ["video", "audio", "photo", "unknown", "unknown"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["place", "positions", "track", "latitude_e6", "longitude_e6", "damage", "container"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(probe=st.dictionaries(st.sampled_from(["place", "positions", "decoded", "damage", "container"]), JSON))
def test_no_shape_of_a_probe_breaks_the_index(probe: dict[str, Any]) -> None:
    duration_ms(probe)
    positions(probe, probe)
    list(findings("reviewable", probe))
