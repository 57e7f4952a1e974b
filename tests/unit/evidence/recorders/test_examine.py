"""What a sighting tells: nothing of honest recorders, and each kind of hole by its name."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.recorders import meanings
from evidence.recorders.examine import examine
from evidence.recorders.meanings import MEANINGS
from evidence.recorders.observation import OBSERVATIONS_MAX, observed
from evidence.recorders.sighting import ListedFile, Presence, Sighting
from tests.support.recorders import NAMINGS, NUMBERED, OTHER_DOCK, Recorder, before_the_seals, with_seals

SEEDS = st.integers(min_value=0, max_value=10**6)
namings = pytest.mark.parametrize("naming", NAMINGS)
numbered = pytest.mark.parametrize("naming", sorted(NUMBERED))


def codes(now: Sighting, *earlier: Sighting) -> list[str]:
    return [one.code for one in examine(before_the_seals(now), earlier=earlier)]


def recorder(naming: str, seed: int = 1) -> Recorder:
    return Recorder(naming=naming, chance=random.Random(seed))


@given(SEEDS, st.sampled_from(list(NAMINGS)), st.booleans())
@settings(max_examples=25)
def test_an_honest_recorder_over_five_dockings_is_not_talked_about(seed: int, naming: str, clear: bool) -> None:
    one = recorder(naming, seed)
    seen: list[Sighting] = []
    for _ in range(5):
        one.a_day()
        now = one.docked(clear=clear)
        assert codes(now, *seen) == []
        seen.append(now)


@given(SEEDS, st.sampled_from(sorted(NUMBERED)))
@settings(max_examples=25)
def test_any_file_deleted_before_docking_leaves_a_named_gap(seed: int, naming: str) -> None:
    one = recorder(naming, seed)
    one.a_day()
    before = one.docked()
    one.record(segments=one.chance.randrange(2, 6))
    place = one.chance.randrange(len(one.card) - 1)
    gone = one.card.pop(place)
    before_it = one.card[place - 1] if place else before.files[-1]
    (found,) = examine(before_the_seals(one.docked()), earlier=[before])
    number = int(gone.path.partition(".")[0][-4:])
    assert (found.code, found.facts["first_missing"], found.facts["last_missing"]) == (
        meanings.NUMBERS_MISSING,
        number,
        number,
    )
    left, right = found.facts["before"], found.facts["after"]
    assert isinstance(left, dict)
    assert isinstance(right, dict)
    assert left["path"] == before_it.path
    assert found.facts["seconds"] is not None


def test_the_gap_names_its_neighbours_and_the_seconds_between_them() -> None:
    one = recorder("by time and number")
    one.record(segments=4)
    del one.card[1:3]
    (found,) = examine(before_the_seals(one.docked()))
    assert found.facts["count"] == 2
    assert found.facts["seconds"] == 600
    assert (found.facts["first_missing"], found.facts["last_missing"]) == (2, 3)


@numbered
def test_a_gap_is_named_once_and_not_at_every_docking_after_it(naming: str) -> None:
    one = recorder(naming)
    one.record(segments=4)
    del one.card[1]
    before = one.docked(clear=False)
    assert codes(before) == [meanings.NUMBERS_MISSING]
    one.record(segments=1)
    assert codes(one.docked(), before) == []


def test_names_without_numbers_tell_a_missing_segment_by_its_time() -> None:
    one = recorder("by time")
    one.record(segments=6)
    gone = one.card.pop(3)
    (found,) = examine(before_the_seals(one.docked()))
    assert found.code == meanings.TIME_MISSING
    assert (found.facts["seconds"], found.facts["count"]) == (300, 1)
    assert gone.path not in str(found.facts)


@namings
def test_a_file_that_a_dock_saw_and_that_is_gone_unsealed_is_named(naming: str) -> None:
    one = recorder(naming)
    one.record(segments=4)
    files = list(one.card)
    before = with_seals(one.docked(clear=False), but=[files[1].path, files[2].path])
    del one.card[1:3]
    one.record(segments=1)
    (found,) = examine(before_the_seals(one.docked()), earlier=[before])
    assert found.code == meanings.FILE_VANISHED
    said = found.facts["files"]
    assert isinstance(said, list)
    assert [file["path"] for file in said if isinstance(file, dict)] == [files[1].path, files[2].path]
    assert found.facts["before"] == _said(files[0])
    assert found.facts["after"] == _said(files[3])
    assert found.facts["count"] == 2


def _said(file: ListedFile) -> dict[str, object]:
    said = observed(meanings.FILE_VANISHED, file=file.as_json()).facts["file"]
    assert isinstance(said, dict)
    return dict(said)


@namings
def test_sealed_files_may_go_and_empty_ones_too(naming: str) -> None:
    one = recorder(naming)
    one.record(segments=3)
    one.card.append(ListedFile(path="DCIM/empty.mp4", size=0, modified_at=one.now))
    before = with_seals(one.docked(), but=["DCIM/empty.mp4"])
    one.record(segments=1)
    assert codes(one.docked(), before) == []


@numbered
def test_a_counter_that_begins_anew_is_information_and_no_gap(naming: str) -> None:
    one = recorder(naming)
    one.record(segments=3)
    before = one.docked()
    one.number = 0
    one.record(segments=2)
    assert codes(one.docked(), before) == [meanings.NUMBERS_ANEW]


@numbered
def test_what_is_missing_after_a_counter_began_anew_is_missing_too(naming: str) -> None:
    one = recorder(naming)
    one.record(segments=9)
    before = one.docked()
    one.number = 0
    one.record(segments=4)
    del one.card[1]
    assert sorted(codes(one.docked(), before)) == [meanings.NUMBERS_ANEW, meanings.NUMBERS_MISSING]


@numbered
def test_a_counter_at_its_end_goes_on_with_one(naming: str) -> None:
    one = recorder(naming)
    one.number = 9996
    one.record(segments=3)
    before = one.docked()
    one.record(segments=3)
    assert codes(one.docked(), before) == []


@numbered
def test_a_counter_that_jumps_far_is_not_taken_for_lost_files(naming: str) -> None:
    one = recorder(naming)
    one.record(segments=3)
    before = one.docked()
    one.number += 5000
    one.record(segments=1)
    assert codes(one.docked(), before) == [meanings.NUMBERS_JUMP]


@numbered
def test_numbers_seen_by_another_dock_are_not_missing(naming: str) -> None:
    one = recorder(naming)
    seen = []
    for dock in (UUID(int=1), UUID(int=2), UUID(int=1)):
        one.a_day()
        seen.append(replace(one.docked(dock=dock), number=None))
    assert codes(seen[2], *seen[:2]) == []
    assert meanings.NUMBERS_MISSING in codes(seen[2], seen[0])


def test_a_camera_that_counts_stills_and_footage_together_misses_none() -> None:
    one = recorder("camera")
    one.record(segments=5)
    one.card[2] = replace(one.card[2], path="DCIM/100MEDIA/DSJP0003.JPG")
    assert codes(one.docked()) == []


def test_parts_of_a_recording_that_are_numbered_each_time_anew_are_a_series_of_their_own() -> None:
    one = recorder("by time and number")
    for _ in range(3):
        one.number = 0
        start = one.now
        for file in one.record(segments=4):
            path = f"DCIM/X_{start:%Y%m%d_%H%M%S}_{file.path[-8:-4]}.mp4"
            one.card[one.card.index(file)] = replace(file, path=path)
    assert codes(one.docked(clear=False)) == []
    del one.card[5]
    assert codes(replace(one.docked(), number=None)) == [meanings.NUMBERS_MISSING]


@namings
def test_other_content_under_a_known_name_is_named(naming: str) -> None:
    one = recorder(naming)
    one.record(segments=3)
    before = one.docked(clear=False)
    one.card[1] = replace(one.card[1], size=one.card[1].size - 1)
    assert codes(one.docked(), before) == [meanings.FILE_REPLACED]


def test_a_dock_in_another_zone_sees_the_same_files() -> None:
    one = recorder("camera")
    one.record(segments=3)
    before = one.docked(clear=False)
    one.card[:] = [replace(file, modified_at=file.modified_at + timedelta(hours=8)) for file in one.card]
    assert codes(replace(one.docked(dock=OTHER_DOCK), number=None), before) == []


@pytest.mark.parametrize(
    ("offset_ms", "expected"),
    [
        (1500, []),
        (-100_000, []),
        (-119_000, [meanings.CLOCK_JUMPED]),
        (200_000, [meanings.CLOCK_OFF, meanings.CLOCK_JUMPED]),
    ],
)
def test_a_clock_that_is_off_or_was_moved(offset_ms: int, expected: list[str]) -> None:
    one = recorder("by time")
    one.record(segments=1)
    before = one.docked()
    one.now += timedelta(days=9 if offset_ms == -100_000 else 0)
    one.record(segments=1)
    now = replace(one.docked(), recorder_offset_ms=offset_ms)
    assert sorted(codes(now, before)) == sorted(expected)


def test_recordings_from_the_future_and_a_clock_set_back() -> None:
    one = recorder("by time and number")
    one.record(segments=1)
    one.now += timedelta(days=1)
    one.record(segments=1)
    one.now -= timedelta(days=2)
    one.record(segments=1)
    assert sorted(codes(one.docked())) == [meanings.CLOCK_AHEAD, meanings.CLOCK_SET_BACK]


def test_two_recordings_of_one_lens_at_once() -> None:
    one = recorder("by time")
    one.record(segments=1, last_seconds=290)
    one.now = one.card[0].modified_at - timedelta(seconds=100)
    one.record(segments=1)
    (found,) = examine(before_the_seals(one.docked()))
    assert (found.code, found.facts["seconds"]) == (meanings.TIMES_OVERLAP, 100)


def test_a_recorder_in_two_docks_at_once() -> None:
    one = recorder("by time")
    one.record(segments=1)
    now = before_the_seals(one.docked())
    here = now.presence
    there = Presence(dock=OTHER_DOCK, inventory=UUID(int=77), since=here.since, until=here.until, uncertainty_ms=40)
    assert [one.code for one in examine(now, elsewhere=[there])] == [meanings.TWO_DOCKS]
    assert examine(now, elsewhere=[replace(there, since=here.until, until=here.until + timedelta(hours=1))]) == ()
    assert examine(now, elsewhere=[replace(there, dock=here.dock)]) == ()
    assert examine(now, elsewhere=[replace(there, uncertainty_ms=60_000)]) == ()


@pytest.mark.parametrize(
    ("number", "previous", "expected"),
    [
        (2, 1, []),
        (4, 1, [meanings.INVENTORY_MISSING]),
        (1, None, [meanings.INVENTORY_REPEATED]),
        (2, 9, [meanings.INVENTORY_REPEATED]),
        (None, None, []),
    ],
)
def test_inventories_that_a_dock_counts(number: int | None, previous: int | None, expected: list[str]) -> None:
    one = recorder("by time")
    one.record(segments=1)
    before = one.docked()
    one.record(segments=1)
    now = replace(one.docked(), number=number, previous=None if previous is None else UUID(int=previous))
    assert codes(now, before) == expected


def test_a_card_with_more_than_a_list_can_hold_has_lost_nothing() -> None:
    one = recorder("by time")
    one.record(segments=3)
    before = one.docked(seal=False)
    one.record(segments=1)
    assert codes(replace(one.docked(), is_partial=True), before) == []


def test_another_device_under_the_same_number() -> None:
    one = recorder("by time")
    one.record(segments=1)
    before = one.docked()
    one.record(segments=1)
    assert codes(replace(one.docked(), device={"serial": "other"}), before) == [meanings.OTHER_DEVICE]
    assert codes(replace(one.docked(), device={}, number=None), before) == []


PATHS = st.sampled_from(
    ["DCIM/100MEDIA/DSJX0001.MP4", "DCIM/100MEDIA/DSJX9999.MP4", "x_0007.mp4", "x_00007.mp4", "a\n_0001.", "%FF_0001.x"]
) | st.text(min_size=1, max_size=12)
TIMES = st.datetimes(timezones=st.just(UTC))
FILES = st.lists(
    st.builds(
        ListedFile,
        path=PATHS,
        raw=st.booleans(),
        size=st.integers(0, 2**53 - 1),
        modified_at=TIMES,
        recorded_at=st.none() | TIMES,
        is_sealed=st.booleans(),
        seconds=st.none() | st.floats(0, 1e12),
    ),
    unique_by=lambda file: (file.path, file.raw),
    max_size=8,
)
SIGHTINGS = st.builds(
    Sighting,
    presence=st.builds(
        Presence,
        dock=st.sampled_from([UUID(int=1), UUID(int=2)]),
        inventory=st.uuids(),
        since=TIMES,
        until=TIMES,
        uncertainty_ms=st.integers(0, 10**9),
    ),
    files=FILES.map(tuple),
    is_partial=st.booleans(),
    number=st.none() | st.integers(1, 2**53 - 1),
    previous=st.none() | st.uuids(),
    recorder_offset_ms=st.none() | st.integers(-(2**53), 2**53),
    device=st.dictionaries(st.sampled_from(["serial", "volume"]), st.text(max_size=3)),
)


@given(SIGHTINGS, st.lists(SIGHTINGS, max_size=3), st.lists(SIGHTINGS, max_size=2))
@settings(max_examples=60)
def test_whatever_a_dock_signs_is_borne(now: Sighting, earlier: list[Sighting], others: list[Sighting]) -> None:
    found = examine(now, earlier=earlier, elsewhere=[other.presence for other in others])
    assert len(found) <= OBSERVATIONS_MAX
    assert {one.code for one in found} <= MEANINGS.keys()
    assert examine(now, earlier=earlier, elsewhere=[other.presence for other in others]) == found


def test_ten_thousand_files_are_compared_in_a_moment() -> None:
    one = recorder("by time and number")
    one.record(segments=9_000)
    before = one.docked(clear=False)
    assert codes(one.docked(), before) == []


def test_nothing_is_called_what_only_a_court_may_call_it() -> None:
    for meaning in MEANINGS.values():
        words = f"{meaning.en} {meaning.causes_en}".lower()
        assert not any(word in words for word in ("tamper", "manipul", "forge", "delete", "destroy"))
        assert not any(word in meaning.zh for word in ("篡改", "伪造", "删除", "毁灭"))
        assert meaning.causes_en
        assert meaning.causes_zh
