"""The journal's half of store-and-forward: which file in the spool belongs to which row.

A name is in the journal before the file is made, and forgotten after the file is removed: the spool folder never holds
what no row names, and nothing is removed from it that this journal does not know.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockstation.intake import Prefix
from dockstation.journal import FileRow, State
from dockstation.journal_base_store import Column, JournalBase, file_row
from evidence.core.digest import ClipDigest


class SpoolJournal(JournalBase):
    """What the journal knows of the spool."""

    def begin_copy(self, row: FileRow, *, spool: str) -> FileRow:
        """Remember the name under which a file is about to be copied."""
        return self._touch(row, spool=spool)

    def remember_copy(self, row: FileRow, *, prefix: Prefix) -> FileRow:
        """Remember how much of a copy is on the disk, and its digest."""
        return self._touch(row, prefix_chunks=prefix.chunks, prefix_digest=prefix.digest)

    def copied(self, row: FileRow, digest: ClipDigest) -> FileRow:
        """Remember that a file lies in the spool as a whole, synced, and which file on the card it was read from."""
        return self._step(
            row,
            State.COPIED,
            root=digest.root,
            sha256=digest.sha256,
            read_device=str(row.seen.device),
            read_inode=str(row.seen.inode),
            trouble=None,
        )

    def forget_copy(self, row: FileRow) -> FileRow:
        """Remember that the spool no longer holds a row's file, or never will."""
        return self._touch(row, spool=None)

    def to_forward(self) -> tuple[FileRow, ...]:
        """Return the files whose bytes are to be sent from the spool: marked ones first, then as recorded."""
        query = """
            SELECT * FROM file WHERE state IN ('copied', 'uploading') AND spool IS NOT NULL AND root IS NOT NULL
            ORDER BY key_mark DESC, order_no, id
            """
        return tuple(file_row(row) for row in self._all(query))

    def droppable_copies(self) -> tuple[FileRow, ...]:
        """Return the rows whose file in the spool is of no more use: receipted ones, and parts of what was given up."""
        query = """
            SELECT * FROM file WHERE spool IS NOT NULL AND (state IN ('receipt_verified', 'clearable', 'cleared')
                                                            OR (state = 'abandoned' AND root IS NULL))
            """
        return tuple(file_row(row) for row in self._all(query))

    def parts_of_copies(self) -> tuple[FileRow, ...]:
        """Return the files of which only a part lies in the spool, the longest untouched first."""
        query = """
            SELECT * FROM file WHERE spool IS NOT NULL AND root IS NULL AND state = 'inventoried' ORDER BY changed_at
            """
        return tuple(file_row(row) for row in self._all(query))

    def whole_copies(self) -> tuple[FileRow, ...]:
        """Return every file of which the spool holds the whole."""
        return tuple(file_row(row) for row in self._all("SELECT * FROM file WHERE spool IS NOT NULL AND root NOT NULL"))

    @staticmethod
    def copy_columns(row: FileRow) -> dict[str, Column]:
        """Return what goes over to the row that takes the place of one whose copy is whole."""
        device, inode = row.read_identity or (row.seen.device, row.seen.inode)
        return {
            "spool": row.spool,
            "root": row.root,
            "sha256": row.sha256,
            "read_device": str(device),
            "read_inode": str(inode),
        }


def names_of(rows: Sequence[FileRow]) -> frozenset[str]:
    """Return the names of rows' files in the spool."""
    return frozenset(row.spool for row in rows if row.spool is not None)
