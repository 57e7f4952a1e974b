"""Marks by their source: nothing a device says is a person's word, and the other way round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import UUID

import pytest

from evidence.clips.marks import Beside, Mark, controller_marks, in_order, key_marks, people_marks, position_marks
from evidence.clips.parts import CLIP_MS_MAX
from evidence.clips.store import AnnotationRow, ClipSource, Derivation
from ledger.canonical import JsonObject

ENTRY, OTHER = UUID(int=1), UUID(int=2)
NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


def derivation(**probe: object) -> Derivation:
    return Derivation(
        entry_id=ENTRY, attempt=1, outcome="reviewable", reason=None, tools={}, parameters={}, probe=probe,
        derived_at=NINE,
    )  # fmt: skip


def bookmark(starts: datetime | None, ends: datetime | None = None, text: str | None = "排污口") -> Beside:
    return Beside(kind="bookmark", name="bookmark_1", text=text, starts=starts, ends=ends)


def of_controller(*beside: Beside, starts: datetime | None = NINE) -> list[Mark]:
    return list(controller_marks(beside, starts=starts, controller="controller:1", entry=ENTRY))


def test_a_bookmark_stands_at_its_moment_in_the_clip() -> None:
    (mark,) = of_controller(bookmark(NINE + timedelta(seconds=70), NINE + timedelta(seconds=75)))
    assert (mark.at_ms, mark.until_ms, mark.note, mark.source.value) == (70_000, 75_000, "排污口", "controller")


@pytest.mark.parametrize(
    "starts", [None, NINE - timedelta(milliseconds=1), NINE + timedelta(milliseconds=CLIP_MS_MAX + 1)]
)
def test_a_bookmark_from_elsewhere_is_about_the_whole(starts: datetime | None) -> None:
    (mark,) = of_controller(bookmark(starts, NINE + timedelta(seconds=9), text=None))
    assert (mark.at_ms, mark.until_ms, mark.note) == (None, None, "bookmark_1")
    (unknown,) = of_controller(bookmark(NINE), starts=None)
    assert unknown.at_ms is None


def test_a_bookmark_that_ends_before_it_begins_has_no_end() -> None:
    (mark,) = of_controller(bookmark(NINE + timedelta(seconds=9), NINE))
    assert (mark.at_ms, mark.until_ms) == (9_000, None)


def test_a_cameras_track_is_a_device_s_word_at_its_moments() -> None:
    place = {"latitude_e6": 1, "longitude_e6": 2, "height_mm": None}
    track = [{"at_ms": 0, **place}, {"at_ms": 1_000, **place, "height_mm": 5}]
    marks = list(position_marks(derivation(place=place, positions={"source": "gpmf", "track": track})))
    assert [(mark.at_ms, mark.kind, mark.source.value) for mark in marks] == [
        (None, "position", "recorder"),
        (0, "position", "recorder"),
        (1_000, "position", "recorder"),
    ]
    assert marks[2].position == {"latitude_e6": 1, "longitude_e6": 2, "height_mm": 5}


@pytest.mark.parametrize("probe", [{}, {"place": None, "positions": None}, {"positions": []}])
def test_a_camera_that_says_nothing_of_places(probe: dict[str, object]) -> None:
    assert list(position_marks(derivation(**probe))) == []
    assert list(position_marks(None)) == []


def test_all_stand_in_one_order() -> None:
    content: JsonObject = {
        "markers": [{"kind": "other", "at_ms": 80_000}, {"kind": "signature", "at_ms": 5, "note": "签字"}]
    }
    row = AnnotationRow(version=3, content=content, annotated_by="staff:1", annotated_at=NINE, entry_id=OTHER)
    marks = in_order(chain(people_marks(row), of_controller(bookmark(NINE + timedelta(seconds=70)), bookmark(None))))
    assert [(mark.kind, mark.at_ms, mark.entry) for mark in marks] == [
        ("bookmark", None, ENTRY),
        ("signature", 5, OTHER),
        ("bookmark", 70_000, ENTRY),
        ("other", 80_000, OTHER),
    ]
    assert list(people_marks(None)) == []


def source(*, key_mark: bool) -> ClipSource:
    return ClipSource(
        entry_id=ENTRY, repeated=False, upload=OTHER, actor="dock:1", name="DCAM_IMP.mp4", path="DCIM/DCAM_IMP.mp4",
        raw=False, recorder="A1", dock=OTHER, inventory=OTHER, recorded_at=NINE, officer="9", key_mark=key_mark,
        received_at=NINE,
    )  # fmt: skip


def test_a_mark_set_on_the_recorder_is_the_recorders() -> None:
    (mark,) = key_marks([source(key_mark=False), source(key_mark=True)])
    assert (mark.source.value, mark.kind, mark.at_ms, mark.by) == ("recorder", "key_mark", None, "dock:1")
