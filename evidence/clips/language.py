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
        SearchInvalid: It cannot be understood; the message says which part, and what would be right. Its details have
            `column`, where in the question that part begins, counted in characters from 1; and `limit` when it is too
            long (`characters`), has too many parts (`leaves`) or is too deep (`depth`).
    """
    if len(text) > TEXT_CHARS_MAX:
        said = f"the question has {len(text)} characters, at most {TEXT_CHARS_MAX} are allowed"
        raise _at(TEXT_CHARS_MAX, said, limit="characters")
    if (place := text.find("\0")) >= 0:
        raise _at(place, "the question holds a NUL")
    reader = _Reader(tuple(_tokens(re.sub("[“”＂]", '"', text))), length=len(text))
    node = reader.alternatives(depth=0)
    if not reader.is_done:
        raise reader.wrong("a closing bracket has no partner")
    if (count := sum(1 for _ in leaves(node))) > LEAVES_MAX:
        said = f"there are {count} words and conditions, at most {LEAVES_MAX} are allowed"
        raise _at(max(0, len(text.rstrip()) - 1), said, limit="leaves")
    return node


def _at(place: int, said: str, **details: object) -> SearchInvalid:
    """Return a refusal that points at a place of the question, whose first column is 1."""
    return SearchInvalid(f"{said} (column {place + 1})", column=place + 1, **details)


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of the text: `mark` is one of `( ) - or word`; a quoted word is never anything else."""

    mark: str
    place: int
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
            yield _Token("(", place)
            depth, place = depth + 1, place + 1
        elif text[place] in _CLOSE and depth:
            yield _Token(")", place)
            depth, place = depth - 1, place + 1
        elif text[place] == "-" and place + 1 < len(text) and not re.match(r"[\s)）-]", text[place + 1]):
            yield _Token("-", place)
            place += 1
        else:
            token, place = _word(text, place, closes=depth)
            yield token


def _word(text: str, place: int, *, closes: int) -> tuple[_Token, int]:
    """Read a field, a quoted word or a bare one; `closes` brackets are open and may be closed by its end."""
    field, began = None, place
    if (named := _FIELD.match(text, place)) and (field := _field_name(named[1], place)):
        place = named.end()
    if text[place] == '"':
        quoted = _QUOTED.match(text, place)
        if quoted is None:
            raise _at(place, "a quotation mark has no partner")
        return _Token("word", began, quoted[1], field), quoted.end()
    bare = _BARE.match(text, place)
    assert bare is not None  # noqa: S101 - blanks and quotation marks were looked for before
    word = bare[0]
    for _ in range(closes):
        if word[-1] in _CLOSE and sum(map(word.count, _CLOSE)) > sum(map(word.count, _OPEN)):
            word = word[:-1]
    mark = _CONNECTIVES.get(word) if field is None else None
    return _Token(mark or "word", began, word, field), place + len(word)


def _field_name(written: str, place: int) -> str | None:
    """Return the field that a name means; None when it is no more than text with a colon, such as a time of day."""
    name = unicodedata.normalize("NFKC", written).casefold()
    name = ALIASES.get(name, name)
    if name in FIELDS:
        return name
    if name in CHINESE_NAMES:
        return CHINESE_NAMES[name]
    if _LATIN_NAME.fullmatch(name):
        known = ", ".join(sorted(FIELDS))
        raise _at(place, f'there is no field {written!r}; put the text in "quotes" to look for it, fields are {known}')
    return None


class _Reader:
    """Reads tokens into a tree, one method for each level of binding."""

    def __init__(self, tokens: tuple[_Token, ...], *, length: int) -> None:
        self._tokens = tokens
        self._length = length
        self._place = 0

    @property
    def is_done(self) -> bool:
        """Whether every token was read."""
        return self._place == len(self._tokens)

    def wrong(self, said: str, **details: object) -> SearchInvalid:
        """Return a refusal that points at the next token, or behind the last one."""
        return _at(self._length if self.is_done else self._tokens[self._place].place, said, **details)

    def alternatives(self, *, depth: int) -> Node:
        """Read what stands between brackets, or the whole."""
        if depth > DEPTH_MAX:
            raise self.wrong(f"brackets are more than {DEPTH_MAX} deep", limit="depth")
        parts = [self._every(depth=depth)]
        while self._next_is("or"):
            self._between_two(parts[-1])
            self._place += 1
            parts.append(self._every(depth=depth))
        if len(parts) == 1:
            return parts[0]
        self._between_two(parts[-1])
        return Some(tuple(parts))

    def _between_two(self, part: Node) -> None:
        if part == EVERYTHING:
            raise self.wrong('OR stands between two things; put it in "quotes" to look for the word')

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
                raise self.wrong("a negation has nothing to negate")
            part = self._one(depth=depth)
            return None if part is None else Without(part)
        if token.mark == "(":
            inner = self.alternatives(depth=depth + 1)
            if not self._next_is(")"):
                raise _at(token.place, "an opening bracket has no partner")
            self._place += 1
            return None if inner == EVERYTHING else inner
        if token.field is not None:
            try:
                return FIELDS[token.field].read(token.field, token.text)
            except SearchInvalid as error:
                raise _at(token.place, error.message) from error
        term = fold(token.text)
        return Words(term) if term else None

    def _next_is(self, *marks: str) -> bool:
        return not self.is_done and self._tokens[self._place].mark in marks
