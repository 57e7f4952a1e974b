"""Merkle tree of an append-only log: hashing, roots, and the proofs one can check without the log.

The tree is that of RFC 6962, section 2.1 (C2SP merkle-tree), with SHA-256. A leaf is hashed as SHA-256(0x00 || data),
an inner node as SHA-256(0x01 || left || right); a tree of n > 1 leaves splits at the largest power of two below n. Two
trees use it here: the log itself and the clip tree over the chunks of one file.

Everything in this module is pure. A proof is made in two steps, so that hashes may come from anywhere, asynchronously:

1. a plan (`inclusion_plan`, `consistency_plan`, ...) names the perfect subtrees whose hashes are needed, as `Node`s;
2. `ProofPlan.combine` makes the proof of those hashes. `prove_inclusion` and its kin do both with a `read` function.

One idea carries all proofs. The leaves [start, end) of a *valid subtree* (start is a multiple of the power of two that
holds its leaves) are proved to be part of a tree by the hashes met on the way from there to the root. An inclusion
proof is that for one leaf, a consistency proof is that for the subtree [0, old size). The one exception is
`range_plan`/`check_range`: it proves any run of leaves, given all of them, which is what an excerpt of a file needs.
(Subtree proofs: draft-ietf-plants-merkle-tree-certs, which extends RFC 6962 without changing it.)

Proofs come from strangers: `check_*` raise `ProofError` unless every hash has 32 bytes, the number of hashes is exactly
the one the sizes call for, and the roots come out as given. Sizes are limited to 2^63 - 1 leaves. A proof about an
empty old tree says nothing, so `check_consistency` refuses old size 0: who starts from nothing has nothing to compare.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ledger.errors import ProofError, ProofImpossible

HASH_BYTES = 32
"""Length of every hash in bytes (SHA-256)."""

SIZE_MAX = 2**63 - 1
"""Largest number of leaves of a tree; C2SP timestamps and indices share this bound."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""


def leaf_hash(data: bytes | bytearray | memoryview) -> bytes:
    """Return the hash of a leaf that holds these bytes."""
    digest = hashlib.sha256(b"\x00")
    digest.update(data)
    return digest.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes in order; `EMPTY_ROOT` when there are none."""
    row, sha256 = list(leaf_hashes), hashlib.sha256
    while len(row) > 1:
        # `node_hash` spelled out: this is where making a proof spends its time.
        # A node without a right neighbour moves up unchanged: the same tree as the split at a power of two.
        odd = row[-1:] if len(row) % 2 else []
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)] + odd
    return row[0] if row else EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Node:
    """A perfect subtree: the leaves [index * 2^level, (index + 1) * 2^level)."""

    level: int
    index: int


def perfect_nodes(start: int, end: int) -> list[Node]:
    """Cover the leaves [start, end) with the fewest perfect subtrees, from left to right."""
    nodes = []
    while start < end:
        fits = (end - start).bit_length() - 1
        aligned = (start & -start).bit_length() - 1 if start else fits
        level = min(fits, aligned)
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


class CompactRange:
    """The first `size` leaves of a tree, kept as the few hashes that are needed to go on.

    `frontier` holds the roots of `perfect_nodes(0, size)`, the largest first; with `size` it is the whole state.

    Args:
        size: Number of leaves already in the tree.
        frontier: Their perfect subtrees' roots; one per bit set in `size`.

    Raises:
        ValueError: The frontier is not that of a tree of this size.
    """

    def __init__(self, size: int = 0, frontier: Iterable[bytes] = ()) -> None:
        self._size = size
        self._frontier = list(frontier)
        if not 0 <= size <= SIZE_MAX or len(self._frontier) != size.bit_count():
            raise ValueError(f"{len(self._frontier)} hashes are not the frontier of {size} leaves")
        if any(len(value) != HASH_BYTES for value in self._frontier):
            raise ValueError("a hash of the frontier does not have 32 bytes")

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def frontier(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, the largest first."""
        return tuple(self._frontier)

    def append(self, value: bytes, *, level: int = 0) -> None:
        """Append a leaf hash, or the root of a perfect subtree of 2^level leaves.

        Raises:
            ValueError: A subtree of this level cannot start at this size.
        """
        if self._size % (1 << level):
            raise ValueError(f"a subtree of level {level} cannot start at leaf {self._size}")
        full = self._size >> level
        while full & 1:
            value = node_hash(self._frontier.pop(), value)
            full >>= 1
        self._frontier.append(value)
        self._size += 1 << level

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        return _join(self._frontier) if self._frontier else EMPTY_ROOT


# Making proofs


@dataclass(frozen=True, slots=True)
class ProofPlan:
    """What to read for one proof, and how it is made of what was read.

    Attributes:
        groups: One group per hash of the proof; the nodes of a group, left to right, make up one subtree.
    """

    groups: tuple[tuple[Node, ...], ...]

    @property
    def nodes(self) -> list[Node]:
        """All nodes to read, in the order in which `combine` wants their hashes."""
        return [node for group in self.groups for node in group]

    def combine(self, hashes: Sequence[bytes]) -> tuple[bytes, ...]:
        """Make the proof of the hashes of `nodes`.

        Raises:
            ValueError: There are more or fewer hashes than nodes.
        """
        if len(hashes) != len(self.nodes):
            raise ValueError(f"the plan names {len(self.nodes)} nodes, {len(hashes)} hashes were read")
        rest = iter(hashes)
        return tuple(_join([next(rest) for _ in group]) for group in self.groups)


ReadNodes = Callable[[Sequence[Node]], Sequence[bytes]]
"""Returns the hashes of perfect subtrees, in the order asked for."""


def inclusion_plan(index: int, size: int) -> ProofPlan:
    """Plan the proof that leaf `index` is in the tree of `size` leaves.

    Raises:
        ProofImpossible: The tree has no such leaf.
    """
    return subtree_consistency_plan(index, index + 1, size)


def consistency_plan(old_size: int, new_size: int) -> ProofPlan:
    """Plan the proof that the tree of `old_size` leaves is a prefix of that of `new_size`.

    Raises:
        ProofImpossible: The old tree is the larger one.
    """
    return subtree_consistency_plan(0, old_size, new_size)


def subtree_inclusion_plan(index: int, start: int, end: int) -> ProofPlan:
    """Plan the proof that leaf `index` of the log is in the subtree over its leaves [start, end).

    Raises:
        ProofImpossible: That is no valid subtree, or the leaf lies outside.
    """
    if not (_is_subtree(start, end) and start <= index < end):
        raise ProofImpossible(f"leaf {index} is in no subtree [{start}, {end})")
    groups = inclusion_plan(index - start, end - start).groups
    return ProofPlan(tuple(tuple(_shifted(node, start) for node in group) for group in groups))


def subtree_consistency_plan(start: int, end: int, size: int) -> ProofPlan:
    """Plan the proof that the subtree over the leaves [start, end) is part of the tree of `size` leaves.

    Raises:
        ProofImpossible: That is no valid subtree, or it ends beyond the tree.
    """
    if not (_is_subtree(start, end) and end <= size <= SIZE_MAX):
        raise ProofImpossible(f"a tree of {size} leaves has no subtree [{start}, {end})")
    if start == end:
        return ProofPlan(())
    way = _climb(start, end, size)
    ranges = [(step.start, step.end) for step in way.steps]
    if way.seed_start > start:
        ranges.insert(0, (way.seed_start, end))
    return ProofPlan(tuple(tuple(perfect_nodes(low, high)) for low, high in ranges))


def range_plan(start: int, end: int, size: int) -> ProofPlan:
    """Plan the proof for any run of leaves [start, end), given to the verifier whole.

    Raises:
        ProofImpossible: The run is empty or ends beyond the tree.
    """
    if not 0 <= start < end <= size <= SIZE_MAX:
        raise ProofImpossible(f"a tree of {size} leaves has no run [{start}, {end})")
    return ProofPlan(tuple((node,) for node in _around(start, end, size)))


def prove_inclusion(read: ReadNodes, index: int, size: int) -> tuple[bytes, ...]:
    """Carry out `inclusion_plan`."""
    return _carry_out(inclusion_plan(index, size), read)


def prove_consistency(read: ReadNodes, old_size: int, new_size: int) -> tuple[bytes, ...]:
    """Carry out `consistency_plan`."""
    return _carry_out(consistency_plan(old_size, new_size), read)


def prove_subtree_inclusion(read: ReadNodes, index: int, *, start: int, end: int) -> tuple[bytes, ...]:
    """Carry out `subtree_inclusion_plan`."""
    return _carry_out(subtree_inclusion_plan(index, start, end), read)


def prove_subtree_consistency(read: ReadNodes, *, start: int, end: int, size: int) -> tuple[bytes, ...]:
    """Carry out `subtree_consistency_plan`."""
    return _carry_out(subtree_consistency_plan(start, end, size), read)


def prove_range(read: ReadNodes, *, start: int, end: int, size: int) -> tuple[bytes, ...]:
    """Carry out `range_plan`."""
    return _carry_out(range_plan(start, end, size), read)


# Checking proofs


def check_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with hash `leaf` stands at `index` in the tree of `size` leaves with this root.

    Raises:
        ProofError: It is not proved.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    if len(leaf) != HASH_BYTES:
        raise ProofError("the leaf hash does not have 32 bytes")
    check_subtree_consistency(start=index, end=index + 1, size=size, subtree_root=leaf, root=root, proof=proof)


def check_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree with `old_root` is a prefix of the tree with `new_root`.

    Raises:
        ProofError: It is not proved, or the old tree is empty (nothing to be consistent with).
    """
    if old_size == 0:
        raise ProofError("consistency with an empty tree says nothing")
    check_subtree_consistency(start=0, end=old_size, size=new_size, subtree_root=old_root, root=new_root, proof=proof)


def check_subtree_inclusion(
    *, leaf: bytes, index: int, start: int, end: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that leaf `index` of the log is in the subtree over [start, end) with this root.

    Raises:
        ProofError: It is not proved, or [start, end) is no valid subtree.
    """
    if not _is_subtree(start, end):
        raise ProofError(f"[{start}, {end}) is no subtree")
    check_inclusion(leaf=leaf, index=index - start, size=end - start, proof=proof, root=root)


def check_subtree_consistency(
    *, start: int, end: int, size: int, subtree_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the subtree over [start, end) with `subtree_root` is part of the tree of `size` leaves with `root`.

    An empty subtree is part of every tree: only its own root is then looked at.

    Raises:
        ProofError: It is not proved, or [start, end) is no valid subtree of such a tree.
    """
    if not (_is_subtree(start, end) and end <= size <= SIZE_MAX):
        raise ProofError(f"a tree of {size} leaves has no subtree [{start}, {end})")
    if start == end:
        if proof or subtree_root != EMPTY_ROOT:
            raise ProofError("an empty subtree has the empty root and an empty proof")
        return
    way = _climb(start, end, size)
    hashes = [*proof] if way.seed_start > start else [subtree_root, *proof]
    if len(hashes) != len(way.steps) + 1:
        raise ProofError(f"the proof has {len(proof)} hashes, the sizes call for another number")
    # Without a step nothing is hashed: the two roots are one and are compared as they came.
    if way.steps and any(len(value) != HASH_BYTES for value in hashes):
        raise ProofError("a hash does not have 32 bytes")
    below = above = hashes[0]
    for step, sibling in zip(way.steps, hashes[1:], strict=True):
        if step.inside:
            below = node_hash(sibling, below)
        above = node_hash(sibling, above) if step.is_left else node_hash(above, sibling)
    if below != subtree_root or above != root:
        raise ProofError("the proof leads to another root")


def check_range(*, leaves: Sequence[bytes], start: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that these leaf hashes stand one after another from `start` on in the tree of `size` leaves.

    Raises:
        ProofError: It is not proved, or there is no leaf to prove.
    """
    end = start + len(leaves)
    if not 0 <= start < end <= size <= SIZE_MAX:
        raise ProofError(f"a tree of {size} leaves has no run [{start}, {end})")
    nodes = _around(start, end, size)
    if len(proof) != len(nodes):
        raise ProofError(f"the proof has {len(proof)} hashes, the range calls for {len(nodes)}")
    if any(len(value) != HASH_BYTES for value in (*leaves, *proof)):
        raise ProofError("a hash does not have 32 bytes")
    left = start.bit_count()
    tree = CompactRange(start, proof[:left])
    for leaf in leaves:
        tree.append(leaf)
    for node, value in zip(nodes[left:], proof[left:], strict=True):
        tree.append(value, level=node.level)
    if tree.root() != root:
        raise ProofError("the proof leads to another root")


# The shape of the tree


class _Step(NamedTuple):
    """One hash on the way up: the sibling over the leaves [start, end), left or right of the way, and whether it still
    belongs to the subtree that is being proved."""

    start: int
    end: int
    is_left: bool
    inside: bool


class _Way(NamedTuple):
    """The way from a subtree to the root.

    It begins at the node over [seed_start, end), the last perfect part of the subtree: at the subtree itself when that
    is one node of the tree, otherwise at a hash the proof has to bring along.
    """

    seed_start: int
    steps: list[_Step]


def _climb(start: int, end: int, size: int) -> _Way:
    """Find the way from the leaves [start, end) to the root of `size` leaves, from the bottom up."""
    low, high = 0, size
    steps = []
    while low < start or high > end:
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        if end <= middle:
            steps.append(_Step(middle, high, is_left=False, inside=False))
            high = middle
        else:
            # A valid subtree is cut by a middle only when it begins where the node begins.
            steps.append(_Step(low, middle, is_left=True, inside=start < middle))
            low = middle
    return _Way(low, steps[::-1])


def _is_subtree(start: int, end: int) -> bool:
    width = 1 << (end - start - 1).bit_length() if end > start else 1
    return 0 <= start <= end and start % width == 0


def _around(start: int, end: int, size: int) -> list[Node]:
    return perfect_nodes(0, start) + perfect_nodes(end, size)


def _shifted(node: Node, start: int) -> Node:
    return Node(node.level, node.index + (start >> node.level))


def _join(roots: Sequence[bytes]) -> bytes:
    """Hash perfect subtrees of falling size, left to right, into the root above them."""
    value = roots[-1]
    for left in reversed(roots[:-1]):
        value = node_hash(left, value)
    return value


def _carry_out(plan: ProofPlan, read: ReadNodes) -> tuple[bytes, ...]:
    return plan.combine(read(plan.nodes))
