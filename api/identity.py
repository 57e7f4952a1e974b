"""The log's identity: its name and key, chosen once, kept in one file and stated in the log's first entry.

Order of effects when a log begins:

1. keys/log.key is written and synced      crash: the next start finds the key and goes on with it
2. `log.created` is committed              from now on database and key belong together

A database without its key, a key without its database, or two that do not belong together: nothing is served, for a log
that signs under a second key is another log.
"""

from __future__ import annotations

from pathlib import Path

from api.errors import LogAbsent, LogKeyMissing, OriginMismatch
from api.key_file import Passphrase, load_key, no_passphrase, save_key
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import record
from evidence.custody.store import log_identity
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection, Pool
from ledger.note import Signer, Verifier

_MADE_UP_BYTES = 8


async def open_log_key(
    pool: Pool,
    path: Path,
    *,
    origin: str | None,
    clock: Clock,
    entropy: Entropy,
    passphrase: Passphrase = no_passphrase,
) -> Signer:
    """Return the log's signing key, and begin the log when there is none yet.

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
        known = await log_identity(conn)
        if known is not None and not path.exists():
            raise LogKeyMissing(f"the key of the log {known[0]} is not in {path.name}", origin=known[0])
        if path.exists():
            signer = load_key(path, passphrase)
        else:
            signer = _make(path, origin=origin, entropy=entropy, passphrase=passphrase())
        identity = (signer.name, signer.verifier.vkey)
        if origin not in (None, signer.name) or known not in (None, identity):
            raise OriginMismatch(
                f"the key is that of the log {signer.name}", configured=origin, database=known and known[0]
            )
        if known is None:
            await _begin(conn, signer, clock=clock, entropy=entropy)
    return signer


async def has_log(pool: Pool) -> bool:
    """Tell whether a log was begun in this database."""
    async with pool.acquire() as conn:
        return await log_identity(conn) is not None


async def log_verifier(pool: Pool) -> Verifier:
    """Return the key that the log's checkpoints are checked with, without needing the one they are signed with.

    Raises:
        LogAbsent: No log was begun in this database.
    """
    async with pool.acquire() as conn:
        known = await log_identity(conn)
    if known is None:
        raise LogAbsent("no log was begun in this database; start the service once")
    return Verifier.parse(known[1])


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
