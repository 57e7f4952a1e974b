"""The journal: SQLite on the station's disk, the only memory that survives a power cut.

WAL with `synchronous=FULL`: when a method returns, what it wrote is on the disk. Every change of state is one
compare-and-set; a state that is not the expected one is a bug and raises, and the database's own triggers refuse what
code might get wrong. One agent writes (the lock is in config.py); any number of readers may look on.

A `Journal` is used from one thread at a time; the agent gives it a thread of its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from dockstation.card import FileKey
from dockstation.intake import Prefix
from dockstation.journal import RECEIPTED, FileRow, ListedFile, Progress, SlotView, State, Stock, WaitingNote
from dockstation.journal_base_store import file_row
from dockstation.journal_spool_store import SpoolJournal
from evidence.core.clock import format_time, parse_time
from evidence.core.digest import ClipDigest


class Journal(SpoolJournal):
    """An open journal; see `journal_base_store.JournalBase` for how it is opened."""

    def take_stock(self, *, dock: UUID, recorder: str, files: Sequence[ListedFile]) -> Stock:
        """Remember the files of one look and tell whether they are others than the newest inventory lists."""
        with self._transaction():
            rows = tuple(self._remember(dock, recorder, listed, order=order) for order, listed in enumerate(files))
            listed_ids = {
                row["id"] for row in self._all("SELECT id FROM file WHERE recorder = ? AND present", recorder)
            }
        return Stock(rows=rows, changed=listed_ids != {row.id for row in rows})

    def settled_keys(self, recorder: str) -> frozenset[FileKey]:
        """Return the files of a recorder about which nothing is left to be done but clearing."""
        return self._keys("recorder = ? AND state IN ('receipt_verified', 'clearable', 'refused')", recorder)

    def listed_keys(self, recorder: str) -> frozenset[FileKey]:
        """Return the files of a recorder's newest inventory, as far as they were not cleared since."""
        return self._keys("recorder = ? AND present", recorder)

    def newest(self, recorder: str, keys: Sequence[FileKey]) -> tuple[FileRow, ...]:
        """Return the newest row of each of a recorder's files that the journal knows."""
        query = """
            SELECT * FROM file WHERE recorder = ? AND path = ? AND raw = ? AND size = ? AND modified_ns = ?
            ORDER BY id DESC LIMIT 1
            """
        return tuple(file_row(row) for key in keys for row in self._all(query, recorder, *key))

    def write_inventory(self, note: WaitingNote, *, dock: UUID, rows: Sequence[FileRow]) -> None:
        """Keep a signed inventory before it is sent, and what it lists as present.

        A file that it no longer lists and that was not read as a whole is given up when its path is listed with another
        size or time: it was written to, and is sent as what it is now.
        """
        with self._transaction():
            self._insert_note(note, dock=dock)
            self._db.execute("UPDATE file SET present = 0 WHERE recorder = ? AND present", (note.recorder,))
            self._db.executemany(
                "UPDATE file SET present = 1, inventory = coalesce(inventory, ?) WHERE id = ?",
                [(str(note.id), row.id) for row in rows],
            )
            self._db.execute(
                """
                UPDATE file
                SET state = 'abandoned', changed_at = ?, trouble = 'dock.file_changed: it changed on the card'
                WHERE recorder = ? AND NOT present AND root IS NULL AND state IN ('seen', 'inventoried', 'uploading')
                  AND EXISTS (SELECT 1 FROM file AS newer WHERE newer.recorder = file.recorder
                              AND newer.path = file.path AND newer.raw = file.raw AND newer.present)
                """,
                (self._now(), note.recorder),
            )

    def last_inventory(self, *, dock: UUID, recorder: str) -> tuple[int, UUID | None]:
        """Return how many inventories of a recorder this identity of the station has made, and the last one."""
        rows = self._all(
            "SELECT id, count(*) OVER () AS count FROM note WHERE kind = 'inventory' AND dock = ? AND recorder = ?"
            " ORDER BY number DESC LIMIT 1",
            str(dock),
            recorder,
        )
        return (rows[0]["count"], UUID(rows[0]["id"])) if rows else (0, None)

    def waiting_notes(self) -> tuple[WaitingNote, ...]:
        """Return the statements that the service has not acknowledged, oldest first."""
        rows = self._all("SELECT id, kind, recorder, note FROM note WHERE posted_at IS NULL ORDER BY number")
        return tuple(WaitingNote(UUID(row["id"]), row["kind"], row["recorder"], row["note"]) for row in rows)

    def note_posted(self, note: WaitingNote) -> None:
        """Remember that the service has a statement; the files that an inventory lists may be uploaded from now on."""
        with self._transaction():
            self._db.execute("UPDATE note SET posted_at = ? WHERE id = ?", (self._now(), str(note.id)))
            self._db.execute(
                "UPDATE file SET state = 'inventoried', changed_at = ? WHERE state = 'seen' AND inventory = ?",
                (self._now(), str(note.id)),
            )

    def rows(self, states: Collection[State]) -> tuple[FileRow, ...]:
        """Return all files in the given states: those of one recorder together, in the recorder's order."""
        marks = ", ".join("?" * len(states))
        query = f"SELECT * FROM file WHERE state IN ({marks}) ORDER BY recorder, order_no, id"  # noqa: S608 - marks
        return tuple(file_row(row) for row in self._all(query, *(state.value for state in states)))

    def begin_upload(self, row: FileRow, *, upload: str) -> FileRow:
        """Remember the upload that the service opened for a file."""
        return self._step(row, State.UPLOADING, upload=upload)

    def acknowledge(self, row: FileRow, *, offset_bytes: int, prefix: Prefix) -> FileRow:
        """Remember what the service has acknowledged, and the digest of what was read so far."""
        return self._touch(
            row, offset_bytes=offset_bytes, prefix_chunks=prefix.chunks, prefix_digest=prefix.digest, trouble=None
        )

    def finish_upload(self, row: FileRow, digest: ClipDigest) -> FileRow:
        """Remember that all bytes are acknowledged, what they are, and which file on the card they were read from."""
        identity = row.read_identity or (row.seen.device, row.seen.inode)
        return self._step(
            row,
            State.UPLOADED,
            offset_bytes=digest.size,
            root=digest.root,
            sha256=digest.sha256,
            read_device=str(identity[0]),
            read_inode=str(identity[1]),
            trouble=None,
        )

    def seal(self, row: FileRow, *, clip: UUID) -> FileRow:
        """Remember the clip that the service names."""
        return self._step(row, State.SEALED, clip=str(clip), trouble=None)

    def verify(self, row: FileRow, *, clip: UUID, entry: UUID) -> FileRow:
        """Remember a verified receipt, which is on the disk already."""
        with self._transaction():
            if row.state is State.UPLOADED:
                self._set(row, State.SEALED, clip=str(clip))
                row = self.get(row.id)
            self._set(
                row, State.RECEIPT_VERIFIED, clip=str(clip), entry=str(entry), verified_at=self._now(), trouble=None
            )
        return self.get(row.id)

    def mark_clearable(self, *, verified_before: datetime) -> int:
        """Make clearable what has a verified receipt since then, and is not marked by the officer; return how many."""
        cursor = self._db.execute(
            """
            UPDATE file SET state = 'clearable', changed_at = ?
            WHERE state = 'receipt_verified' AND NOT key_mark AND verified_at <= ?
            """,
            (self._now(), format_time(verified_before)),
        )
        return cursor.rowcount

    def begin_clearing(self, row: FileRow, *, root: Path) -> FileRow:
        """Remember that a file is about to be removed from the card mounted at `root`."""
        return self._touch(row, clearing_root=str(root))

    def cleared(self, row: FileRow) -> FileRow:
        """Remember that a file was removed."""
        return self._step(row, State.CLEARED, present=0, trouble=None)

    def unlisted_clearings(self, recorder: str) -> tuple[FileRow, ...]:
        """Return the files of a recorder that were removed and stand in no signed list yet."""
        query = "SELECT * FROM file WHERE state = 'cleared' AND cleared_note IS NULL AND recorder = ? ORDER BY id"
        return tuple(file_row(row) for row in self._all(query, recorder))

    def write_cleared(self, note: WaitingNote, *, dock: UUID, rows: Sequence[FileRow]) -> None:
        """Keep a signed list of removed files before it is sent."""
        with self._transaction():
            self._insert_note(note, dock=dock)
            self._db.executemany(
                "UPDATE file SET cleared_note = ? WHERE id = ?", [(str(note.id), row.id) for row in rows]
            )

    def refuse(self, row: FileRow, *, reason: str) -> FileRow:
        """Remember that the service will never take a file."""
        return self._step(row, State.REFUSED, trouble=reason)

    def refuse_empty(self, recorder: str) -> tuple[FileRow, ...]:
        """Refuse a recorder's inventoried files that have no bytes; return them."""
        empty = self._all("SELECT id FROM file WHERE state = 'inventoried' AND size = 0 AND recorder = ?", recorder)
        with self._transaction():
            self._db.executemany(
                """
                UPDATE file SET state = 'refused', trouble = 'file.empty: it has no bytes', changed_at = ? WHERE id = ?
                """,
                [(self._now(), row["id"]) for row in empty],
            )
        return tuple(self.get(row["id"]) for row in empty)

    def trouble(self, row: FileRow, *, reason: str) -> FileRow:
        """Remember what stands in the way of a file now; its state stays."""
        return self._touch(row, trouble=reason)

    def restart(self, row: FileRow, *, reason: str, copy_lost: bool = False) -> FileRow:
        """Give a row up and begin the same file anew under the same inventory; return the new row.

        A whole copy in the spool goes over to the new row, which is `copied` then: the card need not come back for it.

        Args:
            copy_lost: The copy is damaged or missing: the file is read from the card once more.
        """
        with self._transaction():
            (present,) = self._db.execute("SELECT present FROM file WHERE id = ?", (row.id,)).fetchone()
            # A part keeps its name: it is removed as one that nobody goes on with.
            spool = None if row.is_copied else row.spool
            self._set(row, State.ABANDONED, trouble=reason, present=0, spool=spool)
            cursor = self._db.execute(
                """
                INSERT INTO file (dock, recorder, path, raw, name, size, modified_ns, device, inode, order_no, officer,
                                  recorded_at, key_mark, present, state, inventory, seen_at, changed_at)
                SELECT dock, recorder, path, raw, name, size, modified_ns, device, inode, order_no, officer,
                       recorded_at, key_mark, ?, 'inventoried', inventory, seen_at, ? FROM file WHERE id = ?
                """,
                (present, self._now(), row.id),
            )
            new = self.get(cursor.lastrowid or 0)
            if row.is_copied and not copy_lost:
                self._set(new, State.COPIED, **self.copy_columns(row))
        return self.get(new.id)

    def forget_unfinished_of_others(self, dock: UUID) -> int:
        """Give up what an earlier identity of this station began and did not see sealed; return how many files."""
        reason = "the station was enrolled anew; the file is sent again"
        return self._abandon("dock <> ? AND state NOT IN ('refused', 'abandoned')", str(dock), reason=reason)

    def retry_refused(self) -> int:
        """Let refused files be seen as new ones; return how many. What lies in the spool is sent again from there."""
        reason = "tried again at the operator's wish"
        copied = [row for row in self.rows({State.REFUSED}) if row.is_copied]
        for row in copied:
            self.restart(row, reason=reason)
        return len(copied) + self._abandon("state = 'refused'", reason=reason)

    def set_slot(self, view: SlotView) -> None:
        """Show a slot's present state to onlookers."""
        self._db.execute(
            "INSERT OR REPLACE INTO slot VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                view.name,
                view.root,
                view.recorder,
                view.phase,
                view.safe,
                view.message,
                json.dumps(view.remarks, ensure_ascii=False),
                format_time(view.at),
            ),
        )

    def slots(self) -> tuple[SlotView, ...]:
        """Return the slots as they were shown last."""
        return tuple(
            SlotView(
                name=row["name"],
                root=row["root"],
                recorder=row["recorder"],
                phase=row["phase"],
                safe=bool(row["safe"]),
                message=row["message"],
                remarks=tuple((path, code, reason) for path, code, reason in json.loads(row["remarks"])),
                at=parse_time(row["at"]),
            )
            for row in self._all("SELECT * FROM slot ORDER BY name")
        )

    def counts(self) -> tuple[tuple[str, State, int, int], ...]:
        """Return recorder, state, number of files and their bytes, for every pair that occurs."""
        query = (
            "SELECT recorder, state, count(*) AS n, sum(size) AS b FROM file GROUP BY recorder, state ORDER BY recorder"
        )
        return tuple((row["recorder"], State(row["state"]), row["n"], row["b"]) for row in self._all(query))

    def progress(self) -> tuple[Progress, ...]:
        """Return how far each recorder's newest inventory is."""
        query = """
            WITH listed AS (
                SELECT recorder, size, state IN ('receipt_verified', 'clearable', 'cleared') AS receipted,
                       spool IS NOT NULL AND root IS NOT NULL AND state <> 'refused' AS copied
                FROM file WHERE present = 1)
            SELECT recorder, count(*), sum(size), sum(receipted OR copied), sum(size * (receipted OR copied)),
                   sum(receipted)
            FROM listed GROUP BY recorder ORDER BY recorder
            """
        return tuple(Progress(*row) for row in self._all(query))

    def troubles(self) -> tuple[tuple[str, str, str], ...]:
        """Return recorder, path and reason of present files that something stands in the way of."""
        query = """
            SELECT recorder, path, trouble FROM file WHERE trouble IS NOT NULL AND state <> 'abandoned' AND present
            ORDER BY recorder, order_no
            """
        return tuple((row["recorder"], row["path"], row["trouble"]) for row in self._all(query))

    def _remember(self, dock: UUID, recorder: str, listed: ListedFile, *, order: int) -> FileRow:
        seen, reading = listed.seen, listed.reading
        key = (recorder, seen.path, seen.raw, seen.size, seen.modified_ns)
        known = self._all(
            """
            SELECT * FROM file WHERE recorder = ? AND path = ? AND raw = ? AND size = ? AND modified_ns = ?
              AND state NOT IN ('cleared', 'abandoned')
            """,
            *key,
        )
        for row in known:
            place = (str(seen.device), str(seen.inode), order)
            if (row["device"], row["inode"], row["order_no"]) == place:
                return file_row(row)
            self._db.execute("UPDATE file SET device = ?, inode = ?, order_no = ? WHERE id = ?", (*place, row["id"]))
            return self.get(row["id"])
        recorded_at = None if reading.recorded_at is None else format_time(reading.recorded_at)
        cursor = self._db.execute(
            """
            INSERT INTO file (recorder, path, raw, size, modified_ns, dock, name, device, inode, order_no, officer,
                              recorded_at, key_mark, seen_at, changed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                *key,
                str(dock),
                seen.name,
                str(seen.device),
                str(seen.inode),
                order,
                reading.officer,
                recorded_at,
                reading.key_mark,
                self._now(),
                self._now(),
            ),
        )
        return self.get(cursor.lastrowid or 0)

    def _keys(self, where: str, recorder: str) -> frozenset[FileKey]:
        query = f"SELECT path, raw, size, modified_ns FROM file WHERE {where}"  # noqa: S608 - constants of this module
        rows = self._all(query, recorder)
        return frozenset((row["path"], bool(row["raw"]), row["size"], row["modified_ns"]) for row in rows)

    def _abandon(self, where: str, *values: str, reason: str) -> int:
        receipted = ", ".join(f"'{state.value}'" for state in sorted(RECEIPTED, key=lambda state: state.value))
        cursor = self._db.execute(
            f"""
            UPDATE file SET state = 'abandoned', present = 0, changed_at = ?, trouble = ?
            WHERE {where} AND state NOT IN ({receipted})
            """,  # noqa: S608 - both parts are constants of this module
            (self._now(), reason, *values),
        )
        return cursor.rowcount

    def _insert_note(self, note: WaitingNote, *, dock: UUID) -> None:
        self._db.execute(
            "INSERT INTO note (id, kind, dock, recorder, note, made_at) VALUES (?, ?, ?, ?, ?, ?)",
            (str(note.id), note.kind, str(dock), note.recorder, note.note, self._now()),
        )
