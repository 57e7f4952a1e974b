"""The tree against RFC 6962 word for word, and its proofs against whoever wants to bend them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import ProofError, ProofImpossible
from ledger.tree import (
    EMPTY_ROOT,
    SIZE_MAX,
    CompactRange,
    Node,
    check_consistency,
    check_inclusion,
    check_range,
    check_subtree_consistency,
    check_subtree_inclusion,
    consistency_plan,
    inclusion_plan,
    leaf_hash,
    node_hash,
    perfect_nodes,
    prove_consistency,
    prove_inclusion,
    prove_range,
    prove_subtree_consistency,
    prove_subtree_inclusion,
    range_plan,
    root_of,
    subtree_consistency_plan,
    subtree_inclusion_plan,
)
from tests.support import rfc6962
from tests.support.merkle import KnownTree, UniformTree

LEAVES = rfc6962.leaves_of(300)
TREE = KnownTree(LEAVES)
UNIFORM = UniformTree()


def test_hashes_are_those_of_rfc_6962() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT == root_of([])
    assert leaf_hash(b"") == bytes.fromhex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    assert leaf_hash(memoryview(b"abc")) == hashlib.sha256(b"\x00abc").digest()
    assert node_hash(b"l" * 32, b"r" * 32) == hashlib.sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()


def test_roots_of_every_tree_up_to_300_leaves() -> None:
    for size in range(len(LEAVES) + 1):
        expected = rfc6962.tree_hash(LEAVES[:size])
        assert root_of(LEAVES[:size]) == expected
        assert TREE.roots[size] == expected


def test_proofs_are_those_of_rfc_6962() -> None:
    for size in range(1, 70):
        for number in range(size):
            assert list(prove_inclusion(TREE.read, number, size)) == rfc6962.path(number, LEAVES[:size])
            assert list(prove_consistency(TREE.read, number + 1, size)) == rfc6962.proof(number + 1, LEAVES[:size])


def test_every_inclusion_proof_of_every_tree_up_to_300_leaves() -> None:
    for size in range(1, len(LEAVES) + 1):
        for index in range(size):
            proof = prove_inclusion(TREE.read, index, size)
            check_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=TREE.roots[size])


def test_every_consistency_proof_of_every_tree_up_to_300_leaves() -> None:
    for new in range(1, len(LEAVES) + 1):
        for old in range(1, new + 1):
            proof = prove_consistency(TREE.read, old, new)
            check_consistency(
                old_size=old, old_root=TREE.roots[old], new_size=new, new_root=TREE.roots[new], proof=proof
            )


def test_every_valid_subtree_of_every_tree_up_to_40_leaves() -> None:
    count = 0
    for size in range(1, 41):
        for start in range(size):
            for end in range(start + 1, size + 1):
                if start % 2 ** (end - start - 1).bit_length():
                    continue
                subtree_root = root_of(LEAVES[start:end])
                proof = prove_subtree_consistency(TREE.read, start=start, end=end, size=size)
                check_subtree_consistency(
                    start=start, end=end, size=size, subtree_root=subtree_root, root=TREE.roots[size], proof=proof
                )
                index = (start + end) // 2
                path = prove_subtree_inclusion(TREE.read, index, start=start, end=end)
                check_subtree_inclusion(
                    leaf=LEAVES[index], index=index, start=start, end=end, proof=path, root=subtree_root
                )
                count += 1
    assert count > 1000


def test_every_range_of_every_tree_up_to_40_leaves() -> None:
    for size in range(1, 41):
        for start in range(size):
            for end in range(start + 1, size + 1):
                proof = prove_range(TREE.read, start=start, end=end, size=size)
                check_range(leaves=LEAVES[start:end], start=start, size=size, proof=proof, root=TREE.roots[size])


large_sizes = st.integers(1, SIZE_MAX) | st.integers(0, 62).map(lambda level: 2**level)


@given(size=large_sizes, data=st.data())
def test_proofs_of_trees_of_any_size(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = prove_inclusion(UNIFORM.read, index, size)
    assert len(path) <= (size - 1).bit_length()
    root = UNIFORM.root(size)
    check_inclusion(leaf=UNIFORM.leaf, index=index, size=size, proof=path, root=root)
    proof = prove_consistency(UNIFORM.read, index + 1, size)
    assert len(proof) <= (size - 1).bit_length() + 1
    old_root = UNIFORM.root(index + 1)
    check_consistency(old_size=index + 1, old_root=old_root, new_size=size, new_root=root, proof=proof)
    run = min(5, size - index)
    around = prove_range(UNIFORM.read, start=index, end=index + run, size=size)
    check_range(leaves=[UNIFORM.leaf] * run, start=index, size=size, proof=around, root=root)


def _bent(data: st.DataObject, proof: tuple[bytes, ...]) -> list[bytes]:
    """Return a proof that differs from the given one."""
    bent = list(proof)
    kinds = ["longer"] + (["bit", "shorter", "cut"] if proof else [])
    match data.draw(st.sampled_from(kinds)):
        case "longer":
            bent.insert(data.draw(st.integers(0, len(bent))), data.draw(st.binary(min_size=0, max_size=33)))
        case "shorter":
            del bent[data.draw(st.integers(0, len(bent) - 1))]
        case "cut":
            at = data.draw(st.integers(0, len(bent) - 1))
            bent[at] = bent[at][: data.draw(st.integers(0, 31))]
        case _:
            at = data.draw(st.integers(0, len(bent) - 1))
            bent[at] = _flipped(bent[at], data.draw(st.integers(0, 255)))
    return bent


def _flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


bits = st.integers(0, 255)


@settings(max_examples=300)
@given(size=st.integers(1, 300), data=st.data(), bit=bits)
def test_a_bent_inclusion_proof_is_refused(size: int, data: st.DataObject, bit: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(TREE.read, index, size)
    leaf, root = LEAVES[index], TREE.roots[size]
    other = data.draw(st.integers(-3, size + 3).filter(lambda number: number != index))
    with pytest.raises(ProofError):
        check_inclusion(leaf=leaf, index=index, size=size, proof=_bent(data, proof), root=root)
    with pytest.raises(ProofError):
        check_inclusion(leaf=leaf, index=other, size=size, proof=proof, root=root)
    with pytest.raises(ProofError):
        check_inclusion(leaf=_flipped(leaf, bit), index=index, size=size, proof=proof, root=root)
    with pytest.raises(ProofError):
        check_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=_flipped(root, bit))


@settings(max_examples=300)
@given(new=st.integers(2, 300), data=st.data(), bit=bits)
def test_a_bent_consistency_proof_is_refused(new: int, data: st.DataObject, bit: int) -> None:
    old = data.draw(st.integers(1, new - 1))
    proof = prove_consistency(TREE.read, old, new)
    old_root, new_root = TREE.roots[old], TREE.roots[new]
    for roots, hashes in [
        ((old_root, new_root), _bent(data, proof)),
        ((_flipped(old_root, bit), new_root), proof),
        ((old_root, _flipped(new_root, bit)), proof),
        ((new_root, old_root), proof),
    ]:
        with pytest.raises(ProofError):
            check_consistency(old_size=old, old_root=roots[0], new_size=new, new_root=roots[1], proof=hashes)


@settings(max_examples=300)
@given(size=st.integers(2, 300), data=st.data(), bit=bits)
def test_a_bent_range_proof_is_refused(size: int, data: st.DataObject, bit: int) -> None:
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    proof = prove_range(TREE.read, start=start, end=end, size=size)
    leaves, root = LEAVES[start:end], TREE.roots[size]
    at = data.draw(st.integers(0, len(leaves) - 1))
    with pytest.raises(ProofError):
        check_range(leaves=leaves, start=start, size=size, proof=_bent(data, proof), root=root)
    with pytest.raises(ProofError):
        check_range(leaves=leaves[:at] + leaves[at + 1 :], start=start, size=size, proof=proof, root=root)
    changed = [*leaves[:at], _flipped(leaves[at], bit), *leaves[at + 1 :]]
    with pytest.raises(ProofError):
        check_range(leaves=changed, start=start, size=size, proof=proof, root=root)
    with pytest.raises(ProofError):
        check_range(leaves=leaves, start=start, size=size, proof=proof, root=_flipped(root, bit))


def test_bytes_cannot_move_between_two_hashes() -> None:
    left, last, more = node_hash(LEAVES[0], LEAVES[1]), LEAVES[2], LEAVES[3]
    forged = node_hash(left, last[:31])
    assert root_of([node_hash(last[:31], last[31:] + more)]) == node_hash(last, more)
    with pytest.raises(ProofError, match="32 bytes"):
        check_consistency(
            old_size=3, old_root=forged, new_size=4, new_root=TREE.roots[4], proof=[last[:31], last[31:] + more, left]
        )
    with pytest.raises(ProofError, match="32 bytes"):
        check_range(leaves=[LEAVES[0][:31]], start=0, size=2, proof=[LEAVES[0][31:] + LEAVES[1]], root=TREE.roots[2])


def test_an_inner_node_cannot_pass_as_a_leaf_of_a_smaller_tree() -> None:
    left, right = node_hash(LEAVES[0], LEAVES[1]), node_hash(LEAVES[2], LEAVES[3])
    with pytest.raises(ProofError):
        check_inclusion(leaf=left, index=0, size=4, proof=[right], root=TREE.roots[4])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (5, 3), (0, SIZE_MAX + 1)])
def test_no_inclusion_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ProofImpossible):
        inclusion_plan(index, size)
    with pytest.raises(ProofError):
        check_inclusion(leaf=LEAVES[0], index=index, size=size, proof=[], root=LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(2, 1), (1, 0), (-1, 3), (1, SIZE_MAX + 1)])
def test_no_consistency_with_a_larger_tree(old: int, new: int) -> None:
    with pytest.raises(ProofImpossible):
        consistency_plan(old, new)
    with pytest.raises(ProofError):
        check_consistency(old_size=old, old_root=LEAVES[0], new_size=new, new_root=LEAVES[0], proof=[])


def test_consistency_with_nothing_is_no_proof() -> None:
    assert consistency_plan(0, 5).nodes == []
    with pytest.raises(ProofError):
        check_consistency(old_size=0, old_root=EMPTY_ROOT, new_size=5, new_root=TREE.roots[5], proof=[])


def test_equal_sizes_need_equal_roots_and_no_hash() -> None:
    root = TREE.roots[9]
    check_consistency(old_size=9, old_root=root, new_size=9, new_root=root, proof=[])
    for new_root, proof in [(TREE.roots[8], []), (root, [root])]:
        with pytest.raises(ProofError):
            check_consistency(old_size=9, old_root=root, new_size=9, new_root=new_root, proof=proof)


@pytest.mark.parametrize(("start", "end"), [(1, 3), (2, 5), (2, 6), (1, 15), (3, 2), (-2, 0), (8, 25)])
def test_what_is_no_subtree_of_16_leaves(start: int, end: int) -> None:
    with pytest.raises(ProofImpossible):
        subtree_consistency_plan(start, end, 16)
    with pytest.raises(ProofError):
        check_subtree_consistency(start=start, end=end, size=16, subtree_root=EMPTY_ROOT, root=EMPTY_ROOT, proof=[])


@pytest.mark.parametrize(("index", "start", "end"), [(3, 4, 8), (8, 4, 8), (5, 5, 7), (4, 4, 4)])
def test_no_leaf_outside_its_subtree(index: int, start: int, end: int) -> None:
    with pytest.raises(ProofImpossible):
        subtree_inclusion_plan(index, start, end)
    with pytest.raises(ProofError):
        check_subtree_inclusion(
            leaf=LEAVES[index], index=index, start=start, end=end, proof=[], root=root_of(LEAVES[start:end])
        )


@pytest.mark.parametrize(("start", "end", "size"), [(3, 3, 9), (4, 3, 9), (-1, 2, 9), (8, 10, 9)])
def test_no_range_outside_the_tree(start: int, end: int, size: int) -> None:
    with pytest.raises(ProofImpossible):
        range_plan(start, end, size)
    with pytest.raises(ProofError):
        check_range(leaves=LEAVES[: end - start], start=start, size=size, proof=[], root=TREE.roots[size])


def test_a_plan_names_the_nodes_and_wants_one_hash_for_each() -> None:
    plan = inclusion_plan(2, 7)
    assert plan.nodes == [Node(0, 3), Node(1, 0), Node(1, 2), Node(0, 6)]
    assert [len(group) for group in plan.groups] == [1, 1, 2], "the ragged right edge is joined from two subtrees"
    with pytest.raises(ValueError, match="4 nodes, 3 hashes"):
        plan.combine(TREE.read(plan.nodes)[:-1])


@given(start=st.integers(0, 2**40), length=st.integers(0, 2**40))
def test_perfect_nodes_cover_a_range_without_gap(start: int, length: int) -> None:
    at = start
    for node in perfect_nodes(start, start + length):
        assert node.index << node.level == at
        at += 1 << node.level
    assert at == start + length
    assert len(perfect_nodes(start, start + length)) <= 2 * 41


@given(size=st.integers(0, 300), cut=st.integers(0, 300))
def test_a_compact_range_goes_on_from_its_frontier(size: int, cut: int) -> None:
    cut = min(size, cut)
    tree = CompactRange()
    for leaf in LEAVES[:cut]:
        tree.append(leaf)
    assert list(tree.frontier) == TREE.read(perfect_nodes(0, cut))
    tree = CompactRange(tree.size, tree.frontier)
    for node, value in zip(perfect_nodes(cut, size), TREE.read(perfect_nodes(cut, size)), strict=True):
        tree.append(value, level=node.level)
    assert (tree.size, tree.root()) == (size, TREE.roots[size])


@pytest.mark.parametrize(("size", "frontier"), [(1, []), (0, [LEAVES[0]]), (3, LEAVES[:1]), (1, [b"short"]), (-1, [])])
def test_a_false_frontier_is_refused(size: int, frontier: list[bytes]) -> None:
    with pytest.raises(ValueError, match="frontier"):
        CompactRange(size, frontier)


def test_a_subtree_is_appended_only_where_it_fits() -> None:
    tree = CompactRange(2, TREE.read(perfect_nodes(0, 2)))
    with pytest.raises(ValueError, match="cannot start at leaf 2"):
        tree.append(LEAVES[0], level=2)
