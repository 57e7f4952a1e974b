"""The storage admin: writes to every file of the objects and of the published log, and has neither key nor database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from uuid import UUID

from tests.drill.house import DrillHouse
from tests.drill.kinds import Adversary, Attack, Kind, Victim

Change = Callable[[bytes, Random], bytes]
Choice = Callable[[DrillHouse, Random], Path]


def flipped(raw: bytes, chance: Random) -> bytes:
    """Flip one bit somewhere."""
    changed = bytearray(raw)
    changed[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def truncated(raw: bytes, chance: Random) -> bytes:
    """Cut somewhere, perhaps everything."""
    return raw[: chance.randrange(len(raw))]


def extended(raw: bytes, chance: Random) -> bytes:
    """Append some bytes."""
    return raw + chance.randbytes(chance.randrange(1, 2000))


def replaced(raw: bytes, chance: Random) -> bytes:
    """Put other bytes of the same length."""
    return chance.randbytes(len(raw))


def overwrite(path: Path, data: bytes) -> None:
    """Write a file anew, whatever its mode."""
    if path.exists():
        path.chmod(0o644)
    path.write_bytes(data)


def change(choose: Choice, how: Change) -> Attack:
    """Make the attack that changes the bytes of one chosen file."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        path = choose(house, chance)
        raw = path.read_bytes()
        overwrite(path, how(raw, chance))

    return attack


def delete(choose: Choice) -> Attack:
    """Make the attack that removes one chosen file."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        choose(house, chance).unlink()

    return attack


def swap(choose: Choice) -> Attack:
    """Make the attack that exchanges two chosen files that differ."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        first = second = choose(house, chance)
        while second.read_bytes() == first.read_bytes():
            second = choose(house, chance)
        contents = first.read_bytes(), second.read_bytes()
        overwrite(first, contents[1])
        overwrite(second, contents[0])

    return attack


def one_object(house: DrillHouse, chance: Random) -> Path:
    """Choose an object, an original or a derivative."""
    return chance.choice(sorted(path for path in (house.root / "objects" / "sha256").rglob("*") if path.is_file()))


def kept_bytes(house: DrillHouse, chance: Random) -> Path:
    """Choose damaged bytes that a repair put aside."""
    return chance.choice(sorted(house.objects.quarantine.iterdir()))


def one_of(*patterns: str) -> Choice:
    """Choose a published file that the newest checkpoint needs."""

    def choose(house: DrillHouse, chance: Random) -> Path:
        return chance.choice(sorted(path for pattern in patterns for path in house.log_folder.glob(pattern)))

    return choose


def newest_partial(*patterns: str) -> Choice:
    """Choose among the partial files that the newest checkpoint needs: the last tile's, at its greatest width."""

    def choose(house: DrillHouse, chance: Random) -> Path:
        newest = []
        for pattern in patterns:
            found = sorted(house.log_folder.glob(pattern), key=lambda path: (path.parent.name, int(path.name)))
            newest += found[-1:]
        return chance.choice(newest)

    return choose


async def object_renamed(house: DrillHouse, chance: Random) -> None:
    """Move an object to a name that nothing on record knows."""
    path, name = one_object(house, chance), chance.randbytes(32).hex()
    target = path.parent.parent / name[:2] / name
    target.parent.mkdir(exist_ok=True)
    path.rename(target)


async def object_planted(house: DrillHouse, chance: Random) -> None:
    """Put an object into the store."""
    house.objects.put(chance.randbytes(chance.randrange(1, 500)))


async def bytes_planted(house: DrillHouse, chance: Random) -> None:
    """Put bytes aside that no repair did."""
    name = one_object(house, chance).name
    planted = UUID(bytes=chance.randbytes(16))
    (house.objects.quarantine / f"{name}.{planted}.damaged").write_bytes(chance.randbytes(100))


async def checkpoint_rolled_back(house: DrillHouse, chance: Random) -> None:
    """Show an earlier checkpoint as it was published."""
    async with house.pool.acquire() as conn:
        rows = await conn.fetch("SELECT note FROM ledger_publication ORDER BY size")
    overwrite(house.log_folder / "checkpoint", chance.choice(rows[:-1])["note"])


def garbled_log_part(raw: bytes, chance: Random) -> bytes:
    """Flip a bit of what the log itself wrote, not of a witness's line."""
    end = raw.rstrip(b"\n").rindex(b"\n") + 1
    return flipped(raw[:end], chance) + raw[end:]


def garbled_cosignature(raw: bytes, chance: Random) -> bytes:
    """Flip a bit of the witness's line."""
    end = raw.rstrip(b"\n").rindex(b"\n") + 1
    return raw[:end] + flipped(raw[end:], chance)


def removed_cosignature(raw: bytes, _: Random) -> bytes:
    """Take the witness's line away."""
    return b"".join(raw.splitlines(keepends=True)[:-1])


async def log_folder_emptied(house: DrillHouse, chance: Random) -> None:
    """Remove every tile of one level."""
    level = chance.choice(["0", "1", "entries"])
    for path in (house.log_folder / "tile" / level).rglob("*"):
        if path.is_file():
            path.unlink()


_FULL = {"level 0 tile": ("tile/0/[0-9]*[0-9]",), "entry bundle": ("tile/entries/[0-9]*[0-9]",)}
_PARTIAL = {
    "level 0 partial tile": ("tile/0/*.p/*",),
    "level 1 tile": ("tile/1/*.p/*",),
    "partial entry bundle": ("tile/entries/*.p/*",),
}
_CHOICES: dict[str, Choice] = {
    **{name: one_of(*patterns) for name, patterns in _FULL.items()},
    **{name: newest_partial(*patterns) for name, patterns in _PARTIAL.items()},
}


def _checkpoint(house: DrillHouse, _: Random) -> Path:
    return house.log_folder / "checkpoint"


def _kind(name: str, attack: Attack, victim: Victim) -> Kind:
    return Kind(Adversary.STORAGE, name, attack, victim)


KINDS: tuple[Kind, ...] = (
    _kind("object: byte flipped", change(one_object, flipped), Victim.HOUSE),
    _kind("object: truncated", change(one_object, truncated), Victim.HOUSE),
    _kind("object: extended", change(one_object, extended), Victim.HOUSE),
    _kind("object: replaced, same size", change(one_object, replaced), Victim.HOUSE),
    _kind("object: two swapped", swap(one_object), Victim.HOUSE),
    _kind("object: deleted", delete(one_object), Victim.HOUSE),
    _kind("object: renamed", object_renamed, Victim.HOUSE),
    _kind("object: planted", object_planted, Victim.HOUSE),
    _kind("kept damaged bytes: flipped", change(kept_bytes, flipped), Victim.COPIES),
    _kind("kept damaged bytes: deleted", delete(kept_bytes), Victim.COPIES),
    _kind("kept damaged bytes: planted", bytes_planted, Victim.COPIES),
    *(_kind(f"{name}: bit flipped", change(choice, flipped), Victim.LOG) for name, choice in _CHOICES.items()),
    *(_kind(f"{name}: truncated", change(choice, truncated), Victim.LOG) for name, choice in _CHOICES.items()),
    *(_kind(f"{name}: deleted", delete(choice), Victim.LOG) for name, choice in _CHOICES.items()),
    _kind("level 0 tile: two swapped", swap(_CHOICES["level 0 tile"]), Victim.LOG),
    _kind("entry bundle: two swapped", swap(_CHOICES["entry bundle"]), Victim.LOG),
    _kind("tiles: a whole level deleted", log_folder_emptied, Victim.LOG),
    _kind("checkpoint file: garbled", change(_checkpoint, garbled_log_part), Victim.LOG),
    _kind("checkpoint file: cosignature garbled", change(_checkpoint, garbled_cosignature), Victim.READER),
    _kind("checkpoint file: cosignature removed", change(_checkpoint, removed_cosignature), Victim.READER),
    _kind("checkpoint file: rolled back", checkpoint_rolled_back, Victim.LOG),
    _kind("checkpoint file: rolled far back", checkpoint_rolled_back, Victim.HOUSE),
    _kind("checkpoint file: truncated", change(_checkpoint, truncated), Victim.LOG),
    _kind("checkpoint file: deleted", delete(_checkpoint), Victim.LOG),
)
