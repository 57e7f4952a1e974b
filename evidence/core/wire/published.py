"""Proof that something was public, and when: what anybody downloads beside a published record.

```
shilu/published/v1
{"entries":[{"entry":"<canonical JSON>","payload":"<canonical JSON>","proof":"<tlog-proof>","salt":"<base64>"}, ...]}
```

One part for each entry about one publication: its issues and its withdrawal, in order of the log. Payload and salt are
given where the content is public; of what is gone or superseded they are null: the entry and its proof still show that
there was something, and when. Nothing is proved by reading; `evidence.verify.published` judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evidence.core.wire.fields import take_list, take_object, take_optional, take_text
from evidence.core.wire.receipt import RECEIPT_BYTES_MAX
from evidence.core.wire.statement import format_text, parse_text
from evidence.errors import WireLimit, WireMalformed
from ledger.canonical import PAYLOAD_BYTES_MAX, SALT_BYTES, JsonValue
from ledger.lexemes import format_base64, parse_base64

VERSION = "shilu/published/v1"
SUFFIX = ".published"
"""How a file of this form is called."""

PARTS_MAX = 200
_NAMES = frozenset({"entry", "payload", "proof", "salt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPart:
    """One entry with its tlog-proof; payload and salt (32 bytes) together, or neither."""

    entry: bytes
    proof: bytes
    payload: bytes | None
    salt: bytes | None

    def __post_init__(self) -> None:
        if (self.payload is None) != (self.salt is None):
            raise WireMalformed("payload and salt come together")
        if self.salt is not None and len(self.salt) != SALT_BYTES:
            raise WireMalformed(f"the salt has {len(self.salt)} bytes instead of {SALT_BYTES}")
        if self.payload is not None and len(self.payload) > PAYLOAD_BYTES_MAX:
            raise WireLimit(f"the payload has more than {PAYLOAD_BYTES_MAX} bytes")


def format_published(parts: Sequence[PublishedPart]) -> bytes:
    """Write a proof.

    Raises:
        WireMalformed: A part is not UTF-8.
        WireLimit: It is too long.
    """
    try:
        entries: list[JsonValue] = [
            {
                "entry": part.entry.decode(),
                "payload": None if part.payload is None else part.payload.decode(),
                "proof": part.proof.decode(),
                "salt": None if part.salt is None else format_base64(part.salt),
            }
            for part in parts
        ]
    except UnicodeDecodeError as error:
        raise WireMalformed("a part of the proof is not UTF-8") from error
    return format_text({"entries": entries}, version=VERSION, bytes_max=RECEIPT_BYTES_MAX).encode()


def parse_published(raw: bytes) -> tuple[PublishedPart, ...]:
    """Read what `format_published` wrote; nothing is proved yet.

    Raises:
        WireError: It is no such proof; see the subclasses.
    """
    if len(raw) > RECEIPT_BYTES_MAX:
        raise WireLimit(f"the proof has {len(raw)} bytes, at most {RECEIPT_BYTES_MAX} are allowed")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireMalformed("the proof is not UTF-8") from error
    body = take_object(
        parse_text(text, version=VERSION, bytes_max=RECEIPT_BYTES_MAX), names=frozenset({"entries"}), where="proof"
    )
    entries = take_list(body["entries"], where="entries", count_max=PARTS_MAX)
    if not entries:
        raise WireMalformed("the proof is of no entry")
    return tuple(_part(one) for one in entries)


def _part(value: JsonValue) -> PublishedPart:
    part = take_object(value, names=_NAMES, where="entries")
    payload = take_optional(part["payload"], take_text, where="payload")
    salt = take_optional(part["salt"], take_text, where="salt")
    try:
        octets = None if salt is None else parse_base64(salt)
    except ValueError as error:
        raise WireMalformed("the salt is not base64 in its one spelling") from error
    return PublishedPart(
        entry=take_text(part["entry"], where="entry").encode(),
        proof=take_text(part["proof"], where="proof").encode(),
        payload=None if payload is None else payload.encode(),
        salt=octets,
    )
