"""Tiles: coordinates, paths and bytes of a log laid out in files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import BundleMalformed, ProofImpossible, TileMalformed, TilePathMalformed
from ledger.tiles import (
    ENTRY_BYTES_LIMIT,
    TILE_WIDTH,
    Tile,
    bundle_path,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    node_in_tile,
    parse_bundle_path,
    parse_tile_path,
    tile_of,
    tile_path,
    tiles_for,
)
from ledger.tree import SIZE_MAX, Node, check_inclusion, inclusion_plan, root_of
from tests.support import rfc6962
from tests.support.merkle import KnownTree

TREE = KnownTree(rfc6962.leaves_of(70_000))
SIZES = [1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000]

tiles = st.builds(Tile, st.integers(0, 63), st.integers(0, SIZE_MAX), st.integers(1, TILE_WIDTH))


@given(tiles)
def test_paths_round_trip(tile: Tile) -> None:
    assert parse_tile_path(tile_path(tile)) == tile
    bundle = Tile(0, tile.index, tile.width)
    assert parse_bundle_path(bundle_path(tile.index, tile.width)) == bundle


def test_paths_are_those_of_the_specification() -> None:
    assert tile_path(Tile(0, 1_234_067)) == "tile/0/x001/x234/067"
    assert tile_path(Tile(2, 0, 1)) == "tile/2/000.p/1"
    assert bundle_path(273, 112) == "tile/entries/273.p/112"
    assert bundle_path(1000) == "tile/entries/x001/000"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/001/",
        "/tile/0/001",
        "tile//0/001",
        "tile/00/001",
        "tile/64/001",
        "tile/100/001",
        "tile/-1/001",
        "tile/a/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/x000/001",
        "tile/0/X001/001",
        "tile/0/x1/001",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x001/x001/x001/x001/x001/x001/x001/001",
        "tile/0/001.p",
        "tile/0/001.p/",
        "tile/0/001.p/0",
        "tile/0/001.p/01",
        "tile/0/001.p/256",
        "tile/0/001.p/999",
        "tile/0/001.p/1/",
        "tile/0/001.p/1\n",
        "tile/0/001\n",
        "tile/0/٠٠١",
        "tile/0/../../checkpoint",
        "tile/0/001%2e",
        "tile/entries",
        "tile/entries/1",
        "tile/entries/001.p/256",
        "tile/entries/0/001",
        "checkpoint",
    ],
)
def test_another_spelling_of_a_path_is_refused(path: str) -> None:
    with pytest.raises(TilePathMalformed):
        parse_tile_path(path)
    with pytest.raises(TilePathMalformed):
        parse_bundle_path(path)


def test_a_tile_path_is_no_bundle_path() -> None:
    with pytest.raises(TilePathMalformed):
        parse_bundle_path("tile/0/001")
    with pytest.raises(TilePathMalformed):
        parse_tile_path("tile/entries/001")


@pytest.mark.parametrize("place", [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, SIZE_MAX + 1, 1), (0, 0, 0), (0, 0, 257)])
def test_a_tile_no_log_can_have_is_refused(place: tuple[int, int, int]) -> None:
    with pytest.raises(TilePathMalformed):
        Tile(*place)


def test_the_tiles_of_70_000_entries_are_those_of_the_specification() -> None:
    tiles = tiles_for(0, 70_000)
    assert sum(tile.level == 0 and tile.width == 256 for tile in tiles) == 273
    assert [tile for tile in tiles if tile.width < 256 or tile.level > 0] == [
        Tile(0, 273, 112),
        Tile(1, 0),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]


def _all_tiles(size: int) -> set[Tile]:
    """Every tile of a log of that size, by the formula of the specification."""
    tiles = set()
    for level in range(8):
        row = size // 256**level
        tiles |= {Tile(level, index) for index in range(row // 256)}
        tiles |= {Tile(level, row // 256, row % 256)} if row % 256 else set()
    return tiles


@given(old=st.integers(0, 200_000), new=st.integers(0, 200_000))
def test_growth_writes_what_was_not_there(old: int, new: int) -> None:
    old, new = sorted((old, new))
    written = tiles_for(old, new)
    assert written == sorted(set(written))
    assert set(written) == _all_tiles(new) - _all_tiles(old)


def test_growth_reaches_the_top_of_the_largest_log() -> None:
    assert tiles_for(SIZE_MAX - 1, SIZE_MAX) == [Tile(0, SIZE_MAX >> 8, 255)]
    assert tiles_for(2**62 - 1, 2**62)[-1] == Tile(7, 0, 64)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 1), (0, SIZE_MAX + 1)])
def test_a_log_does_not_shrink(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="does not grow"):
        tiles_for(old, new)


def _tile_hashes(tile: Tile) -> list[bytes]:
    start = tile.index * TILE_WIDTH
    return TREE.read([Node(tile.level * 8, start + place) for place in range(tile.width)])


@pytest.mark.parametrize("size", SIZES)
def test_proofs_are_made_of_tiles_alone(size: int) -> None:
    for index in {0, 1, 254, 255, 256, 65_535, 65_536, size // 2, size - 1}:
        if index >= size:
            continue
        plan = inclusion_plan(index, size)
        assert {tile_of(node, size) for node in plan.nodes} <= _all_tiles(size)
        proof = plan.combine([node_in_tile(node, _tile_hashes(tile_of(node, size))) for node in plan.nodes])
        check_inclusion(leaf=TREE.leaves[index], index=index, size=size, proof=proof, root=TREE.roots[size])


def test_a_tile_above_holds_the_roots_of_full_tiles() -> None:
    assert _tile_hashes(Tile(1, 0, 3)) == [root_of(_tile_hashes(Tile(0, index))) for index in range(3)]


@pytest.mark.parametrize(("node", "size"), [(Node(0, 5), 5), (Node(3, 0), 7), (Node(8, 1), 511), (Node(0, -1), 5)])
def test_a_subtree_the_log_does_not_hold_has_no_tile(node: Node, size: int) -> None:
    with pytest.raises(ProofImpossible):
        tile_of(node, size)


def test_a_tile_too_narrow_gives_no_node() -> None:
    with pytest.raises(ValueError, match="width 3"):
        node_in_tile(Node(1, 1), TREE.leaves[:3])


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=TILE_WIDTH))
def test_tiles_round_trip(hashes: list[bytes]) -> None:
    assert list(decode_tile(encode_tile(hashes), width=len(hashes))) == hashes


@pytest.mark.parametrize("hashes", [[], [b"x" * 32] * 257, [b"x" * 31], [b"x" * 32, b"x" * 33]])
def test_a_tile_out_of_form_is_not_written(hashes: list[bytes]) -> None:
    with pytest.raises(TileMalformed):
        encode_tile(hashes)


@pytest.mark.parametrize("length", [0, 31, 33, 63, 65, 96])
def test_a_tile_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(TileMalformed):
        decode_tile(bytes(length), width=2)


@given(st.lists(st.binary(max_size=40) | st.just(bytes(ENTRY_BYTES_LIMIT)), min_size=1, max_size=9))
def test_bundles_round_trip(entries: list[bytes]) -> None:
    assert list(decode_bundle(encode_bundle(entries), width=len(entries))) == entries


@given(raw=st.binary(max_size=40), width=st.integers(1, 5))
def test_a_bundle_that_is_read_is_written_the_same(raw: bytes, width: int) -> None:
    try:
        entries = decode_bundle(raw, width=width)
    except BundleMalformed:
        return
    assert encode_bundle(entries) == raw


@pytest.mark.parametrize("entries", [[], [b""] * 257, [bytes(ENTRY_BYTES_LIMIT + 1)]])
def test_a_bundle_out_of_form_is_not_written(entries: list[bytes]) -> None:
    with pytest.raises(BundleMalformed):
        encode_bundle(entries)


@pytest.mark.parametrize(
    "raw", [b"", b"\0", b"\0\1a", b"\0\1a\0", b"\0\1a\0\2b", b"\0\1a\0\1b\0", b"\0\1a\0\1b\0\1c", b"\xff\xffa\0\1b"]
)
def test_a_bundle_of_another_width_or_cut_is_refused(raw: bytes) -> None:
    with pytest.raises(BundleMalformed):
        decode_bundle(raw, width=2)
