"""The journal's database: opening and upgrading it, transactions, compare-and-set, and a row's way out of SQLite.

Upgrades run forward, one schema file after the other, each in one transaction that ends with its `user_version`: a
crash leaves the journal as it was before or as it is after. An onlooker (`read_only`) upgrades nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from dockstation.card import SeenFile
from dockstation.errors import JournalConflict, JournalUnusable
from dockstation.intake import Prefix
from dockstation.journal import FileRow, State
from evidence.core.clock import Clock, format_time, parse_time

SCHEMAS = ("0001_journal.sql", "0002_copied.sql")
"""What makes a journal, in order; the last is the one that this program reads and writes."""

VERSION = len(SCHEMAS)
"""`PRAGMA user_version` that this program reads and writes."""

_BUSY_SECONDS = 10.0

Column = str | int | bytes | None


class JournalBase:
    """An open journal; use as a context manager.

    Args:
        path: The database file; made if it is missing, unless `read_only`.
        clock: Source of the times that are written.
        read_only: For onlookers.

    Raises:
        JournalUnusable: It is missing and may not be made, it is damaged, or a newer program wrote it.
    """

    def __init__(self, path: Path, *, clock: Clock, read_only: bool = False) -> None:
        self._clock = clock
        mode = "ro" if read_only else "rwc"
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        try:
            self._db = sqlite3.connect(
                uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.DatabaseError as error:
            raise JournalUnusable(f"{path}: {error}") from error
        try:
            self._db.row_factory = sqlite3.Row
            if not read_only:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
            self._check_version(path, upgrade=not read_only)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise JournalUnusable(f"{path}: {error}") from error

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, row_id: int) -> FileRow:
        """Return a row by its number.

        Raises:
            JournalConflict: There is none.
        """
        for row in self._all("SELECT * FROM file WHERE id = ?", row_id):
            return file_row(row)
        raise JournalConflict(f"no row {row_id}")

    def _check_version(self, path: Path, *, upgrade: bool) -> None:
        version = self._version()
        if version > VERSION:
            self._db.close()
            raise JournalUnusable(f"{path} has version {version}, this program knows {VERSION}")
        if version < VERSION and not upgrade:
            self._db.close()
            raise JournalUnusable(f"{path} has version {version}; the next `shilu-dock run` brings it to {VERSION}")
        for name in SCHEMAS[version:]:
            # One transaction: a crash in between leaves what was there before, and the next start does it again.
            self._db.executescript(f"BEGIN IMMEDIATE;\n{schema_text(name)}\nCOMMIT;")

    def _version(self) -> int:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        return int(version)

    def _step(self, row: FileRow, to: State, **columns: Column) -> FileRow:
        with self._transaction():
            self._set(row, to, **columns)
        return self.get(row.id)

    def _touch(self, row: FileRow, **columns: Column) -> FileRow:
        self._set(row, None, **columns)
        return self.get(row.id)

    def _set(self, row: FileRow, to: State | None, **columns: Column) -> None:
        """Compare and set: change the row only if it is still in the state that the caller saw."""
        values = dict(columns) if to is None else {"state": to.value, **columns}
        values["changed_at"] = self._now()
        assignments = ", ".join(f"{name} = ?" for name in values)
        try:
            cursor = self._db.execute(
                f"UPDATE file SET {assignments} WHERE id = ? AND state = ?",  # noqa: S608 - names are keywords above
                (*values.values(), row.id, row.state.value),
            )
        except sqlite3.IntegrityError as error:
            raise JournalConflict(f"{row.path}: {row.state.value} -> {to and to.value}: {error}") from error
        if cursor.rowcount != 1:
            raise JournalConflict(f"{row.path} is no longer {row.state.value}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        with self._db:
            yield

    def _all(self, query: str, *values: Column) -> list[sqlite3.Row]:
        return self._db.execute(query, values).fetchall()

    def _now(self) -> str:
        return format_time(self._clock())


def schema_text(name: str) -> str:
    """Return a file of `schema/`."""
    return resources.files("dockstation").joinpath("schema", name).read_text(encoding="utf-8")


def file_row(row: sqlite3.Row) -> FileRow:
    """Return a row of the table as the agent knows it."""
    return FileRow(
        id=row["id"],
        dock=UUID(row["dock"]),
        recorder=row["recorder"],
        seen=SeenFile(
            name=row["name"],
            path=row["path"],
            raw=bool(row["raw"]),
            size=row["size"],
            modified_ns=row["modified_ns"],
            device=int(row["device"]),
            inode=int(row["inode"]),
        ),
        order=row["order_no"],
        key_mark=bool(row["key_mark"]),
        state=State(row["state"]),
        inventory=_uuid(row["inventory"]),
        upload=row["upload"],
        offset_bytes=row["offset_bytes"],
        prefix=Prefix(row["prefix_chunks"], row["prefix_digest"]) if row["prefix_digest"] is not None else None,
        read_identity=None if row["read_device"] is None else (int(row["read_device"]), int(row["read_inode"])),
        root=row["root"],
        sha256=row["sha256"],
        clip=_uuid(row["clip"]),
        entry=_uuid(row["entry"]),
        trouble=row["trouble"],
        verified_at=None if row["verified_at"] is None else parse_time(row["verified_at"]),
        clearing_root=row["clearing_root"],
        spool=row["spool"],
    )


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
