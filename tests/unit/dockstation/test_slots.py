"""Slots: folders named once each, and the card in them asked for once per mount."""

from __future__ import annotations

from pathlib import Path

from dockstation.detect.volume import Volume
from dockstation.slots import Folders


async def test_slots_are_folders_named_once_each(tmp_path: Path) -> None:
    for name in ("media/b", "media/a", "media/.hidden", "other/a"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "media" / "file").touch()
    (tmp_path / "media" / "link").symlink_to(tmp_path / "other")
    folders = Folders(watch=[tmp_path / "media"], recorders=[tmp_path / "other" / "a", tmp_path / "media" / "b"])
    slots = [place.slot for place in await folders.look()]
    assert [slot.root for slot in slots] == [tmp_path / "other/a", tmp_path / "media/b", tmp_path / "media/a"]
    assert [slot.name for slot in slots] == [f"a ({tmp_path / 'other'})", "b", f"a ({tmp_path / 'media'})"]
    assert {slot.volume for slot in slots} == {None}


async def test_folders_that_are_not_there_have_no_slots(tmp_path: Path) -> None:
    assert await Folders(watch=[tmp_path / "x"], recorders=[tmp_path / "y"]).look() == ()


async def test_another_card_in_a_slot_is_another_slot(tmp_path: Path) -> None:
    marks = iter(["1A2B-3C4D", "1A2B-3C4D", "5E6F-7081"])
    folders = Folders(watch=[tmp_path], recorders=[], identify=lambda _: Volume(mark=next(marks)))
    (tmp_path / "1").mkdir()
    (first,) = await folders.look()
    assert await folders.look() == (first,)
    (second,) = await folders.look()
    assert first.slot != second.slot
    assert (first.slot.name, first.slot.root) == (second.slot.name, second.slot.root)
