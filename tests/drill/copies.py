"""The admin of the second store: has the bucket, its versions and locks, and neither key, database nor originals."""

from __future__ import annotations

from random import Random

from tests.drill.house import DrillHouse
from tests.drill.kinds import Adversary, Attack, Kind, Victim


def one_copy(house: DrillHouse, chance: Random) -> str:
    """Choose a copy."""
    return chance.choice(sorted(stored.sha256 for stored in house.second.list()))


async def hidden(house: DrillHouse, chance: Random) -> None:
    """Delete a copy, which only hides it: its version is locked."""
    house.bucket.delete(one_copy(house, chance))


async def forgotten(house: DrillHouse, chance: Random) -> None:
    """Remove a copy with its version, against its lock."""
    house.bucket.forget(one_copy(house, chance))


async def replaced(house: DrillHouse, chance: Random) -> None:
    """Write other bytes of the same length over a copy."""
    name = one_copy(house, chance)
    house.bucket.write(name, chance.randbytes(house.second.size(name)))


async def truncated(house: DrillHouse, chance: Random) -> None:
    """Write less over a copy."""
    name = one_copy(house, chance)
    house.bucket.write(name, house.second.read(name, start=0, end=chance.randrange(house.second.size(name))))


async def written_anew(house: DrillHouse, chance: Random) -> None:
    """Write the same bytes once more, without a lock, so that they can be deleted one day."""
    name = one_copy(house, chance)
    house.bucket.write(name, house.second.read(name, start=0, end=house.second.size(name)))


async def unlocked(house: DrillHouse, chance: Random) -> None:
    """Let a lock end early."""
    house.bucket.shorten(one_copy(house, chance), house.clock())


async def planted(house: DrillHouse, chance: Random) -> None:
    """Put an object between the copies."""
    house.bucket.write(chance.randbytes(32).hex(), chance.randbytes(chance.randrange(1, 500)))


def _kind(name: str, attack: Attack) -> Kind:
    return Kind(Adversary.SECOND, name, attack, Victim.COPIES)


KINDS: tuple[Kind, ...] = (
    _kind("copy: hidden by a deletion", hidden),
    _kind("copy: removed with its version", forgotten),
    _kind("copy: replaced, same size", replaced),
    _kind("copy: truncated", truncated),
    _kind("copy: written anew without a lock", written_anew),
    _kind("copy: lock shortened", unlocked),
    _kind("copy: planted", planted),
)
