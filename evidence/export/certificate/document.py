"""A document as data: sections of rows, tables, lists and paragraphs. Both writers take this, so both say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Row:
    """A label and what stands beside it; `digits` is for digests and ids, which are broken anywhere."""

    label: str
    value: str
    digits: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a section; of the fields, those of its kind are filled.

    A table may say how wide its columns are, in parts of the whole, and which hold digests and ids (`broken`).
    """

    kind: Literal["rows", "table", "list", "text"]
    rows: tuple[Row, ...] = ()
    head: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()
    items: tuple[str, ...] = ()
    text: str = ""
    widths: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it; `own_page` begins a new one."""

    title: str
    blocks: tuple[Block, ...]
    own_page: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document; `foot` stands at the foot of every page."""

    title: str
    subtitle: str
    foot: str
    sections: tuple[Section, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def rows(*pairs: tuple[str, str] | tuple[str, str, bool]) -> Block:
    """Return a block of rows; those without a value are left out."""
    return Block("rows", rows=tuple(Row(*pair) for pair in pairs if pair[1]))


def table(
    head: Sequence[str],
    cells: Sequence[Sequence[str]],
    *,
    widths: Sequence[int] = (),
    broken: Sequence[int] = (),
) -> Block:
    """Return a table; `widths` are parts of the whole, `broken` the columns that are broken anywhere."""
    return Block("table", head=tuple(head), cells=tuple(map(tuple, cells)), widths=tuple(widths), broken=tuple(broken))


def items(*lines: str) -> Block:
    """Return a numbered list."""
    return Block("list", items=lines)


def text(words: str) -> Block:
    """Return a paragraph."""
    return Block("text", text=words)
