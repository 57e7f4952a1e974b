"""Receipts from a real ledger: every one verifies, none goes out that would not."""

from __future__ import annotations

import pytest

from evidence.core.wire.receipt import check_receipt, format_receipt, parse_receipt
from evidence.core.wire.sealed import read_sealed
from evidence.errors import EvidenceDamaged
from evidence.receipts import build_receipt
from ledger.errors import StorageUnreadable
from tests.support.small_house import SmallHouse, superuser


async def test_every_published_entry_has_a_receipt_that_verifies(house: SmallHouse) -> None:
    async with house.pool.acquire() as conn:
        for entry_id in house.entries.values():
            receipt = await build_receipt(conn, house.reader, entry_id)
            assert receipt is not None
            checked = check_receipt(parse_receipt(format_receipt(receipt)), log=house.signer.verifier)
            assert checked.entry.id == entry_id


async def test_a_receipt_says_which_clip_is_sealed(house: SmallHouse) -> None:
    async with house.pool.acquire() as conn:
        for name, clip in house.clips.items():
            receipt = await build_receipt(conn, house.reader, house.entries[f"clip.sealed:{name}"])
            assert receipt is not None
            checked = check_receipt(receipt, log=house.signer.verifier)
            sealed = read_sealed(checked.entry, checked.payload)
            assert (sealed.clip, sealed.name) == (clip, name)


async def test_an_entry_that_is_not_yet_published_has_none(house: SmallHouse) -> None:
    clip = await house.seal("late.mp4", b"late")
    entry_id = house.entries["clip.sealed:late.mp4"]
    async with house.pool.acquire() as conn:
        assert await build_receipt(conn, house.reader, entry_id) is None
        await house.publish()
        receipt = await build_receipt(conn, house.reader, entry_id)
    assert receipt is not None
    assert str(clip).encode() in receipt.payload


async def test_asked_again_it_is_the_same_with_a_newer_proof(house: SmallHouse) -> None:
    entry_id = house.entries["dock.inventory"]
    async with house.pool.acquire() as conn:
        first = await build_receipt(conn, house.reader, entry_id)
        await house.seal("late.mp4", b"late")
        await house.publish()
        second = await build_receipt(conn, house.reader, entry_id)
    assert first is not None
    assert second is not None
    assert (first.entry, first.payload, first.salt) == (second.entry, second.payload, second.salt)
    assert first.proof != second.proof


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE custody_payload SET payload = convert_to(replace(convert_from(payload, 'UTF8'), '4A', '4B'), 'UTF8')",
        "UPDATE custody_payload SET salt = sha256(salt)",
        "DELETE FROM custody_payload",
        """UPDATE ledger_leaf SET index = index + 100;
           UPDATE ledger_leaf SET index = (index - 99) % (SELECT count(*) FROM ledger_leaf)""",
    ],
)
async def test_nothing_goes_out_that_would_not_verify(house: SmallHouse, tampering: str) -> None:
    async with superuser(house.dsn) as conn:
        await conn.execute(tampering)
    async with house.pool.acquire() as conn:
        with pytest.raises(EvidenceDamaged):
            await build_receipt(conn, house.reader, house.entries["dock.inventory"])


async def test_a_damaged_tile_gives_no_receipt(house: SmallHouse) -> None:
    for tile in (house.root / "log" / "tile" / "0").rglob("*"):
        if tile.is_file():
            tile.chmod(0o644)
            tile.write_bytes(bytes(len(tile.read_bytes())))
    async with house.pool.acquire() as conn:
        with pytest.raises(StorageUnreadable):
            await build_receipt(conn, house.reader, house.entries["dock.inventory"])
