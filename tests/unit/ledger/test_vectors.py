"""Every vector of the ledger's formats: good ones round-trip, hostile ones get the error code of their folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.checkpoint import open_checkpoint
from ledger.errors import LedgerInputError
from ledger.key_statement import format_statement, open_statement
from ledger.keys import parse_public_key
from ledger.note import format_note, open_note, parse_note
from ledger.policy import Policy
from ledger.proof import check_proof, format_proof, parse_proof
from tests.vectors.generate import AUTHOR, ENTRIES, FOLDER, KINDS, LOG, POLICY, PROVED, vectors


def _note(raw: bytes) -> bytes:
    assert open_note(raw, [AUTHOR.verifier]).signed_by == (AUTHOR.verifier,)
    return format_note(parse_note(raw))


def _checkpoint(raw: bytes) -> bytes:
    assert open_checkpoint(raw, LOG.verifier).origin == LOG.name
    return format_note(parse_note(raw))


def _cosigned(raw: bytes) -> bytes:
    assert Policy.parse(POLICY).open_checkpoint(raw).verdict.quorum_met
    return format_note(parse_note(raw))


def _proof(raw: bytes) -> bytes:
    proof = parse_proof(raw)
    check_proof(proof, entry=ENTRIES[PROVED], log=LOG.verifier)
    return format_proof(proof)


def _policy(raw: bytes) -> bytes:
    policy = Policy.parse(raw)
    assert Policy.parse(policy.format()) == policy
    return raw  # comments and order of lines are free


def _key(raw: bytes) -> bytes:
    return parse_public_key(raw.decode()).vkey.encode()


def _statement(raw: bytes) -> bytes:
    assert format_statement(open_statement(raw)) == parse_note(raw).text
    return format_note(parse_note(raw))


ROUND_TRIPS: dict[str, Callable[[bytes], bytes]] = {
    "note": _note,
    "checkpoint": _checkpoint,
    "cosigned": _cosigned,
    "proof": _proof,
    "policy": _policy,
    "key": _key,
    "statement": _statement,
}


def _paths(*, good: bool) -> list[Path]:
    found = [path for kind in KINDS for path in sorted((FOLDER / kind).rglob("*")) if path.is_file()]
    return [path.relative_to(FOLDER) for path in found if (path.parent.name == "good") is good]


@pytest.mark.parametrize("path", _paths(good=True), ids=str)
def test_a_good_vector_round_trips(path: Path) -> None:
    raw = (FOLDER / path).read_bytes()
    assert ROUND_TRIPS[path.parts[0]](raw) == raw


@pytest.mark.parametrize("path", _paths(good=False), ids=str)
def test_a_hostile_vector_is_refused(path: Path) -> None:
    with pytest.raises(LedgerInputError) as caught:
        ROUND_TRIPS[path.parts[0]]((FOLDER / path).read_bytes())
    assert caught.value.code == path.parts[1], caught.value
    assert len(caught.value.message) < 250, "a hostile text must not be echoed whole"


def test_the_vectors_are_those_of_the_generator() -> None:
    stored = {path.as_posix(): (FOLDER / path).read_bytes() for path in [*_paths(good=True), *_paths(good=False)]}
    assert stored == vectors()


def test_hostile_vectors_outnumber_good_ones() -> None:
    assert len(_paths(good=False)) > 3 * len(_paths(good=True))
