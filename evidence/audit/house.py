"""The audit of the house: everything on record against everything that is there, both ways.

    log (ledger.audit) --commits to--> payloads --project--> rows
                                          |  \\--name--> objects --hash--> bytes
                                          \\--carry--> statements signed by docks

1. The log: tree, rows, files and signatures agree (`ledger.audit`).
2. Each entry has a payload, each payload an entry, and the entry commits to it (`payloads`).
3. Rows are what the payloads make of them, none more, none less (`evidence.custody.replay`).
4. What is on record as a dock's word is signed by the key that was the dock's at that place of the log, changes of keys
   are proved, and whoever acted had the right to, there (`payloads`, `parties`).
5. Each object that a payload names is there with its bytes, each object that is there is named (`objects`).
6. Each file that a dock saw has been sealed (a warning: it may still be on its way).
7. Each time stamp on record holds by what it carries (`timestamps`).
8. What was disposed of is gone, was appraised and approved by two people, and could go (`disposals`); `objects` takes
   its word for what is gone from the entries of the log, not from rows.
9. Each table of evidence still has its trigger against changes. It does not stop a superuser; its absence shows one.
10. What people sign in with is what was set (`accounts`).
11. Registers hold no circle and no two of one number, and sessions by the provider rest on links (`registers`).
12. Reviews are signed over the evidence they name, and decisions rest on them (`reviews`).

One cause is named once: what follows from an altered entry or payload is not reported as altered rows or lost objects.
Nothing is locked, no snapshot is held but during the replay, memory does not grow with the record. What was recorded
while the audit ran may be left out.

An audit cannot see what whoever holds the log's key rewrote everywhere at once; `since` and witnesses are for that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import assert_never
from uuid import UUID

from evidence.audit import findings as codes
from evidence.audit import store
from evidence.audit.accounts import judge_secrets
from evidence.audit.disposals import TABLES_OF_DISPOSAL, audit_disposals
from evidence.audit.findings import found
from evidence.audit.objects import Tally, audit_objects
from evidence.audit.parties import PARTY_TYPES, Parties, place_of, read_parties
from evidence.audit.payloads import inventory_in, judge_payload, judge_statement, named_by, parse_payload
from evidence.audit.registers import judge_registers
from evidence.audit.reviews import judge_reviews
from evidence.audit.store import Kept, NamedObject
from evidence.audit.timestamps import StampRules, judge_timestamp
from evidence.custody.replay import EVIDENTIAL_TABLES, RowDifference, Side, replay
from evidence.db.pool import Connection
from evidence.objects.store import ObjectStore
from ledger.audit import audit_ledger
from ledger.audit_times import TimeRules
from ledger.canonical import JsonObject
from ledger.checkpoint import Checkpoint
from ledger.findings import Finding
from ledger.key_history import KeyHistory, history_of
from ledger.note import Verifier
from ledger.publish import StoredFiles

GUARDED_TABLES = (
    *EVIDENTIAL_TABLES,
    "custody_payload",
    "ledger_checkpoint",
    "ledger_entry",
    "ledger_head",
    "ledger_leaf",
    "ledger_publication",
    "ledger_tile_root",
)
"""Tables whose rows a trigger keeps from being changed; stated here and not asked of the database."""

Progress = Callable[[str, int, int | None], None]
"""Told now and then which part is under way, how much of it is done, and of how much where that is known."""

Check = Callable[[Connection], AsyncIterator[Finding]]
"""A further part of an audit, for rooms above this one that keep tables of their own."""


async def audit_house(
    conn: Connection,
    *,
    storage: StoredFiles,
    objects: ObjectStore,
    log: Verifier | KeyHistory,
    since: Checkpoint | None = None,
    read_objects: bool = True,
    checks: Sequence[Check] = (),
    times: TimeRules | None = None,
    stamps: StampRules | None = None,
    progress: Progress = lambda _part, _done, _all: None,
) -> AsyncGenerator[Finding, None]:
    """Audit everything; the last finding is `house.audited`. Close the generator when not iterating to the end.

    Args:
        conn: A connection for the audit alone, outside of any transaction, without a command timeout; its user may
            create temporary tables.
        storage: Where the log is published.
        objects: Where objects lie.
        log: The log's key, or the keys it had.
        since: A checkpoint of this log that was seen, and judged, before.
        read_objects: Whether to read every byte of every object; else only sizes are compared.
        checks: Further parts.
        times: By what times in log and rows are judged; None to leave them alone.
        stamps: By what time stamps on record are judged; None by what they carry alone.
        progress: See `Progress`.

    Raises:
        CheckpointOrigin: `since` is of another log.
    """
    audit = _HouseAudit(conn, history_of(log), stamps or StampRules(), progress)
    async for finding in audit_ledger(
        conn, storage, log=log, since=since, times=times, progress=lambda done, of: progress("log", done, of)
    ):
        yield finding
    try:
        async for finding in audit.payloads():
            yield finding
        async with aclosing(audit.rows()) as rows:
            async for finding in rows:
                yield finding
        async for finding in audit_objects(conn, objects, read=read_objects, tally=audit.tally):
            yield finding
    finally:
        if not conn.is_closed():
            await store.drop_object_list(conn)
    async for finding in audit.inventories():
        yield finding
    async for finding in audit.disposals():
        yield finding
    async for finding in audit.guards():
        yield finding
    for check in (judge_secrets, judge_registers, judge_reviews, *checks):
        async for finding in check(conn):
            yield finding
    yield audit.conclusion()


_TABLES_OF_ARRIVAL = frozenset({"clip", "clip_source", "dock_inventory", "dock_inventory_file"})


class _HouseAudit:
    """What the parts share: which payloads are not to be believed, and how much was looked at."""

    def __init__(self, conn: Connection, log: KeyHistory, stamps: StampRules, progress: Progress) -> None:
        self._conn = conn
        self._log = log
        self._stamps = stamps
        self._progress = progress
        self._unsound: set[UUID] = set()
        self._unsound_inventories: set[UUID] = set()
        self._differing_tables: set[str] = set()
        self._payloads = 0
        self._parties = Parties()
        self.tally = Tally(progress=lambda done: progress("objects", done, None))

    async def payloads(self) -> AsyncIterator[Finding]:
        """Judge payloads and statements, and list the objects they name."""
        await store.make_object_list(self._conn)
        self._parties, unproved = await self._read_parties()
        for finding in unproved:
            yield finding
        async for page in store.pages_of_payloads(self._conn):
            named: list[NamedObject] = []
            for kept in page:
                entry_id, event_type = kept.stored.entry_id, kept.stored.type
                if differing := judge_payload(kept):
                    self._unsound.add(entry_id)
                    if inventory := inventory_in(parse_payload(kept.stored.payload)):
                        self._unsound_inventories.add(inventory)
                    yield differing
                elif payload := parse_payload(kept.stored.payload):
                    named += named_by(event_type, payload)
                    for finding in await self._judge_parties(kept, payload):
                        yield finding
                    if event_type == "log.timestamped":
                        for finding in judge_timestamp(kept.stored, payload, log=self._log, rules=self._stamps):
                            yield finding
            await store.list_objects(self._conn, named)
            self._payloads += len(page)
            self._progress("payloads", self._payloads, None)
        for entry_id in await store.entries_without_payload(self._conn):
            self._unsound.add(entry_id)
            yield found(codes.PAYLOAD_MISSING, f"entry:{entry_id}", "what the entry commits to is gone")
        await store.list_disposed(self._conn)
        self._unsound_inventories |= await store.inventories_of(self._conn, list(self._unsound))

    async def rows(self) -> AsyncGenerator[Finding, None]:
        """Compare the rows with what the payloads make of them."""
        async with aclosing(replay(self._conn, progress=lambda done: self._progress("rows", done, None))) as replayed:
            async for difference in replayed:
                if not self._follows_from_payload(difference):
                    self._differing_tables.add(difference.table)
                    yield _row_finding(difference)

    async def inventories(self) -> AsyncIterator[Finding]:
        """Name the files that docks saw and that never came, unless the rows that would tell are not to be believed."""
        if not self._differing_tables.isdisjoint(_TABLES_OF_ARRIVAL):
            return
        for file in await store.absent_files(self._conn):
            message = f"dock {file.dock} saw {file.path!r} on recorder {file.recorder}; it has not been sealed"
            facts = {"path": file.path, "raw": file.raw, "size": file.size, "recorder": file.recorder}
            yield found(codes.FILE_ABSENT, f"inventory:{file.inventory}", message, **facts)

    async def disposals(self) -> AsyncIterator[Finding]:
        """Judge disposals, unless the rows that would tell are not to be believed."""
        if self._differing_tables.isdisjoint(TABLES_OF_DISPOSAL):
            async for finding in audit_disposals(self._conn):
                yield finding

    async def guards(self) -> AsyncIterator[Finding]:
        """Name the tables that have lost their trigger against changes."""
        for table in await store.unguarded(self._conn, GUARDED_TABLES):
            yield found(codes.GUARD_MISSING, f"table:{table}", f"nothing keeps the rows of {table} from being changed")

    def conclusion(self) -> Finding:
        """Say how much was looked at."""
        message = f"{self._payloads} payloads and {self.tally.objects} objects were audited"
        facts = {"payloads": self._payloads, "objects": self.tally.objects, "bytes_read": self.tally.bytes_read}
        return found(codes.AUDITED, "house", message, **facts)

    def _follows_from_payload(self, difference: RowDifference) -> bool:
        """Tell whether the cause of a difference is a payload that has been named already."""
        if difference.table == "dock_inventory_file":
            return UUID(difference.key["inventory"]) in self._unsound_inventories
        return difference.entry_id in self._unsound

    async def _read_parties(self) -> tuple[Parties, list[Finding]]:
        kept = await store.kept_of_types(self._conn, PARTY_TYPES)
        return read_parties(kept, missing=await store.parties_without_payload(self._conn))

    async def _judge_parties(self, kept: Kept, payload: JsonObject) -> list[Finding]:
        """Judge who signed and who acted; once more before anybody is blamed, for keys change while an audit runs."""
        found_now = _parties_findings(self._parties, kept, payload)
        if found_now:
            self._parties, _ = await self._read_parties()
            found_now = _parties_findings(self._parties, kept, payload)
        return found_now


def _parties_findings(parties: Parties, kept: Kept, payload: JsonObject) -> list[Finding]:
    stored, place, subject = kept.stored, place_of(kept), f"entry:{kept.stored.entry_id}"
    results = [parties.judge_actor(stored.type, stored.actor, place=place, at=stored.at, subject=subject)]
    dock = str(payload.get("dock"))
    if f"dock:{dock}" not in parties.unsound:
        keys, ever = parties.keys_at(dock, place), parties.keys_ever(dock)
        results.append(judge_statement(stored.type, payload, subject=subject, keys=keys, keys_ever=ever))
    return [one for one in results if one is not None]


def _row_finding(difference: RowDifference) -> Finding:
    key = ", ".join(f"{name}={value}" for name, value in difference.key.items())
    subject = f"{difference.table}:{'/'.join(str(value) for value in difference.key.values())}"
    facts = {"table": difference.table, "key": dict(difference.key)}
    match difference.side:
        case Side.MISSING:
            return found(codes.ROW_MISSING, subject, f"table {difference.table} lacks the row {key}", **facts)
        case Side.UNEXPECTED:
            message = f"nothing on record accounts for the row {key} of table {difference.table}"
            return found(codes.ROW_UNEXPECTED, subject, message, **facts)
        case Side.ALTERED:
            columns = list(difference.columns)
            message = f"the row {key} of table {difference.table} differs in: {', '.join(columns)}"
            return found(codes.ROW_ALTERED, subject, message, columns=columns, **facts)
        case Side.UNREPLAYABLE:
            subject = f"entry:{difference.key['entry_id']}"
            return found(codes.PAYLOAD_NOT_REPLAYABLE, subject, f"no valid event: {difference.reason}", **facts)
        case other:
            assert_never(other)
