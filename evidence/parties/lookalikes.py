"""Names that look alike and are not the same: a second 王芳 written with other characters, an `аdmin` half in Cyrillic.

After Unicode UTS 39 (Security Mechanisms): two texts are confusable when their skeletons are equal. The skeleton here
covers what can pass for a name of this house, and no more:

    compatibility forms     NFKC: full-width and half-width, radicals of the Kangxi block, compatibility ideographs
    what nobody sees        variation selectors, joiners, fillers; blanks beside characters that are not ASCII
    Cyrillic and Greek      letters that look like Latin ones (`_LATIN`)
    kana and other signs    that look like a character (`_HAN`)

Not covered: letters of other scripts, characters of one script that resemble each other (未 and 末, l and 1), and
traditional beside simplified forms, which are different names. Two people of the very same name are no finding: that
anybody can see. Beside that a word is refused in which Latin letters stand with Cyrillic or Greek ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from evidence.parties.errors import NameLookalike

# Each character before the one it looks like: a subset of Unicode's confusables.txt.
_CYRILLIC = "аaеeоoрpсcхxуyѕsіiјjԁdԛqԝwһhӏlкkАAВBЕEКKМMНHОOРPСCТTУYХXЅSІIЈJԌGԚQԜWҺHӀI"
_GREEK = "αaγyιiκkνvοoρpυuχxΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧX"
_HAN = "エ工カ力タ夕ロ口囗口ニ二ハ八ト卜ー一―一—一〇○"

_PAIRS = _CYRILLIC + _GREEK + _HAN
_LOOKS_LIKE = str.maketrans(dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)))
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2064\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_BLANKS = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
_WORD = re.compile("[A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u052f]+")
_OTHER = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LATIN_LETTER = re.compile("[A-Za-z\u00c0-\u024f]")


def skeleton(text: str) -> str:
    """Return what two names share that look alike; an ASCII name is its own."""
    if text.isascii():
        return text
    shown = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    return _BLANKS.sub("", _UNSEEN.sub("", shown)).translate(_LOOKS_LIKE)


def mixes_scripts(text: str) -> bool:
    """Tell whether in some word Latin letters stand with Cyrillic or Greek ones."""
    return not text.isascii() and any(
        _LATIN_LETTER.search(word) and _OTHER.search(word)
        for word in _WORD.findall(unicodedata.normalize("NFKC", text))
    )


@dataclass(slots=True)
class KnownNames:
    """Names on record by what they look like, and whose they are."""

    _names: dict[str, dict[str, set[Hashable]]] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[tuple[Hashable, str]]) -> KnownNames:
        """Collect names; each with whose it is."""
        known = cls()
        for owner, text in names:
            known.add(owner, text)
        return known

    def add(self, owner: Hashable, text: str) -> None:
        """Take a name in."""
        self._names.setdefault(skeleton(text), {}).setdefault(text, set()).add(owner)

    def require_distinct(self, owner: Hashable, text: str, *, column: str = "name") -> None:
        """Refuse a name that looks like somebody else's and is another one.

        Args:
            owner: Whose it is to be; what the same owner is called already is no obstacle.
            column: What it is, for whoever reads a list row by row.

        Raises:
            NameLookalike: It mixes scripts, or looks like the name in `details["like"]`.
        """
        if mixes_scripts(text):
            raise NameLookalike("a word of the name has letters of several scripts that look alike", column=column)
        for other, owners in self._names.get(skeleton(text), {}).items():
            if other != text and owners - {owner}:
                raise NameLookalike(
                    "the name looks like another one on record and is written with other characters",
                    column=column,
                    like=other,
                )
