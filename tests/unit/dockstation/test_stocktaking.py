"""Stocktaking: whose files lie on a card, in which order, and how much one inventory takes."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstation.card import SeenFile
from dockstation.detect.volume import Volume
from dockstation.journal import ListedFile
from dockstation.layout import Profile, load_profiles
from dockstation.stocktaking import (
    Holding,
    device_of,
    instant_of,
    recorder_name,
    select,
    sort_out,
    state_inventory,
    still,
)
from evidence.core.wire.docking import Device
from evidence.core.wire.fields import check_name
from evidence.core.wire.inventory import INVENTORY_FILES_MAX, format_inventory, parse_inventory
from tests.support.dock_journal import DOCK, listed

DCAM = load_profiles(only="dcam")[0]
DCIM = load_profiles(only="dcim")[0]


def seen(path: str, *, modified_ns: int = 0) -> SeenFile:
    return SeenFile(path.encode(), path, False, 1, modified_ns, 1, hash(path) % 1000)


def dcam(recorder: str, time: str) -> SeenFile:
    return seen(f"DCAM_{recorder}_100001_20260302_{time}.mp4")


def recorders(files: list[SeenFile], profile: Profile = DCAM, slot: str = "slot 1") -> dict[str, list[str]]:
    holdings, _ = sort_out(files, profile=profile, slot=slot)
    return {holding.recorder: [item.seen.path for item in holding.files] for holding in holdings}


def test_files_without_a_serial_belong_to_the_one_recorder_the_others_name() -> None:
    files = [dcam("D200001", "090000"), seen("track.gps")]
    assert list(recorders(files)) == ["D200001"]


def test_files_of_two_recorders_are_two_holdings_and_the_nameless_are_the_slot_s() -> None:
    files = [dcam("D200001", "090000"), dcam("D200002", "080000"), seen("track.gps")]
    assert list(recorders(files)) == ["D200001", "D200002", "slot 1"]


def test_a_card_whose_names_tell_nothing_is_the_slot_s() -> None:
    assert list(recorders([seen("IMG_1.JPG")], DCIM)) == ["slot 1"]


def test_an_empty_card_is_nobody_s() -> None:
    assert recorders([]) == {}


def test_files_stand_in_the_order_of_recording() -> None:
    files = [dcam("D200001", "110000"), dcam("D200001", "090000"), seen("log.txt", modified_ns=10**18)]
    assert recorders(files)["D200001"] == ["log.txt", files[1].path, files[0].path]


def test_what_the_profile_ignores_is_a_remark_and_not_in_the_holding() -> None:
    holdings, ignored = sort_out([seen("Thumbs.db"), seen("a.mp4")], profile=DCAM, slot="s")
    assert [item.seen.path for item in holdings[0].files] == ["a.mp4"]
    assert [(remark.path, remark.code) for remark in ignored] == [("Thumbs.db", "ignored")]


@given(st.text(max_size=100))
def test_any_slot_name_makes_a_recorder_name_that_statements_carry(slot: str) -> None:
    check_name(recorder_name(slot), where="recorder")


def test_different_unusable_slot_names_stay_different() -> None:
    assert recorder_name("a\x01") != recorder_name("a\x02")
    assert recorder_name("槽 3") == "槽 3"


def test_more_files_than_an_inventory_takes_come_in_turns_unreceipted_first() -> None:
    files = tuple(listed(f"{index:05d}.mp4", inode=index) for index in range(INVENTORY_FILES_MAX + 50))
    chosen, left_over = select(Holding("r", files), settled=frozenset(), listed=frozenset())
    assert (len(chosen.files), left_over) == (INVENTORY_FILES_MAX, 50)
    first = frozenset(item.seen.key for item in chosen.files)
    again, left_over = select(Holding("r", files), settled=first, listed=first)
    assert left_over == 0
    assert {item.seen for item in files[-50:]} <= {item.seen for item in again.files}
    assert len(again.files) == INVENTORY_FILES_MAX
    # When all is settled the choice stays: a card on which nothing happens makes no new inventory.
    everything = frozenset(item.seen.key for item in files)
    second = frozenset(item.seen.key for item in again.files)
    assert select(Holding("r", files), settled=everything, listed=second) == (again, 0)


def test_long_names_are_counted_too() -> None:
    files = tuple(listed(f"{index:05d}" + "\x01" * 990, inode=index) for index in range(2000))
    chosen, left_over = select(Holding("r", files), settled=frozenset(), listed=frozenset())
    assert left_over
    statement = state_inventory(chosen, inventory=UUID(int=1), dock=DOCK, seen_at=NOW, dock_clock=NOW, profile="dcam")
    assert parse_inventory(format_inventory(statement)) == statement


NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_an_inventory_states_what_names_and_the_file_system_tell() -> None:
    files = (listed("DCAM_D200001_100001_20260302_093015_IMP.mp4", size=7, modified_ns=10**18 + 999_999),)
    inventory = state_inventory(
        Holding("D200001", files), inventory=UUID(int=1), dock=DOCK, seen_at=NOW, dock_clock=NOW, profile="dcam"
    )
    (file,) = inventory.files
    assert (file.size, file.officer, file.key_mark, file.order) == (7, "100001", True, 0)
    assert file.recorded_at == datetime(2026, 3, 2, 1, 30, 15, tzinfo=UTC)
    assert file.modified_at == datetime(2001, 9, 9, 1, 46, 40, 999, tzinfo=UTC)


@given(st.integers(-(2**66), 2**66))
def test_any_file_time_becomes_an_instant_that_statements_carry(nanoseconds: int) -> None:
    instant = instant_of(nanoseconds)
    assert 1601 <= instant.year <= 9999
    assert instant.tzinfo is UTC


def test_only_files_that_are_the_same_in_two_looks_are_still() -> None:
    before = [seen("same"), seen("written"), seen("gone")]
    after = [seen("same"), seen("written", modified_ns=1), seen("new")]
    quiet, moving = still(before, after)
    assert [file.path for file in quiet] == ["same"]
    assert [remark.path for remark in moving] == ["written", "new"]


@pytest.mark.parametrize("name", ["a", "b"])
def test_listed_files_are_compared_by_value(name: str) -> None:
    assert isinstance(listed(name), ListedFile)
    assert listed(name) == listed(name)


@pytest.mark.parametrize("told", ["", "x" * 65, "a\nb", " padded", "a\u202eb"])
def test_a_device_says_only_what_statements_may_carry(told: str) -> None:
    device = device_of(Volume(serial="4A00123", mark=told, model=told))
    assert device == Device(serial="4A00123")
    assert device_of(None) == Device()
