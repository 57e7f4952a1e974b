"""The exam of every object store. A store's tests subclass it and give the fixture `objects`.

What the suite relies on is only the interface; a store's own layout and faults are tested beside it.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evidence.errors import ObjectMissing
from evidence.objects.store import ObjectStore

HOSTILE_NAMES = (
    "",
    "a" * 63,
    "a" * 65,
    "A" * 64,
    "g" * 64,
    "../" + "a" * 61,
    "a" * 62 + "/a",
    "a" * 63 + "\0",
    "a" * 63 + "\n",
    "é" * 64,
    "a" * 64 + "\n",
    "١" * 64,
)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def finished_file(folder: Path, data: bytes, name: str = "finished") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    return path


class ObjectStoreSuite:
    """What holds for every store."""

    listed = 300
    """How many objects are put to be listed; more than two pages of whatever has pages."""

    @pytest.fixture
    def spool(self, tmp_path: Path) -> Path:
        """A folder from which the store can adopt files."""
        return tmp_path / "spool"

    def test_what_is_adopted_can_be_read_and_the_source_is_gone(self, objects: ObjectStore, spool: Path) -> None:
        data = bytes(range(256)) * 5_000
        source = finished_file(spool, data)
        objects.adopt(source, digest(data))
        assert objects.open_path(digest(data)).read_bytes() == data
        assert objects.size(digest(data)) == len(data)
        assert objects.exists(digest(data))
        assert not source.exists()

    def test_what_is_put_has_the_name_of_its_content(self, objects: ObjectStore) -> None:
        name = objects.put(b"poster")
        assert name == digest(b"poster")
        assert objects.open_path(name).read_bytes() == b"poster"

    def test_the_same_content_again_is_one_object(self, objects: ObjectStore, spool: Path) -> None:
        data = b"twice"
        objects.put(data)
        objects.put(data)
        objects.adopt(finished_file(spool, data), digest(data))
        assert [stored.sha256 for stored in objects.list()] == [digest(data)]

    def test_adopting_again_after_the_answer_was_lost_is_no_error(self, objects: ObjectStore, spool: Path) -> None:
        source = finished_file(spool, b"once")
        objects.adopt(source, digest(b"once"))
        objects.adopt(source, digest(b"once"))
        assert objects.exists(digest(b"once"))

    def test_adopting_what_is_nowhere_is_an_error(self, objects: ObjectStore, spool: Path) -> None:
        with pytest.raises(FileNotFoundError):
            objects.adopt(spool / "never", digest(b"never"))

    def test_an_object_cannot_be_written_through_the_path_it_is_read_from(self, objects: ObjectStore) -> None:
        path = objects.open_path(objects.put(b"sealed"))
        assert path.stat().st_mode & 0o222 == 0

    def test_a_missing_object_is_named(self, objects: ObjectStore) -> None:
        missing = digest(b"missing")
        assert not objects.exists(missing)
        with pytest.raises(ObjectMissing, match=missing):
            objects.open_path(missing)
        with pytest.raises(ObjectMissing, match=missing):
            objects.size(missing)

    @pytest.mark.parametrize("name", HOSTILE_NAMES, ids=repr)
    def test_nothing_but_a_digest_is_a_name(self, objects: ObjectStore, spool: Path, name: str) -> None:
        source = finished_file(spool, b"kept")
        with pytest.raises(ObjectMissing):
            objects.open_path(name)
        with pytest.raises(ObjectMissing):
            objects.exists(name)
        with pytest.raises(ObjectMissing):
            objects.adopt(source, name)
        assert source.read_bytes() == b"kept"

    def test_the_list_names_each_object_once_in_order(self, objects: ObjectStore) -> None:
        written = {objects.put(f"object {number}".encode()): len(f"object {number}") for number in range(self.listed)}
        listed = list(objects.list())
        assert [stored.sha256 for stored in listed] == sorted(written)
        assert {stored.sha256: stored.size for stored in listed} == written

    def test_an_empty_store_lists_nothing(self, objects: ObjectStore) -> None:
        assert list(objects.list()) == []

    def test_many_at_once_with_the_same_content_make_one_object(self, objects: ObjectStore, spool: Path) -> None:
        data = b"raced" * 10_000
        sources = [finished_file(spool, data, f"source {number}") for number in range(8)]
        with ThreadPoolExecutor(len(sources)) as threads:
            list(threads.map(lambda source: objects.adopt(source, digest(data)), sources))
        assert not any(source.exists() for source in sources)
        assert objects.open_path(digest(data)).read_bytes() == data
