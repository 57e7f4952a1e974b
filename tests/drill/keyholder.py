"""Whoever holds the log's key, and everything else in the house: database, folders, the lot.

What they rewrite fits together: rows, tree, files and signatures. Only somebody who remembers an earlier state can
know: a kept checkpoint, a witness. The same rewriting without the key is here too; it needs no memory to be seen.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

from evidence.core.wire.receipt import Receipt, format_receipt, parse_receipt
from ledger.canonical import SALT_BYTES, canonical_json, commitment, decode_entry, encode_entry
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.edge import RightEdge
from ledger.note import Signer
from ledger.proof import format_proof
from ledger.publish import CHECKPOINT_PATH
from ledger.reader import LogReader
from ledger.tree import leaf_hash
from tests.drill.house import DrillHouse
from tests.drill.kinds import Adversary, Kind, Victim
from tests.drill.storage import overwrite
from tests.support.small_house import superuser


@dataclass(frozen=True, slots=True)
class Forgery:
    """A whole log that was made anew: files by path, tile roots, and the checkpoint of every size that is signed."""

    entries: list[tuple[UUID, bytes]]
    files: dict[str, bytes]
    tile_roots: list[tuple[int, int, bytes]]
    checkpoints: dict[int, Checkpoint]

    async def get(self, path: str) -> bytes | None:
        """Return a file, as a log's storage does."""
        return self.files.get(path)


def forge(house: DrillHouse, entries: list[tuple[UUID, bytes]], sizes: list[int], signer: Signer) -> Forgery:
    """Build a log of these entries, signed at these sizes; the last of them is published."""
    edge = RightEdge()
    forgery = Forgery(entries, {}, [], {})
    previous = 0
    for size in sizes:
        growth = edge.extend(entry for _, entry in entries[previous:size])
        forgery.files.update(growth.files)
        forgery.tile_roots.extend((tile.level, tile.index, tile.root) for tile in growth.tiles)
        forgery.checkpoints[size] = Checkpoint(house.signer.name, size, edge.root())
        previous = size
    forgery.files.update(edge.partials())
    forgery.files[CHECKPOINT_PATH] = sign_checkpoint(forgery.checkpoints[previous], [signer])
    return forgery


async def true_entries(house: DrillHouse) -> list[tuple[UUID, bytes]]:
    """Return every entry of the log in its order."""
    async with house.pool.acquire() as conn:
        rows = await conn.fetch(
            "SELECT entry_id, entry FROM ledger_leaf JOIN ledger_entry USING (entry_id) ORDER BY index"
        )
    return [(row["entry_id"], row["entry"]) for row in rows]


async def put_in_place(house: DrillHouse, forgery: Forgery, *, signer: Signer | None) -> None:
    """Make the forgery the house's log, in rows and files; without a signer the old signatures stay."""
    notes = {size: sign_checkpoint(made, [signer]) for size, made in forgery.checkpoints.items()} if signer else {}
    async with superuser(house.dsn) as conn, conn.transaction():
        for table in ("ledger_leaf", "ledger_tile_root"):
            await conn.execute(f"DELETE FROM {table}")
        leaves = [(index, entry_id, leaf_hash(raw)) for index, (entry_id, raw) in enumerate(forgery.entries)]
        await conn.copy_records_to_table("ledger_leaf", records=leaves)
        await conn.copy_records_to_table("ledger_tile_root", records=forgery.tile_roots)
        size, newest = max(forgery.checkpoints.items())
        await conn.execute("UPDATE ledger_head SET size = $1, root = $2", size, newest.root)
        if signer:
            for size, made in forgery.checkpoints.items():
                row = (size, made.root, notes[size])
                await conn.execute("UPDATE ledger_checkpoint SET root = $2, note = $3 WHERE size = $1", *row)
                await conn.execute("UPDATE ledger_publication SET note = $2 WHERE size = $1", size, notes[size])
    kept = (house.log_folder / CHECKPOINT_PATH).read_bytes()
    shutil.rmtree(house.log_folder / "tile")
    for path, data in forgery.files.items():
        (house.log_folder / path).parent.mkdir(parents=True, exist_ok=True)
        overwrite(house.log_folder / path, data)
    if signer is None:
        overwrite(house.log_folder / CHECKPOINT_PATH, kept)


async def alter_view(house: DrillHouse, entries: list[tuple[UUID, bytes]], place: int, chance: Random) -> bytes:
    """Say that somebody else looked: alter payload, salt and entry rows so that they fit; return the entry."""
    entry_id, raw = entries[place]
    entry, salt = decode_entry(raw), chance.randbytes(SALT_BYTES)
    clip = UUID(entry.subject.removeprefix("clip:"))
    payload = canonical_json(house.viewed(clip))
    altered = encode_entry(replace(entry, commit=commitment(salt=salt, payload=payload)))
    async with superuser(house.dsn) as conn:
        await conn.execute(
            "UPDATE custody_payload SET payload = $2, salt = $3 WHERE entry_id = $1", entry_id, payload, salt
        )
        await conn.execute("UPDATE ledger_entry SET entry = $2 WHERE entry_id = $1", entry_id, altered)
    return altered


def place_of_view(house: DrillHouse, entries: list[tuple[UUID, bytes]], chance: Random) -> int:
    """Choose a view that the kept checkpoint covers; where rows must not follow it is the easiest entry to forge."""
    views = set(house.views)
    return chance.choice([place for place, (one, _) in enumerate(entries[: house.since.size]) if one in views])


async def history_rewritten(house: DrillHouse, chance: Random) -> None:
    """Alter one entry, build everything anew and sign it."""
    await _rewrite(house, chance, signer=house.signer)


async def history_rewritten_without_key(house: DrillHouse, chance: Random) -> None:
    """Alter one entry and build everything anew; the signatures are out of reach."""
    await _rewrite(house, chance, signer=None)


async def _rewrite(house: DrillHouse, chance: Random, *, signer: Signer | None) -> None:
    entries, sizes = await true_entries(house), await house.signed_sizes()
    place = place_of_view(house, entries, chance)
    entries[place] = entries[place][0], await alter_view(house, entries, place, chance)
    await put_in_place(house, forge(house, entries, sizes, house.signer), signer=signer)


async def entry_left_out(house: DrillHouse, chance: Random) -> None:
    """Let one entry never have been, everywhere, and sign the rest; another one fills up the log's size."""
    entries, sizes = await true_entries(house), await house.signed_sizes()
    place = place_of_view(house, entries, chance)
    entries.append(entries.pop(place))
    await put_in_place(house, forge(house, entries, sizes, house.signer), signer=house.signer)


async def log_rolled_back(house: DrillHouse, chance: Random) -> None:
    """Forget everything behind an earlier size, in every table and file."""
    sizes = [size for size in await house.signed_sizes() if size < house.since.size]
    # Entries that made rows stand at the front of this log; behind it there are views, which made none.
    size = chance.choice(sizes[-3:])
    entries = await true_entries(house)
    gone = [entry_id for entry_id, _ in entries[size:]]
    async with superuser(house.dsn) as conn, conn.transaction():
        for table in ("ledger_entry", "custody_payload"):
            await conn.execute(f"DELETE FROM {table} WHERE entry_id = ANY($1)", gone)
        for table in ("ledger_publication", "ledger_checkpoint"):
            await conn.execute(f"DELETE FROM {table} WHERE size > $1", size)
    kept = [signed for signed in await house.signed_sizes() if signed <= size]
    await put_in_place(house, forge(house, entries[:size], kept, house.signer), signer=house.signer)


async def second_history_shown(house: DrillHouse, chance: Random) -> None:
    """Show the world, but not the house, another history of the same length."""
    entries, sizes = await true_entries(house), await house.signed_sizes()
    place = place_of_view(house, entries, chance)
    entries[place] = entries[place][0], _altered(entries[place][1], chance)
    _show(house, forge(house, entries, sizes, house.signer))


async def second_history_longer(house: DrillHouse, chance: Random) -> None:
    """Show a fork that has grown beyond the true log, so that its size gives no hint."""
    entries, sizes = await true_entries(house), await house.signed_sizes()
    place = place_of_view(house, entries, chance)
    entries[place] = entries[place][0], _altered(entries[place][1], chance)
    more = chance.randrange(1, 300)
    entries += [(entry_id, _altered(raw, chance)) for entry_id, raw in entries[:more]]
    _show(house, forge(house, entries, [*sizes, len(entries)], house.signer))


async def older_checkpoint_shown(house: DrillHouse, chance: Random) -> None:
    """Show the true log as it was before the witness's last look, signed anew."""
    sizes = [size for size in await house.signed_sizes() if 0 < size < house.since.size]
    size = chance.choice(sizes)
    entries = (await true_entries(house))[:size]
    _show(house, forge(house, entries, [size], house.signer))


async def other_root_of_the_size_seen(house: DrillHouse, chance: Random) -> None:
    """Sign another root for exactly the size that the witness remembers."""
    entries = (await true_entries(house))[: house.since.size]
    place = chance.randrange(len(entries))
    entries[place] = entries[place][0], _altered(entries[place][1], chance)
    _show(house, forge(house, entries, [len(entries)], house.signer))


async def false_root_signed(house: DrillHouse, chance: Random) -> None:
    """Sign a root that no tree has, and publish it."""
    made = replace(await house.published(), root=chance.randbytes(32))
    overwrite(house.log_folder / CHECKPOINT_PATH, sign_checkpoint(made, [house.signer]))


async def private_fork_in_evidence(house: DrillHouse, chance: Random) -> None:
    """Give a court a receipt from a log that was forked for it alone, signed with the true key."""
    path = chance.choice(sorted(house.evidence_folder.rglob("*.receipt")))
    path.chmod(0o644)
    path.write_bytes(await forked_receipt(house, parse_receipt(path.read_bytes()), house.signer, chance))


async def forked_receipt(house: DrillHouse, receipt: Receipt, signer: Signer, chance: Random) -> bytes:
    """Prove the same payload, with another salt, by a log of its own."""
    salt = chance.randbytes(SALT_BYTES)
    entry = decode_entry(receipt.entry)
    raw = encode_entry(replace(entry, commit=commitment(salt=salt, payload=receipt.payload)))
    entries = await true_entries(house)
    place = next(place for place, (_, true) in enumerate(entries) if true == receipt.entry)
    entries[place] = entry.id, raw
    proof = await LogReader(forge(house, entries, [len(entries)], signer)).prove(place)
    return format_receipt(Receipt(entry=raw, payload=receipt.payload, salt=salt, proof=format_proof(proof)))


def _altered(raw: bytes, chance: Random) -> bytes:
    return encode_entry(replace(decode_entry(raw), commit=chance.randbytes(32)))


def _show(house: DrillHouse, forgery: Forgery) -> None:
    shutil.rmtree(house.log_folder / "tile")
    for path, data in forgery.files.items():
        (house.log_folder / path).parent.mkdir(parents=True, exist_ok=True)
        overwrite(house.log_folder / path, data)


KINDS: tuple[Kind, ...] = (
    Kind(Adversary.KEY, "history rewritten and signed", history_rewritten, Victim.KEEPER, rows=True),
    Kind(Adversary.KEY, "entry left out, rest signed", entry_left_out, Victim.KEEPER, rows=True),
    Kind(Adversary.KEY, "log and rows rolled back", log_rolled_back, Victim.KEEPER, rows=True),
    Kind(Adversary.KEY, "rolled-back log shown to a witness", log_rolled_back, Victim.WITNESS, rows=True),
    Kind(Adversary.KEY, "rewritten log shown to a witness", history_rewritten, Victim.WITNESS, rows=True),
    Kind(Adversary.KEY, "second history shown", second_history_shown, Victim.WITNESS),
    Kind(Adversary.KEY, "second history shown, longer", second_history_longer, Victim.WITNESS),
    Kind(Adversary.KEY, "older checkpoint signed anew", older_checkpoint_shown, Victim.WITNESS),
    Kind(Adversary.KEY, "other root of the size seen", other_root_of_the_size_seen, Victim.WITNESS),
    Kind(Adversary.KEY, "false root signed", false_root_signed, Victim.LOG),
    Kind(Adversary.KEY, "receipt from a private fork", private_fork_in_evidence, Victim.COURT),
    Kind(Adversary.DATABASE, "history rewritten without the key", history_rewritten_without_key, Victim.LOG, rows=True),
)
