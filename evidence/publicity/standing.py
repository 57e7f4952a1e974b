"""Where a version stands, and who may take the next step: pure rules over what is on record.

    drafted --> scanned --> judged* --> approved --> published --> withdrawn
       ^                                                |
       '--- another version is drafted, with its reason '    until it is published, the older one stays public

Drafting another version voids what was judged and approved of the one before: every step is about one version, and only
about the newest. Withdrawn is the end: a decision that was made again is another publication.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from evidence.publicity.errors import PublicationNotReady, PublicationSamePerson, PublicationStale
from evidence.publicity.masking import Decision, Verdict
from evidence.publicity.span import Certainty, Span, SpanKind
from evidence.publicity.store import IssueRow, StepRow, VersionRow, WithdrawalRow


class State(StrEnum):
    """How far the newest version has come."""

    DRAFTED = "drafted"
    SCANNED = "scanned"
    APPROVED = "approved"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A publication as it stands: its versions, the steps of the newest one, what was published, how it ended."""

    versions: Sequence[VersionRow]
    steps: Sequence[StepRow]
    issues: Sequence[IssueRow]
    withdrawal: WithdrawalRow | None

    @property
    def newest(self) -> VersionRow:
        """The newest version."""
        return self.versions[-1]

    @property
    def state(self) -> State:
        """How far the newest version has come."""
        if self.withdrawal is not None:
            return State.WITHDRAWN
        if self.issues and self.issues[-1].version == self.newest.version:
            return State.PUBLISHED
        steps = {step.step for step in self._of_newest()}
        if "approved" in steps:
            return State.APPROVED
        return State.SCANNED if "scanned" in steps else State.DRAFTED

    def spans(self) -> dict[str, list[Span]]:
        """What the newest scan of the newest version found, by field."""
        scans = [step for step in self._of_newest() if step.step == "scanned"]
        found: dict[str, list[Span]] = {}
        for one in scans[-1].content["spans"] if scans else ():
            span = Span(one["start"], one["end"], SpanKind(one["kind"]), Certainty(one["certainty"]))
            found.setdefault(one["field"], []).append(span)
        return found

    def decisions(self) -> list[Decision]:
        """What people said of spans of the newest version, in the order in which they said it."""
        return [
            Decision(**{**one, "verdict": Verdict(one["verdict"])})
            for step in self._of_newest()
            if step.step == "judged"
            for one in step.content["decisions"]
        ]

    def approved_fields(self) -> Mapping[str, str]:
        """What was approved of the newest version."""
        approved = [step for step in self._of_newest() if step.step == "approved"]
        return {} if not approved else approved[-1].content["fields"]

    def writers(self) -> frozenset[str]:
        """Who drafted the newest version or decided about its spans."""
        judges = {step.taken_by for step in self._of_newest() if step.step == "judged"}
        return frozenset({self.newest.drafted_by, *judges})

    def _of_newest(self) -> list[StepRow]:
        return [step for step in self.steps if step.version == self.newest.version]


def require_newest(publication: Publication, version: int) -> None:
    """See that a step is about the newest version of something that has not ended.

    Raises:
        PublicationStale: There is a newer version.
        PublicationNotReady: It was withdrawn.
    """
    if publication.state is State.WITHDRAWN:
        raise PublicationNotReady("the publication was withdrawn", state=State.WITHDRAWN)
    if publication.newest.version != version:
        raise PublicationStale(
            f"version {publication.newest.version} is the newest, not {version}", newest=publication.newest.version
        )


def require_state(publication: Publication, *states: State) -> None:
    """See that the newest version has come as far as a step needs, and no further.

    Raises:
        PublicationNotReady: It has not.
    """
    if publication.state not in states:
        raise PublicationNotReady(
            f"the newest version is {publication.state}, this needs {' or '.join(states)}", state=publication.state
        )


def require_other_person(publication: Publication, actor: str) -> None:
    """See that whoever approves neither wrote the version nor decided about its spans.

    Raises:
        PublicationSamePerson: They did.
    """
    if actor in publication.writers():
        raise PublicationSamePerson("who wrote a version or decided about its spans does not approve it")


def is_public(issue: IssueRow, *, newest: bool, withdrawn: bool, today: date) -> bool:
    """Tell whether an issue's content is public: the newest one, not withdrawn, in its term."""
    return newest and not withdrawn and (issue.until is None or today <= issue.until)


def last_public_day(published_on: date, months: int) -> date:
    """Return the last day of a term of months: the day with the same number, or the last of its month."""
    place = published_on.year * 12 + published_on.month - 1 + months
    year, month = divmod(place, 12)
    for day in range(published_on.day, 27, -1):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    return date(year, month + 1, published_on.day)
