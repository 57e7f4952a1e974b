"""The life of the log's key on record: a new key follows, the old one ends; each is one entry with a signed statement.

The entries state from and up to which size a key signs. So that this is exact while a sequencer runs, a checkpoint is
signed in a transaction that shares the lock of `ledger.store.hold_keys`, and keys change in one that has it alone: what
was signed before is on record when the size is read, and what is signed after is signed by the keys that came of it.

The rows are a projection like all others; `log_keys` judges them anew whenever they are read.
"""

from __future__ import annotations

from dataclasses import dataclass

from evidence.core.clock import Clock, Entropy
from evidence.custody.record import Recorded, record
from evidence.custody.store import log_identity, log_key_statements
from evidence.db.pool import Connection
from evidence.errors import LogKeysOverlap, LogKeysUnseen
from ledger.canonical import JsonObject
from ledger.errors import LedgerInputError
from ledger.key_history import KeyHistory
from ledger.key_statement import Retirement, Succession, sign_retirement, sign_succession
from ledger.note import Signer, Verifier
from ledger.store import change_keys, newest_checkpoint, published_size


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change of keys on record.

    Attributes:
        history: The keys as they stand now.
        size: The size it takes effect above.
        entry: The ledger entry.
    """

    history: KeyHistory
    size: int
    entry: Recorded


async def log_keys(conn: Connection) -> KeyHistory | None:
    """Return the log's keys as its statements tell them, or None before the log was created.

    Raises:
        CodedError: The rows do not make a chain: somebody altered them.
    """
    identity = await log_identity(conn)
    if identity is None:
        return None
    return KeyHistory.made(Verifier.parse(identity[1]), await log_key_statements(conn))


async def readable_log_keys(conn: Connection) -> KeyHistory | None:
    """Return the log's keys as far as the rows tell a chain; for those who look, never for those who sign.

    Rows that somebody altered must not keep an audit from running: it names them (`row.*`).
    """
    identity = await log_identity(conn)
    if identity is None:
        return None
    first, statements = Verifier.parse(identity[1]), await log_key_statements(conn)
    for told in range(len(statements), 0, -1):
        try:
            return KeyHistory.made(first, statements[:told])
        except LedgerInputError:
            continue
    return KeyHistory.of(first)


async def keys_alone(conn: Connection) -> KeyHistory:
    """Keep out whoever signs or changes keys until the transaction ends, and return the keys as they are then.

    Raises:
        LogKeysOverlap: There is no log.
        CodedError: See `log_keys`.
    """
    await change_keys(conn)
    history = await log_keys(conn)
    if history is None:
        raise LogKeysOverlap("no log was begun in this database: it has no key that could be followed")
    return history


async def record_rotation(conn: Connection, *, old: Signer, new: Signer, clock: Clock, entropy: Entropy) -> KeyChange:
    """Record that a new key follows, in the caller's transaction; from its commit on both sign.

    Raises:
        LogKeysOverlap: A succession is under way already, or the old key is not the one that signs.
    """
    history = await keys_alone(conn)
    if history.present != (old.verifier,):
        raise LogKeysOverlap("two keys sign already, or another one does; `shilu keys retire` ends the older of two")
    newest = await newest_checkpoint(conn)
    statement = Succession(history.successions + 1, old.verifier, new.verifier, newest.size if newest else 0)
    note = sign_succession(statement, old=old, new=new)
    payload: JsonObject = {
        "number": statement.number,
        "old": old.verifier.vkey,
        "new": new.verifier.vkey,
        "size": statement.size,
        "statement": note.decode(),
    }
    entry = await _record(conn, "log.key_rotated", payload, clock=clock, entropy=entropy)
    return KeyChange(KeyHistory.made(history.first, [*history.statements, note]), statement.size, entry)


async def record_retirement(
    conn: Connection, *, by: Signer, at_once: bool = False, clock: Clock, entropy: Entropy
) -> KeyChange:
    """Record that the older of two keys ends, in the caller's transaction; from its commit on only the younger signs.

    Args:
        by: The key that stays.
        at_once: Whether to do so before anybody could have seen a checkpoint that both signed.

    Raises:
        LogKeysOverlap: There are not two keys, or the younger is another one.
        LogKeysUnseen: Nothing that both signed was published yet.
    """
    history = await keys_alone(conn)
    if len(history.present) != 2 or history.newest != by.verifier:
        raise LogKeysOverlap("there are no two keys of which the older could end; `shilu keys rotate` begins")
    old, followed = history.present[0], history.spans[-1].above
    if not at_once and (await published_size(conn)) <= followed:
        raise LogKeysUnseen(f"no checkpoint of more than {followed} entries, which both keys sign, was published yet")
    newest = await newest_checkpoint(conn)
    statement = Retirement(history.successions, old, by.verifier, newest.size if newest else 0)
    note = sign_retirement(statement, by=by)
    payload: JsonObject = {
        "number": statement.number,
        "vkey": old.vkey,
        "size": statement.size,
        "statement": note.decode(),
    }
    entry = await _record(conn, "log.key_retired", payload, clock=clock, entropy=entropy)
    return KeyChange(KeyHistory.made(history.first, [*history.statements, note]), statement.size, entry)


async def _record(conn: Connection, kind: str, payload: JsonObject, *, clock: Clock, entropy: Entropy) -> Recorded:
    return await record(conn, type=kind, actor="service", subject="log", payload=payload, clock=clock, entropy=entropy)
