"""Change of a dock's key: the old key names its successor, and the new key says that it is there.

Signed by both, so that whoever believes the old key may believe the new one, and nobody can have a dock vouch for a key
that the dock does not hold. Body of `shilu/dock-key/v1`:

```
{"dock":uuid,"new":vkey,"old":vkey,"sequence":int}
```

`sequence` counts the changes of this dock from 1; the key it was enrolled with is number 0. The note has exactly two
signature lines, the old key's first: one change has one spelling, and no third party's line travels in the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from evidence.core.wire.fields import check_integer, take_integer, take_object, take_text, take_uuid
from evidence.core.wire.statement import STATEMENT_BYTES_MAX, dock_key_name, format_text, parse_text
from evidence.errors import WireLimit, WireMalformed, WireSignature
from ledger.canonical import JsonValue
from ledger.errors import CodedError, KeyMalformed
from ledger.note import Signer, Verifier, open_note, parse_note, sign_note

VERSION = "shilu/dock-key/v1"

CHANGES_MAX = 10_000
"""Most changes of one dock's key: one a day for 27 years."""

_NAMES = frozenset({"dock", "sequence", "old", "new"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DockKeyChange:
    """One dock goes over from one key to the next.

    Attributes:
        dock: The dock whose keys they are.
        sequence: 1 for the first change after the enrolment.
        old: The key that counted until now.
        new: The key that counts from now on.
    """

    dock: UUID
    sequence: int
    old: Verifier
    new: Verifier

    def __post_init__(self) -> None:
        check_integer(self.sequence, where="sequence", low=1, high=CHANGES_MAX)
        for where, key in (("old", self.old), ("new", self.new)):
            if key.name != dock_key_name(self.dock):
                raise WireMalformed(f"the {where} key is not one of dock {self.dock}")
        if self.old.vkey == self.new.vkey or self.old.key_id == self.new.key_id:
            raise WireMalformed("old and new key are the same, or cannot be told apart")


def format_dock_key(change: DockKeyChange) -> str:
    """Write a change of key as the text that is signed."""
    body: JsonValue = {
        "dock": str(change.dock),
        "sequence": change.sequence,
        "old": change.old.vkey,
        "new": change.new.vkey,
    }
    return format_text(body, version=VERSION)


def parse_dock_key(text: str) -> DockKeyChange:
    """Read what `format_dock_key` wrote; no signature is checked.

    Raises:
        WireError: See its subclasses.
    """
    body = take_object(parse_text(text, version=VERSION), names=_NAMES, where="change of key")
    return DockKeyChange(
        dock=take_uuid(body["dock"], where="dock"),
        sequence=take_integer(body["sequence"], where="sequence"),
        old=_take_key(body["old"], where="old"),
        new=_take_key(body["new"], where="new"),
    )


def sign_dock_key(change: DockKeyChange, *, old: Signer, new: Signer) -> bytes:
    """Return the signed note of a change; the same change always gives the same bytes.

    Raises:
        WireSignature: A signer is not the key that the change names.
    """
    if (old.verifier, new.verifier) != (change.old, change.new):
        raise WireSignature("a change of key is signed by the two keys that it names")
    return sign_note(format_dock_key(change), [old, new])


def open_dock_key(note: bytes) -> DockKeyChange:
    """Check both signatures and return the change; whether `old` counted until now is for the caller to judge.

    Raises:
        WireSignature: It is not signed by exactly the two keys that it names, the old one first.
        WireError: It is no change of key; see the subclasses.
    """
    if len(note) > STATEMENT_BYTES_MAX:
        raise WireLimit(f"the statement has {len(note)} bytes, at most {STATEMENT_BYTES_MAX} are allowed")
    try:
        parsed = parse_note(note)
    except CodedError as error:
        raise WireSignature(f"the statement is not a signed note: {error.message}") from error
    change = parse_dock_key(parsed.text)
    lines = [(line.name, line.key_id) for line in parsed.signatures]
    if lines != [(change.old.name, change.old.key_id), (change.new.name, change.new.key_id)]:
        raise WireSignature("a change of key is signed by the old key and by the new one, and by nobody else")
    try:
        open_note(note, [change.old, change.new])
    except CodedError as error:
        raise WireSignature(f"the change of key is not signed by both keys: {error.message}") from error
    return change


def _take_key(value: JsonValue, *, where: str) -> Verifier:
    text = take_text(value, where=where)
    try:
        key = Verifier.parse(text)
    except KeyMalformed as error:
        raise WireMalformed(f"{where} is not an Ed25519 verifier key: {error.message}") from error
    if key.vkey != text:
        raise WireMalformed(f"{where} is not spelled as a verifier key is")
    return key
