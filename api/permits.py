"""The one place where access is decided: behind the gate's other questions, before any handler.

A route says in `api.routes.permits` what it does; the clips and cases are those of its address and of its body. What
somebody may not know of is answered like what does not exist: the same code, the same words, found out by the same
statement in the same place. What they may know of and may not do is refused with the reason (`access.denied`). Lists
are filtered where they are made, by the person and the scope that stand on the call.

Without a database at hand nothing is decided, and so nothing is served.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from aiohttp import web

from api.auth import Caller, StaffCaller
from api.route import Route
from api.routes.permits import names_footage, permit_of
from api.services import Services
from evidence.access.errors import AccessDenied
from evidence.access.grant_store import clips_of_cases, subjects_of_cases, subjects_of_clips
from evidence.access.people import AccessMode, person_of
from evidence.access.policy import Action, Person, Subject, decide
from evidence.access.sight import known_clips
from evidence.cases.archive import files_to_verify
from evidence.db.pool import Connection
from evidence.errors import CaseUnknown, ClipUnknown, ExportUnknown
from evidence.export.job_store import find as find_job


async def admit(
    route: Route, request: web.Request, services: Services, caller: Caller | None, body: object
) -> Person | None:
    """See that a person may do what a route does; return who they are for it, None for machines and open routes.

    Raises:
        ClipUnknown, CaseUnknown: It does not exist, or they may not know of it.
        AccessDenied: They may know of it and not do this.
    """
    if not isinstance(caller, StaffCaller):
        return None
    permit, mode = permit_of(route), services.config.access
    action = permit.action_of(body)
    if action is None and not permit.lists:
        return None
    async with services.pool.acquire() as conn:
        person = await person_of(conn, staff=caller.staff, role=caller.role, mode=mode, now=services.clock())
        # Where roles alone decide, the routes' own sets of roles have decided: there is nothing to look up.
        if mode is AccessMode.UNITS and action is not None:
            cases = [UUID(request.match_info["case"])] if "case" in route.parameters else []
            for case in [*cases, *(permit.cases(body) if permit.cases else ())]:
                await _case(conn, person, case, action)
                if permit.whole:
                    await _whole(conn, person, case)
            clips = [UUID(request.match_info["clip"])] if "clip" in route.parameters else []
            clips += permit.clips(body) if permit.clips else ()
            await require_clips(conn, person, clips, action)
            exports = [UUID(request.match_info["export"])] if "export" in route.parameters else []
            for export in [*exports, *(permit.exports(body) if permit.exports else ())]:
                await _export(conn, person, export, action)
            if action is Action.EXPORT and permit.cases and not clips:
                await _exhibits(conn, person, permit.cases(body), action)
    return person


def codes_of_permit(route: Route) -> tuple[str, ...]:
    """Return the codes that `admit` can answer with on a route."""
    permit = permit_of(route)
    if route.roles is None or (permit.action is None and not permit.lists):
        return ()
    unknown = [f"{name}.unknown" for name in ("clip", "case") if name in route.parameters]
    unknown += ["clip.unknown"] if permit.clips else []
    unknown += ["case.unknown"] if permit.cases else []
    unknown += ["export.unknown"] if permit.exports or "export" in route.parameters else []
    return (*unknown, "access.denied") if unknown or names_footage(route) else ()


async def require_clips(conn: Connection, person: Person, clips: Sequence[UUID], action: Action) -> None:
    """See that a person may do something with each of these clips.

    Raises:
        ClipUnknown: One does not exist, or they may not know of it; it names the first.
        AccessDenied: They may know of one and not do this.
    """
    if not clips:
        return
    subjects = await subjects_of_clips(conn, clips)
    for clip in clips:
        subject = subjects.get(clip)
        if subject is None or _is_hidden(person, subject, action):
            raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
        _require(person, subject, action)


async def known_cases(conn: Connection, services: Services, person: Person, cases: Collection[UUID]) -> frozenset[UUID]:
    """Return those cases that a person may know of; where roles alone decide, all of them."""
    if services.config.access is not AccessMode.UNITS:
        return frozenset(cases)
    subjects = await subjects_of_cases(conn, list(cases))
    return frozenset(case for case, subject in subjects.items() if not _is_hidden(person, subject, Action.METADATA))


async def require_case(conn: Connection, services: Services, person: Person, case: UUID) -> None:
    """See that a person may know of a case, where grants decide.

    Raises:
        CaseUnknown: They may not.
    """
    if case not in await known_cases(conn, services, person, (case,)):
        raise CaseUnknown(f"there is no case {case}", case=str(case))


async def _case(conn: Connection, person: Person, case: UUID, action: Action) -> None:
    subject = (await subjects_of_cases(conn, [case])).get(case)
    if subject is None or _is_hidden(person, subject, action):
        raise CaseUnknown(f"there is no case {case}", case=str(case))
    _require(person, subject, action)


async def _export(conn: Connection, person: Person, export: UUID, action: Action) -> None:
    """See that a person may do something with every clip of a package; what is not there is the handler's to say."""
    job = await find_job(conn, export)
    if job is None:
        return
    clips = set(job.clips)
    if clips - await known_clips(conn, person, clips):
        raise ExportUnknown(f"there is no package {export}", export=str(export))
    if clips - await known_clips(conn, person, clips, action=action):
        raise AccessDenied("this is not permitted for every clip of the package", action=action.value)


async def _exhibits(conn: Connection, person: Person, cases: Sequence[UUID], action: Action) -> None:
    """See that a person may do something with every exhibit of cases: a package holds them all."""
    clips = await clips_of_cases(conn, cases)
    if clips - await known_clips(conn, person, clips, action=action):
        raise AccessDenied("this is not permitted for every exhibit of the case", action=action.value)


async def _whole(conn: Connection, person: Person, case: UUID) -> None:
    """See that a person may know of every sealed file of a case: exhibits and documents."""
    files = set(await files_to_verify(conn, case))
    if files - await known_clips(conn, person, files):
        raise AccessDenied("this is not permitted for every file of the case", action=Action.METADATA.value)


def _is_hidden(person: Person, subject: Subject, action: Action) -> bool:
    return not (decide(person, subject, Action.METADATA).allowed or decide(person, subject, action).allowed)


def _require(person: Person, subject: Subject, action: Action) -> None:
    decision = decide(person, subject, action)
    if not decision.allowed:
        raise AccessDenied(
            f"this is not permitted: {decision.because}", action=action.value, because=decision.code.value
        )
