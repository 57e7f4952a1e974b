"""How folded text is cut into what the index holds: numbers of 32 bits. Pure.

Chinese has no spaces and most terms have two characters, so a text is indexed by every pair of neighbours, and by
single characters for questions of one. Latin letters and digits are few, so their pairs stand in every other text (the
name of a file has half of them): runs of four and more are indexed by every four neighbours besides.

    one character a                  ord(a)
    two characters a b               ord(a) << 16 | ord(b)
    four letters or digits           0xD8000000 | 27 bits of their CRC-32
    one or two beyond 16 bits        the same

The first two are exact: no text has a surrogate, so nothing else has such a number, and a term that is one of them
needs no look at the text. The others narrow, as the pairs of a longer term do: they may stand apart in a text. The
numbers are signed, for PostgreSQL's integer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

DEMANDED_MAX = 24
"""Most grams that one term demands of the index: enough to narrow, and a bound on what a long one costs."""

_LATIN_RUN = re.compile("[0-9a-z]{4,}")
_HASHED = 0xD800_0000
_HASH_BITS = 0x07FF_FFFF
_PLAIN_MAX = 0xFFFF


def grams(text: str) -> list[int]:
    """Return the grams of a folded text, once each, sorted, none of them with a blank."""
    found: set[str] = set()
    for word in text.split():
        found.update(word)
        found.update(map("".join, pairwise(word)))
    return sorted({*map(_number, found), *map(_number, _fours(text))})


def term_grams(term: str) -> list[int]:
    """Return what a folded term demands of the index, sorted, `DEMANDED_MAX` at most."""
    words = term.split()
    fours = _fours(term)
    pairs = {pair for word in words for pair in map("".join, pairwise(word))}
    # Where there are fours, pairs of letters and digits would only be long lists to go through.
    wanted = fours | {pair for pair in pairs if not (fours and pair.isascii())}
    return sorted(map(_number, wanted or set("".join(words))))[:DEMANDED_MAX]


def is_exact(term: str) -> bool:
    """Say whether exactly those texts hold a folded term whose index entry has its gram."""
    return len(term) in (1, 2) and " " not in term and max(map(ord, term)) <= _PLAIN_MAX


def _fours(text: str) -> set[str]:
    return {
        run[0][start : start + 4] for run in _LATIN_RUN.finditer(text) for start in range(run.end() - run.start() - 3)
    }


@lru_cache(maxsize=1 << 16)
def _number(gram: str) -> int:
    if len(gram) > 2 or max(map(ord, gram)) > _PLAIN_MAX:
        number = _HASHED | crc32(gram.encode("utf-8", "surrogatepass")) & _HASH_BITS
    else:
        number = ord(gram) if len(gram) == 1 else ord(gram[0]) << 16 | ord(gram[1])
    return number - (1 << 32) if number >= 1 << 31 else number
