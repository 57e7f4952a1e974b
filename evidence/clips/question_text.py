"""A question's tree in the query language: `parse(write(node)) == node` for every tree that `parse` makes. Pure.

One tree has many spellings; this is the plain one: words in quotation marks, fields by their English names, times to
the minute, brackets around what stands within something else. It may be longer, and deeper in brackets, than what was
asked, and `parse` may refuse it for that alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from evidence.clips.query_fields import BEIJING, BYTES, SECONDS, YEARS, Measures, measure
from evidence.clips.query_tree import Between, Every, Facets, Findings, InUnit, Leaf, Near, Node, Some, Without, Words
from evidence.errors import SearchInvalid

_FIELDS = {"case_number": "case"}
"""Names of facets that are asked for by another name."""

_MINUTE = timedelta(minutes=1)


def write(node: Node) -> str:
    """Return a spelling of a question; the empty text for the empty one.

    Raises:
        ValueError: It has a leaf that no text asks for, such as units looked up already.
    """
    match node:
        case Every(parts):
            return " ".join(map(_inner, parts))
        case Some(parts):
            return " OR ".join(map(_inner, parts))
        case Without(part):
            return f"-({write(part)})" if isinstance(part, Every | Some | Without) else f"-{write(part)}"
        case leaf:
            return _leaf(leaf)


def _inner(node: Node) -> str:
    return f"({write(node)})" if isinstance(node, Every | Some) else write(node)


def _leaf(leaf: Leaf) -> str:
    match leaf:
        case Words(term):
            return f'"{term}"'
        case Facets(one_of):
            names, values = zip(*(one.split(":", 1) for one in one_of), strict=True)
            return _valued(_FIELDS.get(names[0], names[0]), ",".join(values))
        case Findings(one_of):
            return _valued("findings", ",".join(one_of))
        case InUnit(one_of):
            return _valued("unit", ",".join(one_of))
        case Near(latitude, longitude, metres):
            return f"near:{latitude / 1_000_000:.6f},{longitude / 1_000_000:.6f},{metres}m"
        case Between("recorded_at" | "received_at" as column, low, high):
            return f"{column.removesuffix('_at')}:{_times(low, high)}"
        case Between("duration_ms", low, high):
            return f"duration:{_measures(low, high, SECONDS)}"
        case Between("size", low, high):
            return f"size:{_measures(low, high, BYTES)}"
        case other:
            raise ValueError(f"no text asks for {other}")


def _valued(name: str, values: str) -> str:
    return f'{name}:"{values}"'


def _times(low: object, high: object) -> str:
    """Return the interval that has these ends, in minutes; both lie on whole minutes of Beijing."""
    begin = low.astimezone(BEIJING) if isinstance(low, datetime) else None
    end = high.astimezone(BEIJING) if isinstance(high, datetime) else None
    if begin is not None and begin.year > YEARS[1]:
        return f">{begin - _MINUTE:%Y-%m-%dT%H:%M}"
    if end is not None and (end - _MINUTE).year < YEARS[0]:
        return f"<{end:%Y-%m-%dT%H:%M}"
    first = "" if begin is None else f"{begin:%Y-%m-%dT%H:%M}"
    return f"{first}.." + ("" if end is None else f"{end - _MINUTE:%Y-%m-%dT%H:%M}")


def _measures(low: object, high: object, units: Measures) -> str:
    least, above = (low, low - 1) if isinstance(low, int) else (None, None)
    below, most = (high, high - 1) if isinstance(high, int) else (None, None)
    if least is not None and most is not None:
        return f"{_exactly(least, units)}..{_exactly(most, units)}"
    for sign, value in ((">=", least), (">", above), ("<=", most), ("<", below)):
        if value is not None and (written := _exactly(value, units)):
            return f"{sign}{written}"
    raise ValueError(f"no measure has the ends {low} and {high}")


def _exactly(value: int, units: Measures) -> str | None:
    """Return a measure that is read as just this value, in the smallest unit that has the digits for it."""
    for name, factor in units.factors.items():
        if not name.isascii() or not name:
            continue
        written = f"{(Decimal(value) / (factor * units.per_unit)).quantize(Decimal('0.001')):f}{name}"
        try:
            if measure(written, units) == value:
                return written
        except SearchInvalid:
            continue
    return None
