"""A whole log made by another implementation: 15 entries, a checkpoint after each, tiles and bundles."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.checkpoint import open_checkpoint
from ledger.note import Verifier
from ledger.proof import LogProof, check_proof
from ledger.tiles import (
    Tile,
    bundle_path,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    parse_bundle_path,
    parse_tile_path,
    tile_path,
    tiles_for,
)
from ledger.tree import check_consistency, leaf_hash, prove_consistency, prove_inclusion, root_of
from tests.support.merkle import KnownTree
from tests.support.shared import shared_folder

LOG = Verifier.parse("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
SIZE = 15


@pytest.fixture
def folder() -> Path:
    return shared_folder("vectors", "tessera-log")


def _entries(folder: Path) -> tuple[bytes, ...]:
    return decode_bundle((folder / bundle_path(0, SIZE)).read_bytes(), width=SIZE)


def test_all_16_checkpoints_verify_and_their_roots_recompute(folder: Path) -> None:
    leaves = [leaf_hash(entry) for entry in _entries(folder)]
    for size in range(SIZE + 1):
        checkpoint = open_checkpoint((folder / f"checkpoint.{size}").read_bytes(), LOG)
        assert (checkpoint.size, checkpoint.root) == (size, root_of(leaves[:size]))
    assert (folder / "checkpoint").read_bytes() == (folder / f"checkpoint.{SIZE}").read_bytes()


def test_every_file_is_named_and_written_as_we_do(folder: Path) -> None:
    entries = _entries(folder)
    leaves = [leaf_hash(entry) for entry in entries]
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder / "tile").rglob("*")
        if path.is_file()
    }
    made: dict[str, bytes] = {}
    for size in range(1, SIZE + 1):
        for tile in tiles_for(size - 1, size):
            made[tile_path(tile)] = encode_tile(leaves[:size])
            made[bundle_path(tile.index, tile.width)] = encode_bundle(entries[:size])
    assert made == found


def test_every_file_is_read_strictly(folder: Path) -> None:
    leaves = tuple(leaf_hash(entry) for entry in _entries(folder))
    for path in (folder / "tile" / "0").rglob("*.p/*"):
        tile = parse_tile_path(path.relative_to(folder).as_posix())
        assert decode_tile(path.read_bytes(), width=tile.width) == leaves[: tile.width]
    for path in (folder / "tile" / "entries").rglob("*.p/*"):
        bundle = parse_bundle_path(path.relative_to(folder).as_posix())
        assert bundle == Tile(0, 0, bundle.width)
        assert decode_bundle(path.read_bytes(), width=bundle.width) == _entries(folder)[: bundle.width]


def test_every_entry_is_proved_and_every_checkpoint_consistent(folder: Path) -> None:
    entries = _entries(folder)
    tree = KnownTree([leaf_hash(entry) for entry in entries])
    newest = (folder / "checkpoint").read_bytes()
    for index, entry in enumerate(entries):
        check_proof(LogProof(index, prove_inclusion(tree.read, index, SIZE), newest), entry=entry, log=LOG)
    new = open_checkpoint(newest, LOG)
    for size in range(1, SIZE + 1):
        old = open_checkpoint((folder / f"checkpoint.{size}").read_bytes(), LOG)
        proof = prove_consistency(tree.read, size, SIZE)
        check_consistency(old_size=size, old_root=old.root, new_size=SIZE, new_root=new.root, proof=proof)
