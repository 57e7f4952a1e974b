"""Volumes: what counts as an identity, and what the kernel and udev leave in /sys and /dev."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstation.card import SeenFile
from dockstation.detect.mounts import mount_of, peek
from dockstation.detect.volume import Volume, credible_mark, credible_serial, identify
from dockstation.layout import load_profiles
from dockstation.stocktaking import sort_out
from evidence.core.wire.fields import check_name

GENERAL = load_profiles(only="dcim")[0]


@pytest.mark.parametrize(
    ("serial", "credible"),
    [
        ("4C530001230506105235", True),
        ("AX-88 1202", True),
        ("D20", False),
        ("", False),
        (None, False),
        ("000000000001", False),
        ("00000000000000", False),
        ("FFFFFFFF", False),
        ("0123456789ABCDEF", False),
        ("123456789abcdef0", False),
        ("1234567890", True),
        ("   \n ", False),
    ],
)
def test_a_serial_number_that_a_whole_kind_bears_is_no_identity(serial: str | None, credible: bool) -> None:
    assert (credible_serial(serial) is not None) is credible


@pytest.mark.parametrize(
    ("mark", "credible"), [("1A2B-3C4D", True), ("0000-0000", False), ("", False), (None, False), ("FFFF-FFFF", False)]
)
def test_a_mark_that_was_never_given_is_none(mark: str | None, credible: bool) -> None:
    assert (credible_mark(mark) is not None) is credible


def test_an_identity_is_made_of_what_is_credible() -> None:
    assert Volume(serial="D2000017", mark="1A2B-3C4D").identity == "D2000017 1A2B-3C4D"
    assert Volume(serial="000001", mark="1A2B-3C4D").identity == "1A2B-3C4D"
    assert Volume(serial="D2000017").identity == "D2000017"
    assert Volume(port="usb-1", model="x", sequence="9").identity is None


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_identity_can_be_carried_by_statements(serial: str, mark: str) -> None:
    identity = Volume(serial=serial, mark=mark).identity
    if identity is not None:
        check_name(identity, where="volume")


def test_two_nameless_cards_in_slots_of_one_name_are_two_recorders() -> None:
    file = SeenFile(b"IMG_1.JPG", "IMG_1.JPG", False, 1, 0, 1, 1)
    names = [
        sort_out([file], profile=GENERAL, slot="1", card=Volume(serial="D2000017", mark=mark).identity)[0][0].recorder
        for mark in ("1A2B-3C4D", "5E6F-7081")
    ]
    assert names == ["D2000017 1A2B-3C4D", "D2000017 5E6F-7081"]
    assert sort_out([file], profile=GENERAL, slot="1", card=None)[0][0].recorder == "1"


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A mount, and what /sys and /dev would say if a USB stick were mounted there."""
    root = Path("/proc")
    device = root.stat().st_dev
    sysfs, disks = tmp_path / "sys", tmp_path / "disks"
    port = sysfs / "devices" / "usb1" / "1-1.4"
    block = port / "host0" / "block" / "sdb" / "sdb1"
    block.mkdir(parents=True)
    for path, text in {
        port / "idVendor": "0781",
        port / "serial": "4C530001230506105235\n",
        port / "manufacturer": "Maker",
        port / "product": "Recorder",
        block.parent / "diskseq": "17\n",
    }.items():
        path.write_text(text)
    numbers = sysfs / "dev" / "block"
    numbers.mkdir(parents=True)
    (numbers / f"{os.major(device)}:{os.minor(device)}").symlink_to(block)
    (disks / "by-uuid").mkdir(parents=True)
    (disks / "by-uuid" / "0000-BROKEN").symlink_to(tmp_path / "nowhere")
    return root, sysfs, disks


def test_a_mounted_device_is_identified_by_what_the_kernel_says(machine: tuple[Path, Path, Path]) -> None:
    root, sysfs, disks = machine
    assert identify(root, sysfs=sysfs, disks=disks) == Volume(
        serial="4C530001230506105235", mark=None, port="1-1.4", model="Maker Recorder", sequence="17"
    )


def test_a_device_that_is_not_usb_has_no_serial_here(machine: tuple[Path, Path, Path]) -> None:
    root, sysfs, disks = machine
    (sysfs / "devices" / "usb1" / "1-1.4" / "idVendor").unlink()
    volume = identify(root, sysfs=sysfs, disks=disks)
    assert volume == Volume(sequence="17")
    assert volume.identity is None


def test_a_plain_folder_and_a_mount_without_a_device_are_no_volume(tmp_path: Path) -> None:
    assert identify(tmp_path) is None
    assert identify(tmp_path / "missing") is None
    assert identify(Path("/proc")) is None


def test_a_mount_is_told_from_another_and_a_link_is_not_followed(tmp_path: Path) -> None:
    assert peek(tmp_path)[2] != peek(Path("/proc"))[2]
    assert peek(tmp_path)[:2] == (tmp_path.stat().st_dev, tmp_path.stat().st_ino)
    (tmp_path / "link").symlink_to("/proc")
    with pytest.raises(OSError, match="link"):
        peek(tmp_path / "link")
    assert mount_of(10**6) is None
