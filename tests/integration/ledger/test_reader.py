"""Proofs from published files: right for every index and size, few files per proof, and none from damaged files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ledger.canonical import encode_entry
from ledger.errors import NotPublished, ProofImpossible, StorageUnreadable
from ledger.proof import check_proof
from ledger.publish import LogFolder
from ledger.reader import LogReader
from ledger.tree import check_consistency
from tests.support.ledger import TestLog


class CountingFiles:
    """Published files that count how often each is read."""

    def __init__(self, folder: LogFolder) -> None:
        self.folder = folder
        self.read: list[str] = []

    async def get(self, path: str) -> bytes | None:
        """Read a file."""
        self.read.append(path)
        return await self.folder.get(path)


async def test_every_entry_of_every_size_is_proved(log: TestLog) -> None:
    for grow in (1, 1, 5, 248, 1, 1, 300):
        entries = await log.append(grow)
        await log.sequence()
        reader, model = LogReader(log.folder), await log.model()
        for index in {*range(0, model.size, 1 if model.size < 20 else 29), model.size - 1}:
            proof = await reader.prove(index)
            checkpoint = check_proof(proof, entry=model.entries[index], log=log.signer.verifier)
            assert checkpoint.size == model.size
            assert await reader.entry(index) == model.entries[index]
        assert await reader.entry(model.size - 1) == encode_entry(entries[-1])


async def test_every_earlier_size_is_proved_to_be_the_beginning(log: TestLog) -> None:
    await log.append(600)
    await log.sequence()
    reader, model, now = LogReader(log.folder), await log.model(), await log.checkpoint()
    for old_size in (*range(1, 20), 255, 256, 257, 511, 512, 513, 599, 600):
        proof = await reader.consistency(old_size=old_size)
        check_consistency(
            old_size=old_size, old_root=model.root(old_size), new_size=600, new_root=now.root, proof=proof
        )


async def test_a_proof_for_a_checkpoint_that_is_not_published_yet(log: TestLog) -> None:
    await log.append(10)
    await log.sequence()
    earlier = await log.checkpoint()
    await log.append(10)
    await log.sequence()
    reader, model = LogReader(log.folder), await log.model()
    proof = await reader.consistency(old_size=4, new=earlier)
    check_consistency(old_size=4, old_root=model.root(4), new_size=10, new_root=earlier.root, proof=proof)


async def test_what_the_log_does_not_hold_cannot_be_proved(log: TestLog) -> None:
    reader = LogReader(log.folder)
    with pytest.raises(NotPublished):
        await reader.checkpoint()
    with pytest.raises(NotPublished):
        await reader.prove(0)
    await log.sequence()
    with pytest.raises(ProofImpossible):
        await reader.prove(0)
    await log.append(3)
    with pytest.raises(ProofImpossible):
        await reader.prove(0)
    await log.sequence()
    for index in (3, -1, 2**62):
        with pytest.raises(ProofImpossible):
            await reader.prove(index)
        with pytest.raises(ProofImpossible):
            await reader.entry(index)
    for old_size in (0, -1, 4):
        with pytest.raises(ProofImpossible):
            await reader.consistency(old_size=old_size)


async def test_a_proof_reads_only_the_tiles_on_its_way_and_each_once(log: TestLog) -> None:
    await log.append(1000)
    await log.sequence()
    files = CountingFiles(log.folder)
    reader = LogReader(files)
    await reader.prove(300)
    assert sorted(files.read) == ["checkpoint", "tile/0/001", "tile/0/003.p/232", "tile/1/000.p/3"]
    files.read.clear()
    await reader.prove(301)
    assert files.read == ["checkpoint"]


async def test_memory_is_bounded(log: TestLog) -> None:
    await log.append(256 * 6 + 1)
    await log.sequence()
    files = CountingFiles(log.folder)
    reader = LogReader(files, tiles_kept=3)
    for _ in range(3):
        for index in range(0, 256 * 6, 256):
            await reader.prove(index)
    read = [path for path in files.read if path.startswith("tile/0/00")]
    assert len(read) > 12, "with three tiles in memory most have to be read again"


async def test_a_partial_tile_that_was_dropped_is_cut_from_the_full_one(log: TestLog, tmp_path: Path) -> None:
    await log.append(200)
    await log.sequence()
    earlier, note = await log.checkpoint(), (tmp_path / "log" / "checkpoint").read_bytes()
    await log.append(600)
    await log.sequence()
    assert not (tmp_path / "log" / "tile" / "0" / "000.p").exists()
    assert not (tmp_path / "log" / "tile" / "entries" / "000.p").exists()
    (tmp_path / "log" / "checkpoint").unlink()
    (tmp_path / "log" / "checkpoint").write_bytes(note)
    reader, model = LogReader(log.folder), await log.model()
    assert check_proof(await reader.prove(17), entry=model.entries[17], log=log.signer.verifier) == earlier
    assert await reader.entry(199) == model.entries[199]


@pytest.mark.parametrize("damage", ["flip", "cut", "longer", "missing"])
@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
async def test_damaged_tiles_lead_to_no_proof_until_they_are_repaired(
    log: TestLog, tmp_path: Path, path: str, damage: str
) -> None:
    await log.append(300)
    await log.sequence()
    # The path of a proof for entry 20 touches all three tiles, whatever else is damaged.
    file, reader, model = tmp_path / "log" / path, LogReader(log.folder), await log.model()
    good = file.read_bytes()
    file.unlink()
    match damage:
        case "flip":
            file.write_bytes(hashlib.sha256(good).digest() + good[32:])
        case "cut":
            file.write_bytes(good[:-32])
        case "longer":
            file.write_bytes(good + bytes(32))
        case _:
            pass
    index = 290 if path.startswith("tile/1") else 20
    with pytest.raises(StorageUnreadable):
        await reader.prove(index)
    with pytest.raises(StorageUnreadable):
        await reader.consistency(old_size=299 if path == "tile/1/000.p/1" else 100)
    file.unlink(missing_ok=True)
    file.write_bytes(good)
    check_proof(await reader.prove(index), entry=model.entries[index], log=log.signer.verifier)


@pytest.mark.parametrize("content", [None, b"", b"\x00\x05abc", "other"])
async def test_a_damaged_bundle_gives_no_entry(log: TestLog, tmp_path: Path, content: bytes | str | None) -> None:
    await log.append(3)
    await log.sequence()
    file = tmp_path / "log" / "tile" / "entries" / "000.p" / "3"
    good = file.read_bytes()
    file.unlink()
    if content == "other":
        file.write_bytes(good.replace(b"test.made", b"test.fake"))
    elif isinstance(content, bytes):
        file.write_bytes(content)
    reader = LogReader(log.folder)
    with pytest.raises(StorageUnreadable):
        await reader.entry(1)


async def test_a_damaged_checkpoint_leads_to_no_proof(log: TestLog, tmp_path: Path) -> None:
    await log.append(3)
    await log.sequence()
    (tmp_path / "log" / "checkpoint").unlink()
    (tmp_path / "log" / "checkpoint").write_bytes(b"rubbish")
    with pytest.raises(StorageUnreadable):
        await LogReader(log.folder).prove(0)
