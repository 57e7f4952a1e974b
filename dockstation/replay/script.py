"""Scripts: what happens at a dock, step by step, as data. Pure.

A script is TOML: the cards with their files, and steps in their order:

```
title = "..."                                              one line for people
[cards.a]
serial = "D2000017"                                        what the device says of itself; may be left out
mark = "1A2B-3C4D"                                         mark of its file system; may be left out
files = [{path = "DCIM/x.mp4", size = 100000}]             bytes are made from path and size, always the same
[[steps]]
do = "dock"       slot, card                               a card is put into a slot
do = "pull"       slot                                     and taken out, whatever is being read
do = "swap"       slot, card                               pull and dock with no look between them
do = "write"      card, path, size                         a file appears, or is written anew
do = "append"     card, path, size                         a file grows by so many bytes
do = "delete"     card, path                               a file goes
do = "slow"       card, bytes_per_second                   reading takes its time
do = "fail"       card, path, from_byte                    EIO from there on
do = "mend"       card                                     reading is as it should be again
do = "expect"     slot, phase, safe, within                the slot is shown so, within so many seconds
```

Every step may have `pause` (seconds before it) and `after` = {event, slot, path, bytes}: it waits until the station
tells such an event, for `sending` with at least so many bytes, since the step before. Times make a demonstration,
events a test. A card that is a loop device is written to only while it is in no slot or not being read.
Limits: 64 cards, 1,000 steps, 1 GiB per file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from dockstation.detect.volume import Volume
from dockstation.errors import ReplayInvalid
from dockstation.events import Kind

CARDS_MAX, STEPS_MAX, FILE_BYTES_MAX = 64, 1000, 1 << 30

_NEEDS: dict[str, dict[str, type]] = {
    "dock": {"slot": str, "card": str},
    "pull": {"slot": str},
    "swap": {"slot": str, "card": str},
    "write": {"card": str, "path": str, "size": int},
    "append": {"card": str, "path": str, "size": int},
    "delete": {"card": str, "path": str},
    "slow": {"card": str, "bytes_per_second": int},
    "fail": {"card": str, "path": str, "from_byte": int},
    "mend": {"card": str},
    "expect": {"slot": str, "phase": str, "safe": bool, "within": float},
}
ACTIONS = frozenset(_NEEDS)
"""Everything a step can do."""

_AFTER: dict[str, type] = {"event": str, "slot": str, "path": str, "bytes": int}


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """The event that a step waits for; what is empty may be anything."""

    event: Kind
    slot: str = ""
    path: str = ""
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step; which fields count depends on `do`, see the module's front page."""

    do: str
    pause: float = 0.0
    after: After | None = None
    slot: str = ""
    card: str = ""
    path: str = ""
    size: int = 0
    bytes_per_second: int = 0
    from_byte: int = 0
    phase: str = ""
    safe: bool = False
    within: float = 0.0


@dataclass(frozen=True, slots=True)
class CardPlan:
    """A card: which one it is, and its files with their sizes in bytes."""

    volume: Volume
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed script."""

    title: str
    cards: Mapping[str, CardPlan]
    steps: tuple[Step, ...]


def parse_script(text: str) -> Script:
    """Read a script, whole or not at all.

    Raises:
        ReplayInvalid: See the message; it names the card or the number of the step.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ReplayInvalid(f"not TOML: {error}") from error
    _check(data, {"title": str, "cards": dict, "steps": list}, where="script")
    cards = {name: _card(name, value) for name, value in data["cards"].items()}
    if len(cards) > CARDS_MAX or len(data["steps"]) > STEPS_MAX:
        raise ReplayInvalid(f"more than {CARDS_MAX} cards or {STEPS_MAX} steps")
    steps = tuple(_step(value, where=f"step {number}") for number, value in enumerate(data["steps"], start=1))
    for number, step in enumerate(steps, start=1):
        if step.card and step.card not in cards:
            raise ReplayInvalid(f"step {number}: there is no card {step.card!r}")
    return Script(data["title"], cards, steps)


def _card(name: str, value: object) -> CardPlan:
    where = f"card {name}"
    body = _check(value, {"files": list}, may={"serial": str, "mark": str}, where=where)
    files = []
    for item in body["files"]:
        file = _check(item, {"path": str, "size": int}, where=where)
        files.append((_path(file["path"], where=where), _size(file["size"], where=where)))
    return CardPlan(Volume(serial=body.get("serial"), mark=body.get("mark"), port=name), tuple(files))


def _step(value: object, *, where: str) -> Step:
    if not isinstance(value, dict) or value.get("do") not in ACTIONS:
        raise ReplayInvalid(f"{where}: `do` is none of {', '.join(sorted(ACTIONS))}")
    body = _check(value, {"do": str, **_NEEDS[value["do"]]}, may={"pause": float, "after": dict}, where=where)
    after = None
    if "after" in body:
        given = _check(body.pop("after"), {"event": str}, may=_AFTER, where=where)
        try:
            after = After(**{**given, "event": Kind(given["event"])})
        except ValueError as error:
            raise ReplayInvalid(f"{where}: no event {given['event']!r}") from error
    if "path" in body:
        _path(body["path"], where=where)
    for key in ("size", "from_byte", "bytes_per_second"):
        _size(body.get(key, 0), where=where)
    return Step(after=after, **body)


def _check(
    value: object, needs: Mapping[str, type], *, may: Mapping[str, type] | None = None, where: str
) -> dict[str, Any]:
    known = {**(may or {}), **needs}
    if not isinstance(value, dict):
        raise ReplayInvalid(f"{where}: not a table")
    for key in sorted({*needs, *value}):
        if key not in known:
            raise ReplayInvalid(f"{where}: unknown key {key!r}")
        if key not in value:
            raise ReplayInvalid(f"{where}: {key} is missing")
        wanted = (int, float) if known[key] is float else known[key]
        if not isinstance(value[key], wanted) or (isinstance(value[key], bool) and known[key] is not bool):
            raise ReplayInvalid(f"{where}: {key} is not a {known[key].__name__}")
    return dict(value)


def _path(text: str, *, where: str) -> str:
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts:
        raise ReplayInvalid(f"{where}: {text!r} does not stay on the card")
    return text


def _size(value: int, *, where: str) -> int:
    if not 0 <= value <= FILE_BYTES_MAX:
        raise ReplayInvalid(f"{where}: {value} is not within 0 to {FILE_BYTES_MAX}")
    return value
