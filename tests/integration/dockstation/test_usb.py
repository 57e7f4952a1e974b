"""Recorders on USB ports: mounted, read, let go of; swapped, refused and hanging ones hold up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from dockstation.detect.places import Several, Slot
from dockstation.detect.usb import UsbPlaces, WhenSafe, parse_names
from dockstation.errors import MountFailed
from dockstation.journal import State
from dockstation.journal_store import Journal
from dockstation.slots import Folders
from dockstation.watch import Watch
from evidence.core.clock import utc_now
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder, write_clip
from tests.support.usb_ports import FakePorts, PortsAsUdev


@pytest.fixture
def ports(tmp_path: Path) -> FakePorts:
    (tmp_path / "media").mkdir()
    return FakePorts(tmp_path / "media")


def usb(ports: FakePorts, *names: str, when_safe: WhenSafe = WhenSafe.UNMOUNT) -> UsbPlaces:
    return UsbPlaces(
        udev=PortsAsUdev(ports), disks=ports, names=parse_names(names), when_safe=when_safe, ring=lambda: None
    )


@asynccontextmanager
async def running(station: TestStation, places: UsbPlaces, **changes: object) -> AsyncIterator[Watch]:
    """Let a station look at USB ports for the length of the block."""
    async with station.watching(**changes) as watch:  # type: ignore[arg-type]  # settings by name
        watch._recorders = places
        task = asyncio.create_task(watch.forever())
        try:
            yield watch
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await places.close()


async def shown(station: TestStation, name: str, phase: str, *, safe: bool) -> None:
    """Wait until a slot is shown so."""
    async with asyncio.timeout(20):
        while True:
            with Journal(station.state.journal, clock=utc_now, read_only=True) as journal:
                views = {view.name: (view.phase, view.safe) for view in journal.slots()}
            if views.get(name) == (phase, safe):
                return
            await asyncio.sleep(0.02)


async def settled(places: UsbPlaces) -> list[Slot]:
    """Look until nothing is being mounted; return the slots that can be read."""
    async with asyncio.timeout(10):
        while any(place.pending for place in await places.look()):
            await asyncio.sleep(0)
    return [place.slot for place in await places.look() if not place.resting and place.error is None]


async def test_a_recorder_is_mounted_read_only_read_and_let_go_of(
    service: FakeService, station: TestStation, ports: FakePorts, tmp_path: Path
) -> None:
    node = ports.plug(make_recorder(tmp_path / "card", count=2))
    async with running(station, usb(ports, "1=*usb-0:1.1:*")):
        await shown(station, "1", "done", safe=True)
        async with asyncio.timeout(10):
            while ports.mounted:
                await asyncio.sleep(0.02)
        # Everything is receipted and it is not mounted any more: it is still there, and safe to take out.
        await asyncio.sleep(0.3)
        await shown(station, "1", "done", safe=True)
        ports.pull(node)
        await shown(station, "1", "gone", safe=False)
    assert ports.wishes == [("ro", node), ("unmount", node)]
    assert sum(service.sealed_entries().values()) == 2


async def test_files_are_removed_through_a_writable_mount_that_does_not_last(
    service: FakeService, station: TestStation, ports: FakePorts, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    write_clip(card, clip_name(7, mark="_IMP"))
    node = ports.plug(card)
    async with running(station, usb(ports), clear=True):
        async with asyncio.timeout(20):
            while [wish for wish, _ in ports.wishes] != ["ro", "unmount", "rw", "ro", "unmount"]:
                if ports.mounted.get(node, (None, True))[1] is False:
                    # Removing needs the writable mount; nothing else does.
                    assert station.rows(State.RECEIPT_VERIFIED, State.CLEARABLE, State.CLEARED)
                await asyncio.sleep(0.01)
    assert station.states() == {clip_name(0): "cleared", clip_name(7, mark="_IMP"): "receipt_verified"}
    assert [path.name for path in card.rglob("*.mp4")] == [Path(clip_name(7, mark="_IMP")).name]


async def test_another_card_in_the_port_is_another_slot_and_the_first_is_not_published(
    service: FakeService, station: TestStation, ports: FakePorts, tmp_path: Path
) -> None:
    service.faults.piece_seconds = 0.02
    big = make_recorder(tmp_path / "big", count=1, sizes=(3 << 20,))
    small = make_recorder(tmp_path / "small", count=1, recorder="D200002")
    node = ports.plug(big)
    async with running(station, usb(ports)):
        async with asyncio.timeout(20):
            while not any(upload.data for upload in service.uploads.values()):
                await asyncio.sleep(0)
        # The same device node, the same serial number, the same place for the mount: only the medium is another.
        ports.pull(node)
        assert ports.plug(small) == node
        service.faults.piece_seconds = 0
        async with asyncio.timeout(20):
            while not service.sealed_entries():
                await asyncio.sleep(0.02)
    assert service.sealed_entries() == {("D200002", clip_name(0, recorder="D200002")): 1}
    assert {row.recorder: row.state for row in station.rows()}["D200001"] in {State.INVENTORIED, State.UPLOADING}


async def test_nameless_cards_one_after_the_other_in_one_port_are_two_recorders(
    service: FakeService, station: TestStation, ports: FakePorts, tmp_path: Path
) -> None:
    for mark in ("1A2B-3C4D", "5E6F-7081"):
        write_clip(tmp_path / mark, "DCIM/IMG_0001.JPG", seed=len(ports.wishes))
    async with running(station, usb(ports)):
        for number, mark in enumerate(("1A2B-3C4D", "5E6F-7081"), start=1):
            node = ports.plug(tmp_path / mark, mark=mark)
            async with asyncio.timeout(20):
                while sum(service.sealed_entries().values()) != number or ports.mounted:
                    await asyncio.sleep(0.02)
            ports.pull(node)
            await shown(station, "usb-1.1", "gone", safe=False)
    recorders = {recorder for recorder, _ in service.sealed_entries()}
    assert recorders == {"D2000017 1A2B-3C4D", "D2000017 5E6F-7081"}


async def test_a_refused_mount_is_shown_and_tried_again_while_others_are_read(
    service: FakeService, station: TestStation, ports: FakePorts, tmp_path: Path
) -> None:
    bad = ports.plug(make_recorder(tmp_path / "bad", count=1), port=1)
    ports.plug(make_recorder(tmp_path / "good", count=1, recorder="D200002"), port=2, mark="5E6F-7081")
    ports.refused.add(bad)
    async with running(station, usb(ports)):
        await shown(station, "usb-1.1", "trouble", safe=False)
        await shown(station, "usb-1.2", "done", safe=True)
        ports.refused.clear()
        await shown(station, "usb-1.1", "done", safe=True)
    assert sum(service.sealed_entries().values()) == 2


async def test_once_waits_for_mounts_and_is_not_complete_when_one_is_refused(
    service: FakeService, station: TestStation, ports: FakePorts, tmp_path: Path
) -> None:
    bad = ports.plug(make_recorder(tmp_path / "bad", count=1), port=1)
    ports.plug(make_recorder(tmp_path / "good", count=1, recorder="D200002"), port=2, mark="5E6F-7081")
    ports.refused.add(bad)
    async with station.watching(patience_seconds=0.5) as watch:
        watch._recorders = usb(ports)
        report = await watch.once()
        await watch._recorders.close()
    assert not report.complete
    assert {outcome.slot.name: type(outcome.error) for outcome in report.outcomes} == {
        "usb-1.1": MountFailed,
        "usb-1.2": type(None),
    }
    assert sum(service.sealed_entries().values()) == 1


async def test_a_mount_that_hangs_holds_up_nobody_and_is_given_up_with_its_device(
    ports: FakePorts, tmp_path: Path
) -> None:
    places = usb(ports)
    ports.hanging = asyncio.Event()
    node = ports.plug(make_recorder(tmp_path / "card", count=1))
    for _ in range(3):
        (place,) = await places.look()
        assert place.pending
        await asyncio.sleep(0)
    assert ports.wishes == [("ro", node)]
    ports.pull(node)
    assert await places.look() == ()
    await places.close()
    assert ports.closed


async def test_a_port_that_has_no_name_is_left_alone_when_others_have(ports: FakePorts, tmp_path: Path) -> None:
    places = usb(ports, "left=*usb-0:1.1:*")
    ports.plug(make_recorder(tmp_path / "a", count=1), port=1)
    ports.plug(make_recorder(tmp_path / "b", count=1), port=2)
    assert [slot.name for slot in await settled(places)] == ["left"]
    assert {node for _, node in ports.wishes} == {"/dev/sdb1"}


async def test_two_volumes_behind_one_port_are_two_slots(ports: FakePorts, tmp_path: Path) -> None:
    places = usb(ports, "left=*usb-0:1.*", when_safe=WhenSafe.UNMOUNT)
    for port in (1, 2):
        ports.plug(make_recorder(tmp_path / f"{port}", count=1), port=port, mark=f"{port}A2B-3C4D")
    first, second = sorted(await settled(places), key=lambda slot: slot.name)
    assert (first.name, second.name) == ("left", "left (sdc1)")
    await places.done(second)
    assert [slot.name for slot in await settled(places)] == ["left"]
    assert set(ports.mounted) == {"/dev/sdb1"}


@pytest.mark.parametrize(
    ("when_safe", "wishes"),
    [(WhenSafe.STAY, ["ro"]), (WhenSafe.UNMOUNT, ["ro", "unmount"]), (WhenSafe.EJECT, ["ro", "unmount", "eject"])],
)
async def test_what_becomes_of_a_receipted_recorder_is_the_operator_s_choice(
    ports: FakePorts, tmp_path: Path, when_safe: WhenSafe, wishes: list[str]
) -> None:
    places = usb(ports, when_safe=when_safe)
    ports.plug(make_recorder(tmp_path / "card", count=1))
    (slot,) = await settled(places)
    await places.done(slot)
    assert [wish for wish, _ in ports.wishes] == wishes
    assert [place.resting for place in await places.look()] == [when_safe is not WhenSafe.STAY]


async def test_a_recorder_in_use_is_not_called_resting(ports: FakePorts, tmp_path: Path) -> None:
    places = usb(ports, when_safe=WhenSafe.EJECT)
    node = ports.plug(make_recorder(tmp_path / "card", count=1))
    (slot,) = await settled(places)
    ports.busy.add(node)
    await places.done(slot)
    assert ("eject", node) not in ports.wishes
    assert await settled(places) == [slot]


async def test_a_recorder_that_cannot_be_made_writable_keeps_its_files(
    service: FakeService, station: TestStation, ports: FakePorts, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    node = ports.plug(card)
    ports.busy.add(node)
    async with running(station, usb(ports), clear=True):
        await shown(station, "usb-1.1", "trouble", safe=False)
        assert ports.mounted[node][1] is True
        assert station.states() == {clip_name(0): "receipt_verified"}
        ports.busy.clear()
        async with asyncio.timeout(20):
            while station.states() != {clip_name(0): "cleared"}:
                await asyncio.sleep(0.02)


async def test_a_recorder_pulled_while_it_is_written_to_is_mounted_anew_when_it_comes_back(
    ports: FakePorts, tmp_path: Path
) -> None:
    places = usb(ports)
    card = make_recorder(tmp_path / "card", count=1)
    node = ports.plug(card)
    (slot,) = await settled(places)
    async with places.writable(slot) as opened:
        assert not opened.read_only
        ports.pull(node)
    assert await places.look() == ()
    ports.plug(card)
    assert [again.read_only for again in await settled(places)] == [True]
    with pytest.raises(MountFailed, match="gone"):
        async with places.writable(Slot("elsewhere", tmp_path)):
            pass


async def test_usb_and_folders_stand_beside_each_other_under_names_of_their_own(
    ports: FakePorts, tmp_path: Path
) -> None:
    make_recorder(tmp_path / "hot" / "left", count=1)
    ports.plug(make_recorder(tmp_path / "card", count=1))
    mine = usb(ports, "left=*usb-0:1.1:*")
    await settled(mine)
    both = Several([mine, Folders(watch=(tmp_path / "hot",), recorders=())])
    slots = {place.slot.name: place.slot for place in await both.look()}
    assert set(slots) == {"left", "left (2)"}
    await both.done(slots["left (2)"])
    assert ports.mounted
    await both.done(slots["left"])
    assert not ports.mounted
    async with both.writable(slots["left (2)"]) as opened:
        assert opened.root == tmp_path / "hot" / "left"
    await both.close()
    assert ports.closed
