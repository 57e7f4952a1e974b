"""Canonical JSON, and the ledger entry written in it.

Canonical JSON is RFC 8785 without fractions: null, booleans, integers within ±(2^53 - 1), strings, arrays, objects with
their keys in UTF-16 order, no white space. One value has one spelling, so a digest over the bytes is a digest over the
value. `parse_canonical` takes nothing that `canonical_json` does not write: it refuses other spellings, floats,
duplicate keys, lone surrogates, nesting beyond `DEPTH_MAX` and more bytes than its caller allows.

An entry is what the log holds of an event, and all of it is public:

    {"actor":"dock:0192...","at":"2026-11-21T23:21:23.123Z","commit":"sha256:<64 hex>","id":"<UUIDv7>",
     "subject":"clip:0192...","type":"clip.sealed","v":1}                                        (one line, no spaces)

`commit` is SHA-256(salt || canonical payload). Names, texts and digests stand in the payload, which stays outside the
log with its 32-byte salt: who holds both can show that they were committed to; who holds the log alone learns nothing,
and a payload can be erased without touching the tree. The meaning of types, actors and subjects is not known here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

import rfc8785

from ledger.errors import CanonicalMalformed, CommitmentMalformed, EntryMalformed

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""What canonical JSON can say; in memory arrays are lists (tuples may be written), objects are dicts."""

JsonObject: TypeAlias = Mapping[str, JsonValue]

INTEGER_MAX = 2**53 - 1
"""Largest integer, either sign (RFC 8785, after IEEE 754 doubles)."""

DEPTH_MAX = 32
"""Deepest nesting of arrays and objects."""

ENTRY_BYTES_MAX = 1024
"""Longest entry in bytes; the log's own format would allow 65,535."""

PAYLOAD_BYTES_MAX = 16 * 1024 * 1024
"""Longest payload in bytes that an entry may commit to."""

SALT_BYTES = 32
"""Length of the salt of a commitment in bytes."""

_FIELDS = {"v", "type", "id", "at", "actor", "subject", "commit"}
_TYPE = re.compile(r"(?=.{3,64}\Z)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_PARTY = re.compile(r"[a-z][a-z0-9_]{0,31}(?::[A-Za-z0-9._~/-]{1,128})?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_COMMIT = re.compile(r"sha256:([0-9a-f]{64})")


def canonical_json(value: JsonValue) -> bytes:
    """Write a value in its one spelling, UTF-8.

    Raises:
        CanonicalMalformed: It holds a float, an integer beyond `INTEGER_MAX`, a key that is no string, a lone
            surrogate, another type, or is nested too deep.
    """
    _refuse_foreign(value, DEPTH_MAX)
    try:
        return rfc8785.dumps(value)
    except ValueError as error:
        raise CanonicalMalformed("an integer beyond 2^53 - 1, a lone surrogate, or a key that is no string") from error


def parse_canonical(raw: bytes, *, bytes_max: int) -> JsonValue:
    """Read what `canonical_json` writes, and nothing else.

    Raises:
        CanonicalMalformed: Anything else, or more than `bytes_max` bytes.
    """
    if len(raw) > bytes_max:
        raise CanonicalMalformed(f"{len(raw)} bytes, at most {bytes_max} are allowed")
    try:
        value: JsonValue = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CanonicalMalformed(f"not JSON in UTF-8: {error}") from error
    # The lenient decoder loses what it forgives (white space, duplicate keys, escapes, -0), so it shows here.
    if canonical_json(value) != raw:
        raise CanonicalMalformed("not in canonical form (RFC 8785)")
    return value


def commitment(*, salt: bytes, payload: bytes) -> bytes:
    """Return the 32 bytes that commit to a canonical payload.

    Raises:
        CommitmentMalformed: The salt does not have `SALT_BYTES` bytes (another length would let bytes move between
            salt and payload), or the payload is over-long.
    """
    if len(salt) != SALT_BYTES:
        raise CommitmentMalformed(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise CommitmentMalformed(f"a payload has at most {PAYLOAD_BYTES_MAX} bytes, not {len(payload)}")
    return hashlib.sha256(salt + payload).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log.

    Attributes:
        type: Kind of event, dotted lower case, at most 64 characters.
        id: UUIDv7, unique in the log.
        at: When it was recorded, aware; written in UTC to the millisecond, finer parts are cut off.
        actor: Who did it: a word, or `<word>:<identifier>` of at most 161 characters.
        subject: What it is about, in the same form.
        commit: 32 bytes, see `commitment`.
    """

    type: str
    id: UUID
    at: datetime
    actor: str
    subject: str
    commit: bytes


def encode_entry(entry: Entry) -> bytes:
    """Write an entry as the bytes of its leaf.

    Raises:
        EntryMalformed: A field is not of its form.
    """
    if entry.at.tzinfo is None:
        raise EntryMalformed("the time of the entry has no time zone")
    raw = canonical_json(
        {
            "v": 1,
            "type": entry.type,
            "id": str(entry.id),
            "at": entry.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "actor": entry.actor,
            "subject": entry.subject,
            "commit": f"sha256:{entry.commit.hex()}",
        }
    )
    decode_entry(raw)
    return raw


def decode_entry(raw: bytes) -> Entry:
    """Read an entry from the bytes of its leaf.

    Raises:
        EntryMalformed: Not canonical, over-long, a field missing, unknown or not of its form.
    """
    try:
        value = parse_canonical(raw, bytes_max=ENTRY_BYTES_MAX)
    except CanonicalMalformed as error:
        raise EntryMalformed(error.message) from error
    if not isinstance(value, dict) or value.keys() != _FIELDS or canonical_json(value["v"]) != b"1":
        raise EntryMalformed("not an entry of version 1 with exactly its fields")
    return Entry(
        type=_field(value, "type", _TYPE),
        id=_id(value["id"]),
        at=_time(_field(value, "at", _TIME)),
        actor=_field(value, "actor", _PARTY),
        subject=_field(value, "subject", _PARTY),
        commit=bytes.fromhex(_field(value, "commit", _COMMIT).removeprefix("sha256:")),
    )


def _field(value: JsonObject, name: str, pattern: re.Pattern[str]) -> str:
    text = value[name]
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise EntryMalformed(f"the field {name} is not of its form")
    return text


def _id(text: JsonValue) -> UUID:
    try:
        value = UUID(str(text))
    except ValueError as error:
        raise EntryMalformed("the field id is not a UUID") from error
    if str(value) != text or value.version != 7:
        raise EntryMalformed("the field id is not a UUIDv7 in lower case")
    return value


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise EntryMalformed(f"no such instant: {text}") from error


def _refuse_foreign(value: object, levels: int) -> None:
    """Walk a value and refuse what JSON would spell in several ways, or what has no spelling here."""
    if value is None or isinstance(value, str | int):
        return
    if not isinstance(value, list | tuple | dict):
        raise CanonicalMalformed(f"a value of type {type(value).__name__} has no canonical spelling here")
    if not levels:
        raise CanonicalMalformed(f"nested deeper than {DEPTH_MAX}")
    for inner in value.values() if isinstance(value, dict) else value:
        _refuse_foreign(inner, levels - 1)
