"""What of a linked clip counts when a case is judged: its times, and what people say it shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from evidence.cases.spans import Stretch
from evidence.clips.derived_facts import duration_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedDocument:
    """A 文书 with the times that stand in it, and where that was said: by an annotation, or by the case."""

    name: str
    number: str | None
    time: Stretch

    @property
    def key(self) -> tuple[str, str]:
        """What documents are told apart by."""
        return (self.name, self.number or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitFootage:
    """An exhibit as coverage sees it.

    Attributes:
        item: What its annotation names as the recording item, by key, title or free words; None when nobody said.
        time: From its first to its last frame by the service's clock: the name's time, put right by what the dock
            measured of the recorder's clock where that is on record; None where one is unknown.
        clock_ahead: By how much the recorder's clock was ahead of that.
        elements: Names of the elements (R12) that it has.
        documents: 文书 that its annotation names with their times.
        version: Version of its annotation, 0 for none.
        remark: 摄录内容.
    """

    exhibit: int
    clip: UUID
    item: str | None
    time: Stretch | None
    elements: frozenset[str]
    documents: Sequence[StatedDocument] = ()
    version: int = 0
    remark: str | None = None
    clock_ahead: timedelta = timedelta(0)


def footage_of(
    *,
    exhibit: int,
    clip: UUID,
    recorder: str | None,
    officer: str | None,
    recorded_at: datetime | None,
    shown_at: datetime | None,
    probe: Mapping[str, Any] | None,
    version: int,
    content: Mapping[str, Any] | None,
) -> ExhibitFootage:
    """Read an exhibit from its rows.

    Args:
        recorded_at: When it began, by the service's clock.
        shown_at: The same by the recorder's, as its file's name says.
        probe: Of the newest derivation.
        content: Of the annotation that counts.
    """
    said = content or {}
    time, length_ms = None, duration_ms(probe or {})
    if recorded_at is not None and length_ms:
        time = Stretch(recorded_at, recorded_at + timedelta(milliseconds=length_ms))
    has = {name for name in ("remark", "place", "speakers", "dialogue") if said.get(name)}
    has |= {name for name, value in (("recorder", recorder), ("officer", officer)) if value}
    has |= {f"marker:{marker['kind']}" for marker in said.get("markers", ())}
    if recorded_at is not None:
        has.add("recorded_at")
    if said.get("documents"):
        has.add("document")
    if said.get("not_needed_because"):
        # 视情况: the judgement that it is not needed is on record.
        has |= {"speakers", "dialogue"}
    return ExhibitFootage(
        exhibit=exhibit,
        clip=clip,
        item=said.get("item"),
        time=time,
        elements=frozenset(has),
        documents=tuple(_documents(said.get("documents", ()))),
        version=version,
        remark=said.get("remark"),
        clock_ahead=timedelta(0) if recorded_at is None or shown_at is None else shown_at - recorded_at,
    )


def _documents(stated: Iterable[Mapping[str, Any]]) -> Iterable[StatedDocument]:
    for one in stated:
        starts, ends = one.get("from"), one.get("to")
        if starts and ends and (start := datetime.fromisoformat(starts)) < (end := datetime.fromisoformat(ends)):
            yield StatedDocument(name=one["kind"], number=one.get("number"), time=Stretch(start, end))
