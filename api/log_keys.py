"""Changing the log's key, with a service running or stopped: the file first, then the record, then the file's place.

    rotate     no key ──1──> log.key.next durable ──2──> `log.key_rotated` committed: both sign from here on
    retire     two sign ──3──> `log.key_retired` committed: only the new one signs ──4──> log.key.next becomes log.key

| Broken off | Left behind | What goes on |
|---|---|---|
| before 1 | nothing | - |
| after 1 | a key that nobody knows | the next `rotate` takes it; nothing else looks at it |
| after 2 | two keys on record, both in their files | the sequencer signs the next checkpoint with both |
| after 3 | one key on record, its file under the name of the next | whoever opens the keys next does arrow 4 |
| after 4 | done | - |

The commands do not talk to a running service: both ask the database, in transactions that cannot cross
(`ledger.store.hold_keys`). The entry of the change is itself what the log grows by, so the next checkpoint follows at
once where a sequencer runs, and with the next start where none does.

`at_once` is for a key that leaked: arrows 2 and 3 are one transaction, so whoever has the old key signs nothing beyond
what the log had at that moment, for everybody who knows the statement. Docks and mirrors learn it by themselves from
`log/keys`. Witnesses cosign nothing before they are told (`shilu-witness add-keys`, or by hand with a foreign witness):
below the quorum nothing is published until then.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from api.folders import DataFolders
from api.key_file import Guise, Passphrase, guise_of, load_key, save_key
from api.keyring import load_keys, show_statements
from api.services import Services
from evidence.core.clock import Entropy
from evidence.custody.log_keys import KeyChange, keys_alone, record_retirement, record_rotation
from evidence.errors import LogKeysOverlap
from ledger.key_history import KeyHistory
from ledger.note import Signer


@dataclass(frozen=True, slots=True)
class ChangedKeys:
    """What a change of keys came to.

    Attributes:
        changes: The entries, in order: a succession, a retirement, or with `at_once` both.
    """

    changes: tuple[KeyChange, ...]

    @property
    def history(self) -> KeyHistory:
        """The keys as they stand now."""
        return self.changes[-1].history


async def rotate_log_key(services: Services, passphrase: Passphrase, *, at_once: bool) -> ChangedKeys:
    """Let a new key follow: made here, kept as the present one is kept; see the module for the order of effects.

    Raises:
        LogKeysOverlap: Two keys sign already.
        CodedError: A key file cannot be read.
    """
    folders, clock, entropy = services.folders, services.clock, services.entropy
    (old, *others) = await asyncio.to_thread(load_keys, folders, await services.log_keys(), passphrase)
    async with services.pool.acquire() as conn, conn.transaction():
        # From here on nobody else changes keys, so the file that is written next is nobody else's either.
        history = await keys_alone(conn)
        if others or history.present != (old.verifier,):
            raise LogKeysOverlap("two keys sign already; `shilu keys retire` ends the older of them")
        new = await asyncio.to_thread(_successor, folders, history, passphrase, entropy)
        changes = [await record_rotation(conn, old=old, new=new, clock=clock, entropy=entropy)]
        if at_once:
            changes.append(await record_retirement(conn, by=new, at_once=True, clock=clock, entropy=entropy))
    return await _settled(services, passphrase, tuple(changes))


async def retire_log_key(services: Services, passphrase: Passphrase) -> ChangedKeys:
    """Let the older of two keys end, and its file with it; see the module for the order of effects.

    Raises:
        LogKeysOverlap: There are not two keys.
        LogKeysUnseen: Nothing that both signed was published yet.
        CodedError: A key file cannot be read.
    """
    history = await services.log_keys()
    signers = await asyncio.to_thread(load_keys, services.folders, history, passphrase)
    async with services.pool.acquire() as conn, conn.transaction():
        change = await record_retirement(conn, by=signers[-1], clock=services.clock, entropy=services.entropy)
    return await _settled(services, passphrase, (change,))


async def _settled(services: Services, passphrase: Passphrase, changes: tuple[KeyChange, ...]) -> ChangedKeys:
    changed = ChangedKeys(changes)
    await show_statements(services.storage, changed.history)
    await asyncio.to_thread(load_keys, services.folders, changed.history, passphrase)
    return changed


def _successor(folders: DataFolders, history: KeyHistory, passphrase: Passphrase, entropy: Entropy) -> Signer:
    """Return the key that is to follow: the one a broken rotation left, or a new one, durable."""
    path = folders.next_log_key
    if path.exists():
        left = load_key(path, passphrase)
        if left.name == history.origin and left.verifier not in history.verifiers:
            return left
    signer = Signer.generate(history.origin, entropy)
    secret = passphrase() if guise_of(folders.log_key) is Guise.PROTECTED else None
    save_key(path, signer, passphrase=secret, entropy=entropy)
    return signer
