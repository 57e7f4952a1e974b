"""An archive of a package: readable by everybody's tools, the same bytes however often it was broken off."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.core.digest import CHUNK_BYTES, leaf_hashes
from evidence.errors import EvidenceDamaged, ExportNoSpace, ExportTargetTaken, ExportTargetUnusable, LeaseLost
from evidence.export import archive
from evidence.export.archive import forget_archive, write_archive, write_package_folder
from evidence.export.crc import crc32_joined
from evidence.export.members import Member, Plan, Stored, small
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

    def copy_file_range(source: int, handle: int, count: int, position: int, place: int) -> int:
        if place > room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return copied(source, handle, count, position, place)

    copied = os.copy_file_range
    monkeypatch.setattr(os, "pwrite", pwrite)
    monkeypatch.setattr(os, "copy_file_range", copy_file_range)
    for _ in range(2):
        with pytest.raises(ExportNoSpace):
            write(plan_of(original), tmp_path / "p.zip", original)
        assert not (tmp_path / "p.zip").exists()
    with pytest.raises(ExportNoSpace):
        write_package_folder(plan_of(original), tmp_path / "folder", locate=lambda _: original, stop=threading.Event())
    assert {path.name for path in tmp_path.iterdir()} <= {"p.zip.part", "p.zip.state"}
    monkeypatch.setattr(os, "pwrite", real)
    monkeypatch.setattr(os, "copy_file_range", copied)
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


@pytest.mark.parametrize("as_folder", [False, True])
@pytest.mark.parametrize("refusal", [errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EIO, 0, 1])
def test_where_the_system_does_not_copy_it_is_copied_here(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int, as_folder: bool
) -> None:
    """Error numbers, the end of the file although it goes on (0), and a few bytes at a time (1)."""
    real, calls = os.copy_file_range, 0

    def copy_file_range(source: int, handle: int, count: int, position: int, place: int) -> int:
        nonlocal calls
        calls += 1
        if refusal == 0:
            return 0
        if refusal > 1 and calls > 1:
            raise OSError(refusal, os.strerror(refusal))
        return real(source, handle, min(count, 1_000_003), position, place)

    work = write_package_folder if as_folder else write_archive
    work(plan_of(original), tmp_path / "whole", locate=lambda _: original, stop=threading.Event())
    monkeypatch.setattr(os, "copy_file_range", copy_file_range)
    work(plan_of(original), tmp_path / "copy", locate=lambda _: original, stop=threading.Event())
    assert calls > 0
    whole, copy = [
        {path.relative_to(root): path.read_bytes() for path in [root, *root.rglob("*")] if path.is_file()}
        for root in (tmp_path / "whole", tmp_path / "copy")
    ]
    assert whole == copy


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
