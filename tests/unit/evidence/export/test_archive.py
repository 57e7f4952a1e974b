"""An archive of a package: readable by everybody's tools, the same bytes however often it was broken off."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import hashlib
import json
import os
import struct
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.core.digest import CHUNK_BYTES, leaf_hashes
from evidence.errors import EvidenceDamaged, ExportNoSpace, ExportTargetTaken, ExportTargetUnusable, LeaseLost
from evidence.export import archive
from evidence.export.archive import forget_archive, write_archive, write_package_folder
from evidence.export.copying import copy_proved
from evidence.export.crc import crc32_joined
from evidence.export.members import Member, Plan, Stored, small
from evidence.export.straight import BLOCK_BYTES
from evidence.export.zip_format import Slot, archive_bytes, directory, lay_out, local_header

SIZE = 9 * CHUNK_BYTES + 77


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("objects") / "original"
    path.write_bytes(hashlib.shake_128(b"footage").digest(SIZE))
    return path


def stored(original: Path, *runs: tuple[int, int]) -> Member:
    leaves = b"".join(leaf_hashes(original))
    source = Stored(
        sha256=hashlib.sha256(original.read_bytes()).digest(), leaves=leaves, size=SIZE, runs=runs or ((0, 10),)
    )
    wanted = b"".join(original.read_bytes()[first * CHUNK_BYTES : stop * CHUNK_BYTES] for first, stop in source.runs)
    digest = hashlib.sha256(wanted).digest()
    return Member(path="data/影像 1.mp4", size=source.length, sha256=digest, sm3=None, source=source)


def plan_of(original: Path) -> Plan:
    return Plan("包", (small("a.txt", b"a"), stored(original), small("data/空.txt", b""), small("data/z", b"z" * 999)))


def no_progress(_done: int, _total: int) -> None:
    pass


def write(plan: Plan, target: Path, original: Path, progress: Callable[[int, int], None] = no_progress) -> int:
    return write_archive(plan, target, locate=lambda _: original, stop=threading.Event(), progress=progress)


def test_anybodys_zip_program_reads_it(original: Path, tmp_path: Path) -> None:
    plan, target = plan_of(original), tmp_path / "p.zip"
    size = write(plan, target, original)
    assert target.stat().st_size == size == archive_bytes(lay_out(plan))
    with zipfile.ZipFile(target) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == [f"包/{member.path}" for member in plan.members]
        assert packed.read("包/data/影像 1.mp4") == original.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.zip"]


@pytest.mark.parametrize("stops_at", [0, 1, 2, 4])
def test_broken_off_anywhere_it_goes_on_and_comes_out_the_same(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops_at: int
) -> None:
    write(plan_of(original), tmp_path / "whole.zip", original)
    monkeypatch.setattr(archive, "SYNC_BYTES", CHUNK_BYTES)
    calls, read = 0, list[int]()

    def break_off(_done: int, _total: int) -> None:
        nonlocal calls
        calls += 1
        if calls > stops_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(plan_of(original), tmp_path / "p.zip", original, break_off)
    assert not (tmp_path / "p.zip").exists()
    # What a power cut leaves behind what was synced is anything.
    with (tmp_path / "p.zip.part").open("ab") as part:
        part.write(b"rubbish")
    write(plan_of(original), tmp_path / "p.zip", original, lambda done, _: read.append(done))
    assert (tmp_path / "p.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()
    if stops_at >= 2:
        assert read[0] > CHUNK_BYTES, "what was there was not written again"


def test_a_state_of_another_plan_is_not_believed(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "SYNC_BYTES", CHUNK_BYTES)
    stop = threading.Event()
    with pytest.raises(LeaseLost):
        write_archive(
            plan_of(original),
            tmp_path / "p.zip",
            locate=lambda _: original,
            stop=stop,
            progress=lambda done, _: stop.set() if done > 3 * CHUNK_BYTES else None,
        )
    assert (tmp_path / "p.zip.state").exists()
    other = Plan("别的", plan_of(original).members)
    write(other, tmp_path / "p.zip", original)
    with zipfile.ZipFile(tmp_path / "p.zip") as packed:
        assert packed.testzip() is None


@pytest.mark.parametrize("state", [b"", b"{}", b'{"plan": 1}', b"[]", b"\xff", b'{"plan":"x","member":-1}'])
def test_a_broken_state_costs_time_and_nothing_else(original: Path, tmp_path: Path, state: bytes) -> None:
    (tmp_path / "p.zip.state").write_bytes(state)
    write(plan_of(original), tmp_path / "p.zip", original)
    with zipfile.ZipFile(tmp_path / "p.zip") as packed:
        assert packed.testzip() is None


@pytest.mark.parametrize("as_folder", [False, True])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_nothing_goes_out_that_is_not_what_was_sealed(
    original: Path, tmp_path: Path, damage: str, as_folder: bool
) -> None:
    spoiled = tmp_path / "spoiled"
    content = bytearray(original.read_bytes())
    content[6 * CHUNK_BYTES + 5] ^= 1
    spoiled.write_bytes(content if damage == "flip" else content[:-1])
    if damage == "gone":
        spoiled.unlink()
    work = write_package_folder if as_folder else write_archive
    with pytest.raises(EvidenceDamaged) as caught:
        work(plan_of(original), tmp_path / "out", locate=lambda _: spoiled, stop=threading.Event())
    if damage == "flip":
        assert caught.value.details["chunk"] == 6
    assert not (tmp_path / "out").exists()


def test_a_full_disk_publishes_nothing_and_is_gone_on_from(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "SYNC_BYTES", CHUNK_BYTES)
    real, room = os.pwrite, 5 * CHUNK_BYTES

    def pwrite(handle: int, data: memoryview, place: int) -> int:
        if place > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data, place)

    monkeypatch.setattr(os, "pwrite", pwrite)
    for _ in range(2):
        with pytest.raises(ExportNoSpace):
            write(plan_of(original), tmp_path / "p.zip", original)
        assert not (tmp_path / "p.zip").exists()
    with pytest.raises(ExportNoSpace):
        write_package_folder(plan_of(original), tmp_path / "folder", locate=lambda _: original, stop=threading.Event())
    assert {path.name for path in tmp_path.iterdir()} <= {"p.zip.part", "p.zip.state"}
    monkeypatch.setattr(os, "pwrite", real)
    write(plan_of(original), tmp_path / "p.zip", original)
    with zipfile.ZipFile(tmp_path / "p.zip") as packed:
        assert packed.testzip() is None


def test_two_cannot_write_one_archive(original: Path, tmp_path: Path) -> None:
    with archive._locked(tmp_path / "p.zip.part"), pytest.raises(LeaseLost):
        write(plan_of(original), tmp_path / "p.zip", original)


def test_a_folder_holds_the_same_files(original: Path, tmp_path: Path) -> None:
    plan = Plan("x", (small("a.txt", b"a"), stored(original, (0, 1), (3, 5)), small("data/deep/er/b", b"b")))
    told: list[int] = []
    write_package_folder(
        plan,
        tmp_path / "out",
        locate=lambda _: original,
        stop=threading.Event(),
        progress=lambda done, _: told.append(done),
    )
    for member in plan.members:
        assert hashlib.sha256((tmp_path / "out" / member.path).read_bytes()).digest() == member.sha256
    assert told == sorted(told)
    assert told[-1] == plan.bytes
    with pytest.raises(ExportTargetTaken):
        write_package_folder(plan, tmp_path / "out", locate=lambda _: original, stop=threading.Event())


def test_places_beyond_four_gigabytes_are_what_python_reads(tmp_path: Path) -> None:
    large = Slot("包/大.mp4".encode(), 5 * 2**30, 0, 30 + 11 + 20)
    after = Slot(b"after", 3, large.end, large.end + 35)
    target = tmp_path / "sparse.zip"
    with target.open("wb") as file:
        file.write(local_header(large, 0))
        file.seek(after.header)
        file.write(local_header(after, 0x352441C2) + b"abc" + directory([large, after], [0, 0x352441C2]))
    with zipfile.ZipFile(target) as packed:
        assert [one.file_size for one in packed.infolist()] == [5 * 2**30, 3]
        assert packed.read("after") == b"abc"


def test_more_files_than_the_old_format_counts(tmp_path: Path) -> None:
    plan = Plan("p", tuple(small(f"{number}", b"") for number in range(70_000)))
    write(plan, tmp_path / "p.zip", tmp_path)
    with zipfile.ZipFile(tmp_path / "p.zip") as packed:
        assert len(packed.namelist()) == 70_000


def test_forgetting_leaves_nothing(original: Path, tmp_path: Path) -> None:
    write(plan_of(original), tmp_path / "p.zip", original)
    (tmp_path / "p.zip.part").touch()
    forget_archive(tmp_path / "p.zip")
    forget_archive(tmp_path / "p.zip")
    assert list(tmp_path.iterdir()) == []


def goes_straight(folder: Path) -> bool:
    """Tell whether the file system below lets bytes past its cache; a few do not."""
    try:
        os.close(os.open(folder / "probe", os.O_WRONLY | os.O_CREAT | os.O_DIRECT))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("as_folder", [False, True])
@pytest.mark.parametrize(
    "way", ["flag refused", "write refused", "later write refused", "no room ahead", "short writes"]
)
def test_where_the_file_system_lets_nothing_past_its_cache_it_comes_out_the_same(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, as_folder: bool
) -> None:
    real, set_flags, calls = os.pwrite, fcntl.fcntl, 0

    def control(handle: int, command: int, flags: int = 0) -> int:
        if way == "flag refused" and command == fcntl.F_SETFL and flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return set_flags(handle, command, flags)

    def pwrite(handle: int, data: memoryview, place: int) -> int:
        nonlocal calls
        straight = bool(set_flags(handle, fcntl.F_GETFL) & os.O_DIRECT)
        calls += straight
        if straight and (way == "write refused" or (way == "later write refused" and calls > 1)):
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(handle, data[: 1_000_003 if way == "short writes" and not straight else None], place)

    def no_room(_handle: int, _place: int, _length: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    work = write_package_folder if as_folder else write_archive
    work(plan_of(original), tmp_path / "whole", locate=lambda _: original, stop=threading.Event())
    monkeypatch.setattr(os, "pwrite", pwrite)
    monkeypatch.setattr(fcntl, "fcntl", control)
    if way == "no room ahead":
        monkeypatch.setattr(os, "posix_fallocate", no_room)
    work(plan_of(original), tmp_path / "copy", locate=lambda _: original, stop=threading.Event())
    assert (calls > 0) is (way != "flag refused" and goes_straight(tmp_path))
    whole, copy = [
        {path.relative_to(root): path.read_bytes() for path in [root, *root.rglob("*")] if path.is_file()}
        for root in (tmp_path / "whole", tmp_path / "copy")
    ]
    assert whole == copy


def test_a_disk_without_room_says_so_before_an_original_is_read(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_handle: int, _place: int, length: int) -> None:
        assert length == SIZE
        raise OSError(errno.ENOSPC, "No space left on device")

    def unread(*_: object) -> int:
        raise AssertionError("it was read")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    monkeypatch.setattr(os, "preadv", unread)
    with pytest.raises(ExportNoSpace):
        write(plan_of(original), tmp_path / "p.zip", original)


@pytest.mark.parametrize("name_bytes", [*range(4050, 4075), 8, 255])
def test_originals_begin_at_whole_blocks_and_every_byte_before_them_is_told(name_bytes: int, original: Path) -> None:
    """Of names of all lengths around the turn of a block; a field of its own needs 6 bytes at least."""
    original_there = dataclasses.replace(stored(original), path="n" * name_bytes)
    plan = Plan("p", (original_there, small("b", b"b"), dataclasses.replace(original_there, path="c")))
    for member, slot in zip(plan.members, lay_out(plan), strict=True):
        header = local_header(slot, 0)
        assert len(header) == slot.data - slot.header
        name, extra = struct.unpack("<HH", header[26:30])
        assert 30 + name + extra == len(header), "a reader finds the data where the header ends"
        if isinstance(member.source, Stored):
            assert slot.data % BLOCK_BYTES == 0
            if extra:
                assert struct.unpack("<HHH", header[30 + name : 36 + name]) == (0xD935, extra - 4, BLOCK_BYTES)
        else:
            assert extra == 0


def test_a_part_that_was_laid_out_another_way_is_not_gone_on_with(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(plan_of(original), tmp_path / "whole.zip", original)
    state = {"plan": plan_of(original).digest, "member": 1, "chunks": 2, "crc": 1, "crcs": [2]}
    (tmp_path / "p.zip.state").write_text(json.dumps(state), encoding="utf-8")
    write(plan_of(original), tmp_path / "p.zip", original)
    assert (tmp_path / "p.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()


@settings(deadline=None)
@given(
    runs=st.sampled_from([((0, 10),), ((0, 1), (3, 5)), ((2, 9), (9, 10)), ((9, 10),)]),
    skip=st.integers(0, 10),
    block=st.booleans(),
)
def test_whatever_was_copied_before_the_rest_follows_once(
    original: Path, runs: tuple[tuple[int, int], ...], skip: int, block: bool
) -> None:
    source = stored(original, *runs).source
    assert isinstance(source, Stored)
    chunks = [number for first, stop in runs for number in range(first, stop)]
    skip = min(skip, len(chunks))
    place, told, seen = BLOCK_BYTES if block else 5, list[tuple[int, ...]](), list[int]()

    def counted(view: memoryview) -> int:
        seen.append(len(view))
        return len(view)

    with tempfile.TemporaryFile() as target:
        copy_proved(
            original,
            source,
            target.fileno(),
            place=place,
            stop=threading.Event(),
            also=counted,
            skip_chunks=skip,
            passed=lambda *of: told.append(of),
        )
        target.seek(place)
        copied = target.read(source.length)
    content = original.read_bytes()
    parts = [content[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES] for number in chunks]
    assert copied[sum(map(len, parts[:skip])) :].ljust(1) == b"".join(parts[skip:]).ljust(1)
    assert sum(seen) == sum(map(len, parts[skip:]))
    assert [digest for _, _, digest, _ in told] == [length for _, _, _, length in told]
    if skip < len(chunks):
        assert told[-1][:2] == (len(chunks), source.length)
        assert told[0][1] - told[0][3] == sum(map(len, parts[:skip]))


def test_a_sync_that_fails_ends_the_archive_and_is_not_believed(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "SYNC_BYTES", CHUNK_BYTES)

    def fdatasync(_handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    with pytest.raises(ExportTargetUnusable):
        write(plan_of(original), tmp_path / "p.zip", original)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.zip.part"]


@given(first=st.binary(max_size=300), second=st.binary(max_size=5000))
def test_two_crcs_are_joined_as_if_the_bytes_were(first: bytes, second: bytes) -> None:
    assert crc32_joined(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)
