"""Inventories and cleared lists on record: once each, by their own dock only, every file a row."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from evidence.core.wire.cleared import ClearedFile
from evidence.db.pool import Pool
from evidence.errors import WireError, WireSignature
from evidence.parties.errors import InventoryConflict
from evidence.parties.inventory_store import Inventoried, find_inventoried
from evidence.parties.statements import TakenInventory, take_cleared, take_inventory
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.parties import PaperDock, enrol, file_of, paper_dock


async def take(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, *, note: bytes, dock: PaperDock
) -> TakenInventory:
    async with pool.acquire() as conn, conn.transaction():
        return await take_inventory(conn, note=note, verifier=dock.signer.verifier, clock=clock, entropy=entropy)


async def count(pool: Pool, table: str) -> int:
    async with pool.acquire() as conn:
        number: int = await conn.fetchval(f"SELECT count(*) FROM {table}")
        return number


async def statements_on_record(pool: Pool) -> int:
    async with pool.acquire() as conn:
        number: int = await conn.fetchval("SELECT count(*) FROM custody_payload WHERE type = 'dock.inventory'")
        return number


@pytest.fixture(autouse=True)
async def enrolled(pool: Pool) -> None:
    for seed in (1, 2):
        await enrol(pool, paper_dock(seed), entropy=SeededEntropy(seed))


async def test_every_file_of_an_inventory_is_found_by_its_path(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    dock = paper_dock()
    escaped = file_of("DCIM/a%FF.mp4", order=3, raw=True)
    literal = file_of("DCIM/a%FF.mp4", order=4, size=0, officer="012345", key_mark=True)
    inventory = dock.inventory(file_of("视频/一.mp4", size=77, order=1), escaped, literal)
    await take(pool, clock, entropy, note=dock.inventory_note(inventory), dock=dock)
    async with pool.acquire() as conn:
        found = [
            await find_inventoried(conn, inventory=inventory.id, dock=dock.dock, path=file.path, raw=file.raw)
            for file in inventory.files
        ]
        stranger = await find_inventoried(
            conn, inventory=inventory.id, dock=paper_dock(2).dock, path="视频/一.mp4", raw=False
        )
        missing = await find_inventoried(conn, inventory=inventory.id, dock=dock.dock, path="视频/二.mp4", raw=False)
    assert found == [
        Inventoried(
            recorder=dock.recorder,
            path=file.path,
            raw=file.raw,
            size=file.size,
            recorded_at=file.recorded_at,
            officer=file.officer,
            key_mark=file.key_mark,
        )
        for file in inventory.files
    ]
    assert stranger is None
    assert missing is None


async def test_an_empty_recorder_is_on_record_too(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    dock = paper_dock()
    await take(pool, clock, entropy, note=dock.inventory_note(dock.inventory()), dock=dock)
    assert await count(pool, "dock_inventory") == 1
    assert await count(pool, "dock_inventory_file") == 0


async def test_the_same_inventory_sent_eight_times_at_once_is_one_entry(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    dock = paper_dock()
    note = dock.inventory_note(dock.inventory(file_of("a.mp4")))
    taken = await asyncio.gather(*(take(pool, clock, entropy, note=note, dock=dock) for _ in range(8)))
    assert len(set(taken)) == 1
    assert await statements_on_record(pool) == 1


async def test_an_id_stands_for_one_inventory(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    dock = paper_dock()
    id_ = UUID(int=5)
    await take(pool, clock, entropy, note=dock.inventory_note(dock.inventory(file_of("a.mp4"), id_=id_)), dock=dock)
    changed = dock.inventory_note(dock.inventory(file_of("b.mp4"), id_=id_))
    with pytest.raises(InventoryConflict):
        await take(pool, clock, entropy, note=changed, dock=dock)
    assert await count(pool, "dock_inventory_file") == 1


async def test_a_dock_speaks_only_for_itself(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    honest, other = paper_dock(1), paper_dock(2)
    note = honest.inventory_note(honest.inventory(file_of("a.mp4")))
    with pytest.raises(WireSignature):
        await take(pool, clock, entropy, note=note, dock=other)
    forged = PaperDock(honest.dock, other.signer)
    with pytest.raises(WireSignature):
        forged.inventory_note(forged.inventory(file_of("a.mp4")))
    assert await statements_on_record(pool) == 0


@pytest.mark.parametrize("damage", [b"", b"\xff", b"shilu/inventory/v1\n{}\n", b"\0" * 100])
async def test_what_is_no_inventory_leaves_no_trace(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, damage: bytes
) -> None:
    with pytest.raises(WireError):
        await take(pool, clock, entropy, note=damage, dock=paper_dock())
    assert await statements_on_record(pool) == 0


async def test_a_cleared_list_is_on_record_once(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    dock = paper_dock()
    note = dock.cleared_note(ClearedFile(path="a.mp4", clip=UUID(int=1), sha256=b"\1" * 32))

    async def clear() -> UUID:
        async with pool.acquire() as conn, conn.transaction():
            return await take_cleared(conn, note=note, verifier=dock.signer.verifier, clock=clock, entropy=entropy)

    assert len(set(await asyncio.gather(*(clear() for _ in range(4))))) == 1
    assert await count(pool, "dock_cleared") == 1


async def test_a_cleared_list_is_no_inventory(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    dock = paper_dock()
    note = dock.cleared_note(ClearedFile(path="a.mp4", clip=UUID(int=1), sha256=b"\1" * 32))
    with pytest.raises(WireError):
        await take(pool, clock, entropy, note=note, dock=dock)


@pytest.mark.parametrize(
    "table", ["dock", "dock_revocation", "dock_inventory", "dock_inventory_file", "dock_cleared", "dock_key"]
)
async def test_rows_of_docks_cannot_be_changed(pool: Pool, table: str) -> None:
    async with pool.acquire() as conn:
        with pytest.raises(Exception, match="insert-only"):
            await conn.execute(f"DELETE FROM {table}")
