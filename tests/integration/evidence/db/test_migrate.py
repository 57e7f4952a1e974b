"""Schema revisions: once, whoever comes first, whole or not at all; programs refuse a schema they do not know."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from evidence.db import migrate as module
from evidence.db.migrate import (
    FIRST_SCHEMA,
    current_revision,
    known_revisions,
    migrate,
    newest_revision,
    read_script,
    require_schema,
)
from evidence.db.pool import connect, open_pool
from evidence.db.upgrade import revisions_config
from evidence.errors import DatabaseUnreachable, DatabaseUnsuitable
from tests.support.program import Program


def test_the_numbers_in_the_files_names_are_alembic_s_own() -> None:
    scripts = ScriptDirectory.from_config(revisions_config())
    assert newest_revision() == scripts.get_current_head()
    assert known_revisions() == {script.revision for script in scripts.walk_revisions()}


async def revision_of(dsn: str) -> str | None:
    conn = await connect(dsn)
    try:
        return await current_revision(conn)
    finally:
        await conn.close()


async def test_an_empty_database_is_brought_up_and_a_second_run_does_nothing(empty_database: str) -> None:
    assert await revision_of(empty_database) is None
    assert await migrate(empty_database) == newest_revision()
    assert await migrate(empty_database) == newest_revision()
    assert await revision_of(empty_database) == newest_revision()


async def test_programs_that_start_at_once_migrate_once(empty_database: str) -> None:
    code = "import asyncio, sys; from evidence.db.migrate import migrate; print(asyncio.run(migrate(sys.argv[1])))"
    programs = [Program(code, empty_database) for _ in range(3)]
    said = [await asyncio.to_thread(program.line) for program in programs]
    for program in programs:
        program.close()
    assert said == [newest_revision()] * 3


async def test_tasks_of_one_program_may_migrate_at_once(empty_database: str) -> None:
    assert set(await asyncio.gather(*(migrate(empty_database) for _ in range(3)))) == {newest_revision()}


async def test_a_revision_that_fails_leaves_nothing_behind(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> str:
        return read_script(name) if name != FIRST_SCHEMA[-1] else "CREATE TABLE half (x int); SELECT 1 / 0"

    with monkeypatch.context() as patch:
        patch.setattr(module, "read_script", broken)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await migrate(empty_database)
    conn = await connect(empty_database)
    tables = await conn.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await conn.close()
    assert tables == 0
    assert await migrate(empty_database) == newest_revision()


async def test_a_schema_of_a_newer_program_is_left_alone(database: str) -> None:
    conn = await connect(database)
    await conn.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnsuitable, match="9999"):
        await migrate(database)
    with pytest.raises(DatabaseUnsuitable, match="shilu migrate"):
        await require_schema(conn)
    await conn.close()


async def test_a_database_without_schema_is_named_as_such(empty_database: str) -> None:
    conn = await connect(empty_database)
    with pytest.raises(DatabaseUnsuitable, match="shilu migrate"):
        await require_schema(conn)
    await conn.close()


async def test_the_schema_at_hand_is_accepted(database: str) -> None:
    conn = await connect(database)
    await require_schema(conn)
    await conn.close()


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://shilu@/shilu?host=/nowhere/at/all",
        "postgresql://shilu@127.0.0.1:1/shilu",
        "postgresql://shilu@host.invalid/shilu",
    ],
)
async def test_a_server_that_is_not_there_is_unreachable(dsn: str) -> None:
    with pytest.raises(DatabaseUnreachable):
        await migrate(dsn)
    with pytest.raises(DatabaseUnreachable):
        async with open_pool(dsn):
            pass


async def test_a_database_that_is_not_there_is_unreachable(postgres: str) -> None:
    with pytest.raises(DatabaseUnreachable, match="no_such"):
        await connect(postgres.replace("/shilu?", "/no_such?"))


@pytest.mark.parametrize("dsn", ["", "x", "http://example.org/", "postgresql://u@h:port/d"])
async def test_what_is_no_address_is_unsuitable(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "/nowhere")
    with pytest.raises((DatabaseUnsuitable, DatabaseUnreachable)):
        await connect(dsn)


async def test_connections_speak_utc_and_json(database: str) -> None:
    async with open_pool(database, program="shilu-test") as pool:
        assert await pool.fetchval("SHOW timezone") == "UTC"
        assert await pool.fetchval("SHOW application_name") == "shilu-test"
        assert await pool.fetchval("SELECT $1::jsonb", {"词": [1, None]}) == {"词": [1, None]}
