"""A case as it stands: what was said about it, folded from the first statement to the last. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from evidence.cases.facts import CaseFacts
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

_STATEMENT: TypeAdapter[Statement] = TypeAdapter(Statement)
_SECTIONS: TypeAdapter[list[Section]] = TypeAdapter(list[Section])

SaidT = TypeVar("SaidT")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One thing that was said; `kind` is that of the statement, or `amended`, `arranged`, `unlinked`, `archived`."""

    entry_id: UUID
    case_id: UUID
    kind: str
    content: Mapping[str, object]
    stated_by: str
    stated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement that was read, and the entry that made it."""

    row: StatementRow
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A case folded.

    Attributes:
        version: Of what can be amended and arranged: 1, and one more with each change.
        said: Statements that count, in the order they were made.
        unlinked: Reasons by the numbers of exhibits that are none any more.
        archived: When and by which entry it was archived; None while it is open.
    """

    title: str
    handlers: Sequence[str]
    facts: CaseFacts
    version: int = 1
    sections: Sequence[Section] = ()
    said: Sequence[Said] = ()
    unlinked: Mapping[int, str] = field(default_factory=dict)
    archived: StatementRow | None = None

    def of(self, kind: type[SaidT]) -> Iterator[tuple[SaidT, StatementRow]]:
        """Yield the statements of a kind that count, with their rows."""
        for one in self.said:
            if isinstance(one.statement, kind):
                yield one.statement, one.row

    @property
    def documents(self) -> list[Document]:
        """Documents, as they were filed."""
        return [said for said, _ in self.of(Document)]

    @property
    def activities(self) -> list[Activity]:
        """Activities, as they were stated."""
        return [said for said, _ in self.of(Activity)]

    @property
    def gap_reasons(self) -> list[GapReason]:
        """Reasons of gaps."""
        return [said for said, _ in self.of(GapReason)]

    @property
    def exemptions(self) -> list[Exemption]:
        """Exemptions."""
        return [said for said, _ in self.of(Exemption)]

    @property
    def arguments(self) -> list[LegalityArgument]:
        """Legality arguments."""
        return [said for said, _ in self.of(LegalityArgument)]

    @property
    def addenda(self) -> list[Addendum]:
        """Addenda."""
        return [said for said, _ in self.of(Addendum)]

    @property
    def concluded_on(self) -> date | None:
        """The day of 执行终结, as it was stated last; None while nobody stated one."""
        days = [said.on for said, _ in self.of(Conclusion)]
        return days[-1] if days else None

    @property
    def state(self) -> str:
        """`open`, `concluded` or `archived`."""
        if self.archived is not None:
            return "archived"
        return "open" if self.concluded_on is None else "concluded"


def fold(*, title: str, handlers: Sequence[str], facts: Mapping[str, object], rows: Sequence[StatementRow]) -> Dossier:
    """Fold what was said about a case.

    Args:
        title, handlers, facts: As it was opened.
        rows: Everything that was said, in the order of the entries.
    """
    now_facts, version, sections = CaseFacts.model_validate(facts), 1, list[Section]()
    said, unlinked, archived = dict[UUID, Said](), dict[int, str](), None
    for row in rows:
        match row.kind:
            case "amended":
                version += 1
                title = _given(row.content, "title", title)
                handlers = _given(row.content, "handlers", handlers)
                now_facts = CaseFacts.model_validate(_given(row.content, "facts", now_facts.as_json()))
            case "arranged":
                version += 1
                sections = _SECTIONS.validate_python(row.content["sections"])
            case "unlinked":
                unlinked[int(str(row.content["exhibit"]))] = str(row.content["reason"])
            case "archived":
                archived = row
            case _:
                statement = _STATEMENT.validate_python(row.content["statement"])
                said[row.entry_id] = Said(row=row, statement=statement)
                if isinstance(statement, Withdrawal):
                    said.pop(statement.entry, None)
    return Dossier(
        title=title,
        handlers=tuple(handlers),
        facts=now_facts,
        version=version,
        sections=tuple(sections),
        said=tuple(said.values()),
        unlinked=unlinked,
        archived=archived,
    )


ValueT = TypeVar("ValueT")


def _given(content: Mapping[str, object], name: str, otherwise: ValueT) -> ValueT:
    given = content.get(name)
    return otherwise if given is None else given  # type: ignore[return-value]  # the payload's model has checked it
