"""The access classes that may be put on a clip: data in `classes.toml`, labelled in two languages."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from evidence.access.errors import AccessInvalid


@dataclass(frozen=True, slots=True)
class AccessClass:
    """One class; a retired one is not given any more and goes on narrowing what bears it."""

    zh: str
    en: str
    retired: bool = False


@dataclass(frozen=True, slots=True)
class AccessClasses:
    """All classes by key, and the version of the list."""

    version: int
    classes: Mapping[str, AccessClass]


@cache
def access_classes() -> AccessClasses:
    """Return the list that ships with this version."""
    table = tomllib.loads(files(__package__).joinpath("classes.toml").read_text(encoding="utf-8"))
    return AccessClasses(
        version=table["version"], classes={key: AccessClass(**one) for key, one in table["classes"].items()}
    )


def checked_classes(given: Iterable[str]) -> list[str]:
    """Return classes in order and once each, after seeing that they are in force.

    Raises:
        AccessInvalid: One is unknown or retired; `details["known"]` lists those in force.
    """
    in_force = sorted(key for key, one in access_classes().classes.items() if not one.retired)
    wanted = sorted(set(given))
    if strange := [key for key in wanted if key not in in_force]:
        raise AccessInvalid(f"there is no access class {strange[0]!r} in force", known=in_force)
    return wanted
