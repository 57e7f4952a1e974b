"""What became of cases: submitted, reviewed, decided, archived, told the public, handed over; the trail's way forward.

Acts are read from what the ledger's entries commit to, by their types, so a wing that is not installed has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from evidence.core.clock import format_time
from evidence.custody.history import CustodyLine
from evidence.db.pool import Connection
from evidence.export.trail_store import acts_about
from ledger.canonical import JsonObject
from ledger.store import published_indices

ACTS: Final[Mapping[str, tuple[str, str]]] = {
    "case.opened": ("立案", "opened"),
    "review.submitted": ("提交法制审核", "submitted for legal review"),
    "review.opined": ("法制审核意见", "opinion of the legal review"),
    "review.disagreed": ("不同意审核意见", "disagreement with the opinion"),
    "review.coordinated": ("协调结果", "outcome of the coordination"),
    "review.transferred": ("移送司法机关", "transferred to the criminal authorities"),
    "case.decided": ("作出决定", "decided"),
    "decision.revoked": ("决定被撤销、变更或者确认违法", "decision revoked, changed or found unlawful"),
    "case.archived": ("归档", "archived"),
    "case.exported": ("移交证据包", "evidence package handed over"),
    "publication.published": ("向社会公开", "published"),
    "publication.withdrawn": ("撤回公开", "publication withdrawn"),
}
"""Types of entries that say what became of a case -> Chinese and English."""

_NAMES = (
    *("case", "decision", "number", "kind", "round", "verdict", "opinion", "summary", "root", "approval"),
    *("publication", "version", "form", "decided_on", "cause", "reason", "export", "purpose", "manifest"),
    *("effect", "basis", "document", "authority", "on"),
)

ACTS_MAX: Final = 500
"""Most acts that a trail lists, the oldest."""


async def acts_of(conn: Connection, cases: Sequence[UUID], *, log_size: int | None = None) -> list[CustodyLine]:
    """Return what became of some cases, oldest first, at most `ACTS_MAX`.

    Args:
        log_size: Only what stands among the log's first so many entries; None for all that there is, published or not.
    """
    if not cases:
        return []
    events = await acts_about(conn, cases, types=list(ACTS), limit=ACTS_MAX)
    places = await published_indices(conn, [event.entry_id for event in events])
    lines = [CustodyLine(event=event, index=places.get(event.entry_id)) for event in events]
    return [line for line in lines if log_size is None or (line.index is not None and line.index < log_size)]


def act_as_json(line: CustodyLine) -> JsonObject:
    """Write down one act: its entry, its place in the log (null until published), and what of it names other things."""
    event = line.event
    said: Mapping[str, Any] = event.payload
    zh, en = ACTS[event.type]
    return {
        "entry": str(event.entry_id),
        "index": line.index,
        "type": event.type,
        "zh": zh,
        "en": en,
        "at": format_time(event.at),
        "actor": event.actor,
        **{name: said[name] for name in _NAMES if isinstance(said.get(name), str | int)},
    }
