"""Status: what the journal says of a station; works beside a running agent and without a network."""

from __future__ import annotations

from dataclasses import dataclass

from dockstation.config import StateFolder
from dockstation.identity import Enrolment
from dockstation.journal import RECEIPTED, SlotView, State
from dockstation.journal_store import Journal
from evidence.core.clock import Clock, format_time


@dataclass(frozen=True, slots=True)
class StationStatus:
    """What a station's state folder tells.

    Attributes:
        enrolment: Whom it works for.
        running: Whether an agent works with the folder now.
        slots: The slots as they were shown last.
        counts: Per recorder and state: number of files, bytes.
        waiting_notes: Statements that the service has not acknowledged.
        troubles: Recorder, path and reason of files that something stands in the way of.
    """

    enrolment: Enrolment
    running: bool
    slots: tuple[SlotView, ...]
    counts: tuple[tuple[str, State, int, int], ...]
    waiting_notes: int
    troubles: tuple[tuple[str, str, str], ...]

    def as_json(self) -> dict[str, object]:
        """Return the status as a JSON object with stable keys."""
        recorders: dict[str, dict[str, dict[str, int]]] = {}
        for recorder, state, files, size in self.counts:
            recorders.setdefault(recorder, {})[state.value] = {"files": files, "bytes": size}
        return {
            "dock": str(self.enrolment.dock),
            "name": self.enrolment.name,
            "url": self.enrolment.url,
            "origin": self.enrolment.origin,
            "running": self.running,
            "slots": [_slot(view) for view in self.slots],
            "recorders": recorders,
            "receipted_files": sum(files for _, state, files, _ in self.counts if state in RECEIPTED),
            "waiting_notes": self.waiting_notes,
            "troubles": [{"recorder": who, "path": path, "reason": why} for who, path, why in self.troubles],
        }


def read_status(folder: StateFolder, *, clock: Clock) -> StationStatus:
    """Read a station's status.

    Raises:
        NotEnrolled: There is no station in the folder.
        DockError: Its files cannot be used.
    """
    enrolment = folder.load_enrolment()
    if not folder.journal.exists():
        return StationStatus(enrolment, folder.is_owned(), (), (), 0, ())
    with Journal(folder.journal, clock=clock, read_only=True) as journal:
        return StationStatus(
            enrolment=enrolment,
            running=folder.is_owned(),
            slots=journal.slots(),
            counts=journal.counts(),
            waiting_notes=len(journal.waiting_notes()),
            troubles=journal.troubles(),
        )


def _slot(view: SlotView) -> dict[str, object]:
    return {
        "slot": view.name,
        "root": view.root,
        "recorder": view.recorder,
        "phase": view.phase,
        "safe": view.safe,
        "message": view.message,
        "not_read": [{"path": path, "code": code, "reason": reason} for path, code, reason in view.remarks],
        "at": format_time(view.at),
    }
