"""Events: what the agent has to tell while it works, for whoever shows it (console.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from evidence.core.clock import format_time


class Kind(Enum):
    """What happened. Each has a Chinese and an English label."""

    NOTICE = "notice"
    DOCKED = "docked"
    INVENTORIED = "inventoried"
    COPYING = "copying"
    COPIED = "copied"
    DIRECT = "direct"
    SENDING = "sending"
    UPLOADED = "uploaded"
    RECEIPTED = "receipted"
    CLEARED = "cleared"
    KEPT = "kept"
    REFUSED = "refused"
    LEFT_ALONE = "left_alone"
    TROUBLE = "trouble"
    WAITING = "waiting"
    DONE = "done"
    GONE = "gone"
    PAGE = "page"


LABELS: dict[Kind, tuple[str, str]] = {
    Kind.NOTICE: ("提示", "notice"),
    Kind.DOCKED: ("接入", "docked"),
    Kind.INVENTORIED: ("清单", "inventory"),
    Kind.COPYING: ("拷贝", "copying"),
    Kind.COPIED: ("已存", "copied"),
    Kind.DIRECT: ("直传", "not stored"),
    Kind.SENDING: ("上传", "sending"),
    Kind.UPLOADED: ("已传", "uploaded"),
    Kind.RECEIPTED: ("回执", "receipted"),
    Kind.CLEARED: ("已清", "cleared"),
    Kind.KEPT: ("保留", "kept"),
    Kind.REFUSED: ("拒收", "refused"),
    Kind.LEFT_ALONE: ("未读", "not read"),
    Kind.TROUBLE: ("异常", "trouble"),
    Kind.WAITING: ("等待", "waiting"),
    Kind.DONE: ("完成", "done"),
    Kind.GONE: ("取下", "taken out"),
    Kind.PAGE: ("页面", "status page"),
}

PROGRESS = frozenset({Kind.COPYING, Kind.SENDING})
"""Kinds that come many times for one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: What.
        at: When, by the station's clock.
        slot: Name of the slot, or empty.
        recorder: Number of the recorder, where known.
        path: The file as statements write it, or empty.
        done_bytes: For `COPYING` and `SENDING`: bytes of the file that are in the spool, or were handed to the link.
        size_bytes: Size of the file.
        text: One sentence more, or empty.
        clip: The clip's id, or empty.
    """

    kind: Kind
    at: datetime
    slot: str = ""
    recorder: str = ""
    path: str = ""
    done_bytes: int = 0
    size_bytes: int = 0
    text: str = ""
    clip: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the event as a JSON object with stable keys; empty ones are left out."""
        values: dict[str, object] = {
            "event": self.kind.value,
            "at": format_time(self.at),
            "slot": self.slot,
            "recorder": self.recorder,
            "path": self.path,
            "done_bytes": self.done_bytes,
            "size_bytes": self.size_bytes,
            "text": self.text,
            "clip": self.clip,
        }
        return {key: value for key, value in values.items() if value not in ("", 0)}


Tell = Callable[[Event], None]
"""Takes events; never fails, never waits."""


class Bus:
    """Hands events on to whoever listens."""

    def __init__(self) -> None:
        self._listeners: list[Tell] = []

    def listen(self, listener: Tell) -> None:
        """Let a listener hear all events from now on."""
        self._listeners.append(listener)

    def __call__(self, event: Event) -> None:
        """Tell an event to all listeners."""
        for listener in self._listeners:
            listener(event)
