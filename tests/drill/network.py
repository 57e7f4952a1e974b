"""Whoever stands between the house and its readers, or hands the evidence on: changes receipts and evidence folders."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from evidence.core.wire.receipt import Receipt, format_receipt, parse_receipt
from evidence.parties.store import key_entries
from evidence.receipts import build_receipt
from evidence.verify.docks import format_chain, parse_chain
from ledger.canonical import canonical_json, commitment, decode_entry, encode_entry
from ledger.note import Signer
from ledger.proof import LogProof, format_proof, parse_proof
from ledger.tree import HASH_BYTES
from tests.drill.house import DrillHouse
from tests.drill.keyholder import forge, forked_receipt, true_entries
from tests.drill.kinds import Adversary, Attack, Kind, Victim
from tests.drill.storage import Choice, change, delete, extended, flipped, overwrite, swap, truncated

Alteration = Callable[[Receipt, Random], Receipt]


def dock_receipt(house: DrillHouse, chance: Random) -> Path:
    """Choose a receipt that a dock holds."""
    return chance.choice(sorted(house.receipts_folder.iterdir()))


def evidence_file(pattern: str) -> Choice:
    """Choose a file of an evidence folder."""

    def choose(house: DrillHouse, chance: Random) -> Path:
        return chance.choice(sorted(house.evidence_folder.glob(f"*/{pattern}")))

    return choose


def original(house: DrillHouse, chance: Random) -> Path:
    """Choose an original in an evidence folder."""
    return evidence_file("*.receipt")(house, chance).with_suffix("")


def altered(choose: Choice, alter: Alteration) -> Attack:
    """Make the attack that changes one part of a receipt and writes it down properly again."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        path = choose(house, chance)
        receipt = alter(parse_receipt(path.read_bytes()), chance)
        overwrite(path, format_receipt(receipt))

    return attack


def _in_text(raw: bytes, chance: Random, letters: bytes = b"0123456789abcdef") -> bytes:
    """Put another letter somewhere so that the text stays text."""
    place = chance.choice([place for place, byte in enumerate(raw) if byte in letters])
    changed = bytearray(raw)
    changed[place] = chance.choice([letter for letter in letters if letter != raw[place]])
    return bytes(changed)


def payload_altered(receipt: Receipt, chance: Random) -> Receipt:
    """Say something else."""
    return replace(receipt, payload=_in_text(receipt.payload, chance))


def salt_altered(receipt: Receipt, chance: Random) -> Receipt:
    """Flip a bit of the salt."""
    return replace(receipt, salt=flipped(receipt.salt, chance))


def entry_altered(receipt: Receipt, chance: Random) -> Receipt:
    """Change a letter of the entry."""
    return replace(receipt, entry=_in_text(receipt.entry, chance))


def _with_proof(receipt: Receipt, proof: LogProof) -> Receipt:
    return replace(receipt, proof=format_proof(proof))


def proof_node_altered(receipt: Receipt, chance: Random) -> Receipt:
    """Flip a bit of one node of the proof."""
    proof = parse_proof(receipt.proof)
    path, place = list(proof.path), chance.randrange(len(proof.path))
    path[place] = flipped(path[place], chance)
    return _with_proof(receipt, replace(proof, path=tuple(path)))


def proof_node_missing(receipt: Receipt, chance: Random) -> Receipt:
    """Take a node out of the proof."""
    proof = parse_proof(receipt.proof)
    place = chance.randrange(len(proof.path))
    return _with_proof(receipt, replace(proof, path=proof.path[:place] + proof.path[place + 1 :]))


def proof_node_added(receipt: Receipt, chance: Random) -> Receipt:
    """Put a node into the proof."""
    proof = parse_proof(receipt.proof)
    place = chance.randrange(len(proof.path) + 1)
    node = chance.randbytes(HASH_BYTES)
    return _with_proof(receipt, replace(proof, path=(*proof.path[:place], node, *proof.path[place:])))


def index_altered(receipt: Receipt, chance: Random) -> Receipt:
    """Claim another place in the log."""
    proof = parse_proof(receipt.proof)
    index = chance.choice([index for index in (proof.index ^ 1, proof.index + 2, proof.index + 256) if index >= 0])
    return _with_proof(receipt, replace(proof, index=index))


def checkpoint_altered(receipt: Receipt, chance: Random) -> Receipt:
    """Change a digit or letter of what the log signed."""
    proof = parse_proof(receipt.proof)
    signed, signatures = proof.checkpoint.split(b"\n\n")
    changed = _in_text(signed, chance, b"0123456789")
    return _with_proof(receipt, replace(proof, checkpoint=changed + b"\n\n" + signatures))


def checkpoint_unsigned(receipt: Receipt, chance: Random) -> Receipt:
    """Take the log's own line away, whatever else stands there."""
    proof = parse_proof(receipt.proof)
    signed, signatures = proof.checkpoint.split(b"\n\n")
    lines = signatures.splitlines(keepends=True)
    return _with_proof(receipt, replace(proof, checkpoint=signed + b"\n\n" + b"".join(lines[1:])))


def cosignature_removed(receipt: Receipt, chance: Random) -> Receipt:
    """Take the witness's line away."""
    proof = parse_proof(receipt.proof)
    lines = proof.checkpoint.splitlines(keepends=True)
    return _with_proof(receipt, replace(proof, checkpoint=b"".join(lines[:-1])))


def proof_of_another(choose: Choice) -> Attack:
    """Make the attack that gives a receipt the true proof of another entry."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        path = other = choose(house, chance)
        while other == path:
            other = choose(house, chance)
        proof = parse_receipt(other.read_bytes()).proof
        overwrite(path, format_receipt(replace(parse_receipt(path.read_bytes()), proof=proof)))

    return attack


def forged_whole(choose: Choice) -> Attack:
    """Make the attack that proves a receipt by a whole log of the forger's own, under the true name."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        path = choose(house, chance)
        stranger = Signer.generate(house.signer.name, chance.randbytes)
        overwrite(path, await forked_receipt(house, parse_receipt(path.read_bytes()), stranger, chance))

    return attack


async def policy_swapped(house: DrillHouse, chance: Random) -> None:
    """Name another key as the log's in the policy that goes with the evidence."""
    stranger = Signer.generate(house.signer.name, chance.randbytes)
    policy = f"log {stranger.verifier.vkey}\nquorum none\n"
    overwrite(evidence_file("log.policy")(house, chance), policy.encode())


async def policy_and_receipt_swapped(house: DrillHouse, chance: Random) -> None:
    """Forge the receipt by a log of one's own and put its key into the policy: the folder agrees with itself."""
    path = evidence_file("*.receipt")(house, chance)
    stranger = Signer.generate(house.signer.name, chance.randbytes)
    overwrite(path, await forked_receipt(house, parse_receipt(path.read_bytes()), stranger, chance))
    policy = f"log {stranger.verifier.vkey}\nquorum none\n"
    overwrite(path.with_name("log.policy"), policy.encode())


async def exhibit_removed(house: DrillHouse, chance: Random) -> None:
    """Take the receipt of an exhibit away, so that nothing speaks for it."""
    evidence_file("*.receipt")(house, chance).unlink()


async def file_slipped_in(house: DrillHouse, chance: Random) -> None:
    """Put a file among the evidence."""
    folder = chance.choice(sorted(house.evidence_folder.iterdir()))
    (folder / f"{chance.randrange(1 << 30)}.mp4").write_bytes(chance.randbytes(chance.randrange(1, 5000)))


async def originals_exchanged(house: DrillHouse, chance: Random) -> None:
    """Exchange the originals of two exhibits."""
    await swap(original)(house, chance)


async def dock_entries_of_another(house: DrillHouse, chance: Random) -> None:
    """Show the true entries of another dock's keys, from the same log."""
    async with house.pool.acquire() as conn:
        other = await conn.fetchval("SELECT dock FROM dock WHERE dock <> $1", house.dock)
        receipts = [await build_receipt(conn, house.reader, entry) for entry in await key_entries(conn, other)]
    shown = receipts[: chance.randrange(1, len(receipts) + 1)]
    overwrite(_DOCK_ENTRIES(house, chance), format_chain([one for one in shown if one is not None]))


async def dock_entries_forged(house: DrillHouse, chance: Random) -> None:
    """Make up the dock's enrolment with a key of one's own, commitment and all, on the true proof."""
    path = _DOCK_ENTRIES(house, chance)
    receipt = parse_chain(path.read_bytes())[0]
    vkey = Signer.generate(f"dock.{house.dock}", chance.randbytes).verifier.vkey
    payload = canonical_json({"dock": str(house.dock), "name": "一楼采集站", "vkey": vkey})
    entry = replace(decode_entry(receipt.entry), commit=commitment(salt=receipt.salt, payload=payload))
    overwrite(path, format_chain([replace(receipt, payload=payload, entry=encode_entry(entry))]))


async def page_forged(house: DrillHouse, chance: Random) -> None:
    """A page that says of everything that it is verified."""
    path = evidence_file("verify.html")(house, chance)
    overwrite(path, path.read_bytes().replace("验证不通过".encode(), "验证通过".encode(), 1))


async def split_view(house: DrillHouse, chance: Random) -> None:
    """Show readers of the log another one, signed by a key of one's own."""
    entries = await true_entries(house)
    stranger = Signer.generate(house.signer.name, chance.randbytes)
    kept = chance.randrange(1, len(entries))
    forgery = forge(house, entries[:kept], [kept], stranger)
    shutil.rmtree(house.log_folder / "tile")
    for path, data in forgery.files.items():
        (house.log_folder / path).parent.mkdir(parents=True, exist_ok=True)
        overwrite(house.log_folder / path, data)


_RECEIPT: dict[str, Alteration] = {
    "payload altered": payload_altered,
    "salt altered": salt_altered,
    "entry altered": entry_altered,
    "proof node altered": proof_node_altered,
    "proof node missing": proof_node_missing,
    "proof node added": proof_node_added,
    "index altered": index_altered,
    "checkpoint altered": checkpoint_altered,
    "log's signature removed": checkpoint_unsigned,
}
_EXHIBIT = evidence_file("*.receipt")
_LEAVES = evidence_file("*.leaves")
_DOCK_ENTRIES = evidence_file("*.dock")
_README = evidence_file("README.txt")


def _dock(name: str, attack: Callable[[DrillHouse, Random], Awaitable[None]]) -> Kind:
    return Kind(Adversary.NETWORK, f"dock's receipt: {name}", attack, Victim.DOCK)


def _court(name: str, attack: Callable[[DrillHouse, Random], Awaitable[None]]) -> Kind:
    return Kind(Adversary.NETWORK, f"evidence: {name}", attack, Victim.COURT)


KINDS: tuple[Kind, ...] = (
    *(_dock(name, altered(dock_receipt, alter)) for name, alter in _RECEIPT.items()),
    _dock("bit flipped", change(dock_receipt, flipped)),
    _dock("truncated", change(dock_receipt, truncated)),
    _dock("that of another clip", swap(dock_receipt)),
    _dock("proof of another entry", proof_of_another(dock_receipt)),
    _dock("forged by another log", forged_whole(dock_receipt)),
    *(_court(f"receipt's {name}", altered(_EXHIBIT, alter)) for name, alter in _RECEIPT.items()),
    _court("receipt's cosignature removed", altered(_EXHIBIT, cosignature_removed)),
    _court("receipt: bit flipped", change(_EXHIBIT, flipped)),
    _court("receipt of another exhibit", swap(_EXHIBIT)),
    _court("proof of another entry", proof_of_another(_EXHIBIT)),
    _court("receipt forged by another log", forged_whole(_EXHIBIT)),
    _court("receipt and policy forged together", policy_and_receipt_swapped),
    _court("receipt removed", exhibit_removed),
    _court("original: bit flipped", change(original, flipped)),
    _court("original: truncated", change(original, truncated)),
    _court("original: extended", change(original, extended)),
    _court("original: deleted", delete(original)),
    _court("originals exchanged", originals_exchanged),
    _court("leaf list: bit flipped", change(_LEAVES, flipped)),
    _court("leaf list: truncated", change(_LEAVES, truncated)),
    _court("dock's entries: bit flipped", change(_DOCK_ENTRIES, flipped)),
    _court("dock's entries: truncated", change(_DOCK_ENTRIES, truncated)),
    _court("dock's entries removed", delete(_DOCK_ENTRIES)),
    _court("dock's entries of another dock", dock_entries_of_another),
    _court("dock's entries forged", dock_entries_forged),
    _court("README: bit flipped", change(_README, flipped)),
    _court("README: truncated", change(_README, truncated)),
    _court("page forged", page_forged),
    _court("page: bit flipped", change(evidence_file("verify.html"), flipped)),
    _court("file slipped in", file_slipped_in),
    Kind(Adversary.NETWORK, "evidence: policy swapped", policy_swapped, Victim.STRANGER),
    Kind(
        Adversary.NETWORK,
        "evidence: policy garbled",
        change(evidence_file("log.policy"), flipped),
        Victim.STRANGER,
    ),
    Kind(Adversary.NETWORK, "another log under the same name", split_view, Victim.WITNESS),
)
