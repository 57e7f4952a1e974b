"""Attacks on a log by whoever holds the database as superuser, the published folder, or the log's key as well.

Each attack does one kind of damage; `ATTACKS` says by which finding the audit must name it, and where. They are made
for a log of 700 entries, published at the sizes 0, 300, 600 and 700 (`grow`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from ledger import audit_findings as codes
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.note import Signer
from tests.support.clock import SeededEntropy
from tests.support.ledger import TestLog

SIZE = 700

Attack = Callable[[TestLog], Coroutine[object, object, None]]


async def grow(log: TestLog) -> None:
    """Give a new log the history that the attacks are made for."""
    await log.sequence()
    for count in (300, 300, 100):
        await log.append(count)
        await log.sequence()


async def tamper(log: TestLog, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Change rows as a database superuser can, past every trigger."""
    async with log.conn.transaction():
        await log.conn.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            await log.conn.execute(statement, *values)


def rewrite(log: TestLog, path: str, data: bytes | None) -> None:
    """Replace or remove a published file."""
    file = log.folder.root / path
    file.unlink(missing_ok=True)
    if data is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def flipped(log: TestLog, path: str, *, at: int = 40) -> None:
    """Flip one bit of a published file."""
    data = bytearray((log.folder.root / path).read_bytes())
    data[at] ^= 1
    rewrite(log, path, bytes(data))


async def entry_id(log: TestLog, index: int) -> str:
    """Return the id of the entry at an index."""
    return str(await log.conn.fetchval("SELECT entry_id FROM ledger_leaf WHERE index = $1", index))


# Rows


async def entry_row_deleted(log: TestLog) -> None:
    await tamper(log, f"DELETE FROM ledger_entry WHERE entry_id = '{await entry_id(log, 300)}'")


async def entry_row_altered(log: TestLog) -> None:
    await tamper(
        log,
        "UPDATE ledger_entry SET entry = replace(convert_from(entry, 'UTF8'), 'service', 'servant')::bytea "
        f"WHERE entry_id = '{await entry_id(log, 17)}'",
    )


async def entry_id_altered_in_both_rows(log: TestLog) -> None:
    (other,) = log.entries(1)
    for table in ("ledger_entry", "ledger_leaf"):
        await tamper(log, f"UPDATE {table} SET entry_id = '{other.id}' WHERE entry_id = '{await entry_id(log, 17)}'")


async def entries_swapped(log: TestLog) -> None:
    one, two = await entry_id(log, 5), await entry_id(log, 650)
    await tamper(
        log,
        f"UPDATE ledger_entry a SET entry = b.entry FROM ledger_entry b "
        f"WHERE (a.entry_id, b.entry_id) IN (('{one}', '{two}'), ('{two}', '{one}'))",
    )


async def entry_row_without_queue(log: TestLog) -> None:
    (entry,) = log.entries(1)
    await tamper(log, f"INSERT INTO ledger_entry (entry_id, entry) VALUES ('{entry.id}', 'x')")


async def entry_queued_again(log: TestLog) -> None:
    await log.conn.execute(f"INSERT INTO ledger_pending (entry_id) VALUES ('{await entry_id(log, 3)}')")


async def queued_entry_deleted(log: TestLog) -> None:
    (entry,) = await log.append(1)
    await tamper(log, f"DELETE FROM ledger_entry WHERE entry_id = '{entry.id}'")


async def leaf_row_deleted(log: TestLog) -> None:
    await tamper(log, "DELETE FROM ledger_leaf WHERE index = 256")


async def last_leaf_row_deleted(log: TestLog) -> None:
    await tamper(log, "DELETE FROM ledger_leaf WHERE index = 699")


async def leaf_row_altered(log: TestLog) -> None:
    await tamper(log, "UPDATE ledger_leaf SET leaf_hash = sha256('x') WHERE index = 255")


async def tile_root_deleted(log: TestLog) -> None:
    await tamper(log, "DELETE FROM ledger_tile_root WHERE index = 1")


async def tile_root_altered(log: TestLog) -> None:
    await tamper(log, "UPDATE ledger_tile_root SET root = sha256('x') WHERE index = 1")


async def tile_root_of_no_tile(log: TestLog) -> None:
    await tamper(log, "INSERT INTO ledger_tile_root VALUES (0, 2, sha256('x'))")


async def head_root_altered(log: TestLog) -> None:
    await tamper(log, "UPDATE ledger_head SET root = sha256('x')")


async def head_size_altered(log: TestLog) -> None:
    await tamper(log, "UPDATE ledger_head SET size = 699")


async def head_deleted(log: TestLog) -> None:
    await tamper(log, "DELETE FROM ledger_head")


# Files


async def tile_removed(log: TestLog) -> None:
    rewrite(log, "tile/0/001", None)


async def partial_tile_removed(log: TestLog) -> None:
    rewrite(log, "tile/0/002.p/188", None)


async def upper_tile_removed(log: TestLog) -> None:
    rewrite(log, "tile/1/000.p/2", None)


async def tile_flipped(log: TestLog) -> None:
    flipped(log, "tile/0/000")


async def tile_shortened(log: TestLog) -> None:
    rewrite(log, "tile/0/001", (await log.folder.get("tile/0/001") or b"")[:-1])


async def upper_tile_flipped(log: TestLog) -> None:
    flipped(log, "tile/1/000.p/2")


async def earlier_partial_tile_flipped(log: TestLog) -> None:
    flipped(log, "tile/0/002.p/88")


async def bundle_removed(log: TestLog) -> None:
    rewrite(log, "tile/entries/000", None)


async def bundle_flipped(log: TestLog) -> None:
    flipped(log, "tile/entries/002.p/188")


async def bundle_length_flipped(log: TestLog) -> None:
    flipped(log, "tile/entries/000", at=0)


async def earlier_bundle_lengthened(log: TestLog) -> None:
    path = "tile/entries/002.p/88"
    rewrite(
        log, path, (await log.folder.get("tile/entries/002.p/188") or b"")[: len(await log.folder.get(path) or b"") + 2]
    )


async def stray_file(log: TestLog) -> None:
    rewrite(log, "index.html", b"")


async def tile_of_no_size(log: TestLog) -> None:
    rewrite(log, "tile/0/002.p/189", b"")


async def full_tile_of_no_size(log: TestLog) -> None:
    rewrite(log, "tile/0/002", await log.folder.get("tile/0/001"))


async def misspelt_tile(log: TestLog) -> None:
    rewrite(log, "tile/0/x000/001", await log.folder.get("tile/0/001"))


# Checkpoints


async def note_altered_in_its_row(log: TestLog) -> None:
    await tamper(log, "UPDATE ledger_checkpoint SET note = set_byte(note, octet_length(note) - 9, 65) WHERE size = 300")


async def root_altered_beside_its_note(log: TestLog) -> None:
    await tamper(log, "UPDATE ledger_checkpoint SET root = sha256('x') WHERE size = 300")


async def publication_altered(log: TestLog) -> None:
    await tamper(log, "UPDATE ledger_publication SET note = 'rubbish' WHERE size = 600")


async def publication_deleted(log: TestLog) -> None:
    await tamper(log, "DELETE FROM ledger_publication WHERE size = 300")


async def newest_publication_altered(log: TestLog) -> None:
    await tamper(log, "UPDATE ledger_publication SET note = 'rubbish' WHERE size = 700")


async def note_of_another_size(log: TestLog) -> None:
    await tamper(
        log,
        "UPDATE ledger_publication SET note = (SELECT note FROM ledger_checkpoint WHERE size = 300) WHERE size = 600",
    )


async def published_file_unsigned(log: TestLog) -> None:
    other = Signer.generate(log.signer.name, SeededEntropy(99))
    rewrite(log, "checkpoint", sign_checkpoint(await log.checkpoint(), [other]))


async def published_file_removed(log: TestLog) -> None:
    rewrite(log, "checkpoint", None)


async def published_file_set_back(log: TestLog) -> None:
    rewrite(log, "checkpoint", await log.conn.fetchval("SELECT note FROM ledger_checkpoint WHERE size = 300"))


async def signed_row_deleted(log: TestLog) -> None:
    await tamper(
        log, "DELETE FROM ledger_publication WHERE size = 300", "DELETE FROM ledger_checkpoint WHERE size = 300"
    )


async def signed_row_deleted_under_its_publication(log: TestLog) -> None:
    await tamper(
        log,
        "DELETE FROM ledger_checkpoint WHERE size = 600",
        "UPDATE ledger_checkpoint SET previous_size = 300 WHERE size = 700",
    )


async def newest_rows_deleted(log: TestLog) -> None:
    await tamper(
        log, "DELETE FROM ledger_publication WHERE size = 700", "DELETE FROM ledger_checkpoint WHERE size = 700"
    )


async def false_root_signed(log: TestLog) -> None:
    note = sign_checkpoint(Checkpoint(log.signer.name, 300, bytes(32)), [log.signer])
    await tamper(log, "UPDATE ledger_checkpoint SET note = $1, root = $2 WHERE size = 300", values=(note, bytes(32)))
    await tamper(log, "UPDATE ledger_publication SET note = $1 WHERE size = 300", values=(note,))


async def false_root_shown(log: TestLog) -> None:
    rewrite(log, "checkpoint", sign_checkpoint(Checkpoint(log.signer.name, SIZE, bytes(32)), [log.signer]))


ATTACKS: list[tuple[Attack, str, list[str]]] = [
    (entry_row_deleted, codes.ENTRY_MISSING, ["entry:300"]),
    (entry_row_altered, codes.ENTRY_ALTERED, ["entry:17"]),
    (entry_id_altered_in_both_rows, codes.ENTRY_ALTERED, ["entry:17"]),
    (entries_swapped, codes.ENTRY_ALTERED, ["entry:5", "entry:650"]),
    (entry_row_without_queue, codes.ENTRY_UNSEQUENCED, []),
    (entry_queued_again, codes.PENDING_STALE, []),
    (queued_entry_deleted, codes.PENDING_STALE, []),
    (leaf_row_deleted, codes.LEAF_MISSING, ["entry:256"]),
    (last_leaf_row_deleted, codes.LEAF_MISSING, ["entry:699"]),
    (leaf_row_altered, codes.LEAF_ALTERED, ["entry:255"]),
    (tile_root_deleted, codes.TILE_ROOT_MISSING, ["tile-root:0/1"]),
    (tile_root_altered, codes.TILE_ROOT_ALTERED, ["tile-root:0/1"]),
    (tile_root_of_no_tile, codes.TILE_ROOT_ALTERED, ["tile-root:0/2"]),
    (head_root_altered, codes.HEAD_MISMATCH, ["head"]),
    (head_size_altered, codes.HEAD_MISMATCH, ["head"]),
    (head_deleted, codes.HEAD_MISMATCH, ["head"]),
    (tile_removed, codes.TILE_MISSING, ["tile/0/001"]),
    (partial_tile_removed, codes.TILE_MISSING, ["tile/0/002.p/188"]),
    (upper_tile_removed, codes.TILE_MISSING, ["tile/1/000.p/2"]),
    (tile_flipped, codes.TILE_ALTERED, ["tile/0/000"]),
    (tile_shortened, codes.TILE_ALTERED, ["tile/0/001"]),
    (upper_tile_flipped, codes.TILE_ALTERED, ["tile/1/000.p/2"]),
    (earlier_partial_tile_flipped, codes.TILE_ALTERED, ["tile/0/002.p/88"]),
    (bundle_removed, codes.BUNDLE_MISSING, ["tile/entries/000"]),
    (bundle_flipped, codes.BUNDLE_ALTERED, ["tile/entries/002.p/188"]),
    (bundle_length_flipped, codes.BUNDLE_ALTERED, ["tile/entries/000"]),
    (earlier_bundle_lengthened, codes.BUNDLE_ALTERED, ["tile/entries/002.p/88"]),
    (stray_file, codes.FILE_UNKNOWN, ["index.html"]),
    (tile_of_no_size, codes.FILE_UNKNOWN, ["tile/0/002.p/189"]),
    (full_tile_of_no_size, codes.FILE_UNKNOWN, ["tile/0/002"]),
    (misspelt_tile, codes.FILE_UNKNOWN, ["tile/0/x000/001"]),
    (note_altered_in_its_row, codes.CHECKPOINT_SIGNATURE, ["checkpoint:300"]),
    (root_altered_beside_its_note, codes.CHECKPOINT_SIGNATURE, ["checkpoint:300"]),
    (publication_altered, codes.CHECKPOINT_SIGNATURE, ["checkpoint:600"]),
    (publication_deleted, codes.PUBLICATION_CHAIN, ["checkpoint:600"]),
    (newest_publication_altered, codes.CHECKPOINT_SIGNATURE, ["checkpoint:700"]),
    (note_of_another_size, codes.CHECKPOINT_SIGNATURE, ["checkpoint:600"]),
    (published_file_unsigned, codes.CHECKPOINT_SIGNATURE, ["checkpoint"]),
    (published_file_removed, codes.CHECKPOINT_MISSING, ["checkpoint"]),
    (published_file_set_back, codes.CHECKPOINT_STALE, ["checkpoint"]),
    (signed_row_deleted, codes.CHECKPOINT_CHAIN, ["checkpoint:600"]),
    (signed_row_deleted_under_its_publication, codes.CHECKPOINT_CHAIN, ["checkpoint:600"]),
    (newest_rows_deleted, codes.CHECKPOINT_UNRECORDED, ["checkpoint"]),
    (false_root_signed, codes.CHECKPOINT_ROOT, ["checkpoint:300"]),
    (false_root_shown, codes.CHECKPOINT_ROOT, ["checkpoint"]),
]

CONSEQUENCES: dict[Attack, set[str]] = {
    # The partial files of a size that nobody signed belong to no size.
    signed_row_deleted: {codes.FILE_UNKNOWN, codes.PUBLICATION_CHAIN},
    signed_row_deleted_under_its_publication: {codes.FILE_UNKNOWN},
}
