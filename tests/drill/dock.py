"""A dock, or who speaks in its name to the service: everything goes the regular way into the record and the log.

The log cannot tell a lie from the truth; the audit holds what was recorded against what the dock's own key signed.
"""

from __future__ import annotations

from random import Random
from uuid import UUID

from evidence.core.digest import digest_file
from evidence.core.wire.clip_digest import digest_body
from evidence.core.wire.inventory import Inventory, InventoryFile, sign_inventory
from evidence.core.wire.manifest import Manifest, sign_manifest
from evidence.core.wire.statement import dock_key_name
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
    _kind("manifest left out", manifest_left_out),
    *(_kind(f"manifest disagrees about {field}", manifest_disagreeing(field)) for field in _FIELDS),
)
