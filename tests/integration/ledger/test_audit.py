"""The audit: an honest log gives no finding, and each kind of damage gives its own and no other.

The log under attack has 700 entries, published at 0, 300, 600 and 700. Attackers hold the database as superuser, the
folder, or both; only the last ones hold the log's key as well.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from ledger import audit_findings as codes
from ledger import store
from ledger.audit import FINDINGS, audit_ledger
from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointOrigin
from ledger.findings import Severity
from ledger.tiles import bundle_path, encode_bundle, tile_path, tiles_for
from ledger.tree import leaf_hash, root_of
from tests.support.ledger import TestLog, running, until
from tests.support.ledger_attacks import ATTACKS, CONSEQUENCES, SIZE, Attack, entry_id, flipped, grow, rewrite, tamper


@pytest.fixture
async def grown(log: TestLog) -> TestLog:
    """A log with a history."""
    await grow(log)
    return log


async def found(log: TestLog, since: Checkpoint | None = None) -> dict[str, list[str]]:
    """Return the subjects of the findings by code."""
    result: dict[str, list[str]] = {}
    for finding in await log.audit(since):
        assert finding.code in FINDINGS
        assert (finding.severity is Severity.WARNING) == (finding.code == codes.FILE_UNKNOWN)
        result.setdefault(finding.code, []).append(finding.subject)
    return result


@pytest.mark.parametrize(("attack", "code", "subjects"), ATTACKS, ids=[attack.__name__ for attack, _, _ in ATTACKS])
async def test_each_attack_is_named_and_nothing_else(
    grown: TestLog, attack: Attack, code: str, subjects: list[str]
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
    # Statements about keys are attacked where keys change: tests/integration/api/test_log_key_rotation.py.
    others = {codes.AUDITED, codes.ROLLED_BACK, codes.REWRITTEN, codes.ENTRY_MALFORMED, codes.KEYS_ALTERED}
    # Times and witnesses' lines: tests/unit/ledger/test_audit_times.py.
    times = {codes.ENTRY_MISDATED, codes.ENTRY_POSTDATED, codes.ENTRY_BACKDATED, codes.ENTRY_LATE, codes.CLOCK_JUMPED}
    times |= {codes.CLOCK_DISPUTED, codes.COSIGNATURE_FALSE, codes.QUORUM_BELOW}
    assert {code for _, code, _ in ATTACKS} | others | times == FINDINGS.keys()
