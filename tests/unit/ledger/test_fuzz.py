"""Fuzz of every parser: bytes bent at random are refused with a code, or they are written back the same."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from ledger.canonical import ENTRY_BYTES_MAX, canonical_json, decode_entry, encode_entry, parse_canonical
from ledger.errors import LedgerInputError
from ledger.keys import parse_public_key
from ledger.note import format_note, parse_note
from ledger.policy import Policy
from ledger.proof import format_proof, parse_proof
from ledger.tiles import bundle_path, decode_bundle, encode_bundle, parse_bundle_path, parse_tile_path, tile_path
from tests.vectors.generate import ENTRIES, vectors

ROUNDS = 20_000


def _policy(raw: bytes) -> bytes:
    policy = Policy.parse(raw)
    assert Policy.parse(policy.format()) == policy
    return raw


def _bundle_path(raw: bytes) -> bytes:
    tile = parse_bundle_path(raw.decode("latin-1"))
    return bundle_path(tile.index, tile.width).encode()


GOOD = {name: content for name, content in vectors().items() if "/good/" in name}

PARSERS: dict[str, tuple[Callable[[bytes], bytes], list[bytes]]] = {
    "note": (lambda raw: format_note(parse_note(raw)), [GOOD[name] for name in GOOD if name.startswith("note/")]),
    "proof": (lambda raw: format_proof(parse_proof(raw)), [GOOD[name] for name in GOOD if name.startswith("proof/")]),
    "policy": (_policy, [GOOD[name] for name in GOOD if name.startswith("policy/")]),
    "key": (
        lambda raw: parse_public_key(raw.decode("latin-1")).vkey.encode("latin-1"),
        [GOOD["key/good/ed25519"], GOOD["key/good/cosignature-of-ed25519"]],
    ),
    "entry": (lambda raw: encode_entry(decode_entry(raw)), ENTRIES),
    "canonical": (lambda raw: canonical_json(parse_canonical(raw, bytes_max=ENTRY_BYTES_MAX)), ENTRIES),
    "bundle": (lambda raw: encode_bundle(decode_bundle(raw, width=3)), [encode_bundle([b"a", b"", b"ccc"])]),
    "tile path": (lambda raw: tile_path(parse_tile_path(raw.decode("latin-1"))).encode(), [b"tile/1/x001/234.p/56"]),
    "bundle path": (_bundle_path, [b"tile/entries/x001/234.p/56"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", PARSERS)
def test_fuzz(kind: str) -> None:
    round_trip, seeds = PARSERS[kind]
    chance = random.Random(kind)
    read = 0
    for _ in range(ROUNDS):
        raw = _bent(chance, seeds)
        try:
            assert round_trip(raw) == raw
        except LedgerInputError:
            continue
        read += 1
    assert read, "nothing the fuzzer made was read: it never comes past the door"


def _bent(chance: random.Random, seeds: list[bytes]) -> bytes:
    raw = bytearray(chance.choice(seeds))
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(4):
            case 0:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                raw[at : at + chance.randrange(9)] = b""
            case 2:
                raw[at:at] = chance.choice(
                    [b"\n", b"\r", b" ", b"+", b"=", b"0", b"\x00", "—".encode(), b'"', b"{", b"/"]
                )
            case _:
                other = chance.choice(seeds)
                start = chance.randrange(len(other) + 1)
                raw[at:at] = other[start : start + chance.randrange(40)]
    return bytes(raw)
