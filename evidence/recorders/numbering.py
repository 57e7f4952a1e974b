"""Numbering: the recorder's own counter, as far as names of files show it. Pure.

Two ways of naming are understood; every other name has no number, and nothing is concluded from it:

- the folders and names of cameras (JEITA CP-3461, DCF): `DCIM/100MEDIA/ABCD0012.MP4`, number 12. Action cameras write a
  chapter into the letters (`GX020012`): the same number again, not another one;
- a number of four or five digits at the end, behind a `_` or `-`: `DCAM_4A00123_013579_20261121_080000_0012.mp4`.
  Digits of dates and times before it do not tell series apart. Where the same number stands in two such names of one
  card, it counts the parts of each recording and begins anew with each; then each recording is a series of its own.

Numbers that count footage and stills together are one count: a number that any name of the card has is not missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evidence.recorders.sighting import ListedFile

_CAMERA = re.compile(
    r"(?:.*/)?[0-9]{3}[0-9A-Za-z_]{5}/(?P<letters>[0-9A-Za-z_]{4})(?P<number>[0-9]{4})\.[^./]*", re.DOTALL
)
_ACTION_CAMERA = re.compile(r"G[A-Z][0-9A-Z]{2}")
_TRAILING = re.compile(r"(?P<head>(?:.*/)?[^/]*[_-])(?P<number>[0-9]{4,5})(?:_IMP)?\.[^./]*", re.DOTALL | re.IGNORECASE)
_TIME_OF_DAY_BEHIND = re.compile(r"(?:[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2})[_-]$")
_DATES_AND_TIMES = re.compile(r"[0-9]{6,}")


@dataclass(frozen=True, slots=True)
class Counted:
    """A number in a name.

    Attributes:
        series: Names of the same series share a counter.
        within: The narrower series, if the counter turns out to begin anew with every recording.
        number: What it counts to.
        digits: How many there are, zeros in front included: where it begins anew by itself.
    """

    series: str
    within: str
    number: int
    digits: int


def counted(path: str) -> Counted | None:
    """Return the recorder's counter in a path, None where no name shows one."""
    if found := _CAMERA.fullmatch(path):
        letters = found["letters"].upper()
        series = "camera G" if _ACTION_CAMERA.fullmatch(letters) else f"camera {letters}"
        return Counted(series, series, int(found["number"]), 4)
    found = _TRAILING.fullmatch(path)
    if found is None or _TIME_OF_DAY_BEHIND.search(found["head"]):
        return None
    name = found["head"].rpartition("/")[2]
    return Counted(_DATES_AND_TIMES.sub("#", name), name, int(found["number"]), len(found["number"]))


def narrow_series(cards: Sequence[Sequence[ListedFile]]) -> frozenset[str]:
    """Return the series whose numbers begin anew with every recording: one number twice on one card."""
    narrow: set[str] = set()
    for files in cards:
        seen: dict[tuple[str, int], str] = {}
        for file in files:
            count = counted(file.path)
            if count and seen.setdefault((count.series, count.number), count.within) != count.within:
                narrow.add(count.series)
    return frozenset(narrow)


def by_series(files: Sequence[ListedFile], *, narrow: frozenset[str]) -> Mapping[str, dict[int, ListedFile]]:
    """Return the files that have numbers, by series and number; of several with one number the last."""
    found: dict[str, dict[int, ListedFile]] = {}
    for file in files:
        if count := counted(file.path):
            found.setdefault(count.within if count.series in narrow else count.series, {})[count.number] = file
    return found
