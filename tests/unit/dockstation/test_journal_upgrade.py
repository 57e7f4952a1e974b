"""A journal of the released first version goes over to the newest without the loss of a row, a number or a rule."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from dockstation import journal_base_store
from dockstation.errors import JournalUnusable
from dockstation.journal import State
from dockstation.journal_base_store import schema_text
from dockstation.journal_store import Journal
from evidence.core.clock import utc_now
from tests.support.dock_journal import CLIP, DOCK, ENTRY, UPLOAD, bring_to

FIRST_STATES = [state for state in State if state is not State.COPIED]
"""What a journal of version 1 can say."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal as the first release wrote it: a file in every state, a waiting statement and a slot."""
    path = tmp_path / "journal.sqlite3"
    insert = """
        INSERT INTO file (id, dock, recorder, path, raw, name, size, modified_ns, device, inode, order_no, officer,
            recorded_at, key_mark, present, state, inventory, upload, offset_bytes, prefix_chunks, prefix_digest,
            read_device, read_inode, root, sha256, clip, entry, trouble, seen_at, changed_at,
            verified_at, clearing_root)
        VALUES (?, ?, 'D200001', ?, 0, ?, 100, 5, '1', '2', 0, '100001', NULL, 0, 1, ?, ?, ?, 7, 1, zeroblob(32),
            '1', '2', zeroblob(32), zeroblob(32), ?, ?, NULL, ?, ?, ?, NULL)
        """
    at = "2026-03-02T09:00:00.000Z"
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(schema_text("0001_journal.sql"))
        for number, state in enumerate(FIRST_STATES):
            name = f"{state.value}.mp4"
            ids = (str(CLIP), str(ENTRY), at, at, at)
            db.execute(insert, (10 + number, str(DOCK), name, name.encode(), state.value, str(ENTRY), UPLOAD, *ids))
        db.execute(
            "INSERT INTO note VALUES (1, ?, 'inventory', ?, 'D200001', x'00', ?, NULL)", (str(ENTRY), str(DOCK), at)
        )
        db.execute("INSERT INTO slot VALUES ('1', '/media/1', NULL, 'done', 1, '', '[]', ?)", (at,))
    db.close()
    return path


def dump(path: Path, columns: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as db:
        found = db.execute(f"SELECT {columns} FROM file ORDER BY id").fetchall()
    db.close()
    return found


def columns_of(path: Path) -> str:
    with sqlite3.connect(path) as db:
        names = ", ".join(row[1] for row in db.execute("PRAGMA table_info(file)"))
    db.close()
    return names


def test_every_row_and_number_is_there_afterwards(path: Path) -> None:
    columns = columns_of(path)
    before = dump(path, columns)
    with Journal(path, clock=utc_now) as journal:
        assert [row.id for row in journal.rows(tuple(State))] == [10 + number for number in range(len(FIRST_STATES))]
        assert [row.spool for row in journal.rows(tuple(State))] == [None] * len(FIRST_STATES)
        assert len(journal.waiting_notes()) == 1
        assert [view.safe for view in journal.slots()] == [True]
    assert dump(path, columns) == before
    assert len(before) == len(FIRST_STATES)


def test_work_goes_on_where_it_was_and_the_rules_hold(path: Path) -> None:
    with Journal(path, clock=utc_now) as journal:
        for state in (State.INVENTORIED, State.UPLOADED, State.SEALED):
            (row,) = [row for row in journal.rows({state}) if row.path == f"{state.value}.mp4"]
            assert bring_to(journal, row, State.RECEIPT_VERIFIED, by_spool=True).state is State.RECEIPT_VERIFIED
    with sqlite3.connect(path, isolation_level=None) as db:
        for change in ("DELETE FROM file", "UPDATE file SET state = 'seen' WHERE state = 'uploading'"):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(change)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_second_opening_changes_nothing(path: Path) -> None:
    Journal(path, clock=utc_now).close()
    before = dump(path, "*")
    Journal(path, clock=utc_now).close()
    assert dump(path, "*") == before


def test_an_onlooker_upgrades_nothing_and_says_what_will(path: Path) -> None:
    with pytest.raises(JournalUnusable, match="the next `shilu-dock run`"):
        Journal(path, clock=utc_now, read_only=True)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_a_crash_in_an_upgrade_leaves_the_journal_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump(path, "*")

    def torn(name: str) -> str:
        return schema_text(name).replace("DROP TABLE file_1;", "SELECT * FROM the_power_is_gone;")

    with monkeypatch.context() as patch:
        patch.setattr(journal_base_store, "schema_text", torn)
        with pytest.raises(JournalUnusable, match="the_power_is_gone"):
            Journal(path, clock=utc_now)
    assert dump(path, "*") == before
    Journal(path, clock=utc_now).close()
    assert len(dump(path, "*")) == len(before)
