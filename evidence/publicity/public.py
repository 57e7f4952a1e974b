"""What anybody sees of a publication on a day: its content, or the tombstone of one that is gone.

The question is answered at read time from the day, so that nothing is public a moment longer because a job was late;
the job (`records.take_down_over`) puts the end on record afterwards. What was never published does not exist here, and
is answered like what does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from evidence.db.pool import Connection
from evidence.publicity.errors import PublicationUnknown
from evidence.publicity.forms import REGISTER
from evidence.publicity.public_store import registers_on
from evidence.publicity.standing import is_public
from evidence.publicity.store import IssueRow, issues_of, withdrawal_of


@dataclass(frozen=True, slots=True)
class PublicVersion:
    """That there was a version and when it was published; of its content nothing."""

    version: int
    published_at: datetime
    effective_from: date | None
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicView:
    """What anybody sees.

    Attributes:
        issue: What is public; None for a tombstone.
        status: `public`, `withdrawn`, or `over` while its term is over and the withdrawal not on record yet.
        versions: All that were ever published, in order; times alone.
        cause, reason: Why it is gone; empty while it is not.
        gone_at: When it was withdrawn, as far as that is on record.
        gone_entry: The entry of the withdrawal.
    """

    publication: UUID
    status: Literal["public", "withdrawn", "over"]
    issue: IssueRow | None
    versions: Sequence[PublicVersion]
    cause: str = ""
    reason: str = ""
    gone_at: datetime | None = None
    gone_entry: UUID | None = None


async def public_view(conn: Connection, publication: UUID, *, today: date, on: date | None = None) -> PublicView:
    """Return what anybody sees of a publication.

    Args:
        today: The day of the question, where the agency is.
        on: Of a register the version in force on this day; None for today's. Of decisions it means nothing.

    Raises:
        PublicationUnknown: Nothing was ever published under this id, or no version of the register was in force then.
    """
    issues = await issues_of(conn, publication)
    if not issues:
        raise PublicationUnknown(f"there is no publication {publication}")
    versions = [PublicVersion(one.version, one.published_at, one.effective_from, one.entry_id) for one in issues]
    gone = await withdrawal_of(conn, publication)
    if gone is not None:
        return PublicView(
            publication=publication,
            status="withdrawn",
            issue=None,
            versions=versions,
            cause=gone.cause,
            reason=gone.reason,
            gone_at=gone.withdrawn_at,
            gone_entry=gone.entry_id,
        )
    newest = issues[-1]
    if newest.form == REGISTER:
        found = await registers_on(conn, on or today, today=today, publication=publication)
        if not found:
            raise PublicationUnknown(f"no version of {publication} was in force then")
        return PublicView(publication=publication, status="public", issue=found[0], versions=versions)
    if is_public(newest, newest=True, withdrawn=False, today=today):
        return PublicView(publication=publication, status="public", issue=newest, versions=versions)
    return PublicView(
        publication=publication, status="over", issue=None, versions=versions, cause="term", reason="公开期限届满"
    )
