"""The right edge: at every size the same root, tiles and bundles as the definitions give, however it grew."""

from __future__ import annotations

import pytest

from ledger.edge import Growth, HashEdge, RightEdge, edge_widths
from ledger.tiles import Tile, bundle_path, encode_bundle, tile_path, tiles_for
from ledger.tree import EMPTY_ROOT, leaf_hash, root_of

ENTRIES = [f"entry {number}".encode() for number in range(1400)]
HASHES = [leaf_hash(entry) for entry in ENTRIES]


def expected_files(old_size: int, new_size: int) -> dict[str, bytes]:
    """Say from the definition which files a log of `new_size` has that one of `old_size` had not."""
    files = {}
    for tile in tiles_for(old_size, new_size):
        span, start = 256**tile.level, tile.index * 256
        rows = [root_of(HASHES[place * span : (place + 1) * span]) for place in range(start, start + tile.width)]
        files[tile_path(tile)] = b"".join(rows)
        if tile.level == 0:
            files[bundle_path(tile.index, tile.width)] = encode_bundle(ENTRIES[start : start + tile.width])
    return files


def test_the_empty_edge() -> None:
    assert RightEdge().root() == EMPTY_ROOT
    assert RightEdge().partials() == {}
    assert RightEdge().extend([]) == Growth()


def test_the_root_is_right_at_every_size() -> None:
    edge = RightEdge()
    for size in range(1, 600):
        edge.extend([ENTRIES[size - 1]])
        assert edge.size == size
        assert edge.root() == root_of(HASHES[:size])


@pytest.mark.parametrize("steps", [[1400], [1, 254, 1, 1, 255, 256, 632], [700, 700], [256, 256, 256, 256, 376]])
def test_each_step_gives_the_files_of_the_definition(steps: list[int]) -> None:
    edge, size = RightEdge(), 0
    for step in steps:
        growth = edge.extend(ENTRIES[size : size + step])
        full = expected_files(size, size + step)
        assert growth.files == {path: data for path, data in full.items() if ".p/" not in path}
        assert growth.leaf_hashes == HASHES[size : size + step]
        size += step
        now = {path: data for path, data in expected_files(0, size).items() if ".p/" in path}
        assert edge.partials() == now


def test_roots_of_full_tiles_climb_level_by_level() -> None:
    edge = HashEdge()
    tiles = [tile for value in [HASHES[0]] * 65536 for tile in edge.append(value)]
    assert [tile.index for tile in tiles if tile.level == 0] == list(range(256))
    assert [(tile.level, tile.index) for tile in tiles[-2:]] == [(0, 255), (1, 0)]
    assert tiles[-1].root == edge.root() == root_of([HASHES[0]] * 65536)
    assert edge.partial_tiles() == {Tile(2, 0, 1): [edge.root()]}


def test_a_copy_grows_apart() -> None:
    edge = RightEdge()
    edge.extend(ENTRIES[:255])
    root, partials, copy = edge.root(), edge.partials(), edge.copy()
    copy.extend(ENTRIES[255:300])
    assert (edge.size, edge.root(), edge.partials()) == (255, root, partials)
    edge.extend(ENTRIES[255:300])
    assert (edge.root(), edge.partials()) == (copy.root(), copy.partials())


def test_an_edge_goes_on_from_its_parts() -> None:
    for size in (1, 255, 256, 257, 700):
        grown = HashEdge()
        for value in HASHES[:size]:
            grown.append(value)
        edge = RightEdge(HashEdge(size, grown.levels), ENTRIES[size - size % 256 : size])
        edge.extend(ENTRIES[size:1400])
        assert edge.root() == root_of(HASHES)


@pytest.mark.parametrize(("size", "widths"), [(0, []), (1, [1]), (256, [0, 1]), (70_000, [112, 17, 1])])
def test_widths_of_partial_tiles(size: int, widths: list[int]) -> None:
    assert edge_widths(size) == widths


@pytest.mark.parametrize(
    ("size", "levels"), [(1, []), (1, [[b"", b""]]), (0, [[]]), (256, [[b""]]), (256, [[], []]), (2, [[b""]])]
)
def test_hashes_of_another_size_are_refused(size: int, levels: list[list[bytes]]) -> None:
    with pytest.raises(ValueError, match="not the edge"):
        HashEdge(size, levels)


@pytest.mark.parametrize("entries", [[], [b"a", b"b"]])
def test_entries_of_another_size_are_refused(entries: list[bytes]) -> None:
    with pytest.raises(ValueError, match="partial bundle"):
        RightEdge(HashEdge(1, [[HASHES[0]]]), entries)
