"""The query language of the search: one line of text, read strictly into a tree. Pure.

    排污口 -雨水                      words that have to be there, and one that must not
    "现场 检查"                       words that stand together
    查封 OR 扣押                      one or the other; `或` says the same, brackets group
    recorder:A100001,B200002         a field, one of several values; `警号:015678`: names in Chinese too
    recorded:2026-03-01..2026-03-05  days, months, years or instants in Beijing time, both ends included
    duration:>10m  size:..200MB      measures
    missing:remark                   what is not there
    marker:亮证  -marker:亮证         a mark that people set, or did not

Blanks mean "and", which binds closer than `OR`. `-` and `NOT` negate what follows. Text that is quoted is never read as
a field or as a connective. What looks like a field and is none is refused: a misspelt condition must not become a word
that happens to match nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from evidence.clips.folding import fold
from evidence.clips.query_fields import ALIASES, CHINESE_NAMES, FIELDS
from evidence.clips.query_tree import EVERYTHING, Every, Node, Some, Without, Words, leaves
from evidence.errors import SearchInvalid

TEXT_CHARS_MAX = 500
LEAVES_MAX = 20
"""Most words and conditions of one question."""
DEPTH_MAX = 8


def parse(text: str) -> Node:
    """Read a question; an empty one is `Every(())`, which everything answers.

    Raises:
        SearchInvalid: It cannot be understood; the message says which part, and what would be right.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise SearchInvalid(f"the question has {len(text)} characters, at most {TEXT_CHARS_MAX} are allowed")
    if "\0" in text:
        raise SearchInvalid("the question holds a NUL")
    reader = _Reader(tuple(_tokens(re.sub("[“”＂]", '"', text))))
    node = reader.alternatives(depth=0)
    if not reader.is_done:
        raise SearchInvalid("a closing bracket has no partner")
    if (count := sum(1 for _ in leaves(node))) > LEAVES_MAX:
        raise SearchInvalid(f"there are {count} words and conditions, at most {LEAVES_MAX} are allowed")
    return node


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of the text: `mark` is one of `( ) - or word`; a quoted word is never anything else."""

    mark: str
    text: str = ""
    field: str | None = None


_BLANKS = re.compile(r"\s+")
_FIELD = re.compile(r'([^\s":：()（）-][^\s":：()（）]*)[:：](?=[^\s()（）])')
_QUOTED = re.compile(r'"([^"]*)"')
_BARE = re.compile(r'[^\s"]+')
_LATIN_NAME = re.compile(r"[A-Za-z_]+")
_CONNECTIVES = {"OR": "or", "或": "or", "NOT": "-", "非": "-"}
_OPEN, _CLOSE = "(（", ")）"


def _tokens(text: str) -> Iterator[_Token]:
    place, depth = 0, 0
    while place < len(text):
        if blanks := _BLANKS.match(text, place):
            place = blanks.end()
        elif text[place] in _OPEN:
            depth, place = depth + 1, place + 1
            yield _Token("(")
        elif text[place] in _CLOSE and depth:
            depth, place = depth - 1, place + 1
            yield _Token(")")
        elif text[place] == "-" and place + 1 < len(text) and not re.match(r"[\s)）-]", text[place + 1]):
            place += 1
            yield _Token("-")
        else:
            token, place = _word(text, place, closes=depth)
            yield token


def _word(text: str, place: int, *, closes: int) -> tuple[_Token, int]:
    """Read a field, a quoted word or a bare one; `closes` brackets are open and may be closed by its end."""
    field = None
    if (named := _FIELD.match(text, place)) and (field := _field_name(named[1])):
        place = named.end()
    if text[place] == '"':
        quoted = _QUOTED.match(text, place)
        if quoted is None:
            raise SearchInvalid("a quotation mark has no partner")
        return _Token("word", quoted[1], field), quoted.end()
    bare = _BARE.match(text, place)
    assert bare is not None  # noqa: S101 - blanks and quotation marks were looked for before
    word = bare[0]
    for _ in range(closes):
        if word[-1] in _CLOSE and sum(map(word.count, _CLOSE)) > sum(map(word.count, _OPEN)):
            word = word[:-1]
    mark = _CONNECTIVES.get(word) if field is None else None
    return _Token(mark or "word", word, field), place + len(word)


def _field_name(written: str) -> str | None:
    """Return the field that a name means; None when it is no more than text with a colon, such as a time of day."""
    name = unicodedata.normalize("NFKC", written).casefold()
    name = ALIASES.get(name, name)
    if name in FIELDS:
        return name
    if name in CHINESE_NAMES:
        return CHINESE_NAMES[name]
    if _LATIN_NAME.fullmatch(name):
        known = ", ".join(sorted(FIELDS))
        raise SearchInvalid(
            f'there is no field {written!r}; put the text in "quotes" to look for it, fields are {known}'
        )
    return None


class _Reader:
    """Reads tokens into a tree, one method for each level of binding."""

    def __init__(self, tokens: tuple[_Token, ...]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def is_done(self) -> bool:
        """Whether every token was read."""
        return self._place == len(self._tokens)

    def alternatives(self, *, depth: int) -> Node:
        """Read what stands between brackets, or the whole."""
        if depth > DEPTH_MAX:
            raise SearchInvalid(f"brackets are more than {DEPTH_MAX} deep")
        parts = [self._every(depth=depth)]
        while self._next_is("or"):
            self._place += 1
            parts.append(self._every(depth=depth))
        if len(parts) == 1:
            return parts[0]
        if any(part == EVERYTHING for part in parts):
            raise SearchInvalid('OR stands between two things; put it in "quotes" to look for the word')
        return Some(tuple(parts))

    def _every(self, *, depth: int) -> Node:
        parts: list[Node] = []
        while not self.is_done and not self._next_is("or", ")"):
            part = self._one(depth=depth)
            if part is not None and part not in parts:
                parts.append(part)
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _one(self, *, depth: int) -> Node | None:
        token = self._tokens[self._place]
        self._place += 1
        if token.mark == "-":
            if self.is_done or self._next_is("or", ")", "-"):
                raise SearchInvalid("a negation has nothing to negate")
            part = self._one(depth=depth)
            return None if part is None else Without(part)
        if token.mark == "(":
            inner = self.alternatives(depth=depth + 1)
            if not self._next_is(")"):
                raise SearchInvalid("an opening bracket has no partner")
            self._place += 1
            return None if inner == EVERYTHING else inner
        if token.field is not None:
            return FIELDS[token.field].read(token.field, token.text)
        term = fold(token.text)
        return Words(term) if term else None

    def _next_is(self, *marks: str) -> bool:
        return not self.is_done and self._tokens[self._place].mark in marks
