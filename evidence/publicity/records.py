"""Publications on record: drafted, scanned, judged, approved, published, corrected, withdrawn.

Every function works in the caller's transaction, under the lock of its publication, and each step is one entry. What is
left behind when a step is broken off:

    drafted + scanned   one transaction: a version is never on record without its scan
    judged              the spans that were decided stay decided
    approved            nothing is public; `published` is a step of its own
    published           one entry: the older version goes in the same moment
    withdrawn           one entry: whoever asks after it gets the tombstone

The text that is published is made at approval, from the draft and the decisions, and stands in the approval's payload;
what is published is that text, character by character. The draft keeps its own bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from uuid import UUID

from evidence.calendar.workdays import CHINA
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import Recorded, record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.publicity import store
from evidence.publicity.errors import (
    PublicationIncomplete,
    PublicationNotReady,
    PublicationRevealing,
    PublicationUnknown,
)
from evidence.publicity.forms import REGISTER, check_form, known_forms
from evidence.publicity.masking import Decision, check_decisions, masked
from evidence.publicity.scan import NUMBERS, RULES, scan_fields, scan_text
from evidence.publicity.standing import (
    Publication,
    State,
    last_public_day,
    require_newest,
    require_other_person,
    require_state,
)
from evidence.publicity.store import VersionRow
from evidence.review.revocation_store import revocations_of
from ledger.canonical import JsonObject

SCHEMA = "shilu-publication-1"
"""Name and version of what is published, so that portals know what they are sent."""

CAUSES = ("revoked", "changed", "unlawful", "invalid", "redone", "erroneous")
"""Why somebody withdraws: 撤销, 确认违法, 重新作出, or it was published in error. `term` is the service's own."""


async def publication_of(conn: Connection, publication: UUID) -> Publication:
    """Return a publication as it stands.

    Raises:
        PublicationUnknown: There is none with this id.
    """
    versions = await store.versions_of(conn, publication)
    if not versions:
        raise PublicationUnknown(f"there is no publication {publication}")
    return Publication(
        versions=versions,
        steps=await store.steps_of(conn, publication),
        issues=await store.issues_of(conn, publication),
        withdrawal=await store.withdrawal_of(conn, publication),
    )


async def draft(
    conn: Connection,
    *,
    form: str,
    kind: str,
    fields: Mapping[str, str],
    case: UUID | None = None,
    until: date | None = None,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> VersionRow:
    """Put a new publication on record and scan it; nobody outside sees it.

    Raises:
        PublicationIncomplete: A field is missing or does not fit; each is named.
    """
    publication = uuid7(clock=clock, entropy=entropy)
    wanted: JsonObject = {"form": form, "kind": kind, "case": None if case is None else str(case)}
    return await _draft(
        conn,
        publication,
        1,
        {**wanted, **_more(fields, until), "reason": ""},
        actor=actor,
        clock=clock,
        entropy=entropy,
    )


async def correct(
    conn: Connection,
    publication: UUID,
    *,
    seen: int,
    fields: Mapping[str, str],
    reason: str,
    until: date | None = None,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> VersionRow:
    """Draft the next version of a publication, with the reason (更正); until it is published the other stays.

    Args:
        seen: The version that it is based on.

    Raises:
        PublicationUnknown, PublicationStale, PublicationNotReady, PublicationIncomplete: See above.
        NameInvalid: The reason is empty, too long, or has control characters.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    known = await _locked(conn, publication)
    require_newest(known, seen)
    before = known.newest
    _check_order(known, fields)
    wanted: JsonObject = {
        "form": before.form,
        "kind": before.kind,
        "case": None if before.case_id is None else str(before.case_id),
    }
    more: JsonObject = {**wanted, **_more(fields, until), "reason": reason}
    return await _draft(conn, publication, seen + 1, more, actor=actor, clock=clock, entropy=entropy)


def _more(fields: Mapping[str, str], until: date | None) -> JsonObject:
    said = {name: text for name, text in fields.items() if text.strip()}
    return {"fields": said, "until": None if until is None else until.isoformat()}


def _check_order(known: Publication, fields: Mapping[str, str]) -> None:
    """A register's next version counts from the same day on or later: what was in force on a past day stays so."""
    issued = [one.effective_from.isoformat() for one in known.issues if one.effective_from is not None]
    if known.newest.form == REGISTER and issued and fields.get("effective_from", "") < max(issued):
        raise PublicationIncomplete(
            f"a register's next version begins on {max(issued)} or later",
            problems=[{"field": "effective_from", "problem": "before the version that is published"}],
        )


async def _draft(
    conn: Connection,
    publication: UUID,
    version: int,
    content: JsonObject,
    *,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> VersionRow:
    fields: dict[str, str] = dict(content["fields"])  # type: ignore[arg-type]  # made by _more
    check_form(form=str(content["form"]), kind=str(content["kind"]), fields=fields)
    about: JsonObject = {"publication": str(publication), "version": version}
    subject = f"publication:{publication}"
    await record(
        conn,
        type="publication.drafted",
        actor=actor,
        subject=subject,
        payload={**content, **about},
        clock=clock,
        entropy=entropy,
    )
    found = scan_fields(fields, on=clock().astimezone(CHINA).date())
    spans = [{"field": name, **asdict(span)} for name, spans in found.items() for span in spans]
    await record(
        conn,
        type="publication.scanned",
        actor="service",
        subject=subject,
        payload={**about, "rules": RULES, "spans": spans},
        clock=clock,
        entropy=entropy,
    )
    return (await store.versions_of(conn, publication))[-1]


async def judge(
    conn: Connection,
    publication: UUID,
    *,
    version: int,
    decisions: Sequence[Decision],
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    """Say what is to become of spans of the newest version; it voids nothing but an approval, which must not be there.

    Raises:
        PublicationUnknown, PublicationStale: See above.
        PublicationNotReady: It is approved or published already.
        PublicationSpanInvalid: A decision names no place, or keeps something without a reason.
    """
    known = await _locked(conn, publication)
    require_newest(known, version)
    require_state(known, State.SCANNED)
    check_decisions(decisions, fields=known.newest.fields, spans=known.spans())
    said = [{**asdict(one), "verdict": one.verdict.value} for one in decisions]
    return await _step(conn, "judged", known, {"decisions": said}, actor=actor, clock=clock, entropy=entropy)


async def approve(
    conn: Connection,
    publication: UUID,
    *,
    version: int,
    note: str = "",
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    """Agree, as another person, that the newest version be published as its decisions leave it (审核).

    Raises:
        PublicationUnknown, PublicationStale, PublicationNotReady: See above.
        PublicationSamePerson: The caller wrote it or decided about its spans.
        PublicationUndecided: Somebody has to decide about a span first.
        PublicationSpanInvalid: A span that is kept overlaps one that is masked.
    """
    if note:
        check_name(note, characters_max=REASON_CHARACTERS_MAX)
    known = await _locked(conn, publication)
    require_newest(known, version)
    require_state(known, State.SCANNED)
    require_other_person(known, actor)
    shown = masked(known.newest.fields, spans=known.spans(), decisions=known.decisions())
    content: JsonObject = {"fields": shown, "note": note}
    return await _step(conn, "approved", known, content, actor=actor, clock=clock, entropy=entropy)


async def publish(
    conn: Connection, publication: UUID, *, version: int, actor: str, clock: Clock, entropy: Entropy
) -> Recorded:
    """Make what was approved public, in place of the version before.

    Raises:
        PublicationUnknown, PublicationStale: See above.
        PublicationNotReady: It is not approved, or published already; or the decision that it tells of stands no more,
            or was changed after this version was written.
    """
    known = await _locked(conn, publication)
    require_newest(known, version)
    require_state(known, State.APPROVED)
    row, shown = known.newest, known.approved_fields()
    await _require_standing(conn, row)
    today = clock().astimezone(CHINA).date()
    term = (await store.terms_in_force(conn)).get(row.kind)
    until = row.until
    if until is None and term is not None and term.months is not None:
        first = known.issues[0].published_at.astimezone(CHINA).date() if known.issues else today
        until = last_public_day(first, term.months)
    content: JsonObject = {
        "schema": SCHEMA,
        "form": row.form,
        "kind": row.kind,
        "fields": shown,
        "case": None if row.case_id is None else str(row.case_id),
        "decided_on": shown.get("decided_on"),
        "effective_from": shown.get("effective_from"),
        "until": None if until is None else until.isoformat(),
    }
    return await _step(conn, "published", known, content, actor=actor, clock=clock, entropy=entropy)


async def _require_standing(conn: Connection, row: VersionRow) -> None:
    """Refuse to tell of a decision as it does not stand any more; holds the case still until the transaction ends."""
    if row.case_id is None or row.form == REGISTER:
        return
    await lock_subject(conn, f"case:{row.case_id}")
    for one in await revocations_of(conn, row.case_id):
        if one.effect != "changed" or one.entry_id > row.entry_id:
            raise PublicationNotReady(
                "the decision does not stand as this version tells it",
                effect=one.effect,
                revocation=str(one.entry_id),
            )


async def withdraw(
    conn: Connection, publication: UUID, *, cause: str, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> Recorded:
    """End a publication (撤下), with a reason that the public reads; a tombstone stays.

    Args:
        cause: One of `CAUSES`, or `term`.

    Raises:
        PublicationUnknown: There is none.
        PublicationNotReady: It was never published, or is withdrawn already.
        PublicationRevealing: The reason holds what looks like a number of a person.
        NameInvalid: The reason is empty, too long, or has control characters.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    today = clock().astimezone(CHINA).date()
    kinds = {span.kind for span in scan_text(reason, on=today)} & NUMBERS
    if kinds:
        raise PublicationRevealing("the public will read this reason", kinds=sorted(kinds))
    known = await _locked(conn, publication)
    if known.withdrawal is not None or not known.issues:
        raise PublicationNotReady("only what was published is withdrawn, once", state=known.state)
    content: JsonObject = {"version": known.issues[-1].version, "cause": cause, "reason": reason}
    return await _step(conn, "withdrawn", known, content, actor=actor, clock=clock, entropy=entropy)


async def state_term(
    conn: Connection, *, kind: str, months: int | None, citation: str, actor: str, clock: Clock, entropy: Entropy
) -> Recorded:
    """Put on record how long what is of a kind stays public; it counts for what is published from then on.

    Raises:
        PublicationIncomplete: There is no such kind.
        NameInvalid: The citation is empty, too long, or has control characters.
    """
    check_name(citation, characters_max=REASON_CHARACTERS_MAX)
    if kind not in known_forms():
        raise PublicationIncomplete("there is no such kind", problems=[{"field": "kind", "problem": "unknown"}])
    term = uuid7(clock=clock, entropy=entropy)
    return await record(
        conn,
        type="publication.term_stated",
        actor=actor,
        subject=f"term:{term}",
        payload={"term": str(term), "kind": kind, "months": months, "citation": citation},
        clock=clock,
        entropy=entropy,
    )


async def take_down_over(conn: Connection, *, clock: Clock, entropy: Entropy, limit: int = 100) -> list[UUID]:
    """Withdraw what had its last public day, in the caller's transaction; return which. Readers saw it gone before."""
    today = clock().astimezone(CHINA).date()
    over = await store.over_before(conn, today, limit=limit)
    taken = []
    for publication in over:
        known = await _locked(conn, publication)
        until = known.issues[-1].until
        if known.withdrawal is None and until is not None and until < today:
            content: JsonObject = {"version": known.issues[-1].version, "cause": "term", "reason": "公开期限届满"}
            await _step(conn, "withdrawn", known, content, actor="service", clock=clock, entropy=entropy)
            taken.append(publication)
    return taken


async def _locked(conn: Connection, publication: UUID) -> Publication:
    await lock_subject(conn, f"publication:{publication}")
    return await publication_of(conn, publication)


async def _step(
    conn: Connection,
    step: str,
    known: Publication,
    content: JsonObject,
    *,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    publication = known.newest.publication
    about: JsonObject = {"publication": str(publication), "version": known.newest.version}
    return await record(
        conn,
        type=f"publication.{step}",
        actor=actor,
        subject=f"publication:{publication}",
        payload={**about, **content},
        clock=clock,
        entropy=entropy,
    )
