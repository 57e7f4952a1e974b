"""Docking: under which circumstances an inventory was made. Part of `shilu/inventory/v2`, see `inventory`.

```
{"clock":{"measured_at":time,"offset_ms":int,"uncertainty_ms":int}|null,
 "device":{"firmware":text|null,"model":text|null,"serial":text|null,"volume":text|null},
 "docked_at":time,"number":int,"previous":uuid|null,"recorder_clock":{"read_at":time,"shown":time}|null}
```

Times are by the dock's clock, but for what a recorder's own clock has `shown`. What a dock cannot know is null, never
guessed: a recorder that shows no clock, a service that did not answer yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from evidence.core.clock import format_time
from evidence.core.wire.fields import (
    check_integer,
    check_name,
    check_time,
    take_integer,
    take_object,
    take_optional,
    take_text,
    take_time,
    take_uuid,
)
from evidence.errors import WireMalformed
from ledger.canonical import INTEGER_MAX, JsonObject, JsonValue

_CLOCK_NAMES = frozenset({"measured_at", "offset_ms", "uncertainty_ms"})
_RECORDER_CLOCK_NAMES = frozenset({"read_at", "shown"})
_DEVICE_NAMES: Final = ("firmware", "model", "serial", "volume")
_NAMES = frozenset({"clock", "device", "docked_at", "number", "previous", "recorder_clock"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """How the dock's clock compares with the service's, measured from an answer.

    Attributes:
        offset_ms: Dock minus service in milliseconds; positive when the dock is ahead.
        uncertainty_ms: The true offset is within this many milliseconds of it: half of the way there and back.
        measured_at: When, by the dock's clock.
    """

    offset_ms: int
    uncertainty_ms: int
    measured_at: datetime

    def __post_init__(self) -> None:
        check_integer(self.offset_ms, where="offset_ms", low=-INTEGER_MAX)
        check_integer(self.uncertainty_ms, where="uncertainty_ms")
        check_time(self.measured_at, where="measured_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderClock:
    """What the recorder's own clock showed, and when the dock read it."""

    shown: datetime
    read_at: datetime

    def __post_init__(self) -> None:
        check_time(self.shown, where="shown")
        check_time(self.read_at, where="read_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What the recorder says of itself on the bus; None for what it does not say.

    Attributes:
        serial: Serial number of the device, which need not be the recorder's number on its files.
        volume: Identity of the file system, for example a UUID.
        model: Maker and type.
        firmware: Version of its firmware.
    """

    serial: str | None = None
    volume: str | None = None
    model: str | None = None
    firmware: str | None = None

    def __post_init__(self) -> None:
        for name in _DEVICE_NAMES:
            value: str | None = getattr(self, name)
            if value is not None:
                check_name(value, where=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Docking:
    """The circumstances of one inventory.

    Attributes:
        docked_at: Since when the recorder has been in its slot without interruption.
        number: Which inventory of this recorder by this dock it is, from 1.
        previous: The dock's inventory of this recorder before it; None exactly with `number` 1.
        clock: The dock's clock; None before the service has answered.
        recorder_clock: The recorder's clock; None where it cannot be read.
        device: What the recorder says of itself.
    """

    docked_at: datetime
    number: int
    previous: UUID | None
    clock: ClockReading | None = None
    recorder_clock: RecorderClock | None = None
    device: Device = Device()

    def __post_init__(self) -> None:
        check_time(self.docked_at, where="docked_at")
        check_integer(self.number, where="number", low=1)
        if (self.number == 1) is not (self.previous is None):
            raise WireMalformed("the first inventory has none before it, and every other has one")


def docking_body(docking: Docking) -> JsonObject:
    """Return the JSON object of a docking."""
    clock, shown = docking.clock, docking.recorder_clock
    return {
        "docked_at": format_time(docking.docked_at),
        "number": docking.number,
        "previous": None if docking.previous is None else str(docking.previous),
        "clock": None
        if clock is None
        else {
            "offset_ms": clock.offset_ms,
            "uncertainty_ms": clock.uncertainty_ms,
            "measured_at": format_time(clock.measured_at),
        },
        "recorder_clock": None
        if shown is None
        else {"shown": format_time(shown.shown), "read_at": format_time(shown.read_at)},
        "device": {name: getattr(docking.device, name) for name in _DEVICE_NAMES},
    }


def take_docking(value: JsonValue, *, where: str) -> Docking:
    """Read what `docking_body` wrote.

    Raises:
        WireError: See its subclasses.
    """
    body = take_object(value, names=_NAMES, where=where)
    return Docking(
        docked_at=take_time(body["docked_at"], where="docked_at"),
        number=take_integer(body["number"], where="number"),
        previous=take_optional(body["previous"], take_uuid, where="previous"),
        clock=take_optional(body["clock"], _take_clock, where="clock"),
        recorder_clock=take_optional(body["recorder_clock"], _take_recorder_clock, where="recorder_clock"),
        device=_take_device(body["device"]),
    )


def _take_clock(value: JsonValue, *, where: str) -> ClockReading:
    body = take_object(value, names=_CLOCK_NAMES, where=where)
    return ClockReading(
        offset_ms=take_integer(body["offset_ms"], where="offset_ms"),
        uncertainty_ms=take_integer(body["uncertainty_ms"], where="uncertainty_ms"),
        measured_at=take_time(body["measured_at"], where="measured_at"),
    )


def _take_recorder_clock(value: JsonValue, *, where: str) -> RecorderClock:
    body = take_object(value, names=_RECORDER_CLOCK_NAMES, where=where)
    return RecorderClock(
        shown=take_time(body["shown"], where="shown"), read_at=take_time(body["read_at"], where="read_at")
    )


def _take_device(value: JsonValue) -> Device:
    body = take_object(value, names=frozenset(_DEVICE_NAMES), where="device")
    said = {name: take_optional(body[name], take_text, where=name) for name in _DEVICE_NAMES}
    return Device(**said)
