"""The keys in the data folder, handed to the sequencer: what signs is what the record says has to sign.

keys/log.key        the log's key; while two sign, the older of them
keys/log.key.next   its successor; when the older one ends it is renamed to log.key, and the older one is gone

The record (`evidence.custody.log_keys`) is asked within each transaction that signs, so a change of keys holds from the
very next checkpoint on, whichever process made it. A key that is not in memory is looked for in the files; one that is
not there either ends the term (`log.key_missing`), which is tried again: copy the folder `keys` to every host that may
lead *before* the keys change, or soon after.

When the record's statements are news to this process, they are written beside the checkpoint, where whoever follows
the log finds them (`ledger.key_history`): durable before a checkpoint is signed that somebody may need them for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from api.errors import LogAbsent, LogKeyMissing, OriginMismatch
from api.folders import DataFolders
from api.key_file import Passphrase, load_key
from evidence.core.durable import sync_folder
from evidence.custody.log_keys import log_keys
from evidence.db.pool import Connection
from ledger.key_history import KeyHistory, statement_path
from ledger.note import Signer, Verifier
from ledger.publish import LogStorage


class FolderKeyring:
    """Keys of a data folder; see `ledger.leader.Keyring`.

    Args:
        folders: Where they lie.
        passphrase: Asked when a file is read that is protected.
        storage: The published log.
    """

    def __init__(self, folders: DataFolders, passphrase: Passphrase, storage: LogStorage) -> None:
        self._folders = folders
        self._passphrase = passphrase
        self._storage = storage
        self._held: dict[Verifier, Signer] = {}
        self._shown: tuple[bytes, ...] = ()

    async def signers(self, conn: Connection) -> Sequence[Signer]:
        """Return the keys that the record calls for; see the protocol.

        Raises:
            LogKeyMissing, OriginMismatch: They are not here.
            CodedError: A file cannot be opened, or the record's statements are no chain.
        """
        history = await log_keys(conn)
        if history is None:
            raise LogAbsent("no log was begun in this database")
        if any(verifier not in self._held for verifier in history.present):
            loaded = await asyncio.to_thread(load_keys, self._folders, history, self._passphrase)
            self._held = {signer.verifier: signer for signer in loaded}
        if self._shown != history.statements:
            await show_statements(self._storage, history)
            self._shown = history.statements
        return tuple(self._held[verifier] for verifier in history.present)


def load_keys(folders: DataFolders, history: KeyHistory, passphrase: Passphrase) -> tuple[Signer, ...]:
    """Read the keys that sign by a history, older first; a successor whose elder has ended takes its place.

    The second file is opened only when the first is not enough: what a broken change left there disturbs nobody.

    Raises:
        LogKeyMissing: A key is in neither file.
        OriginMismatch: log.key holds the key of another log.
        CodedError: A file cannot be opened; see `api.key_file`.
    """
    found: dict[Verifier, Signer] = {}
    for path in (folders.log_key, folders.next_log_key):
        if path.exists() and any(verifier not in found for verifier in history.present):
            signer = load_key(path, passphrase)
            if path == folders.log_key and signer.verifier not in history.verifiers:
                raise OriginMismatch(f"the key is that of the log {signer.name}", database=history.origin)
            found[signer.verifier] = signer
    for verifier in history.present:
        if verifier not in found:
            message = f"the key {verifier.vkey}, which signs for the log, is not in {folders.log_key.parent}"
            raise LogKeyMissing(message, origin=history.origin)
    promote(folders, history, found)
    return tuple(found[verifier] for verifier in history.present)


def promote(folders: DataFolders, history: KeyHistory, found: dict[Verifier, Signer]) -> None:
    """Let the successor's file take the place of its elder's, once the elder has ended; in one step and durable."""
    if len(history.present) == 1 and len(found) > 1:
        folders.next_log_key.replace(folders.log_key)
        sync_folder(folders.log_key.parent)


async def show_statements(storage: LogStorage, history: KeyHistory) -> None:
    """Write the statements beside the checkpoint; they never change.

    Raises:
        StorageConflict: Others stand there.
        OSError: The storage fails.
    """
    statements = enumerate(history.statements, start=1)
    await storage.put_immutable({statement_path(place): raw for place, raw in statements})
