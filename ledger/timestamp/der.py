"""A strict reader of DER (X.690): whole or nothing, one spelling per value, no indefinite lengths, no long tags.

Only what time stamps and their certificates need. A value is read when somebody asks for it, so depth costs nothing
and a hostile nesting is never walked. Twin of `evidence/verify/page/source/der.js`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from ledger.timestamp.errors import TimestampMalformed

NOT_DER = "not in strict DER"


class Tag(IntEnum):
    """Identifier octets of the types that occur."""

    BOOLEAN = 0x01
    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    NULL = 0x05
    OID = 0x06
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    SEQUENCE = 0x30
    SET = 0x31
    PRIMITIVE_0 = 0x80
    PRIMITIVE_1 = 0x81
    CONTEXT_0 = 0xA0
    CONTEXT_1 = 0xA1
    CONTEXT_2 = 0xA2
    CONTEXT_3 = 0xA3


_LONG_TAG = 0x1F
_LONG_LENGTH = 0x80
_LENGTH_OCTETS_MAX = 4
_UTC_PIVOT = 50  # RFC 5280 4.1.2.5.1: 50 to 99 are of the 20th century
_GENERALIZED = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its identifier octet, its content, and both with the length between them as they came."""

    tag: int
    content: bytes
    raw: bytes

    def expect(self, *tags: int) -> Value:
        """Return this value if it has one of the tags.

        Raises:
            TimestampMalformed: It has not.
        """
        if self.tag not in tags:
            raise TimestampMalformed(NOT_DER)
        return self

    def children(self) -> list[Value]:
        """Return the values that the content is made of.

        Raises:
            TimestampMalformed: It is not made of whole values.
        """
        return list(_values(self.content))


def read_whole(data: bytes, *tags: int) -> Value:
    """Read the one value that the bytes are, nothing behind it.

    Raises:
        TimestampMalformed: Not DER, several values, or of another tag.
    """
    values = list(_values(data))
    if len(values) != 1:
        raise TimestampMalformed(NOT_DER)
    return values[0].expect(*tags)


class Cursor:
    """Takes the children of a value one after the other."""

    def __init__(self, value: Value) -> None:
        self._rest = value.children()

    def take(self, *tags: int) -> Value:
        """Return the next child.

        Raises:
            TimestampMalformed: There is none, or it has another tag.
        """
        if not self._rest:
            raise TimestampMalformed(NOT_DER)
        return self._rest.pop(0).expect(*tags)

    def take_if(self, *tags: int) -> Value | None:
        """Return the next child if it has one of the tags."""
        return self._rest.pop(0) if self._rest and self._rest[0].tag in tags else None

    def rest(self) -> list[Value]:
        """Return the children that were not taken."""
        return self._rest

    def end(self) -> None:
        """See that nothing is left.

        Raises:
            TimestampMalformed: Something is.
        """
        if self._rest:
            raise TimestampMalformed(NOT_DER)


def oid(value: Value) -> str:
    """Return an object identifier with its dots.

    Raises:
        TimestampMalformed: It is none.
    """
    content = value.expect(Tag.OID).content
    if not content or content[-1] & 0x80:
        raise TimestampMalformed(NOT_DER)
    arcs, arc, is_first = list[int](), 0, True
    for octet in content:
        if is_first and octet == 0x80:
            raise TimestampMalformed(NOT_DER)
        arc, is_first = arc << 7 | octet & 0x7F, False
        if not octet & 0x80:
            arcs.append(arc)
            arc, is_first = 0, True
    root = min(arcs[0] // 40, 2)
    return ".".join(map(str, [root, arcs[0] - 40 * root, *arcs[1:]]))


def integer(value: Value) -> int:
    """Return an integer of any length.

    Raises:
        TimestampMalformed: Not one, or not in its shortest form.
    """
    return signed(value.expect(Tag.INTEGER).content)


def signed(content: bytes) -> int:
    """Return the number that the content of an INTEGER states.

    Raises:
        TimestampMalformed: Not in its shortest form.
    """
    if not content or (len(content) > 1 and content[0] in (0x00, 0xFF) and content[0] >> 7 == content[1] >> 7):
        raise TimestampMalformed(NOT_DER)
    return int.from_bytes(content, "big", signed=True)


def boolean(value: Value) -> bool:
    """Return a truth value.

    Raises:
        TimestampMalformed: Not one in its DER form.
    """
    content = value.expect(Tag.BOOLEAN).content
    if content not in (b"\x00", b"\xff"):
        raise TimestampMalformed(NOT_DER)
    return content == b"\xff"


def bits(value: Value) -> bytes:
    """Return a bit string of whole octets.

    Raises:
        TimestampMalformed: Not one.
    """
    content = value.expect(Tag.BIT_STRING).content
    if not content or content[0] != 0:
        raise TimestampMalformed(NOT_DER)
    return content[1:]


def flags(value: Value) -> set[int]:
    """Return the places of the bits that are set in a bit string, counted from the front.

    Raises:
        TimestampMalformed: Not one.
    """
    content = value.expect(Tag.BIT_STRING).content
    if not content or content[0] > 7:
        raise TimestampMalformed(NOT_DER)
    return {8 * at + bit for at, octet in enumerate(content[1:]) for bit in range(8) if octet & 0x80 >> bit}


def instant(value: Value) -> datetime:
    """Return a UTCTime or GeneralizedTime in UTC; parts below a microsecond are cut off.

    Raises:
        TimestampMalformed: Not one, not in UTC, or no such instant.
    """
    text = value.expect(Tag.UTC_TIME, Tag.GENERALIZED_TIME).content.decode("latin-1")
    if value.tag == Tag.UTC_TIME:
        text = ("19" if text[:2] >= str(_UTC_PIVOT) else "20") + text
    parts = _GENERALIZED.fullmatch(text)
    if parts is None or (parts[7] is not None and value.tag == Tag.UTC_TIME):
        raise TimestampMalformed(NOT_DER)
    microseconds = int((parts[7] or "0").ljust(6, "0")[:6])
    try:
        return datetime(*(int(part) for part in parts.groups()[:6]), microseconds, tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError as error:
        raise TimestampMalformed(NOT_DER) from error


def _values(data: bytes) -> Iterator[Value]:
    at = 0
    while at < len(data):
        value = _value(data, at)
        yield value
        at += len(value.raw)


def _value(data: bytes, start: int) -> Value:
    if len(data) - start < 2 or data[start] & _LONG_TAG == _LONG_TAG:
        raise TimestampMalformed(NOT_DER)
    length, at = data[start + 1], start + 2
    if length >= _LONG_LENGTH:
        count = length - _LONG_LENGTH
        octets = data[at : at + count]
        if not 0 < count <= _LENGTH_OCTETS_MAX or len(octets) < count or octets[0] == 0:
            raise TimestampMalformed(NOT_DER)
        length, at = int.from_bytes(octets, "big"), at + count
        if length < _LONG_LENGTH:
            raise TimestampMalformed(NOT_DER)
    end = at + length
    if end > len(data):
        raise TimestampMalformed(NOT_DER)
    return Value(data[start], data[at:end], data[start:end])
