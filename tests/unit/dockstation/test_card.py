"""A card: what a look shows, what it refuses, and that nothing is ever reached beside it."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from dockstation.card import DEPTH_MAX, Card, SeenFile
from dockstation.errors import CardLost, FileChanged, FileGone, FileUnreadable, FileUnsafe
from tests.support.dock_station import write_clip


def seen(card: Card, path: str) -> SeenFile:
    return next(file for file in card.look().files if file.path == path)


def test_a_look_shows_regular_files_with_size_time_and_identity(tmp_path: Path) -> None:
    path = write_clip(tmp_path, "DCIM/a.mp4", size=10)
    write_clip(tmp_path, "b.mp4", size=0)
    with Card(tmp_path) as card:
        files = card.look().files
    assert [(file.path, file.size) for file in files] == [("DCIM/a.mp4", 10), ("b.mp4", 0)]
    about = path.stat()
    assert files[0].identity == (about.st_dev, about.st_ino, 10, about.st_mtime_ns)


def test_names_that_are_not_utf8_are_escaped_and_can_be_opened(tmp_path: Path) -> None:
    write_clip(tmp_path, os.fsdecode(b"\xff%20\x01.mp4"), size=3)
    with Card(tmp_path) as card:
        (file,) = card.look().files
        os.close(card.open_file(file))
    assert (file.path, file.raw) == ("%FF%2520\x01.mp4", True)


@pytest.mark.parametrize(
    "name", ["new\nline.mp4", "执法 记录.mp4", "%41.mp4", " leading", "trailing ", "\u202egpj.exe", "-rf"]
)
def test_strange_names_that_are_utf8_stay_as_they_are(tmp_path: Path, name: str) -> None:
    write_clip(tmp_path, name)
    with Card(tmp_path) as card:
        assert [(file.path, file.raw) for file in card.look().files] == [(name, False)]


def test_links_pipes_sockets_and_devices_are_named_and_never_shown(tmp_path: Path) -> None:
    outside = write_clip(tmp_path / "outside", "secret")
    root = tmp_path / "card"
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "sock"))
        with Card(root) as card:
            sighting = card.look()
    assert sighting.files == ()
    assert {remark.path for remark in sighting.remarks} == {"link", "loop", "folder", "dangling", "pipe", "sock"}
    assert {remark.code for remark in sighting.remarks} == {FileUnsafe.code}


def test_a_folder_deeper_than_any_maker_makes_is_not_entered(tmp_path: Path) -> None:
    write_clip(tmp_path, "/".join(["d"] * (DEPTH_MAX + 2)) + "/x.mp4")
    write_clip(tmp_path, "/".join(["e"] * DEPTH_MAX) + "/x.mp4")
    with Card(tmp_path) as card:
        sighting = card.look()
    assert [file.path[0] for file in sighting.files] == ["e"]
    assert "deeper" in sighting.remarks[0].reason


def test_a_path_longer_than_statements_carry_is_named(tmp_path: Path) -> None:
    write_clip(tmp_path, "/".join(["n" * 200] * 6))
    with Card(tmp_path) as card:
        sighting = card.look()
    assert sighting.files == ()
    assert "1024" in sighting.remarks[0].reason


def test_a_root_that_is_a_link_a_file_or_nothing_is_no_card(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_clip(tmp_path, "file")
    for name in ("link", "file", "missing"):
        with pytest.raises(CardLost):
            Card(tmp_path / name)


def test_a_card_in_place_of_another_is_noticed(tmp_path: Path) -> None:
    root = tmp_path / "slot"
    write_clip(root, "a.mp4")
    with Card(root) as card:
        root.rename(tmp_path / "pulled")
        with pytest.raises(CardLost, match="gone"):
            card.check()
        write_clip(root, "a.mp4")
        with pytest.raises(CardLost, match="another card"):
            card.check()
        with pytest.raises(CardLost):
            card.look()


def test_a_file_is_opened_only_as_the_one_that_was_seen(tmp_path: Path) -> None:
    write_clip(tmp_path, "d/a.mp4", size=100)
    with Card(tmp_path) as card:
        file = seen(card, "d/a.mp4")
        write_clip(tmp_path, "d/a.mp4", size=101)
        with pytest.raises(FileChanged, match="100 bytes"):
            card.open_file(file)
        write_clip(tmp_path, "d/a.mp4", size=100, age_ns=5)
        with pytest.raises(FileChanged, match="written"):
            card.open_file(file)
        write_clip(tmp_path, "d/b.mp4", size=100)
        (tmp_path / "d/b.mp4").rename(tmp_path / "d/a.mp4")
        with pytest.raises(FileChanged, match="replaced"):
            card.open_file(file)
        (tmp_path / "d/a.mp4").unlink()
        with pytest.raises(FileGone):
            card.open_file(file)


@pytest.mark.parametrize("swap", ["file", "folder", "pipe"])
def test_what_is_swapped_for_a_link_or_a_pipe_after_the_look_is_never_followed(tmp_path: Path, swap: str) -> None:
    root = tmp_path / "card"
    write_clip(root, "d/a.mp4", size=100)
    outside = write_clip(tmp_path / "outside", "a.mp4", size=100)
    with Card(root) as card:
        file = seen(card, "d/a.mp4")
        (root / "d/a.mp4").unlink()
        if swap == "file":
            (root / "d/a.mp4").symlink_to(outside)
        elif swap == "pipe":
            os.mkfifo(root / "d/a.mp4")
        else:
            (root / "d").rmdir()
            (root / "d").symlink_to(outside.parent)
        with pytest.raises((FileUnsafe, FileGone)):
            card.open_file(file)
        with pytest.raises((FileUnsafe, FileGone, FileChanged)):
            card.remove(file)
    assert outside.exists()


def test_removal_takes_the_file_that_was_seen_and_no_other(tmp_path: Path) -> None:
    write_clip(tmp_path, "d/a.mp4", size=100)
    write_clip(tmp_path, "d/b.mp4", size=100)
    with Card(tmp_path) as card:
        first, second = card.look().files
        card.remove(first)
        with pytest.raises(FileGone):
            card.remove(first)
        write_clip(tmp_path, "d/b.mp4", size=99)
        with pytest.raises(FileChanged):
            card.remove(second)
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["b.mp4"]


def test_a_medium_error_is_the_file_s_while_the_card_answers_and_the_card_s_when_not(tmp_path: Path) -> None:
    root = tmp_path / "slot"
    write_clip(root, "a.mp4")
    error = OSError(errno.EIO, os.strerror(errno.EIO))
    with Card(root) as card:
        file = seen(card, "a.mp4")
        assert isinstance(card.explain(error, file), FileUnreadable)
        root.rename(tmp_path / "pulled")
        assert isinstance(card.explain(error, file), CardLost)
        with pytest.raises(CardLost):
            card.explain(OSError(errno.ENOENT, "gone"), file)


def test_ten_thousand_names_are_looked_at_in_one_go(tmp_path: Path) -> None:
    (tmp_path / "DCIM").mkdir()
    for index in range(10_000):
        (tmp_path / "DCIM" / f"{index:05d}.jpg").touch()
    with Card(tmp_path) as card:
        files = card.look().files
    assert [file.path for file in files] == [f"DCIM/{index:05d}.jpg" for index in range(10_000)]


def test_another_file_system_below_the_root_is_not_entered() -> None:
    with Card(Path("/")) as card:
        remarks = card._judge(card._handle, b"proc", above=((card.device, card.inode),))
        assert [remark.reason for remark in remarks if not isinstance(remark, SeenFile)] == [
            "it lies on another device"
        ]


def test_a_card_leaves_no_handle_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    write_clip(tmp_path, "d/e/a.mp4")
    with Card(tmp_path) as card:
        file = seen(card, "d/e/a.mp4")
        os.close(card.open_file(file))
        with pytest.raises(FileChanged):
            card.open_file(SeenFile(file.name, file.path, False, 1, 1, file.device, file.inode))
        card.remove(file)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
