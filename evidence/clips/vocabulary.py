"""The words an annotation may use for markers and speakers: data in `vocabulary.toml`, labelled in two languages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a vocabulary; a retired one stays readable but is not taken any more."""

    zh: str
    en: str
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words by key: kinds of markers, and roles of speakers."""

    markers: Mapping[str, Word]
    speakers: Mapping[str, Word]


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary that ships with this version."""
    table = tomllib.loads(files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8"))
    return Vocabulary(
        markers={key: Word(**word) for key, word in table["markers"].items()},
        speakers={key: Word(**word) for key, word in table["speakers"].items()},
    )
