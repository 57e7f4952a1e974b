"""What an observation of continuity means: how much it weighs, its sentence, and what may innocently cause it.

An observation is a lead and never a verdict. Its weight says how seldom a recorder that works and writes a file once
produces it:

- `info`: facts that belong to the picture, found in most files;
- `notice`: seen in intact files too, worth knowing when the file is questioned;
- `high`: not seen in any intact file this project was tried on; a person should look, beginning with the causes.

Each code always has the same weight; where a measure decides, there are two codes. Pure data: no media library.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How much an observation weighs; see the module."""

    INFO = "info"
    NOTICE = "notice"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code stands for: its weight, a sentence in two languages, and the innocent causes in both."""

    severity: Severity
    en: str
    zh: str
    causes_en: str
    causes_zh: str


def info(en: str, zh: str, causes_en: str, causes_zh: str) -> Meaning:
    """Return the meaning of a fact that belongs to the picture."""
    return Meaning(Severity.INFO, en, zh, causes_en, causes_zh)


def notice(en: str, zh: str, causes_en: str, causes_zh: str) -> Meaning:
    """Return the meaning of something worth knowing when the file is questioned."""
    return Meaning(Severity.NOTICE, en, zh, causes_en, causes_zh)


def high(en: str, zh: str, causes_en: str, causes_zh: str) -> Meaning:
    """Return the meaning of something a person should look at."""
    return Meaning(Severity.HIGH, en, zh, causes_en, causes_zh)
