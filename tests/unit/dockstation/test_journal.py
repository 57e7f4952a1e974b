"""The journal: forward only, compare and set, and the same after every crash."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockstation.errors import JournalConflict, JournalUnusable
from dockstation.intake import Prefix
from dockstation.journal import FINAL, RECEIPTED, TO_SEND, TO_SETTLE, ListedFile, SlotView, State
from dockstation.journal_store import Journal
from evidence.core.clock import utc_now
from tests.support.dock_journal import (
    CLIP,
    DOCK,
    ENTRY,
    ORDER,
    UPLOAD,
    bring_to,
    digest_of,
    inventory_note,
    listed,
    take,
)

MARKED = "DCAM_D200001_100001_20260302_093015_IMP.mp4"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite3", clock=utc_now) as journal:
        yield journal


def raw(tmp_path: Path) -> sqlite3.Connection:
    """Open the same database without any of our code: what a careless program might do."""
    return sqlite3.connect(tmp_path / "journal.sqlite3", isolation_level=None)


def test_the_ordinary_way_leads_through_every_state(journal: Journal) -> None:
    (row,) = take(journal, listed("a.mp4"))
    for state in ORDER[1:]:
        row = bring_to(journal, row, state)
        assert row.state is state
    assert (row.clip, row.entry, row.upload) == (CLIP, ENTRY, UPLOAD)
    assert row.digest == digest_of(row)
    assert row.prefix == Prefix(0, b"p" * 32)
    assert row.read_identity == (2**64 - 1, 1)


def test_every_state_has_a_place_in_the_agent_s_plans() -> None:
    assert set(State) == {State.SEEN} | TO_SEND | TO_SETTLE | FINAL
    assert not TO_SEND & TO_SETTLE
    assert RECEIPTED < FINAL
    assert set(ORDER) | {State.REFUSED, State.ABANDONED} == set(State)


ALLOWED = {
    *((before, after) for i, before in enumerate(ORDER[:6]) for after in ORDER[i + 1 : 6]),
    (State.SEALED, State.RECEIPT_VERIFIED),
    (State.RECEIPT_VERIFIED, State.CLEARABLE),
    (State.CLEARABLE, State.CLEARED),
    *((before, after) for before in ORDER[:6] for after in (State.REFUSED, State.ABANDONED)),
    (State.REFUSED, State.ABANDONED),
}


@pytest.mark.parametrize(("before", "after"), list(product(State, State)), ids=str)
def test_the_database_itself_lets_no_file_go_back_or_skip_the_receipt(
    tmp_path: Path, journal: Journal, before: State, after: State
) -> None:
    (row,) = take(journal, listed("a.mp4"))
    bring_to(journal, row, before)
    with raw(tmp_path) as other:
        # All columns that any state needs: only the order is left to be refused.
        change = """
            UPDATE file SET state = ?, upload = 'u', root = zeroblob(32), sha256 = zeroblob(32), clip = 'c',
            spool = 's', entry = 'e', verified_at = 't', inventory = 'i' WHERE id = ?
            """
        if (before, after) in ALLOWED:
            other.execute(change, (after.value, row.id))
        else:
            with pytest.raises(sqlite3.IntegrityError):
                other.execute(change, (after.value, row.id))
    other.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE file SET state = 'clearable' WHERE id = 1",  # marked by the officer
        "UPDATE file SET entry = NULL WHERE id = 1",
        "UPDATE file SET verified_at = NULL WHERE id = 1",
        "UPDATE file SET sha256 = NULL WHERE id = 1",
        "UPDATE file SET root = NULL WHERE id = 1",
        "UPDATE file SET root = x'00' WHERE id = 1",
        "UPDATE file SET state = 'lost' WHERE id = 1",
        "UPDATE file SET size = 'big' WHERE id = 1",
        "DELETE FROM file WHERE id = 1",
    ],
)
def test_the_database_refuses_what_no_journal_can_say(tmp_path: Path, journal: Journal, change: str) -> None:
    (row,) = take(journal, listed(MARKED))
    assert row.key_mark
    bring_to(journal, row, State.RECEIPT_VERIFIED)
    with raw(tmp_path) as other, pytest.raises(sqlite3.IntegrityError):
        other.execute(change)
    other.close()


def test_marked_files_never_become_clearable(journal: Journal) -> None:
    rows = take(journal, listed(MARKED), listed("a.mp4"))
    for row in rows:
        bring_to(journal, row, State.RECEIPT_VERIFIED)
    assert journal.mark_clearable(verified_before=utc_now() + timedelta(days=1)) == 1
    assert [row.path for row in journal.rows({State.CLEARABLE})] == ["a.mp4"]


def test_files_are_kept_as_long_as_the_margin_says(journal: Journal) -> None:
    (row,) = take(journal, listed("a.mp4"))
    bring_to(journal, row, State.RECEIPT_VERIFIED)
    assert journal.mark_clearable(verified_before=utc_now() - timedelta(hours=1)) == 0
    assert journal.mark_clearable(verified_before=utc_now()) == 1


def test_a_step_from_a_state_that_is_no_longer_true_is_a_conflict_and_changes_nothing(journal: Journal) -> None:
    (row,) = take(journal, listed("a.mp4"))
    stale = bring_to(journal, row, State.INVENTORIED)
    current = journal.begin_upload(stale, upload=UPLOAD)
    steps: list[Callable[[], object]] = [
        lambda: journal.begin_upload(stale, upload="uploads/other"),
        lambda: journal.refuse(stale, reason="late"),
        lambda: journal.restart(stale, reason="late"),
        lambda: journal.acknowledge(stale, offset_bytes=99, prefix=Prefix(0, b"")),
        lambda: journal.trouble(stale, reason="late"),
    ]
    for step in steps:
        with pytest.raises(JournalConflict):
            step()
    assert journal.get(row.id) == current


def test_two_looks_at_the_same_files_change_nothing(journal: Journal) -> None:
    files = [listed("a.mp4"), listed("b.mp4", inode=2)]
    first = journal.take_stock(dock=DOCK, recorder="D200001", files=files)
    assert first.changed
    journal.write_inventory(inventory_note("D200001"), dock=DOCK, rows=first.rows)
    second = journal.take_stock(dock=DOCK, recorder="D200001", files=files)
    assert not second.changed
    assert [row.id for row in second.rows] == [row.id for row in first.rows]


@pytest.mark.parametrize(
    "after",
    [
        [listed("a.mp4")],
        [listed("a.mp4"), listed("b.mp4"), listed("c.mp4")],
        [listed("a.mp4"), listed("b.mp4", size=101)],
        [listed("a.mp4"), listed("b.mp4", modified_ns=6)],
        [],
    ],
)
def test_any_difference_asks_for_a_new_inventory(journal: Journal, after: list[ListedFile]) -> None:
    take(journal, listed("a.mp4"), listed("b.mp4"))
    stock = journal.take_stock(dock=DOCK, recorder="D200001", files=after)
    assert stock.changed


def test_a_card_mounted_anew_is_the_same_card(journal: Journal) -> None:
    take(journal, listed("a.mp4", inode=1))
    stock = journal.take_stock(dock=DOCK, recorder="D200001", files=[listed("a.mp4", inode=99)])
    assert not stock.changed
    assert stock.rows[0].seen.inode == 99


def test_what_was_cleared_is_missing_without_being_a_difference(journal: Journal) -> None:
    first, second = take(journal, listed("a.mp4"), listed("b.mp4"))
    bring_to(journal, first, State.CLEARED)
    assert not journal.take_stock(dock=DOCK, recorder="D200001", files=[listed("b.mp4")]).changed
    # The same name, size and time again is a new file: somebody put it there.
    again = journal.take_stock(dock=DOCK, recorder="D200001", files=[listed("a.mp4"), listed("b.mp4")])
    assert again.changed
    assert again.rows[0].id != first.id
    assert again.rows[0].state is State.SEEN
    assert again.rows[1].id == second.id


def test_a_file_written_to_is_given_up_and_begun_as_what_it_is_now(journal: Journal) -> None:
    (row,) = take(journal, listed("a.mp4", size=100))
    bring_to(journal, row, State.UPLOADING)
    (newer,) = take(journal, listed("a.mp4", size=200))
    assert journal.get(row.id).state is State.ABANDONED
    assert newer.state is State.SEEN


def test_a_file_sent_as_a_whole_is_seen_through_even_if_the_card_has_another_now(journal: Journal) -> None:
    (row,) = take(journal, listed("a.mp4", size=100))
    bring_to(journal, row, State.UPLOADED)
    take(journal, listed("a.mp4", size=200))
    assert journal.get(row.id).state is State.UPLOADED


def test_a_vanished_file_waits_for_its_recorder(journal: Journal) -> None:
    row, _ = take(journal, listed("a.mp4"), listed("b.mp4"))
    uploading = bring_to(journal, row, State.UPLOADING)
    take(journal, listed("b.mp4"))
    assert journal.get(row.id).state is State.UPLOADING
    (back, _) = take(journal, listed("a.mp4"), listed("b.mp4"))
    assert (back.id, back.upload, back.offset_bytes) == (row.id, uploading.upload, uploading.offset_bytes)


def test_an_inventory_opens_the_way_only_when_the_service_has_it(journal: Journal) -> None:
    (row,) = take(journal, listed("a.mp4"))
    assert journal.get(row.id).state is State.SEEN
    (note,) = journal.waiting_notes()
    journal.note_posted(note)
    assert journal.waiting_notes() == ()
    assert journal.get(row.id).state is State.INVENTORIED
    assert journal.get(row.id).inventory == note.id


def test_notes_wait_in_the_order_in_which_they_were_made(journal: Journal) -> None:
    take(journal, listed("a.mp4"))
    take(journal, listed("a.mp4"), listed("b.mp4"))
    take(journal, listed("c.mp4"), recorder="D200002")
    assert [note.recorder for note in journal.waiting_notes()] == ["D200001", "D200001", "D200002"]


def test_beginning_anew_keeps_the_old_story_and_the_inventory(journal: Journal) -> None:
    (row,) = take(journal, listed("a.mp4"))
    row = bring_to(journal, row, State.UPLOADED)
    new = journal.restart(row, reason="damaged on the way")
    assert (new.state, new.upload, new.offset_bytes, new.root, new.prefix) == (State.INVENTORIED, None, 0, None, None)
    assert new.inventory == row.inventory
    assert journal.get(row.id).state is State.ABANDONED
    assert journal.get(row.id).trouble == "damaged on the way"
    assert not journal.take_stock(dock=DOCK, recorder="D200001", files=[listed("a.mp4")]).changed


@pytest.mark.parametrize("state", [state for state in State if state in RECEIPTED])
def test_what_is_receipted_is_never_begun_anew(journal: Journal, state: State) -> None:
    (row,) = take(journal, listed("a.mp4"))
    row = bring_to(journal, row, state)
    with pytest.raises(JournalConflict):
        journal.restart(row, reason="why ever")
    with pytest.raises(JournalConflict):
        journal.refuse(row, reason="why ever")
    assert journal.get(row.id).state is state
    assert journal.rows({State.INVENTORIED}) == ()


def test_another_identity_gives_up_what_the_former_did_not_see_sealed(journal: Journal) -> None:
    rows = take(journal, listed("a.mp4"), listed("b.mp4"), listed("c.mp4"))
    bring_to(journal, rows[0], State.RECEIPT_VERIFIED)
    bring_to(journal, rows[1], State.UPLOADED)
    journal.forget_unfinished_of_others(DOCK)
    assert journal.rows({State.ABANDONED}) == ()
    assert journal.forget_unfinished_of_others(UUID(int=7)) == 2
    assert [row.path for row in journal.rows({State.ABANDONED})] == ["b.mp4", "c.mp4"]
    stock = journal.take_stock(dock=UUID(int=7), recorder="D200001", files=[listed("a.mp4"), listed("b.mp4")])
    assert stock.changed
    assert [row.dock for row in stock.rows] == [DOCK, UUID(int=7)]


def test_refused_files_are_tried_again_only_when_asked(journal: Journal) -> None:
    (row,) = take(journal, listed("a.mp4"))
    bring_to(journal, row, State.REFUSED)
    assert not journal.take_stock(dock=DOCK, recorder="D200001", files=[listed("a.mp4")]).changed
    assert journal.retry_refused() == 1
    stock = journal.take_stock(dock=DOCK, recorder="D200001", files=[listed("a.mp4")])
    assert (stock.changed, stock.rows[0].state) == (True, State.SEEN)


def test_a_cleared_list_states_every_removal_once(journal: Journal) -> None:
    rows = take(journal, listed("a.mp4"), listed("b.mp4"))
    for row in rows:
        bring_to(journal, row, State.CLEARED)
    unlisted = journal.unlisted_clearings("D200001")
    assert [row.path for row in unlisted] == ["a.mp4", "b.mp4"]
    journal.write_cleared(inventory_note("D200001", "cleared"), dock=DOCK, rows=unlisted)
    assert journal.unlisted_clearings("D200001") == ()
    assert [note.kind for note in journal.waiting_notes()][-1] == "cleared"


def test_slots_are_shown_as_they_were_last(journal: Journal) -> None:
    view = SlotView(
        name="槽 1",
        root="/media/x",
        recorder="D200001",
        phase="waiting",
        safe=False,
        message="2/3",
        remarks=(("a\nb", "dock.file_unsafe", "it is a symbolic link"),),
        at=utc_now().replace(microsecond=0),
    )
    journal.set_slot(view)
    assert journal.slots() == (view,)
    journal.set_slot(SlotView(**{**{name: getattr(view, name) for name in view.__slots__}, "safe": True}))
    assert [slot.safe for slot in journal.slots()] == [True]


def test_everything_is_there_after_the_journal_is_opened_again(tmp_path: Path, journal: Journal) -> None:
    rows = take(journal, *(listed(f"{state.value}.mp4") for state in State))
    for row, state in zip(rows, State, strict=True):
        bring_to(journal, row, state)
    before = journal.rows(tuple(State)), journal.waiting_notes(), journal.counts()
    journal.close()
    with Journal(tmp_path / "journal.sqlite3", clock=utc_now) as again:
        assert (again.rows(tuple(State)), again.waiting_notes(), again.counts()) == before


def test_writes_are_on_the_disk_when_they_return(journal: Journal, tmp_path: Path) -> None:
    assert journal._db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert journal._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_newer_or_foreign_or_damaged_or_missing_journal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with pytest.raises(JournalUnusable):
        Journal(path, clock=utc_now, read_only=True)
    Journal(path, clock=utc_now).close()
    with raw(tmp_path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(JournalUnusable, match="version 99"):
        Journal(path, clock=utc_now)
    path.write_bytes(b"this is not a database, it is a text" * 100)
    with pytest.raises(JournalUnusable):
        Journal(path, clock=utc_now)


def test_onlookers_see_a_journal_that_is_being_written(tmp_path: Path, journal: Journal) -> None:
    take(journal, listed("a.mp4"))
    with Journal(tmp_path / "journal.sqlite3", clock=utc_now, read_only=True) as onlooker:
        assert [row.path for row in onlooker.rows({State.SEEN})] == ["a.mp4"]
        take(journal, listed("a.mp4"), listed("b.mp4"))
        assert len(onlooker.rows({State.SEEN})) == 2
        with pytest.raises(sqlite3.OperationalError):
            onlooker.retry_refused()


def test_ten_thousand_files_are_taken_in_seconds(journal: Journal) -> None:
    many = [listed(f"DCIM/{index:05d}.mp4", inode=index) for index in range(10_000)]
    stock = journal.take_stock(dock=DOCK, recorder="D200001", files=many)
    journal.write_inventory(inventory_note("D200001"), dock=DOCK, rows=stock.rows)
    assert not journal.take_stock(dock=DOCK, recorder="D200001", files=many).changed


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walk=st.lists(st.sampled_from(list(State)), max_size=12))
def test_no_walk_through_the_journal_s_methods_goes_back(
    tmp_path_factory: pytest.TempPathFactory, walk: list[State]
) -> None:
    ranks = {state: rank for rank, state in enumerate((*ORDER, State.REFUSED, State.ABANDONED))}
    path = tmp_path_factory.mktemp("walk") / "journal.sqlite3"
    with Journal(path, clock=utc_now) as journal:
        (row,) = take(journal, listed("a.mp4"))
        for state in walk:
            before = row.state
            if state in ORDER and before in ORDER and ranks[state] > ranks[before]:
                row = bring_to(journal, row, state)
            else:
                row = journal.trouble(row, reason="stays")
                assert row.state is before
            assert ranks[row.state] >= ranks[before]
