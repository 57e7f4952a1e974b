"""The audit: an honest log gives no finding, and each kind of damage gives its own and no other.

The log under attack has 700 entries, published at 0, 300, 600 and 700. Attackers hold the database as superuser, the
folder, or both; only the last ones hold the log's key as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from ledger import audit_findings as codes
from ledger import store
from ledger.audit import FINDINGS, audit_ledger
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.errors import CheckpointOrigin
from ledger.findings import Severity
from ledger.note import Signer
from ledger.tiles import bundle_path, encode_bundle, tile_path, tiles_for
from ledger.tree import leaf_hash, root_of
from tests.support.clock import SeededEntropy
from tests.support.ledger import TestLog, running, until

SIZE = 700


@pytest.fixture
async def grown(log: TestLog) -> TestLog:
    """A log with a history."""
    await log.sequence()
    for count in (300, 300, 100):
        await log.append(count)
        await log.sequence()
    return log


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


async def found(log: TestLog, since: Checkpoint | None = None) -> dict[str, list[str]]:
    """Return the subjects of the findings by code."""
    result: dict[str, list[str]] = {}
    for finding in await log.audit(since):
        assert finding.code in FINDINGS
        assert (finding.severity is Severity.WARNING) == (finding.code == codes.FILE_UNKNOWN)
        result.setdefault(finding.code, []).append(finding.subject)
    return result


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


async def leaf_row_beyond_the_head(log: TestLog) -> None:
    (entry,) = log.entries(1)
    await tamper(log, f"INSERT INTO ledger_leaf VALUES (700, '{entry.id}', sha256('x'))")


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


ATTACKS: list[tuple[Callable[[TestLog], Awaitable[None]], str, list[str]]] = [
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

CONSEQUENCES = {
    # The partial files of a size that nobody signed belong to no size.
    signed_row_deleted: {codes.FILE_UNKNOWN},
    signed_row_deleted_under_its_publication: {codes.FILE_UNKNOWN},
}


@pytest.mark.parametrize(("attack", "code", "subjects"), ATTACKS, ids=[attack.__name__ for attack, _, _ in ATTACKS])
async def test_each_attack_is_named_and_nothing_else(
    grown: TestLog, attack: Callable[[TestLog], Awaitable[None]], code: str, subjects: list[str]
) -> None:
    assert await found(grown) == {}
    await attack(grown)
    findings = await found(grown)
    assert findings.keys() == {code} | CONSEQUENCES.get(attack, set())
    if subjects:
        assert findings[code] == subjects


# What is compared with a checkpoint from before


async def test_a_log_that_grew_contains_every_checkpoint_it_had(grown: TestLog) -> None:
    model = await grown.model()
    for size in (0, 1, 300, 555, 700):
        assert await found(grown, Checkpoint(grown.signer.name, size, model.root(size))) == {}


async def test_a_rewritten_log_is_found_by_what_somebody_kept(grown: TestLog) -> None:
    kept = replace(await grown.checkpoint(), size=300, root=hashlib.sha256(b"the history that was").digest())
    assert await found(grown, kept) == {codes.REWRITTEN: ["log"]}


async def test_a_log_that_was_set_back_whole_is_found_by_what_somebody_kept(grown: TestLog) -> None:
    kept = replace(await grown.checkpoint(), size=701, root=bytes(32))
    assert await found(grown, kept) == {codes.ROLLED_BACK: ["log"]}


async def test_a_checkpoint_of_another_log_cannot_be_compared(grown: TestLog) -> None:
    with pytest.raises(CheckpointOrigin):
        await found(grown, replace(await grown.checkpoint(), origin="example.com/other"))


# Attacks on several places at once


async def test_rows_changed_alike_are_named_as_the_signed_root_decides(grown: TestLog) -> None:
    forged = b'{"forged":1}'
    where = f"WHERE entry_id = '{await entry_id(grown, 40)}'"
    await tamper(grown, f"UPDATE ledger_entry SET entry = $1 {where}", values=(forged,))
    await tamper(grown, f"UPDATE ledger_leaf SET leaf_hash = $1 {where}", values=(leaf_hash(forged),))
    assert await found(grown) == {codes.LEAF_ALTERED: ["entry:40"], codes.ENTRY_ALTERED: ["entry:40"]}


async def test_files_changed_alike_are_named_as_the_signed_root_decides(grown: TestLog) -> None:
    entries = (await grown.model()).entries[256:512]
    entries[7] = b'{"forged":1}'
    rewrite(grown, "tile/entries/001", encode_bundle(entries))
    rewrite(grown, "tile/0/001", b"".join(leaf_hash(entry) for entry in entries))
    assert await found(grown) == {codes.TILE_ALTERED: ["tile/0/001"], codes.BUNDLE_ALTERED: ["tile/entries/001"]}


async def test_rows_decide_when_all_files_are_gone(grown: TestLog) -> None:
    rewrite(grown, "tile/0/000", None)
    rewrite(grown, "tile/1/000.p/2", None)
    flipped(grown, "tile/entries/000")
    await tamper(grown, "UPDATE ledger_leaf SET leaf_hash = sha256('x') WHERE index = 9")
    findings = await found(grown)
    assert findings.pop(codes.TILE_MISSING) == ["tile/0/000", "tile/1/000.p/2"]
    assert findings == {codes.BUNDLE_ALTERED: ["tile/entries/000"], codes.LEAF_ALTERED: ["entry:9"]}


async def test_an_entry_that_was_erased_everywhere_is_still_missed(grown: TestLog) -> None:
    await tamper(
        grown,
        f"DELETE FROM ledger_entry WHERE entry_id = '{await entry_id(grown, 9)}'",
        "DELETE FROM ledger_leaf WHERE index = 9",
    )
    rewrite(grown, "tile/0/000", None)
    rewrite(grown, "tile/entries/000", None)
    assert {codes.LEAF_MISSING, codes.TILE_MISSING, codes.BUNDLE_MISSING} <= (await found(grown)).keys()


async def test_a_history_forged_in_all_rows_and_files_fails_at_the_signatures(grown: TestLog) -> None:
    entries = (await grown.model()).entries
    entries[40] = entries[40].replace(b"service", b"servant")
    hashes = [leaf_hash(entry) for entry in entries]
    where = f"WHERE entry_id = '{await entry_id(grown, 40)}'"
    await tamper(grown, f"UPDATE ledger_entry SET entry = $1 {where}", values=(entries[40],))
    await tamper(grown, f"UPDATE ledger_leaf SET leaf_hash = $1 {where}", values=(hashes[40],))
    await tamper(grown, "UPDATE ledger_tile_root SET root = $1 WHERE index = 0", values=(root_of(hashes[:256]),))
    await tamper(grown, "UPDATE ledger_head SET root = $1", values=(root_of(hashes),))
    for tile in tiles_for(0, SIZE):
        span, start = 256**tile.level, tile.index * 256
        rows = [root_of(hashes[place * span : (place + 1) * span]) for place in range(start, start + tile.width)]
        rewrite(grown, tile_path(tile), b"".join(rows))
        if tile.level == 0:
            rewrite(grown, bundle_path(tile.index, tile.width), encode_bundle(entries[start : start + tile.width]))
    findings = await found(grown)
    assert findings.pop(codes.CHECKPOINT_ROOT) == ["checkpoint:300", "checkpoint:600", "checkpoint:700", "checkpoint"]
    assert findings == {codes.TILE_ALTERED: ["tile/1/000.p/1"]}, "a partial file of an earlier size was forgotten"


async def test_bytes_that_are_no_entry_are_named(grown: TestLog) -> None:
    (entry,) = grown.entries(1)
    await grown.conn.execute("INSERT INTO ledger_entry (entry_id, entry) VALUES ($1, 'rubbish')", entry.id)
    await grown.sequence()
    assert await found(grown) == {codes.ENTRY_MALFORMED: ["entry:700"]}


# Honest states


async def test_what_waits_or_is_not_published_yet_is_in_order(grown: TestLog) -> None:
    await grown.append(5)
    assert await found(grown) == {}
    await grown.sequence()
    assert await found(grown) == {}


async def test_a_log_without_anything_is_in_order(log: TestLog) -> None:
    assert await found(log) == {}
    await log.append(1)
    assert await found(log) == {}


async def test_it_says_what_was_recomputed_and_how_far_it_is(grown: TestLog) -> None:
    steps: list[tuple[int, int]] = []
    findings = [
        finding
        async for finding in audit_ledger(
            grown.conn,
            grown.folder,
            log=grown.signer.verifier,
            progress=lambda done, total: steps.append((done, total)),
        )
    ]
    checkpoint = await grown.checkpoint()
    assert [(finding.code, finding.details) for finding in findings] == [
        (codes.AUDITED, {"size": SIZE, "root": checkpoint.root.hex()})
    ]
    assert steps == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]


async def test_an_audit_of_a_log_in_use_finds_nothing(log: TestLog) -> None:
    sequencer, writer = log.sequencer(), await log.connect()
    async with running(sequencer):
        for _ in range(12):
            for _ in range(3):
                await store.append_many(writer, log.entries(70))
            assert await found(log) == {}
        await until(lambda: sequencer.status.published_size == 12 * 210)
        assert await found(log) == {}
    await writer.close()


async def test_rows_that_state_an_absurd_size_do_not_keep_the_audit_busy(grown: TestLog) -> None:
    await tamper(grown, "INSERT INTO ledger_checkpoint VALUES (2^62::bigint, 700, sha256('x'), 'note', now())")
    assert {codes.LEAF_MISSING, codes.HEAD_MISMATCH} <= (await found(grown)).keys()


def test_every_code_has_an_attack_or_a_test_of_its_own() -> None:
    others = {codes.AUDITED, codes.ROLLED_BACK, codes.REWRITTEN, codes.ENTRY_MALFORMED}
    assert {code for _, code, _ in ATTACKS} | others == FINDINGS.keys()
