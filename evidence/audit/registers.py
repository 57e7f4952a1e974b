"""The audit's look at registers and links: what the service never records, however well it is committed to.

1. On no day is a unit below itself, and no two units have one code.
2. No two officers bear one number on a day on which both are in force.
3. From one moment on a recorder is one officer's: a second assignment from the very same moment to somebody else is
   named (a warning: the later word counts, and somebody may have put a slip right).
4. A session of somebody whom the agency's provider named (`method` oidc) began behind the link of that account.

It is read from the payloads alone, in the order of the log. A subject of which a payload is not what its entry commits
to, or is gone, is not judged: that has been named, and what follows from it would blame honest entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from pydantic import ValidationError

from evidence.audit import findings as codes
from evidence.audit.findings import found
from evidence.audit.payloads import judge_payload, parse_payload
from evidence.audit.store import Kept, entries_lost, kept_of_types
from evidence.core.clock import parse_time
from evidence.custody.register_payloads import OfficerRegistered, UnitRegistered
from evidence.db.pool import Connection
from evidence.errors import TimeInvalid
from evidence.registers.errors import ValidityInvalid
from evidence.registers.validity import Validity, counting
from ledger.canonical import JsonObject, decode_entry
from ledger.errors import CodedError
from ledger.findings import Finding

REGISTER_TYPES = ("unit.registered", "officer.registered", "recorder.assigned", "account.linked", "session.begun")

_BEGINNING = date.min + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Version:
    """A version of a unit or an officer: `known_by` is the code or number, `parent` a unit's superior."""

    known_by: str | None
    parent: UUID | None
    validity: Validity


@dataclass(slots=True)
class _Registers:
    units: dict[UUID, list[_Version]] = field(default_factory=lambda: defaultdict(list))
    officers: dict[UUID, list[_Version]] = field(default_factory=lambda: defaultdict(list))
    holders: dict[tuple[str, datetime], list[tuple[UUID, str]]] = field(default_factory=lambda: defaultdict(list))
    linked: set[str] = field(default_factory=set)
    sessions: list[tuple[UUID, str]] = field(default_factory=list)


async def judge_registers(conn: Connection) -> AsyncIterator[Finding]:
    """Name circles of units, numbers and recorders of two at once, and sessions without the link they rest on."""
    kept = await kept_of_types(conn, REGISTER_TYPES)
    for finding in faults_of(kept, lost=await entries_lost(conn)):
        yield finding


def faults_of(kept: Sequence[Kept], *, lost: Iterable[bytes] = ()) -> Iterator[Finding]:
    """Judge registers and links by their payloads. Pure.

    Args:
        kept: Entries of `REGISTER_TYPES` with their payloads, in the order of their places.
        lost: Entries whose payload is gone.
    """
    unsound = {subject for raw in lost if (subject := _subject_of(raw)) is not None}
    unsound |= {one.stored.subject for one in kept if judge_payload(one) is not None}
    said = _Registers()
    for one in kept:
        payload = parse_payload(one.stored.payload)
        if payload is not None and one.stored.subject not in unsound:
            try:
                _take(said, one, payload)
            except (ValidationError, ValidityInvalid, TimeInvalid, KeyError, ValueError):
                continue  # No valid event; the replay says so.
    yield from _circles(said.units)
    yield from _shared(said.units, "unit", "code", always=True)
    yield from _shared(said.officers, "officer", "number", always=False)
    yield from _two_holders(said.holders)
    for entry, staff in said.sessions:
        if f"staff:{staff}" not in unsound:
            message = "a session rests on the agency's provider, and the account was linked with nobody there"
            yield found(codes.SESSION_NOT_LINKED, f"entry:{entry}", message, staff=staff)


def _take(said: _Registers, one: Kept, payload: JsonObject) -> None:
    match one.stored.type:
        case "unit.registered":
            unit = UnitRegistered.model_validate(payload)
            validity = Validity(first=unit.valid_from, last=unit.valid_until)
            said.units[unit.unit].append(_Version(unit.code, unit.parent, validity))
        case "officer.registered":
            officer = OfficerRegistered.model_validate(payload)
            validity = Validity(first=officer.valid_from, last=officer.valid_until)
            said.officers[officer.officer].append(_Version(officer.number, None, validity))
        case "recorder.assigned":
            since = parse_time(str(payload["since"]))
            held = (one.stored.entry_id, str(payload["officer"]))
            said.holders[str(payload["recorder"]), since].append(held)
        case "account.linked":
            said.linked.add(str(payload["staff"]))
        case "session.begun" if payload["method"] == "oidc" and str(payload["staff"]) not in said.linked:
            said.sessions.append((one.stored.entry_id, str(payload["staff"])))


def _circles(units: Mapping[UUID, Sequence[_Version]]) -> Iterator[Finding]:
    """Name each unit that is below itself, with the first day on which it is."""
    named: set[UUID] = set()
    for day in _days(version for versions in units.values() for version in versions):
        parents = {
            unit: version.parent for unit, known in units.items() if (version := counting(known, day)) is not None
        }
        for unit in sorted(_in_circles(parents) - named):
            named.add(unit)
            message = f"the unit stands below itself on {max(day, _BEGINNING)}"
            yield found(codes.REGISTER_CIRCLE, f"unit:{unit}", message)


def _in_circles(parents: Mapping[UUID, UUID | None]) -> set[UUID]:
    """Return the units from which the way up leads back to themselves; each unit is walked over twice at most."""
    found_in: set[UUID] = set()
    done: set[UUID] = set()
    for start in parents:
        way: dict[UUID, None] = {}
        unit: UUID | None = start
        while unit is not None and unit not in done and unit not in way:
            way[unit] = None
            unit = parents.get(unit)
        if unit is not None and unit in way:
            places = list(way)
            found_in.update(places[places.index(unit) :])
        done.update(way)
    return found_in


def _shared(known: Mapping[UUID, Sequence[_Version]], kind: str, word: str, *, always: bool) -> Iterator[Finding]:
    """Name what two are known by at once; `always`: at any time, for it is never given twice."""
    owners: dict[str, set[UUID]] = defaultdict(set)
    for one, versions in known.items():
        for version in versions:
            if version.known_by is not None:
                owners[version.known_by].add(one)
    for known_by, several in sorted(owners.items()):
        if len(several) > 1 and (always or _at_once(known_by, [known[one] for one in several])):
            message = f"{len(several)} {kind}s have one {word}"
            ids = sorted(map(str, several))
            yield found(codes.REGISTER_OVERLAPPING, f"{kind}:{ids[0]}", message, others=ids[1:], known_by=known_by)


def _at_once(known_by: str, several: Sequence[Sequence[_Version]]) -> bool:
    """Tell whether on some day two are in force under one name."""
    return any(
        sum(
            (version := counting(versions, day)) is not None
            and version.known_by == known_by
            and version.validity.holds(day)
            for versions in several
        )
        > 1
        for day in _days(version for versions in several for version in versions)
    )


def _days(versions: Iterable[_Version]) -> list[date]:
    """Return every day on which something begins to count."""
    return sorted({version.validity.first or _BEGINNING for version in versions})


def _two_holders(holders: Mapping[tuple[str, datetime], Sequence[tuple[UUID, str]]]) -> Iterator[Finding]:
    for (recorder, since), held in sorted(holders.items()):
        officers = list(dict.fromkeys(officer for _, officer in held))
        if len(officers) > 1:
            message = f"recorder {recorder} is given to {len(officers)} from one moment on; the later word counts"
            details = {"recorder": recorder, "since": since.isoformat(), "officers": officers}
            yield found(codes.HOLDERS_OVERLAPPING, f"entry:{held[-1][0]}", message, **details)


def _subject_of(raw: bytes) -> str | None:
    try:
        return decode_entry(raw).subject
    except CodedError:
        return None
