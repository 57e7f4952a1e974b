"""The log's identity: its name and key, chosen once, kept in one file and stated in the log's first entry.

Order of effects when a log begins:

1. keys/log.key is written and synced      crash: the next start finds the key and goes on with it
2. `log.created` is committed              from now on database and key belong together

A database without its key, a key without its database, or two that do not belong together: nothing is served. Keys that
follow the first one stand in the record with the statements of those before them, see `api.log_keys`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from api.errors import LogAbsent, OriginMismatch
from api.folders import DataFolders
from api.key_file import Passphrase, load_key, no_passphrase, save_key
from api.keyring import load_keys
from evidence.core.clock import Clock, Entropy
from evidence.custody.log_keys import log_keys, readable_log_keys
from evidence.custody.record import record
from evidence.custody.store import log_identity
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection, Pool
from ledger.key_history import KeyHistory
from ledger.note import Signer

_MADE_UP_BYTES = 8


async def open_log_key(
    pool: Pool,
    folders: DataFolders,
    *,
    origin: str | None,
    clock: Clock,
    entropy: Entropy,
    passphrase: Passphrase = no_passphrase,
) -> Signer:
    """Return the log's signing key, the younger one while two sign, and begin the log when there is none yet.

    Args:
        origin: The name it shall have; None takes the name it has, or makes one up.
        passphrase: Opens a protected key, and protects one that is made here; see `api.key_file`.

    Raises:
        LogKeyMissing: The database belongs to a log whose key is not in the file.
        LogKeyExposed, LogKeyDamaged, PassphraseMissing, PassphraseUnusable, PassphraseWrong: The key cannot be used.
        OriginMismatch: Key, database and configuration do not name the same log.
    """
    async with pool.acquire() as conn, conn.transaction():
        await lock_subject(conn, "log")
        history = await log_keys(conn)
        if history is not None:
            if origin not in (None, history.origin):
                raise OriginMismatch(f"the database is that of the log {history.origin}", configured=origin)
            return (await asyncio.to_thread(load_keys, folders, history, passphrase))[-1]
        path = folders.log_key
        signer = (
            load_key(path, passphrase)
            if path.exists()
            else _make(path, origin=origin, entropy=entropy, passphrase=passphrase())
        )
        if origin not in (None, signer.name):
            raise OriginMismatch(f"the key is that of the log {signer.name}", configured=origin)
        await _begin(conn, signer, clock=clock, entropy=entropy)
    return signer


async def has_log(pool: Pool) -> bool:
    """Tell whether a log was begun in this database."""
    async with pool.acquire() as conn:
        return await log_identity(conn) is not None


async def known_log_keys(pool: Pool) -> KeyHistory:
    """Return the keys that the log's checkpoints are checked with, without needing those they are signed with.

    Raises:
        LogAbsent: No log was begun in this database.
    """
    async with pool.acquire() as conn:
        history = await readable_log_keys(conn)
    if history is None:
        raise LogAbsent("no log was begun in this database; start the service once")
    return history


def _make(path: Path, *, origin: str | None, entropy: Entropy, passphrase: bytes | None) -> Signer:
    signer = Signer.generate(origin or f"shilu.local/{entropy(_MADE_UP_BYTES).hex()}", entropy)
    save_key(path, signer, passphrase=passphrase, entropy=entropy)
    return signer


async def _begin(conn: Connection, signer: Signer, *, clock: Clock, entropy: Entropy) -> None:
    await record(
        conn,
        type="log.created",
        actor="service",
        subject="log",
        payload={"origin": signer.name, "vkey": signer.verifier.vkey},
        clock=clock,
        entropy=entropy,
    )
