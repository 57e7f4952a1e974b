"""Whoever tampers with parts of recordings: an excerpt, a beginning that was sealed, a redacted copy and its record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from evidence.core.digest import CHUNK_BYTES
from evidence.verify.excerpt_statement import ChunkRun, ExcerptStatement, format_excerpt, parse_excerpt
from tests.drill.handed import BEGUN, COPY
from tests.drill.house import DrillHouse
from tests.drill.kinds import Adversary, Attack, Kind, Victim
from tests.drill.network import altered, payload_altered, proof_node_altered, salt_altered
from tests.drill.storage import Change, Choice, change, delete, flipped, overwrite, replaced, truncated
from tests.support.small_house import superuser

Restated = Callable[[ExcerptStatement, Random], ExcerptStatement]


def part(folder: str, pattern: str) -> Choice:
    """Choose the file of that pattern in a folder of parts."""

    def choose(house: DrillHouse, _: Random) -> Path:
        (path,) = (house.parts_folder / folder).glob(pattern)
        return path

    return choose


def redacted_copy(house: DrillHouse, _: Random) -> Path:
    """Return where the redacted copy lies."""
    return house.objects.open_path(house.object_digest(COPY))


def restated(how: Restated) -> Attack:
    """Make the attack that has an excerpt's statement say something else, in good form."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        path = _STATEMENT(house, chance)
        overwrite(path, format_excerpt(how(parse_excerpt(path.read_bytes()), chance)))

    return attack


def run_moved(statement: ExcerptStatement, _: Random) -> ExcerptStatement:
    """Say that the last chunks stand one before where they do."""
    *before, last = statement.runs
    joined = ChunkRun(before[-1].first, before[-1].chunks + last.chunks, (*before[-1].proof, *last.proof))
    return replace(statement, runs=(*before[:-1], joined))


def proof_altered(statement: ExcerptStatement, chance: Random) -> ExcerptStatement:
    """Flip a bit of one hash of a run's proof."""
    place = chance.randrange(len(statement.runs))
    run = statement.runs[place]
    hashes, at = list(run.proof), chance.randrange(len(run.proof))
    hashes[at] = flipped(hashes[at], chance)
    runs = list(statement.runs)
    runs[place] = replace(run, proof=tuple(hashes))
    return replace(statement, runs=tuple(runs))


def cut_named_otherwise(statement: ExcerptStatement, chance: Random) -> ExcerptStatement:
    """Give the playable copy another digest."""
    assert statement.cut is not None
    return replace(statement, cut=replace(statement.cut, sha256=flipped(statement.cut.sha256, chance)))


def chunks_exchanged(raw: bytes, _: Random) -> bytes:
    """Show the chunks in another order."""
    return raw[CHUNK_BYTES:] + raw[:CHUNK_BYTES]


def begun_flipped(raw: bytes, chance: Random) -> bytes:
    """Flip a bit of what was sealed of the beginning; nobody vouches for the rest."""
    return flipped(raw[: len(BEGUN)], chance) + raw[len(BEGUN) :]


def begun_cut(raw: bytes, chance: Random) -> bytes:
    """Cut into what was sealed of the beginning."""
    return raw[: chance.randrange(len(BEGUN))]


def payload_of(event_type: str, statement: str) -> Attack:
    """Make the attack on the payload of an entry of a type; `{seed}` in the statement is another number every time."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        async with superuser(house.dsn) as conn:
            await conn.execute(f"{statement.format(seed=chance.randrange(1 << 30))} WHERE type = $1", event_type)

    return attack


_STATEMENT = part("excerpt", "*.excerpt")
_CHUNKS = part("excerpt", "*.chunks")
_CUT = part("excerpt", "*.cut.*")
_BEGUN = part("beginning", "growing.mp4")
_RECEIPTS = {"excerpt": part("excerpt", "*.receipt"), "beginning": part("beginning", "*.receipt")}
_ALTERED = (
    "UPDATE custody_payload SET payload = convert_to(regexp_replace(convert_from(payload, 'UTF8'),"
    ' \'"clip":"[^"]*"|"size":[0-9]+\', \'"size":{seed}\'), \'UTF8\')'
)
_DELETED = "DELETE FROM custody_payload"


def _court(name: str, attack: Attack) -> Kind:
    return Kind(Adversary.NETWORK, name, attack, Victim.PARTS)


def _changed(name: str, choose: Choice, *changes: tuple[str, Change]) -> tuple[Kind, ...]:
    return tuple(_court(f"{name}: {how}", change(choose, alter)) for how, alter in changes)


KINDS: tuple[Kind, ...] = (
    *_changed(
        "excerpt's chunks",
        _CHUNKS,
        ("bit flipped", flipped),
        ("truncated", truncated),
        ("exchanged", chunks_exchanged),
        ("replaced, same size", replaced),
    ),
    _court("excerpt's chunks: deleted", delete(_CHUNKS)),
    *_changed("excerpt's statement", _STATEMENT, ("truncated", truncated)),
    _court("excerpt's statement: chunks moved", restated(run_moved)),
    _court("excerpt's statement: proof altered", restated(proof_altered)),
    _court("excerpt's statement: another playable copy named", restated(cut_named_otherwise)),
    _court("excerpt's statement: deleted", delete(_STATEMENT)),
    *_changed("excerpt's playable copy", _CUT, ("bit flipped", flipped), ("truncated", truncated)),
    _court("excerpt's playable copy: deleted", delete(_CUT)),
    *_changed("sealed beginning", _BEGUN, ("bit flipped", begun_flipped), ("truncated", begun_cut)),
    *(
        _court(f"{name}'s receipt: {how}", altered(choose, alter))
        for name, choose in _RECEIPTS.items()
        for how, alter in (
            ("payload altered", payload_altered),
            ("salt altered", salt_altered),
            ("proof node altered", proof_node_altered),
        )
    ),
    *(
        Kind(Adversary.STORAGE, f"redacted copy: {how}", attack, Victim.HOUSE)
        for how, attack in (
            ("bit flipped", change(redacted_copy, flipped)),
            ("truncated", change(redacted_copy, truncated)),
            ("replaced, same size", change(redacted_copy, replaced)),
            ("deleted", delete(redacted_copy)),
        )
    ),
    *(
        Kind(Adversary.DATABASE, f"{event_type}: payload {how}", payload_of(event_type, sql), Victim.HOUSE, rows=True)
        for event_type in ("clip.redacted", "clip.excerpted", "clip.prefix")
        for how, sql in (("altered", _ALTERED), ("deleted", _DELETED))
    ),
)
