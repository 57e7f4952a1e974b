"""Forms of publications as data (`forms.toml`): which fields each demands, and what kinds there are. Pure.

A field is text. It is refused when it is missing where its form demands it, empty or blank, unknown to the form, too
long, no day where a day belongs, or holds a character that makes a text read otherwise than it is stored
(`evidence.clips.wording`); the refusal names every field. Line breaks are allowed in long fields, other controls are
not.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from evidence.clips.wording import strange_character
from evidence.publicity.errors import PublicationIncomplete

REGISTER = "register"
"""The form of documents that are published beforehand."""

DAY_FIELDS = frozenset({"decided_on", "effective_from"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its titles and its longest text in characters."""

    zh: str
    en: str
    chars_max: int


@dataclass(frozen=True, slots=True)
class Form:
    """A form: titles, the fields it demands in the order in which they are shown, those it allows, and its source."""

    zh: str
    en: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    source: str

    @property
    def order(self) -> tuple[str, ...]:
        """All its fields, as they are shown."""
        return (*self.required, *self.optional)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of what is published: titles, and working days to publish a decision of it within; None for registers."""

    zh: str
    en: str
    days: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Forms:
    """Everything `forms.toml` says."""

    fields: Mapping[str, Field]
    forms: Mapping[str, Form]
    kinds: Mapping[str, Kind]
    registers: Mapping[str, Kind]

    def kind(self, name: str) -> Kind:
        """Return a kind of decision or of register."""
        return (self.kinds.get(name) or self.registers[name]) if name in self else Kind(name, name)

    def __contains__(self, name: str) -> bool:
        """Whether there is a kind of this name."""
        return name in self.kinds or name in self.registers


@cache
def known_forms() -> Forms:
    """Return the forms of the package."""
    raw = tomllib.loads(files("evidence.publicity").joinpath("forms.toml").read_text("utf-8"))
    return Forms(
        fields=MappingProxyType({name: Field(**one) for name, one in raw["fields"].items()}),
        forms=MappingProxyType(
            {
                name: Form(one["zh"], one["en"], tuple(one["required"]), tuple(one["optional"]), one["source"])
                for name, one in raw["forms"].items()
            }
        ),
        kinds=MappingProxyType({name: Kind(**one) for name, one in raw["kinds"].items()}),
        registers=MappingProxyType({name: Kind(**one) for name, one in raw["registers"].items()}),
    )


def check_form(*, form: str, kind: str, fields: Mapping[str, str]) -> None:
    """See that fields fit a form, and a kind its form.

    Raises:
        PublicationIncomplete: `details["problems"]` names each field and what is wrong with it.
    """
    known = known_forms()
    if form not in known.forms:
        raise _refused([("form", "there is no such form")])
    kinds = known.registers if form == REGISTER else known.kinds
    problems = [] if kind in kinds else [("kind", f"the form {form} knows no such kind")]
    problems += _problems(known, known.forms[form], fields)
    if problems:
        raise _refused(problems)


def _problems(known: Forms, form: Form, fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in form.required:
        if not fields.get(name, "").strip():
            yield name, f"missing: {known.fields[name].zh}"
    for name, text in fields.items():
        if name not in form.order:
            yield name[:40], "the form has no such field"
        elif len(text) > known.fields[name].chars_max:
            yield name, f"longer than {known.fields[name].chars_max} characters"
        elif (strange := strange_character(text) or _control(text)) is not None:
            yield name, f"the character U+{ord(strange):04X} is not allowed"
        elif name in DAY_FIELDS and text.strip() and not is_day(text):
            yield name, "a day is written 2026-03-09"


def is_day(text: str) -> bool:
    """Tell whether a text is a day of the calendar, as `2026-03-09`."""
    if not _DAY.fullmatch(text) or not text.isascii():
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _control(text: str) -> str | None:
    found = _CONTROL.search(text)
    return None if found is None else found[0]


def _refused(problems: list[tuple[str, str]]) -> PublicationIncomplete:
    name, problem = problems[0]
    return PublicationIncomplete(
        f"{len(problems)} fields cannot be published, first: {name}: {problem}",
        problems=[{"field": name, "problem": problem} for name, problem in problems],
    )
