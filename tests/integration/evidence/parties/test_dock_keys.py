"""Changes of a dock's key, against a real database: who may, once each, never back, and what they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from uuid import UUID

import pytest

from evidence.core.wire.cleared import ClearedFile
from evidence.db.pool import Connection, Pool
from evidence.errors import WireError, WireSignature
from evidence.parties.docks import RotatedKey, require_in_force, revoke_dock, rotate_dock_key
from evidence.parties.errors import (
    DockAlreadyEnrolled,
    DockKeyReused,
    DockKeySuperseded,
    DockNotInForce,
    DockUnknown,
)
from evidence.parties.statements import take_cleared, take_inventory
from evidence.parties.store import find_dock, key_entries
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.parties import PaperDock, enrol, file_of, paper_dock

Rotate = Callable[..., Coroutine[None, None, RotatedKey]]


@pytest.fixture
async def dock(pool: Pool) -> PaperDock:
    dock = paper_dock()
    await enrol(pool, dock, entropy=SeededEntropy(1))
    return dock


@pytest.fixture
def rotate(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> Rotate:
    async def hand_in(note: bytes, *, by: UUID) -> RotatedKey:
        async with pool.acquire() as conn, conn.transaction():
            return await rotate_dock_key(conn, dock=by, note=note, clock=clock, entropy=entropy)

    return hand_in


async def present_key(pool: Pool, dock: UUID) -> tuple[str, int]:
    async with pool.acquire() as conn:
        found = await find_dock(conn, dock)
    assert found is not None
    return found.vkey, found.key_sequence


async def test_the_new_key_counts_from_its_entry_on(pool: Pool, dock: PaperDock, rotate: Rotate) -> None:
    new = dock.successor()
    done = await rotate(dock.change_to(new), by=dock.dock)
    assert (done.sequence, done.vkey) == (1, new.vkey)
    assert await present_key(pool, dock.dock) == (new.vkey, 1)
    async with pool.acquire() as conn:
        assert (await key_entries(conn, dock.dock))[1:] == [done.entry_id]
        found = await find_dock(conn, dock.dock)
    assert found is not None
    assert found.key_since != found.enrolled_at


async def test_the_same_change_again_is_one_entry_and_one_answer(pool: Pool, dock: PaperDock, rotate: Rotate) -> None:
    note = dock.change_to(dock.successor())
    answers = await asyncio.gather(*(rotate(note, by=dock.dock) for _ in range(6)))
    assert len(set(answers)) == 1
    async with pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM custody_payload WHERE type = 'dock.key_rotated'") == 1


async def test_of_two_changes_at_once_one_wins(pool: Pool, dock: PaperDock, rotate: Rotate) -> None:
    notes = [dock.change_to(dock.successor(seed)) for seed in (11, 12)]
    ended = await asyncio.gather(*(rotate(note, by=dock.dock) for note in notes), return_exceptions=True)
    won = [one for one in ended if isinstance(one, RotatedKey)]
    lost = [one for one in ended if isinstance(one, DockKeySuperseded)]
    assert (len(won), len(lost)) == (1, 1)
    assert await present_key(pool, dock.dock) == (won[0].vkey, 1)


async def test_a_superseded_key_starts_no_change_and_gets_no_old_answer(dock: PaperDock, rotate: Rotate) -> None:
    second, third = dock.successor(11), dock.successor(12)
    first_change = dock.change_to(second)
    await rotate(first_change, by=dock.dock)
    await rotate(second.change_to(third, sequence=2), by=dock.dock)
    for note in (
        first_change,
        dock.change_to(dock.successor(13), sequence=1),
        dock.change_to(dock.successor(13), sequence=3),
        third.change_to(dock.successor(13), sequence=2),
        third.change_to(dock.successor(13), sequence=4),
    ):
        with pytest.raises(DockKeySuperseded):
            await rotate(note, by=dock.dock)


async def test_no_key_ever_comes_back(
    pool: Pool, dock: PaperDock, rotate: Rotate, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    second = dock.successor(11)
    await rotate(dock.change_to(second), by=dock.dock)
    with pytest.raises(DockKeyReused):
        await rotate(second.change_to(dock, sequence=2), by=dock.dock)
    stolen = PaperDock(dock.dock, second.signer)
    with pytest.raises(DockAlreadyEnrolled):
        await enrol(pool, stolen, entropy=SeededEntropy(9))


async def test_a_dock_changes_its_own_key_only(pool: Pool, dock: PaperDock, rotate: Rotate) -> None:
    other = paper_dock(2)
    await enrol(pool, other, entropy=SeededEntropy(2))
    with pytest.raises(WireSignature):
        await rotate(other.change_to(other.successor()), by=dock.dock)
    stranger = paper_dock(3)
    with pytest.raises(DockUnknown):
        await rotate(stranger.change_to(stranger.successor()), by=stranger.dock)
    with pytest.raises(WireError):
        await rotate(b"shilu/dock-key/v1\n{}\n", by=dock.dock)
    assert await present_key(pool, other.dock) == (other.vkey, 0)


async def test_a_revoked_dock_changes_no_key(
    pool: Pool, dock: PaperDock, rotate: Rotate, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    note = dock.change_to(dock.successor())
    await rotate(note, by=dock.dock)
    async with pool.acquire() as conn, conn.transaction():
        await revoke_dock(conn, dock=dock.dock, reason="失窃", actor="service", clock=clock, entropy=entropy)
    for again in (note, dock.successor().change_to(dock.successor(12), sequence=2)):
        with pytest.raises(DockNotInForce):
            await rotate(again, by=dock.dock)


async def test_a_statement_that_was_under_way_is_judged_by_the_key_that_counts_when_it_is_recorded(
    pool: Pool, dock: PaperDock, rotate: Rotate, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    new = dock.successor()
    inventory = dock.inventory(file_of("a.mp4"))
    cleared = ClearedFile(path="a.mp4", clip=UUID(int=1), sha256=b"\1" * 32)
    await rotate(dock.change_to(new), by=dock.dock)
    async with pool.acquire() as conn, conn.transaction():
        with pytest.raises(DockNotInForce):
            await take_inventory(
                conn, note=dock.inventory_note(inventory), verifier=dock.signer.verifier, clock=clock, entropy=entropy
            )
        note = dock.cleared_note(cleared)
        with pytest.raises(DockNotInForce):
            await take_cleared(conn, note=note, verifier=dock.signer.verifier, clock=clock, entropy=entropy)
        await take_inventory(
            conn, note=new.inventory_note(inventory), verifier=new.signer.verifier, clock=clock, entropy=entropy
        )


async def test_a_statement_signed_anew_after_a_change_is_the_same_statement(
    pool: Pool, dock: PaperDock, rotate: Rotate, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    new = dock.successor()
    inventory = dock.inventory(file_of("a.mp4"))
    at = clock()
    cleared = ClearedFile(path="a.mp4", clip=UUID(int=1), sha256=b"\1" * 32)

    async def state(by: PaperDock, conn: Connection) -> tuple[UUID, UUID]:
        verifier = by.signer.verifier
        taken = await take_inventory(
            conn, note=by.inventory_note(inventory), verifier=verifier, clock=clock, entropy=entropy
        )
        listed = await take_cleared(
            conn, note=by.cleared_note(cleared, at=at), verifier=verifier, clock=clock, entropy=entropy
        )
        return taken.entry_id, listed

    async with pool.acquire() as conn, conn.transaction():
        before = await state(dock, conn)
    await rotate(dock.change_to(new), by=dock.dock)
    async with pool.acquire() as conn, conn.transaction():
        assert await state(new, conn) == before


async def test_a_change_waits_for_statements_under_way_and_stands_behind_them_in_the_log(
    pool: Pool, dock: PaperDock, rotate: Rotate, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    note = dock.inventory_note(dock.inventory(file_of("a.mp4")))
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await require_in_force(conn, dock.dock, dock.signer.verifier)
        change = asyncio.create_task(rotate(dock.change_to(dock.successor()), by=dock.dock))
        await asyncio.sleep(0.1)
        assert not change.done()
        taken = await take_inventory(conn, note=note, verifier=dock.signer.verifier, clock=clock, entropy=entropy)
        await transaction.commit()
        changed = await change
        order = [
            row["entry_id"] for row in await conn.fetch("SELECT entry_id FROM ledger_pending ORDER BY xid, ordinal")
        ]
    assert order.index(taken.entry_id) < order.index(changed.entry_id)
