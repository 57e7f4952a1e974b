"""Coverage: what of a case had to be recorded, what was, and what is missing (R2-R5, R10, R12). Pure.

```
               on the list, of this action, and      footage        exemption        neither
  partial      always                                recorded       exempted         missing
  partial      stated only                           recorded       exempted         -
  optional     as circumstances call for             recorded       exempted         -
  full         between start and end of each         recorded, or   refused          missing, if always
               stated activity                       gaps           when it is made

  activity     09:00 |=============================================| 10:00
  footage            [== 1 ==][== 2 ==]         [====== 4 ======]
  gaps                                 |-------|                 |-|     09:23:10-09:31:05, 09:58:20-10:00:00
```

A written record never makes an item recorded (R4): the two are counted apart. Only footage of an item covers that
item's activity. Recorders write whole seconds into the names of files, so holes of less than a second between files are
none. Times are of one clock, the service's: `footage.py` says how those of recorders came to be put right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from evidence.cases.dossier import Dossier
from evidence.cases.footage import ExhibitFootage, StatedDocument
from evidence.cases.item_list import Item, ItemList
from evidence.cases.spans import Stretch, left_out, union

HOLE_SECONDS = 1
"""Shortest hole between two files that is a gap."""

RECORDED, EXEMPTED, NOT_HELD, MISSING = "recorded", "exempted", "not_held", "missing"
GAPS, UNSTATED, OPEN = "gaps", "unstated", "open"

# One exhibit that shows it is enough, where the rest are about every exhibit.
_ONCE = ("marker:", "document")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of an activity that no footage covers; `reason` is None while nobody gave one."""

    time: Stretch
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingElement:
    """An element that an item demands, and the exhibits that lack it; all of the item's where one had been enough."""

    element: str
    exhibits: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCoverage:
    """How an item stands.

    Attributes:
        required: Whether this case has to have it.
        state: `recorded`, `exempted` (a written record), `not_held`, `missing`, `gaps` (a full one with holes that
            nobody explained), `unstated` (a full one with footage and no activity), `open` (not required, nothing).
        exhibits: Numbers of its exhibits.
        gaps: Holes in its activities, explained or not.
        elements_missing: By name (R12).
    """

    item: Item
    required: bool
    state: str
    exhibits: Sequence[int] = ()
    gaps: Sequence[Gap] = ()
    elements_missing: Sequence[MissingElement] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OffList:
    """Footage of what is not on the list; usable once a 合法性论证 is on record (R5)."""

    exhibit: int
    clip: UUID
    item: str
    argument: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesDiffer:
    """A 文书 and the footage of its act differ in time (R10): by how many seconds the footage is later."""

    document: StatedDocument
    footage: Stretch
    start_seconds: float
    end_seconds: float
    exhibits: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The whole answer.

    Attributes:
        items: Every item of the list that this case's action has, in the list's order; none without a list.
        off_list: Exhibits of what is not on the list.
        unclassified: Exhibits whose annotation names no item.
        undated: Exhibits without a time of their own: they cover nothing.
        times: Documents whose times are not those of the footage.
    """

    items: Sequence[ItemCoverage] = ()
    off_list: Sequence[OffList] = ()
    unclassified: Sequence[int] = ()
    undated: Sequence[int] = ()
    times: Sequence[TimesDiffer] = ()

    def in_state(self, *states: str) -> list[str]:
        """Return the keys of the items in a state."""
        return [one.item.key for one in self.items if one.state in states]

    @property
    def missing(self) -> list[str]:
        """Keys of what had to be recorded and is not."""
        return self.in_state(MISSING)

    @property
    def gap_seconds(self) -> float:
        """Seconds of activities that no footage covers, explained or not."""
        return sum(gap.time.seconds for one in self.items for gap in one.gaps)


def coverage(
    content: ItemList | None, *, action: str | None, footage: Sequence[ExhibitFootage], dossier: Dossier
) -> Coverage:
    """Judge a case against its list.

    Args:
        content: The list in force when the case was opened; without one only times of documents are compared.
        action: The case's action type; None for one that was opened without: then it has every item.
        footage: Its exhibits.
        dossier: What was said about it.
    """
    undated = [one.exhibit for one in footage if one.time is None]
    if content is None:
        return Coverage(undated=undated, times=tuple(_times(None, footage, dossier)))
    arguments = {said.clip: said.reference for said in dossier.arguments}
    placed = [(one, content.item(one.item)) for one in footage]
    return Coverage(
        items=tuple(
            _item(item, [one for one, its in placed if its == item], dossier)
            for item in content.items
            if item.concerns(action)
        ),
        off_list=tuple(
            OffList(exhibit=one.exhibit, clip=one.clip, item=one.item, argument=arguments.get(one.clip))
            for one, its in placed
            if its is None and one.item is not None
        ),
        unclassified=[one.exhibit for one in footage if one.item is None],
        undated=undated,
        times=tuple(_times(content, footage, dossier)),
    )


def _item(item: Item, shown: Sequence[ExhibitFootage], dossier: Dossier) -> ItemCoverage:
    activities = [Stretch(said.starts_at, said.ends_at) for said in dossier.activities if said.item == item.key]
    gaps = tuple(_gaps(item, activities, shown, dossier)) if item.mode == "full" else ()
    wanted = item.mode != "optional" and (item.when == "always" or bool(shown) or bool(activities))
    return ItemCoverage(
        item=item,
        required=wanted,
        state=_state(item, shown, dossier, activities=activities, gaps=gaps),
        exhibits=[one.exhibit for one in shown],
        gaps=gaps,
        elements_missing=tuple(_elements(item, shown)),
    )


def _state(
    item: Item,
    shown: Sequence[ExhibitFootage],
    dossier: Dossier,
    *,
    activities: Sequence[Stretch],
    gaps: Sequence[Gap],
) -> str:
    grounds = {said.ground for said in dossier.exemptions if said.item == item.key}
    if item.mode == "full" and activities:
        if not shown:
            return MISSING
        return GAPS if any(gap.reason is None for gap in gaps) else RECORDED
    if shown:
        return UNSTATED if item.mode == "full" else RECORDED
    if "text_record" in grounds and item.mode != "full":
        return EXEMPTED
    if "not_held" in grounds:
        return NOT_HELD
    return MISSING if item.mode != "optional" and item.when == "always" else OPEN


def _gaps(
    item: Item, activities: Sequence[Stretch], shown: Sequence[ExhibitFootage], dossier: Dossier
) -> Iterator[Gap]:
    reasons = [
        (Stretch(said.starts_at, said.ends_at), said.reason) for said in dossier.gap_reasons if said.item == item.key
    ]
    covered = [one.time for one in shown if one.time is not None]
    for activity in union(activities):
        for hole in left_out(activity, covered, at_least=timedelta(seconds=HOLE_SECONDS)):
            yield Gap(time=hole, reason=next((reason for span, reason in reasons if span.holds(hole)), None))


def _elements(item: Item, shown: Sequence[ExhibitFootage]) -> Iterator[MissingElement]:
    for element in item.elements:
        lacking = [one.exhibit for one in shown if element not in one.elements]
        if lacking and (not element.startswith(_ONCE) or len(lacking) == len(shown)):
            yield MissingElement(element=element, exhibits=lacking)


def _times(content: ItemList | None, footage: Sequence[ExhibitFootage], dossier: Dossier) -> Iterator[TimesDiffer]:
    tolerance = 0 if content is None else content.tolerance_seconds
    for document, shown in _documented(content, footage, dossier):
        times = [one.time for one in shown if one.time is not None]
        if not times:
            continue
        # Several acts of one kind: what overlaps the document is its footage, else all of it.
        near = [time for time in times if time.start < document.time.end and document.time.start < time.end] or times
        whole = Stretch(min(time.start for time in near), max(time.end for time in near))
        start = (whole.start - document.time.start).total_seconds()
        end = (whole.end - document.time.end).total_seconds()
        if max(abs(start), abs(end)) > tolerance:
            yield TimesDiffer(
                document=document,
                footage=whole,
                start_seconds=start,
                end_seconds=end,
                exhibits=[one.exhibit for one in shown if one.time in near],
            )


def _documented(
    content: ItemList | None, footage: Sequence[ExhibitFootage], dossier: Dossier
) -> Iterable[tuple[StatedDocument, Sequence[ExhibitFootage]]]:
    """Yield each document with times and the footage it is about: what names it, or what its item has."""
    named: dict[tuple[str, str], tuple[StatedDocument, list[ExhibitFootage]]] = {}
    for one in footage:
        for document in one.documents:
            named.setdefault(document.key, (document, []))[1].append(one)
    for said in dossier.documents:
        if said.starts_at is None or said.ends_at is None:
            continue
        time = Stretch(said.starts_at, said.ends_at)
        document = StatedDocument(name=said.name, number=said.number, time=time)
        item = None if content is None else content.item(said.item)
        of_item = [
            one for one in footage if item is not None and content is not None and content.item(one.item) == item
        ]
        _, naming = named.pop(document.key, (document, []))
        yield document, naming or of_item
    yield from named.values()
