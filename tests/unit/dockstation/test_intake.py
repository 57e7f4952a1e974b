"""The one read: digests, second readings, prefixes, and media that fail in the middle."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockstation.card import Card
from dockstation.errors import CardLost, FileChanged, FileUnreadable
from dockstation.intake import FileReader, Prefix
from evidence.core.digest import CHUNK_BYTES, FileEmpty, digest_file
from tests.support.dock_station import write_clip

SIZE = 3 * CHUNK_BYTES + 77


class Medium:
    """`os.pread` that counts what it reads and fails where a test wants it to."""

    def __init__(self, *, step_bytes: int = CHUNK_BYTES, fail_at: int = -1, end_at: int = -1) -> None:
        self.read_bytes = 0
        self.step_bytes = step_bytes
        self.fail_at = fail_at
        self.end_at = end_at

    def __call__(self, handle: int, count: int, offset: int) -> bytes:
        if 0 <= self.fail_at < offset + count:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if 0 <= self.end_at <= offset:
            return b""
        data = os.pread(handle, min(count, self.step_bytes), offset)
        self.read_bytes += len(data)
        return data


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    write_clip(tmp_path / "card", "a.mp4", size=SIZE)
    with Card(tmp_path / "card") as card:
        yield card


def reader_of(card: Card, medium: Medium | None = None) -> FileReader:
    return FileReader(card, card.look().files[0], pread=medium or Medium())


def test_chunks_in_order_are_read_once_and_give_the_digests_of_the_file(card: Card) -> None:
    medium = Medium()
    with reader_of(card, medium) as reader:
        data = b"".join(reader.chunk(index) for index in range(4))
        digest = reader.finish()
    assert data == (card.root / "a.mp4").read_bytes()
    assert digest == digest_file(card.root / "a.mp4")
    assert medium.read_bytes == SIZE


def test_short_answers_of_the_system_are_put_together(card: Card) -> None:
    with reader_of(card, Medium(step_bytes=4097)) as reader:
        assert reader.finish() == digest_file(card.root / "a.mp4")


def test_beginning_in_the_middle_hashes_what_lies_before(card: Card) -> None:
    medium = Medium()
    with reader_of(card, medium) as reader:
        assert reader.chunk(2) == (card.root / "a.mp4").read_bytes()[2 * CHUNK_BYTES : 3 * CHUNK_BYTES]
        assert reader.hashed_bytes == 3 * CHUNK_BYTES
        assert reader.finish() == digest_file(card.root / "a.mp4")
    assert medium.read_bytes == SIZE


@pytest.mark.parametrize("index", [0, 1, 3])
def test_a_second_reading_is_compared_with_the_first(card: Card, index: int) -> None:
    with reader_of(card) as reader:
        reader.chunk(3)
        first = reader.chunk(index)
        assert reader.chunk(index) == first
        path = card.root / "a.mp4"
        about = path.stat()
        with path.open("r+b") as file:
            file.seek(index * CHUNK_BYTES)
            file.write(bytes([first[0] ^ 1]))
        # Even when size and times are put back, other bytes do not pass as the ones that were hashed.
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
        with pytest.raises(FileChanged, match="second time"):
            reader.chunk(index)


def test_a_remembered_prefix_is_found_again_and_another_is_not(card: Card) -> None:
    with reader_of(card) as reader:
        reader.chunk(1)
        remembered = reader.prefix()
    assert remembered.chunks == 2
    with reader_of(card) as again:
        again.catch_up(remembered)
        assert again.hashed_bytes == 2 * CHUNK_BYTES
        with pytest.raises(FileChanged, match="no longer begins"):
            again.catch_up(Prefix(2, b"\0" * 32))
        with pytest.raises(FileChanged, match="shorter"):
            again.catch_up(Prefix(9, remembered.digest))


def test_a_prefix_of_nothing_fits_every_file(card: Card) -> None:
    with reader_of(card) as reader:
        reader.catch_up(reader.prefix())
        assert reader.hashed_bytes == 0


@pytest.mark.parametrize("change", ["grow", "shrink", "touch"])
def test_a_file_that_is_written_while_it_is_read_has_no_digest(card: Card, change: str) -> None:
    with reader_of(card) as reader:
        reader.chunk(0)
        path = card.root / "a.mp4"
        if change == "grow":
            with path.open("ab") as file:
                file.write(b"more")
        elif change == "shrink":
            os.truncate(path, SIZE - 1)
        else:
            os.utime(path, ns=(1, 1))
        with pytest.raises(FileChanged):
            reader.finish()


def test_a_file_deleted_while_it_is_read_is_still_whole(card: Card) -> None:
    expected = digest_file(card.root / "a.mp4")
    with reader_of(card) as reader:
        reader.chunk(0)
        (card.root / "a.mp4").unlink()
        assert reader.finish() == expected


def test_a_bad_sector_is_the_file_s_and_a_pulled_card_the_card_s(card: Card, tmp_path: Path) -> None:
    with reader_of(card, Medium(fail_at=2 * CHUNK_BYTES)) as reader:
        reader.chunk(1)
        with pytest.raises(FileUnreadable):
            reader.chunk(2)
        card.root.rename(tmp_path / "pulled")
        with pytest.raises(CardLost):
            reader.chunk(2)


def test_a_short_read_of_an_unchanged_file_is_no_end_of_file(card: Card) -> None:
    with reader_of(card, Medium(end_at=2 * CHUNK_BYTES)) as reader, pytest.raises(FileUnreadable, match="ends at byte"):
        reader.finish()


def test_a_card_pulled_after_the_last_byte_gives_no_digest(card: Card, tmp_path: Path) -> None:
    with reader_of(card) as reader:
        reader.chunk(3)
        card.root.rename(tmp_path / "pulled")
        with pytest.raises(CardLost):
            reader.finish()


def test_an_empty_file_has_no_digest(tmp_path: Path) -> None:
    write_clip(tmp_path, "empty", size=0)
    with Card(tmp_path) as card, FileReader(card, card.look().files[0]) as reader, pytest.raises(FileEmpty):
        reader.finish()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.one_of(
        st.integers(1, 9), st.sampled_from([CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
    ),
    reads=st.lists(st.integers(0, 2), max_size=6),
)
def test_any_order_of_reading_gives_the_same_digests(tmp_path: Path, size: int, reads: list[int]) -> None:
    path = write_clip(tmp_path / "any", "a.mp4", size=size)
    data = path.read_bytes()
    with Card(tmp_path / "any") as card, FileReader(card, card.look().files[0]) as reader:
        for index in reads:
            if index * CHUNK_BYTES < size:
                assert reader.chunk(index) == data[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
        assert reader.finish() == digest_file(path)
