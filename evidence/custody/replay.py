"""Replaying the record: what the evidential rows must be, made again from the payloads and compared with what they are.

Every payload goes once more through the code that made its rows, into temporary tables of the same names, which hide
the real ones from unqualified statements. Then the two are compared both ways. The whole runs in one read-only,
repeatable snapshot: PostgreSQL itself sees to it that nothing but the temporary tables is written to, and what is
recorded meanwhile neither disturbs nor is missed by halves.

Whether the payloads themselves are what the ledger's entries commit to is another question, the audit's to ask first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

import asyncpg

from evidence.custody.events import checked_payload
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection
from evidence.errors import EventInvalid
from ledger.canonical import PAYLOAD_BYTES_MAX, parse_canonical
from ledger.errors import CodedError

EVIDENTIAL_TABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "log_identity": ("origin",),
        "log_key_statement": ("number", "kind"),
        "log_timestamp": ("entry_id",),
        "staff_token": ("token",),
        "staff_token_revocation": ("token",),
        "account": ("staff",),
        "account_version": ("staff", "version"),
        "account_credential": ("staff", "number"),
        "account_link": ("issuer", "subject"),
        "staff_session": ("session",),
        "staff_session_end": ("session",),
        "outbox_subscription": ("subscription",),
        "outbox_end": ("subscription",),
        "dock": ("dock",),
        "dock_revocation": ("dock",),
        "dock_key": ("dock", "sequence"),
        "dock_key_demand": ("entry_id",),
        "controller": ("controller",),
        "controller_revocation": ("controller",),
        "dock_inventory": ("inventory",),
        "dock_inventory_file": ("inventory", "place"),
        "dock_cleared": ("note_sha256",),
        "recorder_comparison": ("entry_id",),
        "recorder_finding": ("entry_id", "place"),
        "recorder_explanation": ("entry_id",),
        "recorder_assignment": ("entry_id",),
        "officer": ("entry_id",),
        "unit": ("entry_id",),
        "recorder_registration": ("entry_id",),
        "dock_placement": ("entry_id",),
        "register_import": ("entry_id",),
        "clip_attribution_version": ("clip", "version"),
        "clip": ("clip",),
        "clip_source": ("entry_id",),
        "clip_prefix": ("entry_id",),
        "clip_derivation": ("entry_id",),
        "clip_object": ("entry_id", "kind"),
        "clip_transcript": ("entry_id",),
        "clip_copy": ("entry_id", "sha256"),
        "object_restoration": ("entry_id",),
        "clip_annotation": ("clip", "version"),
        "recording": ("recording",),
        "recording_clip": ("recording", "name"),
        "recording_companion": ("recording", "name"),
        "work_calendar": ("calendar",),
        "access_grant": ("grant_id",),
        "access_withdrawal": ("grant_id",),
        "clip_class": ("entry_id",),
        "clip_shown": ("entry_id", "clip"),
        "item_list": ("items",),
        "storage_price": ("price",),
        "case_sample": ("sample",),
        "case_sample_draw": ("sample",),
        "case_sample_score": ("entry_id",),
        "retention_schedule": ("schedule",),
        "legal_hold": ("hold",),
        "legal_hold_release": ("hold",),
        "disposal_appraisal": ("appraisal",),
        "disposal_item": ("appraisal", "clip"),
        "disposal_decision": ("appraisal",),
        "clip_disposal": ("clip",),
        "disposed_object": ("clip", "sha256"),
        "case_file": ("case_id",),
        "export_clip": ("entry_id", "clip"),
        "export_link": ("link",),
        "export_link_revocation": ("link",),
        "export_fetch": ("entry_id",),
        "clip_link": ("link",),
        "clip_link_copy": ("link",),
        "clip_link_revocation": ("link",),
        "clip_link_use": ("entry_id",),
        "case_clip": ("case_id", "exhibit"),
        "case_statement": ("entry_id",),
        "publication_version": ("publication", "version"),
        "publication_step": ("entry_id",),
        "publication_issue": ("publication", "version"),
        "publication_withdrawal": ("publication",),
        "publication_term": ("term",),
        "publicity_report": ("report",),
        "review_rules": ("rules",),
        "person_key": ("staff", "number"),
        "reviewer_qualification": ("staff", "number"),
        "review_step": ("case_id", "step"),
        "decision": ("case_id",),
        "decision_revocation": ("case_id", "number"),
        "deadline_rules": ("rules",),
        "deadline_statement": ("entry_id",),
    }
)
"""Every table that projections write to, with its primary key. Stated here and not asked of the database, which whoever
alters rows could alter as well."""

_BATCH = 200
_PREFETCH = 50


class Side(StrEnum):
    """How a row and the record disagree."""

    MISSING = "missing"
    """The record demands a row that is not there: it was deleted."""

    UNEXPECTED = "unexpected"
    """A row that no payload accounts for: it was inserted behind the record's back, or its payload is gone."""

    ALTERED = "altered"
    """The row is there with other values."""

    UNREPLAYABLE = "unreplayable"
    """A payload is no valid event any more: it was altered. Its rows will turn up as unexpected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifference:
    """One disagreement between the record and a row.

    Attributes:
        key: The row's primary key, as JSON values.
        entry_id: The entry the row must come from, or, when it is unexpected, says it comes from; None where the table
            does not say.
        columns: Names of the columns that differ, when altered.
        reason: Why a payload cannot be replayed, else empty.
    """

    table: str
    key: Mapping[str, Any]
    side: Side
    entry_id: UUID | None = None
    columns: tuple[str, ...] = ()
    reason: str = ""


async def replay(
    conn: Connection, *, progress: Callable[[int], None] = lambda _: None
) -> AsyncGenerator[RowDifference, None]:
    """Yield every difference between the evidential rows and what the payloads demand; none means they agree.

    Takes memory for a few hundred payloads, disk for a copy of the evidential tables. Iterate to the end, or close the
    generator (`contextlib.aclosing`), so that the temporary tables go.

    Args:
        conn: A connection that is in no transaction; its user may create temporary tables.
        progress: Called now and then with the number of payloads replayed so far.

    Raises:
        EventInvalid: The connection is within a transaction.
    """
    if conn.is_in_transaction():
        raise EventInvalid("a replay needs a transaction of its own")
    schema: str = await conn.fetchval("SELECT current_schema()")
    try:
        await _make_tables(conn, schema)
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            async for difference in _replay_payloads(conn, schema, progress):
                yield difference
            for table, key in EVIDENTIAL_TABLES.items():
                async for difference in _compare(conn, schema, table, key):
                    yield difference
    finally:
        if not conn.is_closed():
            await _drop_tables(conn)


async def _make_tables(conn: Connection, schema: str) -> None:
    for table in EVIDENTIAL_TABLES:
        await conn.execute(f'CREATE TEMPORARY TABLE {table} (LIKE "{schema}".{table})')
    # A plan made earlier on this connection would still lead to the real tables.
    await conn.execute("DISCARD PLANS")


async def _drop_tables(conn: Connection) -> None:
    for table in EVIDENTIAL_TABLES:
        await conn.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
    await conn.execute("DISCARD PLANS")


async def _replay_payloads(
    conn: Connection, schema: str, progress: Callable[[int], None]
) -> AsyncGenerator[RowDifference, None]:
    replayed, batch = 0, list[asyncpg.Record]()
    statement = f'SELECT entry_id, type, actor, subject, at, payload FROM "{schema}".custody_payload ORDER BY entry_id'  # noqa: S608 - schema named by the server
    async for row in conn.cursor(statement, prefetch=_PREFETCH):
        batch.append(row)
        if len(batch) == _BATCH:
            for difference in await _replay_batch(conn, batch):
                yield difference
            replayed += len(batch)
            progress(replayed)
            batch.clear()
    for difference in await _replay_batch(conn, batch):
        yield difference
    progress(replayed + len(batch))


async def _replay_batch(conn: Connection, batch: Sequence[asyncpg.Record]) -> list[RowDifference]:
    """Replay payloads together, under one savepoint; only when one of them fails, each alone, under its own."""
    rows = _Rows()
    try:
        for row in batch:
            await _replay_one(cast(Connection, rows), row)
        async with conn.transaction():
            await rows.write(conn)
    except (CodedError, asyncpg.PostgresError):
        return list(chain.from_iterable([await _try_one(conn, row) for row in batch]))
    return []


class _Rows:
    """Stands in for a connection while payloads are replayed: collects what they insert, to be written in few trips.

    Projections are plain insertions of values, into tables without a constraint between two rows, so the order in
    which rows of different statements arrive does not matter. What is not offered here is not theirs to do.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[Sequence[object]]] = {}
        self._copies: dict[tuple[str, tuple[str, ...]], list[Sequence[object]]] = {}

    async def execute(self, statement: str, *values: object) -> None:
        """Keep one row for a statement."""
        self._values.setdefault(statement, []).append(values)

    async def executemany(self, statement: str, values: Iterable[Sequence[object]]) -> None:
        """Keep several rows for a statement."""
        self._values.setdefault(statement, []).extend(values)

    async def copy_records_to_table(
        self, table: str, *, columns: Iterable[str], records: Iterable[Sequence[object]]
    ) -> None:
        """Keep rows for a table."""
        self._copies.setdefault((table, tuple(columns)), []).extend(records)

    async def write(self, conn: Connection) -> None:
        """Write everything that was kept."""
        for statement, values in self._values.items():
            await conn.executemany(statement, values)
        for (table, columns), records in self._copies.items():
            await conn.copy_records_to_table(table, columns=columns, records=records)


async def _try_one(conn: Connection, row: asyncpg.Record) -> list[RowDifference]:
    try:
        async with conn.transaction():
            await _replay_one(conn, row)
    except (CodedError, asyncpg.PostgresError) as error:
        return [
            RowDifference(
                table="custody_payload",
                key={"entry_id": str(row["entry_id"])},
                side=Side.UNREPLAYABLE,
                entry_id=row["entry_id"],
                reason=str(error),
            )
        ]
    return []


async def _replay_one(conn: Connection, row: asyncpg.Record) -> None:
    payload = parse_canonical(row["payload"], bytes_max=PAYLOAD_BYTES_MAX)
    if not isinstance(payload, dict):
        raise EventInvalid("the payload is no object")
    event = checked_payload(row["type"], payload)
    if row["subject"] != event.subject_of(payload):
        raise EventInvalid(f"the subject is {row['subject']}, the payload's {event.subject_of(payload)}")
    await event.project(conn, RecordedEvent(**{**dict(row), "payload": payload}))


async def _compare(
    conn: Connection, schema: str, table: str, key: tuple[str, ...]
) -> AsyncGenerator[RowDifference, None]:
    same_key = " AND ".join(f"kept.{column} = made.{column}" for column in key)
    statement = f"""
        SELECT to_jsonb(kept) AS kept, to_jsonb(made) AS made
        FROM "{schema}".{table} kept FULL JOIN pg_temp.{table} made ON {same_key}
        WHERE kept IS DISTINCT FROM made
    """  # noqa: S608 - names from the list above
    async for row in conn.cursor(statement, prefetch=_PREFETCH):
        kept, made = row["kept"], row["made"]
        present = kept or made
        side = Side.MISSING if kept is None else Side.UNEXPECTED if made is None else Side.ALTERED
        columns = tuple(name for name in present if kept[name] != made[name]) if side is Side.ALTERED else ()
        yield RowDifference(
            table=table,
            key={column: present[column] for column in key},
            side=side,
            entry_id=UUID((made or kept)["entry_id"]) if "entry_id" in present else None,
            columns=columns,
        )
