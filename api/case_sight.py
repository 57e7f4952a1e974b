"""What of a case somebody is shown who may know of the case, and not of every file in it. Pure, over answers.

What is hidden is left out without a count, as in the list of exhibits; what the case itself is (whether an item is
recorded, whether it can be archived) is told as it is, for it is a fact of the case. An archive is shown whole or not
at all: its root and receipt prove the whole manifest and would prove nothing of a part.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from api.models.case_files import CaseCoverage, CaseReadiness, CaseStructure, ReasonItem, StatementItem
from evidence.access.policy import Person
from evidence.access.sight import known_clips
from evidence.cases.file import CaseFile
from evidence.db.pool import Connection

_FILES = ("clip", "document", "file")
"""Fields of statements and reasons that name a sealed file."""


async def hidden_files(conn: Connection, person: Person, files: Collection[UUID]) -> set[UUID]:
    """Return those of the sealed files of a case that a person may not know of."""
    return set(files) - await known_clips(conn, person, files)


def files_of(file: CaseFile) -> dict[UUID, int | None]:
    """Return every sealed file of a case with its exhibit number; documents have none."""
    documents = {said.document: None for said in file.dossier.documents}
    return {**documents, **{one.clip: one.exhibit for one in file.footage}}


def seen_structure(shown: CaseStructure, hidden: Collection[UUID]) -> CaseStructure:
    """Return the order of the file without what is hidden."""
    sections = [
        one.model_copy(update={"places": [place for place in one.places if place.clip not in hidden]})
        for one in shown.sections
    ]
    return shown.model_copy(update={"sections": sections})


def seen_coverage(shown: CaseCoverage, numbers: Collection[int | None]) -> CaseCoverage:
    """Return coverage without the exhibits of these numbers; how the items stand is told as it is."""

    def seen(exhibits: Collection[int]) -> list[int]:
        return [one for one in exhibits if one not in numbers]

    standings = [
        one.model_copy(
            update={
                "exhibits": seen(one.exhibits),
                "elements_missing": [
                    lack.model_copy(update={"exhibits": seen(lack.exhibits)})
                    for lack in one.elements_missing
                    if seen(lack.exhibits) or not lack.exhibits
                ],
            }
        )
        for one in shown.standings
    ]
    times = [one.model_copy(update={"exhibits": seen(one.exhibits)}) for one in shown.times if seen(one.exhibits)]
    return shown.model_copy(
        update={
            "standings": standings,
            "off_list": [one for one in shown.off_list if one.exhibit not in numbers],
            "unclassified": seen(shown.unclassified),
            "undated": seen(shown.undated),
            "times": times,
        }
    )


def seen_readiness(shown: CaseReadiness, hidden: Collection[UUID], numbers: Collection[int | None]) -> CaseReadiness:
    """Return what stands against archiving; of what is about something hidden, the code alone."""
    reasons = []
    for one in shown.reasons:
        about = one.model_extra or {}
        secret = _names(about, hidden) or bool(_exhibits(about) & set(numbers))
        reasons.append(ReasonItem(code=one.code, means=one.means) if secret else one)
    return shown.model_copy(update={"reasons": reasons})


def seen_statements(items: Collection[StatementItem], hidden: Collection[UUID]) -> list[StatementItem]:
    """Return statements without those about hidden files; an order or archive that names some is told without them."""
    shown = []
    for one in items:
        said = one.content.get("statement")
        if _names(one.content, hidden) or (isinstance(said, dict) and _names(said, hidden)):
            continue
        content = {name: value for name, value in one.content.items() if not (hidden and name == "manifest")}
        if "sections" in content:
            content["sections"] = [_section(section, hidden) for section in content["sections"]]
        shown.append(one.model_copy(update={"content": content}))
    return shown


def _section(section: Mapping[str, Any], hidden: Collection[UUID]) -> dict[str, Any]:
    return {**section, "places": [place for place in section.get("places", ()) if not _names(place, hidden)]}


def _names(about: Mapping[str, Any], hidden: Collection[UUID]) -> bool:
    names = {str(one) for one in hidden}
    return any(str(about.get(field)) in names for field in _FILES if about.get(field) is not None)


def _exhibits(about: Mapping[str, Any]) -> set[int]:
    many, one = about.get("exhibits"), about.get("exhibit")
    return {*(many if isinstance(many, list) else ()), *((one,) if isinstance(one, int) else ())}
