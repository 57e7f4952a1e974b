"""The case file at work: folding it, stating, amending, arranging, judging coverage. Each change is a ledger entry.

Whoever changes a case holds its lock from the check to the commit, as linking does, so that nothing slips in between
an archive's last look and its entry. Where somebody else may have changed what a person looked at, they name the
version they saw and get `case.stale` when it is another one.

    crash before the commit        nothing was said: entry, payload and row are one transaction
    crash after it                 it is said; asked again with the same Idempotency-Key it is the same answer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from evidence.cases.cases import (
    HANDLERS_MAX,
    REASON_CHARS_MAX,
    TITLE_CHARS_MAX,
    check_words,
    get_case,
    require_open,
)
from evidence.cases.coverage import Coverage, coverage
from evidence.cases.dossier import Dossier, fold
from evidence.cases.errors import (
    CaseNotArchived,
    CaseStale,
    ExemptionRefused,
    StatementRefused,
)
from evidence.cases.facts import CaseFacts
from evidence.cases.footage import ExhibitFootage
from evidence.cases.item_list import ItemList
from evidence.cases.items import day_of, get_list
from evidence.cases.items_store import ItemListRow
from evidence.cases.statement_store import archived_by, footage_in, statements_of
from evidence.cases.statements import (
    Activity,
    Addendum,
    Conclusion,
    Document,
    Exemption,
    GapReason,
    LegalityArgument,
    Section,
    Statement,
    Withdrawal,
)
from evidence.cases.store import CaseRow, find_link, opened_as
from evidence.clips.store import clip_row
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import CaseInvalid
from evidence.registers.attribution import require_usable
from evidence.retention.tombstones import keep_meanwhile
from ledger.canonical import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case with all that was said about it.

    Attributes:
        items: The recording-item list it is judged by; None when none was in force.
        footage: Its exhibits as coverage sees them.
    """

    case: CaseRow
    dossier: Dossier
    items: ItemListRow | None
    footage: Sequence[ExhibitFootage]

    @property
    def content(self) -> ItemList | None:
        """The list itself."""
        return None if self.items is None else self.items.content

    @property
    def coverage(self) -> Coverage:
        """How the case stands against its list."""
        return coverage(self.content, action=self.case.kind, footage=self.footage, dossier=self.dossier)


async def dossier_of(conn: Connection, case_id: UUID) -> Dossier:
    """Return a case folded.

    Raises:
        CaseUnknown: There is none with this id.
    """
    await get_case(conn, case_id)
    return fold(**await opened_as(conn, case_id), rows=await statements_of(conn, case_id))


async def open_file(conn: Connection, case_id: UUID) -> CaseFile:
    """Return a case with all that was said about it and what its exhibits show.

    Raises:
        CaseUnknown: There is none with this id.
    """
    case = await get_case(conn, case_id)
    items = None if case.items is None else await get_list(conn, case.items)
    return CaseFile(
        case=case, dossier=await dossier_of(conn, case_id), items=items, footage=await footage_in(conn, case_id)
    )


async def coverage_of(conn: Connection, case_id: UUID) -> Coverage:
    """Return how a case stands against the list that was in force when it was opened.

    Raises:
        CaseUnknown: There is none with this id.
    """
    return (await open_file(conn, case_id)).coverage


async def state(
    conn: Connection, *, case_id: UUID, statement: Statement, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    """Put a statement about a case on record, in the caller's transaction; return the entry's id.

    Raises:
        CaseUnknown: There is no such case.
        CaseIsArchived: It is archived, and this is no addendum.
        CaseNotArchived: It is not archived, and this is an addendum.
        ExemptionRefused: The list does not let a written record stand in for this item.
        StatementRefused: It names what is not there: a file, an item, an exhibit, an entry; or a day to come.
        ClipDisposed: The document's file is not kept any more.
        ClipBlocked: Whose the document's file is, is not settled.
    """
    case = await get_case(conn, case_id)
    if isinstance(statement, Document) and await clip_row(conn, statement.document) is not None:
        await keep_meanwhile(conn, statement.document)
        await require_usable(conn, statement.document)
    await lock_subject(conn, f"case:{case_id}")
    if not isinstance(statement, Addendum):
        await require_open(conn, case_id)
    elif await archived_by(conn, case_id) is None:
        raise CaseNotArchived("the case is not archived yet")
    await _check(conn, case, statement, clock)
    return await _record(
        conn,
        "case.stated",
        {"case": str(case_id), "statement": statement.model_dump(mode="json", exclude_none=True)},
        actor=actor,
        clock=clock,
        entropy=entropy,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """Other words for a case; what is None stays."""

    reason: str
    title: str | None = None
    handlers: Sequence[str] | None = None
    facts: CaseFacts | None = None


async def amend(
    conn: Connection,
    *,
    case_id: UUID,
    amendment: Amendment,
    expected_version: int,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> int:
    """Put other words for a case on record, in the caller's transaction; return the version it is at now.

    Raises:
        CaseUnknown, CaseIsArchived: There is no such case, or it changes no more.
        CaseStale: It is at another version; `details["version"]` says which.
        CaseInvalid: Nothing is amended, or words are empty, too long or hold control characters.
    """
    check_words(amendment.reason, what="reason", chars_max=REASON_CHARS_MAX)
    if amendment.title is not None:
        check_words(amendment.title, what="title", chars_max=TITLE_CHARS_MAX)
    if amendment.handlers is not None and len(amendment.handlers) > HANDLERS_MAX:
        raise CaseInvalid(f"at most {HANDLERS_MAX} people can be named")
    for handler in amendment.handlers or ():
        check_words(handler, what="handler's name", chars_max=TITLE_CHARS_MAX)
    if (amendment.title, amendment.handlers, amendment.facts) == (None, None, None):
        raise CaseInvalid("nothing is amended")
    version = await _next_version(conn, case_id, expected_version)
    payload: JsonObject = {
        "case": str(case_id),
        "version": version,
        "reason": amendment.reason,
        "title": amendment.title,
        "handlers": None if amendment.handlers is None else list(amendment.handlers),
        "facts": None if amendment.facts is None else amendment.facts.as_json(),
    }
    await _record(conn, "case.amended", payload, actor=actor, clock=clock, entropy=entropy)
    return version


async def arrange(
    conn: Connection,
    *,
    case_id: UUID,
    sections: Sequence[Section],
    expected_version: int,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> int:
    """Put the order of the 案卷 on record, in the caller's transaction; return the version it is at now.

    Raises:
        CaseUnknown, CaseIsArchived, CaseStale: See `amend`.
        StatementRefused: A place holds what the case does not have, or something stands in two places.
    """
    version = await _next_version(conn, case_id, expected_version)
    file = await open_file(conn, case_id)
    exhibits = {one.exhibit for one in file.footage}
    documents = {said.document for said in file.dossier.documents}
    seen: set[int | UUID] = set()
    for place in (place for section in sections for place in section.places):
        what = place.exhibit if place.exhibit is not None else place.document
        if what is None or what in seen or what not in exhibits | documents:
            raise StatementRefused(f"the case has no {what} to put here, or it stands in two places", place=str(what))
        seen.add(what)
    payload: JsonObject = {
        "case": str(case_id),
        "version": version,
        "sections": [section.model_dump(mode="json", exclude_none=True) for section in sections],
    }
    await _record(conn, "case.arranged", payload, actor=actor, clock=clock, entropy=entropy)
    return version


async def _next_version(conn: Connection, case_id: UUID, expected: int) -> int:
    await get_case(conn, case_id)
    await lock_subject(conn, f"case:{case_id}")
    await require_open(conn, case_id)
    version = (await dossier_of(conn, case_id)).version
    if version != expected:
        raise CaseStale(f"the case is at version {version}, not {expected}", version=version)
    return version + 1


async def _check(conn: Connection, case: CaseRow, statement: Statement, clock: Clock) -> None:
    """Refuse a statement that names what is not there."""
    match statement:
        case Document(document=document):
            if await clip_row(conn, document) is None:
                raise StatementRefused(f"there is no sealed file {document}", document=str(document))
            if statement.item is not None:
                await _item(conn, case, statement.item)
        case Activity(item=item) | GapReason(item=item):
            await _item(conn, case, item)
        case Exemption(item=key, ground=ground):
            await _check_exemption(conn, case, key, ground)
        case LegalityArgument(clip=clip):
            if await find_link(conn, case_id=case.case_id, clip=clip) is None:
                raise StatementRefused(f"clip {clip} is no exhibit of the case", clip=str(clip))
        case Conclusion(on=on):
            if on > day_of(clock()):
                raise StatementRefused(f"{on} is yet to come", on=on.isoformat())
        case Withdrawal(entry=entry):
            said = (await dossier_of(conn, case.case_id)).said
            kinds = {one.row.entry_id: one.row.kind for one in said}
            if kinds.get(entry, "withdrawal") == "withdrawal":
                raise StatementRefused("there is no such statement to withdraw", entry=str(entry))
        case Addendum():
            pass


async def _check_exemption(conn: Connection, case: CaseRow, key: str, ground: str) -> None:
    items = await _item(conn, case, key)
    item = items.item(key)
    if item is not None and item.mode == "full":
        raise ExemptionRefused(f"{item.title} is recorded in full and never exempted", item=key)
    if item is not None and ground == "text_record" and not item.exemptible:
        raise ExemptionRefused(f"the list lets no written record stand in for {item.title}", item=key)


async def _item(conn: Connection, case: CaseRow, key: str) -> ItemList:
    content = None if case.items is None else (await get_list(conn, case.items)).content
    if content is None or not any(item.key == key for item in content.items):
        raise StatementRefused(f"the case's list has no item {key}", item=key)
    return content


async def _record(
    conn: Connection, event: str, payload: Mapping[str, object], *, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    recorded = await record(
        conn,
        type=event,
        actor=actor,
        subject=f"case:{payload['case']}",
        payload=dict(payload),  # type: ignore[arg-type]  # JSON by the models that made it
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id
