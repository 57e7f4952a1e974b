"""Putting an event on record: entry, payload and rows in one transaction, or nothing at all."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from evidence.clips.store import clip_row, find_clip
from evidence.custody.record import record
from evidence.custody.store import find_payload
from evidence.errors import EventInvalid
from ledger.canonical import commitment, decode_entry
from tests.support.payloads import Scribe


async def test_entry_payload_and_rows_are_one_and_the_same_statement(scribe: Scribe) -> None:
    payload = scribe.sealed()
    recorded = await scribe.write("clip.sealed", f"clip:{payload['clip']}", payload)
    stored = await find_payload(scribe.conn, recorded.entry_id)
    assert stored is not None
    entry = decode_entry(await scribe.conn.fetchval("SELECT entry FROM ledger_entry"))
    assert entry.commit == commitment(salt=stored.salt, payload=stored.payload)
    assert (entry.id, entry.type, entry.actor, entry.subject, entry.at) == (
        stored.entry_id,
        stored.type,
        stored.actor,
        stored.subject,
        stored.at,
    )
    found = await find_clip(scribe.conn, sha256=bytes.fromhex(str(payload["sha256"])))
    assert found is not None
    row = await clip_row(scribe.conn, found.clip)
    assert row is not None
    assert row.entry_id == recorded.entry_id


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("unknown field", {"colour": "red"}),
        ("missing field", {"size": None}),
        ("number as text", {"size": "1000"}),
        ("negative size", {"size": -1}),
        ("upper-case digest", {"sha256": "A" * 64}),
        ("short digest", {"sha256": "a" * 62}),
        ("time without milliseconds", {"received_at": "2026-03-02T01:30:00Z"}),
        ("NUL in a name", {"name": "a\0b"}),
        ("over-long name", {"name": "a" * 5_000}),
        ("integer for a boolean", {"key_mark": 1}),
        ("upper-case id", {"upload": "0192A000-0000-7000-8000-00000000000A"}),
        ("float", {"size": 1.5}),
    ],
)
async def test_a_payload_that_breaks_its_model_leaves_no_trace(
    scribe: Scribe, what: str, changes: dict[str, Any]
) -> None:
    payload = scribe.sealed() | changes
    with pytest.raises(Exception, match=r"custody\.event_invalid|canonical"):
        await scribe.write("clip.sealed", f"clip:{payload['clip']}", payload)
    assert await scribe.conn.fetchval("SELECT count(*) FROM custody_payload") == 0, what
    assert await scribe.conn.fetchval("SELECT count(*) FROM ledger_entry") == 0, what


async def test_an_unknown_type_or_foreign_subject_is_a_bug(scribe: Scribe) -> None:
    payload = scribe.sealed()
    with pytest.raises(EventInvalid, match="no event of type"):
        await scribe.write("clip.painted", f"clip:{payload['clip']}", payload)
    with pytest.raises(EventInvalid, match="the subject of"):
        await scribe.write("clip.sealed", f"clip:{payload['upload']}", payload)


async def test_recording_outside_of_a_transaction_is_a_bug(scribe: Scribe) -> None:
    payload = scribe.sealed()
    with pytest.raises(EventInvalid, match="transaction"):
        await record(
            scribe.conn,
            type="clip.sealed",
            actor="service",
            subject=f"clip:{payload['clip']}",
            payload=payload,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def test_a_row_that_cannot_be_written_takes_the_entry_with_it(scribe: Scribe) -> None:
    digest = "ab" * 32
    await scribe.seal(sha256=digest)
    with pytest.raises(asyncpg.UniqueViolationError):
        await scribe.seal(sha256=digest)
    assert await scribe.conn.fetchval("SELECT count(*) FROM ledger_entry") == 1
