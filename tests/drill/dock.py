"""A dock, or who speaks in its name to the service: everything goes the regular way into the record and the log.

The log cannot tell a lie from the truth; the audit holds what was recorded against what the dock's own key signed.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from uuid import UUID

from evidence.core.clock import format_time
from evidence.core.digest import digest_file
from evidence.core.wire.clip_digest import digest_body
from evidence.core.wire.inventory import Inventory, InventoryFile, sign_inventory
from evidence.core.wire.manifest import Manifest, sign_manifest
from evidence.core.wire.statement import dock_key_name
from evidence.custody.record import record
from ledger.canonical import JsonObject
from ledger.note import Signer
from tests.drill.house import DrillHouse
from tests.drill.kinds import Adversary, Attack, Kind, Victim
from tests.support.small_house import RECORDER

_FIELDS = ("path", "recorder", "upload", "inventory", "sha256", "size")


def _stranger(house: DrillHouse, chance: Random) -> Signer:
    return Signer.generate(dock_key_name(house.dock), chance.randbytes)


async def _state_inventory(
    house: DrillHouse, signer: Signer, *, recorder: str = RECORDER, files: tuple[InventoryFile, ...] = ()
) -> None:
    inventory = Inventory(
        id=house.new_id(),
        dock=house.dock,
        recorder=recorder,
        seen_at=house.clock(),
        dock_clock=house.clock(),
        profile="generic-dcim",
        files=files,
    )
    note = sign_inventory(inventory, signer).decode()
    stated: JsonObject = {"inventory": str(inventory.id), "dock": str(house.dock), "recorder": RECORDER, "note": note}
    await house.write("dock.inventory", f"dock:{house.dock}", stated)
    await house.sequence()


async def inventory_of_another_key(house: DrillHouse, chance: Random) -> None:
    """An inventory in the dock's name, signed by a key that is not its own."""
    await _state_inventory(house, _stranger(house, chance))


async def inventory_misquoted(house: DrillHouse, chance: Random) -> None:
    """The dock signed for one recorder, the record says another."""
    await _state_inventory(house, house.dock_signer, recorder=f"OTHER{chance.randrange(1000)}")


async def file_gone_after_inventory(house: DrillHouse, chance: Random) -> None:
    """The dock saw some files, and one or more of them never come."""
    files = tuple(
        InventoryFile(
            path=f"DCIM/gone {chance.randrange(1 << 30)}.mp4",
            size=chance.randrange(1, 1 << 30),
            modified_at=house.clock(),
            order=order,
        )
        for order in range(chance.randrange(1, 4))
    )
    await _state_inventory(house, house.dock_signer, files=files)


async def inventory_of_a_superseded_key(house: DrillHouse, chance: Random) -> None:
    """The dock changed its key, and whoever kept the old one goes on."""
    await house.change_key(house.dock, house.dock_signer, _stranger(house, chance))
    if chance.randrange(2):
        await house.sequence()
    await _state_inventory(house, house.dock_signer)


async def inventory_of_a_key_to_come(house: DrillHouse, chance: Random) -> None:
    """A statement signed by a key that its dock gets only later."""
    new = _stranger(house, chance)
    await _state_inventory(house, new)
    await house.change_key(house.dock, house.dock_signer, new)
    await house.sequence()


async def manifest_of_a_revoked_dock(house: DrillHouse, chance: Random) -> None:
    """A clip of a dock that was revoked before."""
    await house.write("dock.revoked", f"dock:{house.dock}", {"dock": str(house.dock), "reason": "失窃"})
    await house.seal("late.mp4", chance.randbytes(chance.randrange(1, 5000)))
    await house.sequence()


async def key_changed_by_a_stranger(house: DrillHouse, chance: Random) -> None:
    """A key becomes the dock's that the dock did not vouch for, and speaks for it."""
    stranger, new = _stranger(house, chance), _stranger(house, chance)
    await house.change_key(house.dock, stranger, new)
    await _state_inventory(house, new)


async def change_of_key_out_of_turn(house: DrillHouse, chance: Random) -> None:
    """A change that leaves numbers out, as if there were others that nobody is to see."""
    await house.change_key(house.dock, house.dock_signer, _stranger(house, chance), sequence=chance.randrange(2, 9))
    await house.sequence()


def acting(hours: int, *, revoked: bool = False, known: bool = True) -> Attack:
    """Make the attack of a person who acts so many hours after having been let in, or without that."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        token, staff = house.new_id(), house.new_id()
        issued: JsonObject = {
            "token": str(token),
            "staff": str(staff if known else house.new_id()),
            "name": "某人",
            "role": "investigator",
            "expires_at": format_time(house.clock() + timedelta(hours=5)),
            "token_sha256": chance.randbytes(32).hex(),
        }
        await house.write("staff.token_issued", f"token:{token}", issued)
        if revoked:
            await house.write("staff.token_revoked", f"token:{token}", {"token": str(token), "reason": "离职"})
        await house.sequence()
        clip = chance.choice(list(house.clips.values()))
        async with house.pool.acquire() as conn, conn.transaction():
            await record(
                conn,
                type="clip.viewed",
                actor=f"staff:{staff}",
                subject=f"clip:{clip}",
                payload=house.viewed(clip),
                clock=lambda: house.clock() + timedelta(hours=hours),
                entropy=house.entropy,
            )
        await house.sequence()

    return attack


async def cleared_list_of_another_key(house: DrillHouse, chance: Random) -> None:
    """A cleared list in the dock's name, signed by a key that is not its own."""
    await house.write("dock.cleared", f"dock:{house.dock}", house.cleared(_stranger(house, chance)))
    await house.sequence()


async def manifest_of_another_key(house: DrillHouse, chance: Random) -> None:
    """A clip whose manifest another key signed."""
    signer, honest = _stranger(house, chance), house.dock_signer
    house.dock_signer = signer
    try:
        await house.seal("forged.mp4", chance.randbytes(500))
    finally:
        house.dock_signer = honest
    await house.sequence()


async def manifest_left_out(house: DrillHouse, chance: Random) -> None:
    """A clip from a dock that vouched for nothing."""
    await house.seal("unsigned.mp4", chance.randbytes(chance.randrange(1, 5000)), with_manifest=False)
    await house.sequence()


def manifest_disagreeing(field: str) -> Attack:
    """Make the attack that seals a clip although the dock signed something else about it."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        content = chance.randbytes(chance.randrange(2, 5000))
        source = house.root / "incoming"
        source.write_bytes(content if field not in ("sha256", "size") else _other(content, field))
        signed = digest_file(source)
        source.write_bytes(content)
        digest = digest_file(source)
        house.objects.adopt(source, digest.sha256.hex())
        clip, upload = house.new_id(), house.new_id()
        said: dict[str, str] = {
            "upload": str(upload),
            "inventory": str(house.inventory),
            "recorder": RECORDER,
            "path": f"DCIM/{chance.randrange(1 << 30)}.mp4",
        }
        stated = said | ({field: _another(house, field)} if field in said else {})
        manifest = Manifest(
            upload=UUID(stated["upload"]),
            dock=house.dock,
            inventory=UUID(stated["inventory"]),
            recorder=stated["recorder"],
            path=stated["path"],
            digest=signed,
        )
        payload: JsonObject = {
            "clip": str(clip),
            "name": "clip.mp4",
            "raw": False,
            "dock": str(house.dock),
            "actor": f"dock:{house.dock}",
            "manifest": sign_manifest(manifest, house.dock_signer).decode(),
            "recorded_at": None,
            "officer": None,
            "key_mark": False,
            "received_at": "2026-03-02T01:30:00.000Z",
            **said,
            **digest_body(digest),
        }
        await house.write("clip.sealed", f"clip:{clip}", payload)
        await house.sequence()

    return attack


def _other(content: bytes, field: str) -> bytes:
    return content[:-1] if field == "size" else bytes([content[0] ^ 1]) + content[1:]


def _another(house: DrillHouse, field: str) -> str:
    return {"path": "DCIM/another.mp4", "recorder": "ANOTHER"}.get(field) or str(house.new_id())


def _kind(name: str, attack: Attack) -> Kind:
    return Kind(Adversary.DOCK, name, attack, Victim.HOUSE, rows=True)


KINDS: tuple[Kind, ...] = (
    _kind("inventory signed by another key", inventory_of_another_key),
    _kind("inventory misquoted", inventory_misquoted),
    _kind("file gone after inventory", file_gone_after_inventory),
    _kind("cleared list signed by another key", cleared_list_of_another_key),
    _kind("manifest signed by another key", manifest_of_another_key),
    _kind("inventory signed by a superseded key", inventory_of_a_superseded_key),
    _kind("inventory signed by a key to come", inventory_of_a_key_to_come),
    _kind("manifest of a revoked dock", manifest_of_a_revoked_dock),
    _kind("key changed by a stranger", key_changed_by_a_stranger),
    _kind("change of key out of turn", change_of_key_out_of_turn),
    _kind("person without a token acts", acting(0, known=False)),
    _kind("person acts with an expired token", acting(7)),
    _kind("person acts with a revoked token", acting(3, revoked=True)),
    _kind("manifest left out", manifest_left_out),
    *(_kind(f"manifest disagrees about {field}", manifest_disagreeing(field)) for field in _FIELDS),
)
