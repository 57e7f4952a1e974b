"""What differs between two versions of an annotation, by field, so that a person can read it. Pure.

Parts of lists are told apart by what a person would call them: a marker by kind and moment, a speaker by key, words by
their span, a document by kind and number; equal names are counted. A list whose parts are the same in another order has
changed too. There is no difference if and only if the contents are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ledger.canonical import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference.

    Attributes:
        where: The field, and in brackets the part of a list, for example `markers[key_moment@2000]`.
        change: What happened to it; `reordered` is said of a list as a whole.
        before, after: Its value; None where there is none, and of a reordered list.
        fields: Of a changed part of a list, the names that differ.
    """

    where: str
    change: Literal["added", "removed", "changed", "reordered"]
    before: JsonValue = None
    after: JsonValue = None
    fields: tuple[str, ...] = ()


_Part = Mapping[str, Any]

_NAMES: Mapping[str, Callable[[_Part], str]] = {
    "markers": lambda part: f"{part['kind']}@{part['at_ms']}",
    "speakers": lambda part: str(part["key"]),
    "dialogue": lambda part: f"{part['from_ms']}-{part['to_ms']}",
    "documents": lambda part: " ".join(filter(None, (part["kind"], part.get("number")))),
}
"""The fields that are lists, and what their parts are called."""


def differences(before: JsonObject, after: JsonObject) -> list[Change]:
    """Return what changed between two contents as payloads state them, in the order of the fields' names."""
    found: list[Change] = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name in _NAMES:
            found += _of_lists(name, _listed(old), _listed(new))
        else:
            change: Literal["added", "removed", "changed"] = (
                "added" if old is None else "removed" if new is None else "changed"
            )
            found.append(Change(where=name, change=change, before=old, after=new, fields=_fields(old, new)))
    return found


def _of_lists(name: str, before: Sequence[_Part], after: Sequence[_Part]) -> Iterator[Change]:
    old, new = _named(name, before), _named(name, after)
    for key, part in old.items():
        if key not in new:
            yield Change(where=f"{name}[{key}]", change="removed", before=part)
        elif new[key] != part:
            changed = new[key]
            yield Change(
                where=f"{name}[{key}]", change="changed", before=part, after=changed, fields=_fields(part, changed)
            )
    for key, part in new.items():
        if key not in old:
            yield Change(where=f"{name}[{key}]", change="added", after=part)
    if [key for key in old if key in new] != [key for key in new if key in old]:
        yield Change(where=name, change="reordered")


def _named(name: str, parts: Sequence[_Part]) -> dict[str, _Part]:
    seen: Counter[str] = Counter()
    named = {}
    for part in parts:
        key = _NAMES[name](part)
        seen[key] += 1
        named[key if seen[key] == 1 else f"{key} #{seen[key]}"] = part
    return named


def _listed(value: JsonValue) -> Sequence[_Part]:
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list | tuple) else []


def _fields(before: JsonValue, after: JsonValue) -> tuple[str, ...]:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return ()
    return tuple(sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key)))
