"""What people say about clips: its versions, what each changed, and the next one."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from api.answers import etag, json_answer
from api.call import Call
from api.errors import CursorInvalid
from api.handlers.clip_items import annotation_item
from api.models.annotations import ChangeItem, DifferenceItem, DifferenceQuery, WriteAnnotation
from api.models.clips import AnnotationItems, AnnotationMade
from api.models.common import PageQuery
from api.preconditions import expected_version, once, seen_version
from api.proposals import proposals_of
from api.route import NoQuery
from evidence.access.masking import MASK, may_identify
from evidence.access.policy import Person
from evidence.clips.annotations import annotate, compare_annotations, get_annotation, list_annotations
from evidence.clips.clips import get_clip
from evidence.clips.difference import Change
from evidence.clips.proposals import AcceptProposals, accept_proposals
from evidence.db.paging import LAST_INTEGER
from evidence.db.pool import Connection


async def versions(call: Call[None, PageQuery]) -> web.Response:
    """List the versions of a clip's annotation; the ETag is what `If-Match` wants."""
    limit = call.query.limit
    before = _version(call.query.cursor)
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        rows = await list_annotations(conn, clip.id, before=before, limit=limit + 1)
    items = [annotation_item(row, call.person) for row in rows[:limit]]
    page = AnnotationItems(items=items, next=str(items[-1].version) if len(rows) > limit else None)
    return json_answer(page, headers={"ETag": etag(str(clip.version))})


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return one version."""
    version = int(call.request.match_info["version"])
    async with call.services.pool.acquire() as conn:
        row = await get_annotation(conn, call.id("clip"), version)
    return json_answer(annotation_item(row, call.person))


async def difference(call: Call[None, DifferenceQuery]) -> web.Response:
    """Tell what a version changed."""
    version = int(call.request.match_info["version"])
    since = version - 1 if call.query.since is None else call.query.since
    async with call.services.pool.acquire() as conn:
        row = await get_annotation(conn, call.id("clip"), version)
        changes = await compare_annotations(conn, call.id("clip"), since=since, version=version)
    item = DifferenceItem(
        clip=call.id("clip"),
        since=since,
        version=version,
        annotated_by=row.annotated_by,
        annotated_at=row.annotated_at,
        reason=row.reason,
        changes=[
            ChangeItem(
                where=change.where,
                change=change.change,
                before=before,
                after=after,
                fields=list(change.fields),
            )
            for change in changes
            for before, after in [_values(change, call.person)]
        ],
    )
    return json_answer(item)


def _values(change: Change, person: Person) -> tuple[object, object]:
    """Return what a change was from and to; of speakers, only that it was, to whom may not read who they are."""
    if change.where.startswith("speakers") and not may_identify(person):
        return None if change.before is None else MASK, None if change.after is None else MASK
    return change.before, change.after


async def add(call: Call[WriteAnnotation, NoQuery]) -> web.Response:
    """Write the next version of a clip's annotation, based on the version in `If-Match`."""
    services = call.services
    version = expected_version(call.request)

    async def work(conn: Connection) -> AnnotationMade:
        made = await annotate(
            conn,
            clip=call.id("clip"),
            content=call.body.content(),
            expected_version=version,
            actor=call.actor,
            reason=call.body.reason,
            clock=services.clock,
            entropy=services.entropy,
        )
        return AnnotationMade(version=made.version, entry=made.entry_id, at=made.at)

    response = await once(call, route="annotate", work=work)
    response.headers["ETag"] = etag(str(version + 1))
    return response


async def accept(call: Call[AcceptProposals, NoQuery]) -> web.Response:
    """Take over what a machine proposed, in the caller's name."""
    services, wanted, clip = call.services, call.body, call.id("clip")
    version = seen_version(call.request)
    proposals = await proposals_of(services, clip=clip, transcript=UUID(wanted.transcript))

    async def work(conn: Connection) -> AnnotationMade:
        made = await accept_proposals(
            conn,
            clip=clip,
            wanted=wanted,
            proposals=proposals,
            expected_version=version,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return AnnotationMade(version=made.version, entry=made.entry_id, at=made.at)

    return await once(call, route="accept_proposals", work=work)


def _version(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or not 0 < int(cursor[:12]) <= LAST_INTEGER:
        raise CursorInvalid("the cursor is not from this list")
    return int(cursor)
