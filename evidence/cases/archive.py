"""Archiving a case (R22, R23): looked at as a whole under its locks, frozen, closed.

1. every sealed file of the case is verified, outside of any transaction: that takes as long as reading them
2. the case's lock, then the lock of each exhibit's annotation, in order of the clips
3. everything that stands against archiving is collected; one reason, and all of them are told, and nothing changes
4. `case.archived` is recorded with the frozen manifest

Whoever links, unlinks, states or amends waits for the case's lock and finds it archived; whoever annotates waits for
the annotation's and writes a version that the manifest does not name. So the manifest is the case as of its entry's
place among the others. A file that was linked or filed between 1 and 2 was not verified: a reason like any other.

    crash in 1 to 3     nothing happened
    crash after 4       the case is archived; asked again the answer is that it is

After it the case changes no more. Annotations of its clips may go on, for a clip can be an exhibit elsewhere: the
manifest names the version that was frozen, and what is newer is shown as newer. What becomes known is an addendum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from evidence.cases.cases import require_open
from evidence.cases.errors import ArchiveRefused
from evidence.cases.file import CaseFile, open_file
from evidence.cases.readiness import Outside, Reason, reasons_against
from evidence.cases.statement_store import (
    annotation_entries,
    blocked_among,
    files_awaited,
    frozen_rows,
    numbers_given,
    recorders_of,
    statements_of,
    unlinked_in,
)
from evidence.cases.store import exhibits_after
from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.wire.case_manifest import FORMAT, manifest_root
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.paging import LAST_INTEGER
from evidence.db.pool import Connection
from ledger.canonical import JsonObject

NEIGHBOUR_SECONDS = 3600
"""Recordings of one recorder at most this far apart are taken to belong together: what lies between must be here."""

_REASONS_SHOWN = 500

Verified = Mapping[UUID, Sequence[str]]
"""Codes of what verification has against each file, by its id; none for one that holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """An archived case: the entry, and the root over what it froze."""

    entry_id: UUID
    root: bytes
    manifest: JsonObject


async def files_to_verify(conn: Connection, case_id: UUID) -> list[UUID]:
    """Return the sealed files of a case: exhibits and documents.

    Raises:
        CaseUnknown: There is no such case.
    """
    file = await open_file(conn, case_id)
    return sorted({one.clip for one in file.footage} | {said.document for said in file.dossier.documents})


async def readiness(conn: Connection, case_id: UUID, *, verified: Verified) -> list[Reason]:
    """Return everything that stands against archiving a case.

    Raises:
        CaseUnknown: There is no such case.
    """
    file = await open_file(conn, case_id)
    return reasons_against(
        dossier=file.dossier,
        footage=file.footage,
        found=file.coverage,
        has_list=file.items is not None,
        outside=Outside(
            numbers=await numbers_given(conn, case_id),
            awaited=await _awaited(conn, file),
            verified=verified,
            blocked=await blocked_among(conn, [one.clip for one in file.footage]),
        ),
    )


async def archive_case(
    conn: Connection, *, case_id: UUID, verified: Verified, actor: str, clock: Clock, entropy: Entropy
) -> Archived:
    """Archive a case, in the caller's transaction.

    Args:
        verified: What verification has found about the files of `files_to_verify`, just before.

    Raises:
        CaseUnknown: There is no such case.
        CaseIsArchived: It is archived already.
        ArchiveRefused: Something stands against it; `details["reasons"]` lists everything.
    """
    await hold_evidence(conn, case_id)
    await require_open(conn, case_id)
    against = await readiness(conn, case_id, verified=verified)
    if against:
        raise ArchiveRefused(
            f"{len(against)} things stand against archiving, first: {against[0].as_json()['means']}",
            count=len(against),
            reasons=[reason.as_json() for reason in against[:_REASONS_SHOWN]],
        )
    manifest = await case_manifest(conn, await open_file(conn, case_id))
    root = manifest_root(manifest)
    recorded = await record(
        conn,
        type="case.archived",
        actor=actor,
        subject=f"case:{case_id}",
        payload={"case": str(case_id), "root": root.hex(), "manifest": manifest},
        clock=clock,
        entropy=entropy,
    )
    return Archived(entry_id=recorded.entry_id, root=root, manifest=manifest)


async def hold_evidence(conn: Connection, case_id: UUID) -> None:
    """Let nothing of a case's evidence change until the transaction ends: the case's lock, then its annotations'.

    Raises:
        CaseUnknown: There is no such case.
    """
    await lock_subject(conn, f"case:{case_id}")
    for clip in sorted(one.clip for one in (await open_file(conn, case_id)).footage):
        await lock_subject(conn, f"annotation:{clip}")


async def evidence_root(conn: Connection, case_id: UUID) -> bytes:
    """Return the root over a case as it stands now, the one that an archive would freeze: it changes with any change.

    Raises:
        CaseUnknown: There is no such case.
    """
    return manifest_root(await case_manifest(conn, await open_file(conn, case_id)))


async def case_manifest(conn: Connection, file: CaseFile) -> JsonObject:
    """Return the manifest of a case as it stands, in the form of `evidence.core.wire.case_manifest`."""
    case, dossier = file.case, file.dossier
    links = await exhibits_after(conn, case.case_id, after=0, limit=LAST_INTEGER)
    documents = list(dossier.documents)
    rows = await frozen_rows(conn, [*(link.clip for link in links), *(said.document for said in documents)])
    notes = await annotation_entries(conn, [link.clip for link in links])
    remarks = {one.clip: one.remark for one in file.footage}

    def frozen(clip: UUID) -> JsonObject:
        row = rows[clip]
        return {
            "clip": str(clip),
            "file": row.name,
            "size": row.size,
            "sha256": row.sha256.hex(),
            "root": row.root.hex(),
            "sealed": str(row.entry_id),
        }

    return {
        "format": FORMAT,
        "case": str(case.case_id),
        "number": case.number,
        "title": dossier.title,
        "kind": case.kind,
        "unit": None if case.unit is None else str(case.unit),
        "handlers": list(dossier.handlers),
        "facts": dossier.facts.as_json(),
        "opened": str(case.entry_id),
        "items": None if file.items is None else _list(file),
        "concluded_on": None if dossier.concluded_on is None else dossier.concluded_on.isoformat(),
        "coverage": _counted(file),
        "exhibits": [
            {
                "exhibit": link.exhibit,
                **frozen(link.clip),
                "linked": str(link.entry_id),
                "annotation": None if link.clip not in notes else str(notes[link.clip][1]),
                "version": notes[link.clip][0] if link.clip in notes else 0,
                "remark": remarks.get(link.clip),
            }
            for link in links
        ],
        "unlinked": [
            {"exhibit": gone.exhibit, "clip": str(gone.clip), "entry": str(gone.entry_id), "reason": gone.reason}
            for gone in await unlinked_in(conn, case.case_id)
        ],
        "documents": [
            {**said.model_dump(mode="json", exclude_none=True, exclude={"kind", "document"}), **frozen(said.document)}
            for said in documents
        ],
        "statements": [
            {"entry": str(row.entry_id), "kind": row.kind}
            for row in await statements_of(conn, case.case_id)
            if row.kind not in {"archived", "addendum"}
        ],
        "sections": [section.model_dump(mode="json", exclude_none=True) for section in dossier.sections],
    }


def _list(file: CaseFile) -> JsonObject | None:
    if file.items is None:
        return None
    return {
        "items": str(file.items.items),
        "agency": file.items.agency,
        "version": file.items.version,
        "entry": str(file.items.entry_id),
    }


def _counted(file: CaseFile) -> JsonObject:
    found = file.coverage
    states: dict[str, list[str]] = {}
    for one in found.items:
        states.setdefault(one.state, []).append(one.item.key)
    return {
        "required": [one.item.key for one in found.items if one.required],
        "states": {state: list(keys) for state, keys in states.items()},
        "gap_seconds": round(found.gap_seconds),
    }


async def _awaited(conn: Connection, file: CaseFile) -> list[JsonObject]:
    """Return files that recorders of the case held between its recordings, or during its activities, and never came."""
    recorders = await recorders_of(conn, [one.clip for one in file.footage])
    found: dict[tuple[str, str], JsonObject] = {}
    for recorder in sorted(set(recorders.values())):
        of_it = [one for one in file.footage if recorders.get(one.clip) == recorder]
        # Files that never came have names by the recorder's clock alone.
        ahead = [one.clock_ahead for one in of_it]
        stretches = [(said.starts_at + min(ahead), said.ends_at + max(ahead)) for said in file.dossier.activities]
        dated = sorted((one.time, one.clock_ahead) for one in of_it if one.time)
        for (before, its_clock), (after, later_clock) in pairwise(dated):
            if after.start - before.end <= timedelta(seconds=NEIGHBOUR_SECONDS):
                stretches.append((before.start + its_clock, after.end + later_clock))
        for start, end in stretches:
            for one in await files_awaited(conn, recorder=recorder, start=start, end=end):
                found[one.recorder, one.path] = {
                    "recorder": one.recorder,
                    "path": one.path,
                    "recorded_at": format_time(one.recorded_at),
                }
    return [found[key] for key in sorted(found)]
