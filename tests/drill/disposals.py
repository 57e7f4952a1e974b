"""Tampering with disposals: what went is put back, and what was taken gets a tombstone as if it had gone by law."""

from __future__ import annotations

from random import Random

from tests.drill.house import DrillHouse
from tests.drill.kept import GONE, NAME
from tests.drill.kinds import Adversary, Kind, Victim
from tests.support.small_house import superuser


async def _put_back(house: DrillHouse, _chance: Random) -> None:
    house.objects.put(GONE)


async def _tombstone_forged(house: DrillHouse, chance: Random) -> None:
    """Remove an original and put a tombstone over it that looks like the other one."""
    async with superuser(house.dsn) as conn:
        clip, sha256 = chance.choice(await conn.fetch("SELECT clip, sha256 FROM clip WHERE name <> $1", NAME))
        await conn.execute(
            """INSERT INTO clip_disposal SELECT $1, appraisal, expired_on, because, stores, disposed_at,
               gen_random_uuid() FROM clip_disposal LIMIT 1""",
            clip,
        )
    path = house.objects.open_path(sha256.hex())
    path.unlink()


KINDS: tuple[Kind, ...] = (
    Kind(Adversary.STORAGE, "object of a disposed clip put back", _put_back, Victim.HOUSE),
    Kind(Adversary.DATABASE, "original removed, tombstone forged", _tombstone_forged, Victim.HOUSE, rows=True),
)
