"""Lies about which key speaks for the log: statements slipped in, forged or garbled; a key that signs after its end."""

from __future__ import annotations

from pathlib import Path
from random import Random

from evidence.core.wire.receipt import parse_receipt
from ledger.key_history import KeyHistory
from ledger.key_statement import Retirement, Succession, sign_retirement, sign_succession
from ledger.note import Note, Signer, format_note, parse_note
from tests.drill.house import DrillHouse
from tests.drill.keyholder import forked_receipt
from tests.drill.kinds import Adversary, Kind, Victim
from tests.drill.network import evidence_file
from tests.drill.storage import overwrite
from tests.support.small_house import superuser


def _stranger(house: DrillHouse, chance: Random) -> Signer:
    return Signer.generate(house.signer.name, chance.randbytes)


def _succession(old: Signer, new: Signer, *, size: int) -> bytes:
    return sign_succession(Succession(1, old.verifier, new.verifier, size), old=old, new=new)


def _folder(house: DrillHouse, chance: Random) -> Path:
    return evidence_file("*.receipt")(house, chance).parent


async def statement_slipped_in(house: DrillHouse, chance: Random) -> None:
    """Publish a statement that is not on record: bytes, or a chain of one's own."""
    old, new = _stranger(house, chance), _stranger(house, chance)
    raw = chance.choice([chance.randbytes(300), b"", _succession(old, new, size=chance.randrange(1000))])
    (house.log_folder / "keys").mkdir(exist_ok=True)
    (house.log_folder / "keys" / "1").write_bytes(raw)


async def statement_row_inserted(house: DrillHouse, chance: Random) -> None:
    """Put a succession into the rows that no entry states."""
    new = _stranger(house, chance)
    note = _succession(_stranger(house, chance), new, size=chance.randrange(1000)).decode()
    async with superuser(house.dsn) as conn:
        await conn.execute(
            """INSERT INTO log_key_statement (number, kind, vkey, size, statement, at, entry_id)
               VALUES (1, 'rotated', $1, $2, $3, now(), $4)""",
            *(new.verifier.vkey, chance.randrange(1000), note, house.new_id()),
        )


async def signed_after_its_end(house: DrillHouse, chance: Random) -> None:
    """Give a court evidence signed by the log's key at a size at which it had ended."""
    old, new = house.signer, _stranger(house, chance)
    size = chance.randrange(1, house.since.size)
    ended = Retirement(1, old.verifier, new.verifier, size)
    statements = [_succession(old, new, size=chance.randrange(size)), sign_retirement(ended, by=new)]
    (_folder(house, chance) / "log.keys").write_bytes(KeyHistory.made(old.verifier, statements).format())


async def stranger_s_chain(house: DrillHouse, chance: Random) -> None:
    """Forge a receipt, and lay a true chain beside it that leads to its key from nobody."""
    path = evidence_file("*.receipt")(house, chance)
    old, new = _stranger(house, chance), _stranger(house, chance)
    overwrite(path, await forked_receipt(house, parse_receipt(path.read_bytes()), new, chance))
    chain = KeyHistory.made(old.verifier, [_succession(old, new, size=0)])
    path.with_name("log.keys").write_bytes(chain.format())


async def succession_of_oneself(house: DrillHouse, chance: Random) -> None:
    """Forge a receipt, and claim to follow the log's key without its word."""
    path = evidence_file("*.receipt")(house, chance)
    new = _stranger(house, chance)
    overwrite(path, await forked_receipt(house, parse_receipt(path.read_bytes()), new, chance))
    honest = _succession(house.signer, new, size=0)
    note = parse_note(honest)
    lines = chance.choice([note.signatures[1:], (note.signatures[1], note.signatures[1])])
    forged = format_note(Note(note.text, lines))
    told = KeyHistory.made(house.signer.verifier, [honest]).format()
    escaped = [raw.decode().replace('"', '\\"').replace("\n", "\\n").encode() for raw in (honest, forged)]
    path.with_name("log.keys").write_bytes(told.replace(escaped[0], escaped[1]))


async def statements_garbled(house: DrillHouse, chance: Random) -> None:
    """Lay something beside the evidence that should be statements."""
    (_folder(house, chance) / "log.keys").write_bytes(chance.randbytes(chance.randrange(400)))


KINDS: tuple[Kind, ...] = (
    Kind(Adversary.STORAGE, "key statement slipped in", statement_slipped_in, Victim.LOG),
    Kind(Adversary.DATABASE, "key statement: row inserted", statement_row_inserted, Victim.HOUSE, rows=True),
    Kind(Adversary.KEY, "key signs after its end", signed_after_its_end, Victim.COURT),
    Kind(Adversary.NETWORK, "evidence: key statements of a stranger", stranger_s_chain, Victim.COURT),
    Kind(Adversary.NETWORK, "evidence: key statement without the old key", succession_of_oneself, Victim.COURT),
    Kind(Adversary.NETWORK, "evidence: key statements garbled", statements_garbled, Victim.COURT),
)
