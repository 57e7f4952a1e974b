"""Replaying the record: rows that were deleted, altered or slipped in are each named, and nothing else is."""

from __future__ import annotations

from contextlib import aclosing
from uuid import UUID

import asyncpg
import pytest

from evidence.clips.clips import get_clip
from evidence.custody import events
from evidence.custody.replay import EVIDENTIAL_TABLES, RowDifference, Side, replay
from evidence.db.pool import Pool
from evidence.errors import EventInvalid
from ledger.canonical import canonical_json
from tests.support.payloads import Scribe


@pytest.fixture
async def clip(scribe: Scribe) -> UUID:
    """A clip with everything that can hang on one."""
    payload = scribe.sealed()
    clip = UUID(str(payload["clip"]))
    await scribe.write("clip.sealed", f"clip:{clip}", payload)
    again = payload | {"upload": str(scribe.new_id()), "path": "DCIM/other.mp4", "recorder": "B200002"}
    await scribe.write("clip.repeated", f"clip:{clip}", again)
    await scribe.derive(clip)
    await scribe.annotate(clip, remark="现场检查", markers=[{"kind": "credentials_shown", "at_ms": 0}])
    await scribe.link(await scribe.open_case(), clip)
    return clip


async def differences(scribe: Scribe) -> list[RowDifference]:
    return [difference async for difference in replay(scribe.conn)]


async def tamper(scribe: Scribe, table: str, statement: str, *values: object) -> None:
    """Do what only a superuser can: lift the guard, change rows, put the guard back."""
    async with scribe.conn.transaction():
        await scribe.conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER forbid_change")
        await scribe.conn.execute(statement, *values)
        await scribe.conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER forbid_change")


@pytest.mark.usefixtures("clip")
async def test_an_untouched_record_replays_without_a_difference_again_and_again(scribe: Scribe) -> None:
    assert await differences(scribe) == []
    await scribe.seal()
    assert await differences(scribe) == []
    assert await scribe.conn.fetchval("SELECT count(*) FROM clip") == 2, "the real tables are in view again"


async def test_many_payloads_take_few_trips_and_one_bad_one_is_named_alone(scribe: Scribe, clip: UUID) -> None:
    for number in range(1, 61):
        await scribe.annotate(clip, expected_version=number, remark=f"第{number}次")
    statements: list[str] = []

    def note(query: asyncpg.connection.LoggedQuery) -> None:
        statements.append(query.query)

    scribe.conn.add_query_logger(note)
    assert await differences(scribe) == []
    assert sum("INSERT INTO clip_annotation" in statement for statement in statements) == 1
    altered = await scribe.conn.fetchval("SELECT entry_id FROM clip_annotation WHERE version = 30")
    bad = canonical_json({"clip": str(clip), "version": "thirty", "content": {}})
    await tamper(scribe, "custody_payload", "UPDATE custody_payload SET payload = $2 WHERE entry_id = $1", altered, bad)
    found = await differences(scribe)
    scribe.conn.remove_query_logger(note)
    assert {(one.table, one.side, one.entry_id) for one in found} == {
        ("custody_payload", Side.UNREPLAYABLE, altered),
        ("clip_annotation", Side.UNEXPECTED, altered),
    }


async def test_a_row_deleted_is_missing(scribe: Scribe, clip: UUID) -> None:
    entry_id = await scribe.conn.fetchval("SELECT entry_id FROM clip_annotation")
    await tamper(scribe, "clip_annotation", "DELETE FROM clip_annotation")
    key = {"clip": str(clip), "version": 1}
    assert await differences(scribe) == [
        RowDifference(table="clip_annotation", key=key, side=Side.MISSING, entry_id=entry_id)
    ]


async def test_a_row_altered_names_its_columns(scribe: Scribe, clip: UUID) -> None:
    await tamper(scribe, "clip", "UPDATE clip SET name = 'other.mp4', size = size + 1")
    (found,) = await differences(scribe)
    assert (found.table, found.key, found.side) == ("clip", {"clip": str(clip)}, Side.ALTERED)
    assert set(found.columns) == {"name", "size"}
    assert found.entry_id == (await get_clip(scribe.conn, clip)).row.entry_id


async def test_a_row_slipped_in_is_unexpected(scribe: Scribe, clip: UUID) -> None:
    await scribe.conn.execute(
        """INSERT INTO case_clip (case_id, exhibit, clip, linked_by, linked_at, entry_id)
           SELECT case_id, 2, $1, linked_by, linked_at, $1 FROM case_clip""",
        scribe.new_id(),
    )
    found = await differences(scribe)
    assert [(item.table, item.key["exhibit"], item.side) for item in found] == [("case_clip", 2, Side.UNEXPECTED)]


async def test_a_payload_deleted_leaves_its_rows_unexplained(scribe: Scribe, clip: UUID) -> None:
    await tamper(scribe, "custody_payload", "DELETE FROM custody_payload WHERE type = 'clip.derived'")
    found = await differences(scribe)
    assert {(item.table, item.side) for item in found} == {
        ("clip_derivation", Side.UNEXPECTED),
        ("clip_object", Side.UNEXPECTED),
    }


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b"{}", b'{"clip": 1}', b"\xff\xfe", canonical_json({"clip": "x", "size": 1})],
    ids=repr,
)
async def test_a_payload_altered_beyond_recognition_is_named_and_does_not_stop_the_rest(
    scribe: Scribe, clip: UUID, payload: bytes
) -> None:
    await tamper(
        scribe, "custody_payload", "UPDATE custody_payload SET payload = $1 WHERE type = 'clip.sealed'", payload
    )
    found = await differences(scribe)
    assert found[0].side is Side.UNREPLAYABLE
    assert found[0].reason
    assert {(item.table, item.side) for item in found[1:]} == {
        ("clip", Side.UNEXPECTED),
        ("clip_source", Side.UNEXPECTED),
    }


async def test_many_payloads_are_replayed_in_batches(scribe: Scribe) -> None:
    counts: list[int] = []
    for _ in range(5):
        await scribe.seal()
    await scribe.conn.execute(
        """INSERT INTO custody_payload
           SELECT overlay(entry_id::text placing 'f' from 1)::uuid, 'clip.viewed', actor, subject, at, '{}', salt
           FROM custody_payload"""
    )
    found = [item async for item in replay(scribe.conn, progress=counts.append)]
    assert [item.side for item in found] == [Side.UNREPLAYABLE] * 5
    assert counts == [10]


@pytest.mark.usefixtures("clip")
async def test_a_replay_given_up_leaves_no_tables_behind(scribe: Scribe) -> None:
    await tamper(scribe, "clip", "UPDATE clip SET name = 'other.mp4'")
    async with aclosing(replay(scribe.conn)) as found:
        await anext(found)
    assert await scribe.conn.fetchval("SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'") == 0


async def test_a_replay_needs_a_transaction_of_its_own(scribe: Scribe) -> None:
    async with scribe.conn.transaction():
        with pytest.raises(EventInvalid):
            await anext(replay(scribe.conn))


async def test_the_list_of_tables_is_what_projections_write_to_and_triggers_guard(pool: Pool) -> None:
    guarded = await pool.fetch(
        """SELECT c.relname, count(*) FILTER (WHERE t.tgenabled = 'O') AS on_guard
           FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
           WHERE p.proname = 'forbid_change' GROUP BY c.relname"""
    )
    assert {row["relname"] for row in guarded} == set(EVIDENTIAL_TABLES) | {"custody_payload"}
    for table, key in EVIDENTIAL_TABLES.items():
        columns = await pool.fetch(
            """SELECT a.attname FROM pg_index i
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
               WHERE i.indrelid = $1::text::regclass AND i.indisprimary""",
            table,
        )
        assert {row["attname"] for row in columns} == set(key), table


async def test_no_evidential_row_can_be_changed(pool: Pool) -> None:
    for table in [*EVIDENTIAL_TABLES, "custody_payload"]:
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"UPDATE {table} SET {_a_column(table)}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=f"table {table} is insert-only"):
                await pool.execute(statement)


def _a_column(table: str) -> str:
    return "path = path" if table == "dock_inventory_file" else "entry_id = entry_id"


def test_every_event_is_known_by_a_dotted_name_and_a_documented_model() -> None:
    for name, event in events.EVENTS.items():
        assert name.count(".") == 1
        assert event.payload.__doc__
        assert event.subject == "log" or event.subject in event.payload.model_fields
