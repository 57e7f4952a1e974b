"""udev's words for a device, and the names of ports."""

from __future__ import annotations

import asyncio

import pytest

from dockstation.detect.udev import PyUdev, UsbVolume, read_volume
from dockstation.detect.usb import parse_names, short_port
from dockstation.detect.volume import Volume
from dockstation.errors import ConfigInvalid

STICK = {
    "DEVNAME": "/dev/sdb1",
    "DEVTYPE": "partition",
    "DISKSEQ": "17",
    "ID_BUS": "usb",
    "ID_FS_TYPE": "vfat",
    "ID_FS_USAGE": "filesystem",
    "ID_FS_UUID": "1A2B-3C4D",
    "ID_MODEL": "Body_Camera",
    "ID_PATH": "pci-0000:00:14.0-usb-0:1.4:1.0-scsi-0:0:0:0",
    "ID_SERIAL_SHORT": "D2000017",
    "ID_VENDOR": "Maker",
}


def test_a_usb_file_system_is_read_with_serial_port_and_mark() -> None:
    assert read_volume(STICK) == UsbVolume(
        "/dev/sdb1",
        Volume(
            serial="D2000017",
            mark="1A2B-3C4D",
            port="pci-0000:00:14.0-usb-0:1.4:1.0-scsi-0:0:0:0",
            model="Maker Body Camera",
            file_system="vfat",
            sequence="17",
        ),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"ID_BUS": "ata"},
        {"ID_BUS": ""},
        {"ID_FS_USAGE": ""},
        {"ID_FS_USAGE": "crypto"},
        {"ID_FS_USAGE": "raid"},
        {"DEVTYPE": "usb_device"},
        {"DEVNAME": ""},
        {"DEVNAME": "sdb1"},
    ],
)
def test_everything_else_is_no_recorder(change: dict[str, str]) -> None:
    assert read_volume({**STICK, **change}) is None


def test_a_device_of_few_words_is_still_one() -> None:
    sparse = {key: STICK[key] for key in ("DEVNAME", "DEVTYPE", "ID_BUS", "ID_FS_USAGE")}
    assert read_volume(sparse) == UsbVolume("/dev/sdb1", Volume())
    assert read_volume({**sparse, "ID_PART_ENTRY_UUID": "ab-01"}) == UsbVolume("/dev/sdb1", Volume(mark="ab-01"))


@pytest.mark.parametrize(
    ("port", "name"),
    [
        ("pci-0000:00:14.0-usb-0:1.4:1.0-scsi-0:0:0:0", "usb-1.4"),
        ("platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.1.2:1.0-scsi-0:0:0:0", "usb-1.1.2"),
        ("pci-0000:00:14.0-usbv2-0:3:1.0-scsi-0:0:0:0", "usb-3"),
        ("something else", "something else"),
    ],
)
def test_a_port_without_a_name_gets_a_short_one(port: str, name: str) -> None:
    assert short_port(port) == name


@pytest.mark.parametrize("names", [["1"], ["=x"], ["1="], ["1=a", "1=b"], [" =a"]])
def test_names_of_ports_that_cannot_be_used_refuse_the_start(names: list[str]) -> None:
    with pytest.raises(ConfigInvalid):
        parse_names(names)


async def test_the_real_udev_is_asked_where_it_is() -> None:
    rung = asyncio.Event()
    udev = PyUdev(rung.set)
    try:
        assert all(isinstance(item, UsbVolume) for item in udev.volumes())
    finally:
        udev.close()
