"""Showcase: what onlookers see of each slot - in the journal for `status`, as events for whoever runs the agent.

The word that matters is *safe*: everything on the recorder is receipted, or lies in the station's own store on its way,
so the recorder may be taken out without losing footage. From the moment at which anything is found to be done it is not
safe, until all of it is done.
"""

from __future__ import annotations

from dataclasses import replace

from dockstation.detect.places import Slot
from dockstation.docking import Outcome
from dockstation.errors import WindowClosed
from dockstation.events import Event, Kind, Tell
from dockstation.journal import RECEIPTED, SlotView, State
from dockstation.journal_store import Journal
from dockstation.threads import Books
from evidence.core.clock import Clock

REMARKS_MAX = 50
"""Most remarks of a slot that are kept for onlookers."""

_WORKING = frozenset({Kind.INVENTORIED, Kind.COPYING, Kind.SENDING})


class Showcase:
    """Keeps the picture of all slots.

    Args:
        books: The journal.
        clock: The station's clock.
        tell: Who wants to know.
    """

    def __init__(self, *, books: Books, clock: Clock, tell: Tell) -> None:
        self._books = books
        self._clock = clock
        self._tell = tell
        self._views: dict[str, SlotView] = {}
        self._said: set[tuple[str, str, str]] = set()

    def views(self) -> tuple[SlotView, ...]:
        """Return the slots as they are shown now, by name."""
        return tuple(self._views[name] for name in sorted(self._views))

    def docked(self, slot: Slot) -> None:
        """A recorder has appeared."""
        self._show(self._view(slot.name, str(slot.root), phase="reading"))
        self._event(Kind.DOCKED, slot, text=str(slot.root))

    def gone(self, slot: Slot) -> None:
        """A recorder was taken out."""
        self._show(self._view(slot.name, str(slot.root), phase="gone"))
        self._said = {said for said in self._said if said[0] != slot.name}
        self._event(Kind.GONE, slot)

    def heard(self, event: Event) -> None:
        """Listen to the dockings: a slot in which something is done is not safe; one that is empty stays empty."""
        view = self._views.get(event.slot)
        if view is not None and event.kind in _WORKING and view.phase not in ("reading", "gone"):
            self._show(replace(view, phase="reading", safe=False, message="", at=self._clock()))

    def visited(self, outcome: Outcome) -> None:
        """A docking has ended."""
        slot = outcome.slot
        before = self._views.get(slot.name)
        after = self._judge(outcome)
        self._show(after)
        for path, code, reason in after.remarks:
            if code != "ignored" and (slot.name, path, code) not in self._said:
                self._said.add((slot.name, path, code))
                self._event(Kind.LEFT_ALONE, slot, path=path, text=reason)
        if before is not None and (before.phase, before.message) == (after.phase, after.message):
            return
        if after.safe:
            self._event(Kind.DONE, slot, text="可以取下 safe to take out")
        elif after.message:
            kind = Kind.TROUBLE if after.phase == "trouble" else Kind.WAITING
            self._event(kind, slot, text=after.message)

    def _judge(self, outcome: Outcome) -> SlotView:
        slot = outcome.slot
        refused = sum(row.state is State.REFUSED for row in outcome.rows)
        receipted = sum(row.state in RECEIPTED for row in outcome.rows)
        counted = f"{receipted}/{len(outcome.rows)} 个文件有回执 files receipted"
        held = [error for error in outcome.stuck.values() if isinstance(error, WindowClosed)]
        if outcome.error is not None:
            phase, message = "trouble", str(outcome.error)
        elif len(outcome.stuck) > len(held) or refused:
            wrong = len(outcome.stuck) - len(held) + refused
            phase, message = "trouble", f"{wrong} 个文件有问题 files need attention"
        elif outcome.receipted:
            phase, message = "done", ""
        elif outcome.safe:
            phase, message = "copied", counted
        elif held:
            phase, message = "waiting", f"{counted} · 等待发送时段 {held[0].message}"
        else:
            phase, message = "waiting", counted
        return replace(
            self._view(slot.name, str(slot.root), phase=phase),
            recorder=", ".join(outcome.recorders) or None,
            safe=outcome.safe,
            message=message,
            remarks=tuple((item.path, item.code, item.reason) for item in outcome.remarks[:REMARKS_MAX]),
        )

    def _view(self, name: str, root: str, *, phase: str) -> SlotView:
        return SlotView(
            name=name, root=root, recorder=None, phase=phase, safe=False, message="", remarks=(), at=self._clock()
        )

    def _show(self, view: SlotView) -> None:
        before = self._views.get(view.name)
        self._views[view.name] = view
        # The disk of a small computer is not worn out by writing that nothing has changed.
        if before is None or replace(before, at=view.at) != view:
            self._books.later(Journal.set_slot, view)

    def _event(self, kind: Kind, slot: Slot, *, path: str = "", text: str = "") -> None:
        self._tell(Event(kind=kind, at=self._clock(), slot=slot.name, path=path, text=text))
