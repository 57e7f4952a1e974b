"""The 案卷 in its order, ready to be printed: sections, and at each place an exhibit or a document. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from evidence.cases.file import CaseFile
from evidence.cases.statements import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """What stands at a place; `title` is the 摄录内容 of an exhibit, or the title of a document."""

    exhibit: int | None
    document: UUID | None
    clip: UUID
    title: str
    number: str | None


@dataclass(frozen=True, slots=True)
class ShelvedSection:
    """A section in its order."""

    title: str
    places: tuple[Shelved, ...]


def structure(file: CaseFile) -> list[ShelvedSection]:
    """Return the sections as they were arranged; what stands nowhere comes last, under an empty title.

    What was arranged and left the case since is not shown: the arrangement on record still names it.
    """
    shelves = _shelves(file)
    arranged = [
        ShelvedSection(section.title, tuple(shelves[key] for key in map(_key, section.places) if key in shelves))
        for section in file.dossier.sections
    ]
    placed = {_key(place) for section in file.dossier.sections for place in section.places}
    rest = tuple(one for key, one in shelves.items() if key not in placed)
    return [*arranged, *([ShelvedSection("", rest)] if rest else [])]


def print_structure(file: CaseFile) -> str:
    """Return the 案卷目录 as text to print."""
    lines = [f"案卷目录  {file.case.number}  {file.dossier.title}", ""]
    for section in structure(file):
        lines.append(section.title or "（未编排）")
        for number, one in enumerate(section.places, 1):
            what = "音像" if one.exhibit is not None else "文书"
            lines.append(f"  {number:>3}  {what}  {one.number or '-':<24}  {one.title}")
        lines.append("")
    return "\n".join(lines)


def exhibit_number(case_number: str, exhibit: int) -> str:
    """Return an exhibit's number as it is written on paper: 案号-序号."""
    return f"{case_number}-{exhibit:03d}"


def _shelves(file: CaseFile) -> dict[int | UUID | None, Shelved]:
    shelves: dict[int | UUID | None, Shelved] = {
        one.exhibit: Shelved(
            exhibit=one.exhibit,
            document=None,
            clip=one.clip,
            title=one.remark or "",
            number=exhibit_number(file.case.number, one.exhibit),
        )
        for one in file.footage
    }
    for said in file.dossier.documents:
        title = f"{said.name} {said.title}"
        shelves[said.document] = Shelved(
            exhibit=None, document=said.document, clip=said.document, title=title, number=said.number
        )
    return shelves


def _key(place: Place) -> int | UUID | None:
    return place.exhibit if place.exhibit is not None else place.document
