"""Trees for tests: every perfect subtree's hash at hand, so that proofs are made as fast as they can be read."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.tree import CompactRange, Node, leaf_hash, node_hash


class KnownTree:
    """A tree of different leaves with all hashes of its perfect subtrees; `read` serves any prefix of it."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = list(leaves)
        rows = [self.leaves]
        while len(rows[-1]) > 1:
            row = rows[-1]
            rows.append([node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)])
        self._rows = rows
        tree = CompactRange()
        self.roots = [tree.root()]
        for leaf in self.leaves:
            tree.append(leaf)
            self.roots.append(tree.root())

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return the hashes of perfect subtrees."""
        return [self._rows[node.level][node.index] for node in nodes]


class UniformTree:
    """A tree of any size whose leaves are all the same, so that one hash per level is enough."""

    def __init__(self, data: bytes = b"leaf") -> None:
        self.leaf = leaf_hash(data)
        self._levels = [self.leaf]
        for _ in range(63):
            self._levels.append(node_hash(self._levels[-1], self._levels[-1]))

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return the hashes of perfect subtrees."""
        return [self._levels[node.level] for node in nodes]

    def root(self, size: int) -> bytes:
        """Return the root of the tree of that many leaves."""
        frontier = [self._levels[level] for level in reversed(range(64)) if size >> level & 1]
        return CompactRange(size, frontier).root()
