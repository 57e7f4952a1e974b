"""A witness's memory: which logs it knows and what it cosigned last, in one SQLite file. All SQL of the witness.

The file is worth as much as the key: a witness that forgets could cosign another history. So it is made once, beside
its key, and never again; a missing file is an error, not a fresh start. It names the key it belongs to.

Crash story of `advance`: BEGIN IMMEDIATE takes the one write lock (of all threads and all processes), the judge
decides on what is read under it, the new checkpoint is written, COMMIT brings it to the disk (WAL, synchronous=FULL).
Only after that may a cosignature leave. Killed before the commit, nothing happened; after it, the log asks again, is
told the size by a 409 if it did not know it, and gets the same checkpoint cosigned anew. Triggers refuse to go back or
to change the root of a size, whoever writes.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.durable import sync_file, sync_folder
from ledger.key_history import KeyHistory
from ledger.keys import parse_public_key
from ledger.note import NoteVerifier, Verifier
from ledger.witness.errors import (
    WitnessKeysUnrelated,
    WitnessLogKnown,
    WitnessMemoryUnusable,
    WitnessMissing,
    WitnessTaken,
)
from ledger.witness.judge import Answer, Seen
from ledger.witness.request import AddCheckpoint

BUSY_SECONDS = 10.0
"""How long one writer waits for another."""

_FORMAT = 1
_APPLICATION = int.from_bytes(b"shwi")

_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_FORMAT};
CREATE TABLE witness (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), vkey TEXT NOT NULL) STRICT;
CREATE TABLE log_key (vkey TEXT PRIMARY KEY, origin TEXT NOT NULL) STRICT;
CREATE INDEX log_key_origin ON log_key (origin);
CREATE TABLE seen (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL CHECK (size >= 0), root BLOB NOT NULL CHECK (length(root) = 32),
    note BLOB NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TRIGGER never_back BEFORE UPDATE ON seen
WHEN NEW.origin <> OLD.origin OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;
CREATE TRIGGER never_forget BEFORE DELETE ON seen BEGIN SELECT RAISE(ABORT, 'a witness never forgets'); END;
CREATE TRIGGER one_identity BEFORE UPDATE ON witness BEGIN SELECT RAISE(ABORT, 'a witness has one key'); END;
"""


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log that a witness knows.

    Attributes:
        origin: Its name.
        vkeys: Keys that may sign for it.
        size: What was cosigned last, None when nothing was.
        root: The root of that.
        at: POSIX seconds of that.
    """

    origin: str
    vkeys: tuple[str, ...]
    size: int | None
    root: bytes | None
    at: int | None


class Memory:
    """The memory of one witness; safe to share between threads and processes, each call opens its own connection.

    Args:
        path: The file; see `create`.
        vkey: The key it has to belong to.
    """

    def __init__(self, path: Path, *, vkey: str) -> None:
        self._path = path
        with self._reading() as conn:
            row = conn.execute("SELECT vkey FROM witness").fetchone()
        if row is None or row[0] != vkey:
            raise WitnessMemoryUnusable(f"{path} is the memory of another key")

    @classmethod
    def create(cls, path: Path, *, vkey: str) -> Memory:
        """Make the memory of a new witness, durable when this returns.

        Raises:
            WitnessTaken: There is a file already.
            WitnessMemoryUnusable: It cannot be written.
        """
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError as error:
            raise WitnessTaken(f"{path} is there already") from error
        with _telling(path), contextlib.closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute("PRAGMA synchronous = FULL")
            conn.executescript(f"BEGIN IMMEDIATE; {_SCHEMA}")
            conn.execute("INSERT INTO witness VALUES (1, ?)", (vkey,))
            conn.execute("COMMIT")
        sync_file(path)
        sync_folder(path.parent)
        return cls(path, vkey=vkey)

    def add_log(self, verifier: NoteVerifier) -> None:
        """Believe a log key from now on; further keys of one origin are for its rotation.

        Raises:
            WitnessLogKnown: It is believed already.
            WitnessMemoryUnusable: The memory cannot be written.
        """
        with self._writing() as conn:
            added = conn.execute(
                "INSERT INTO log_key VALUES (?, ?) ON CONFLICT DO NOTHING", (verifier.vkey, verifier.name)
            )
            if added.rowcount != 1:
                raise WitnessLogKnown(f"this key of {verifier.name} is known already")

    def add_keys(self, keys: KeyHistory) -> tuple[Verifier, ...]:
        """Go over to the keys that a log's statements lead to, from one that is believed; return those believed now.

        Retired keys are believed no more: what is larger than what was cosigned is not theirs to sign.
        A crash leaves the keys as they were, or as they are now.

        Raises:
            WitnessKeysUnrelated: The log is not known, or none of the keys is believed.
            WitnessMemoryUnusable: The memory cannot be written.
        """
        with self._writing() as conn:
            rows = conn.execute("SELECT vkey FROM log_key WHERE origin = ?", (keys.origin,)).fetchall()
            known = {vkey for (vkey,) in rows}
            believed = [place for place, verifier in enumerate(keys.verifiers) if verifier.vkey in known]
            if not believed:
                raise WitnessKeysUnrelated(f"the statements lead on from no key that is believed of {keys.origin}")
            for place, verifier in enumerate(keys.verifiers):
                if verifier not in keys.present:
                    conn.execute("DELETE FROM log_key WHERE vkey = ?", (verifier.vkey,))
                elif place > believed[0]:
                    # Only forwards: statements of yesterday must not bring back a key that was retired since.
                    row = (verifier.vkey, verifier.name)
                    conn.execute("INSERT INTO log_key VALUES (?, ?) ON CONFLICT DO NOTHING", row)
        return tuple(verifier for verifier in self.trusted(keys.origin) if isinstance(verifier, Verifier))

    def trusted(self, origin: str) -> tuple[NoteVerifier, ...]:
        """Return the keys that may sign for a log; none when it is not known."""
        with self._reading() as conn:
            rows = conn.execute("SELECT vkey FROM log_key WHERE origin = ? ORDER BY vkey", (origin,)).fetchall()
        return tuple(log_verifier(vkey) for (vkey,) in rows)

    def logs(self) -> list[KnownLog]:
        """Return every known log and what was cosigned last."""
        with self._reading() as conn:
            rows = conn.execute(
                """SELECT origin, group_concat(vkey, char(10)), size, root, at
                   FROM log_key LEFT JOIN seen USING (origin) GROUP BY origin ORDER BY origin"""
            ).fetchall()
        return [KnownLog(origin, tuple(vkeys.split("\n")), *seen) for origin, vkeys, *seen in rows]

    def advance(
        self, request: AddCheckpoint, *, at: int, judge: Callable[[AddCheckpoint, Seen | None], Answer | None]
    ) -> Answer | None:
        """Judge a request against what is remembered and remember it, as one; see the module's crash story.

        Args:
            at: POSIX seconds of the cosignature to come.
            judge: Decides; its refusal is returned and nothing is written.

        Raises:
            WitnessMemoryUnusable: Nothing was remembered, or nobody knows: do not cosign.
        """
        new = request.checkpoint
        with self._writing() as conn:
            row = conn.execute("SELECT size, root FROM seen WHERE origin = ?", (new.origin,)).fetchone()
            refused = judge(request, None if row is None else Seen(*row))
            if refused is None:
                conn.execute(
                    """INSERT INTO seen (origin, size, root, note, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin)
                       DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, at = excluded.at
                    """,
                    (new.origin, new.size, new.root, request.note, at),
                )
        return refused

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its first statement and is on disk when the block is left."""
        with self._reading() as conn:
            conn.execute("BEGIN IMMEDIATE")
            with contextlib.ExitStack() as undo:
                undo.callback(conn.execute, "ROLLBACK")
                yield conn
                undo.pop_all()
            conn.execute("COMMIT")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with _telling(self._path):
            if not self._path.is_file():
                raise WitnessMissing(f"{self._path} is missing")
            # mode=rw never makes a file: one that vanished between the two lines stays missing.
            address = f"{self._path.resolve().as_uri()}?mode=rw"
            with contextlib.closing(
                sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
            ) as conn:
                conn.execute("PRAGMA synchronous = FULL")
                found = (conn.execute("PRAGMA application_id"), conn.execute("PRAGMA user_version"))
                if tuple(cursor.fetchone()[0] for cursor in found) != (_APPLICATION, _FORMAT):
                    raise WitnessMemoryUnusable(f"{self._path} is not the memory of a witness")
                yield conn


def log_verifier(vkey: str) -> NoteVerifier:
    """Read the key of a log that a witness may believe (type 0x01).

    Raises:
        KeyMalformed: It is not one.
    """
    return Verifier(parse_public_key(vkey))


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise WitnessMemoryUnusable(f"{path}: {error}") from error
