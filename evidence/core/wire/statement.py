"""Signed statements of a dock: one version line, one line of canonical JSON, signed as a note.

```
shilu/<kind>/v1
{"...":...}
                              (empty line)
— dock.<dock uuid> <base64>
```

The dock speaks only for itself: the statement names its dock, and the note must be signed by the key of that very name.
So a dock whose key is known cannot state anything in the name of another. A statement is whole or nothing: unknown
fields, missing fields, a second spelling or trailing bytes refuse it. A new version gets a new version line.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from evidence.errors import WireLimit, WireMalformed, WireSignature, WireVersion
from ledger.canonical import JsonValue, canonical_json, parse_canonical
from ledger.errors import CodedError
from ledger.note import Signer, Verifier, open_note, sign_note

STATEMENT_BYTES_MAX = 7 * 1024 * 1024
"""Longest statement in bytes, signature included: written as a string into a ledger payload, it still fits there."""


def dock_key_name(dock: UUID) -> str:
    """Return the name of a dock's signing key."""
    return f"dock.{dock}"


def format_text(body: JsonValue, *, version: str, bytes_max: int = STATEMENT_BYTES_MAX) -> str:
    """Write a version line and a JSON body.

    Raises:
        WireLimit: It came out longer than `bytes_max`.
        CanonicalMalformed: The body has no canonical spelling.
    """
    raw = canonical_json(body)
    if len(version) + len(raw) + 2 > bytes_max:
        raise WireLimit(f"the statement has {len(raw)} bytes, at most {bytes_max} are allowed")
    return f"{version}\n{raw.decode()}\n"


def parse_text(text: str, *, version: str, bytes_max: int = STATEMENT_BYTES_MAX) -> JsonValue:
    """Read what `format_text` wrote under the same version line, and return the body.

    Raises:
        WireLimit: It is longer than `bytes_max` bytes of UTF-8.
        WireVersion: The version line is another one.
        WireMalformed: It does not consist of two lines, or the second is not canonical JSON.
    """
    if len(text) > bytes_max:
        raise WireLimit(f"the statement has {len(text)} characters, at most {bytes_max} bytes are allowed")
    head, found, rest = text.partition("\n")
    if head != version:
        raise WireVersion(f"expected {version!r}, got {head[:40]!r}")
    if not found or not rest.endswith("\n") or "\n" in rest[:-1]:
        raise WireMalformed("a statement is one version line and one line of JSON")
    try:
        return parse_canonical(rest[:-1].encode("utf-8"), bytes_max=bytes_max)
    except UnicodeEncodeError as error:
        raise WireMalformed("the statement holds a lone surrogate") from error
    except CodedError as error:
        raise WireMalformed(f"the body is not canonical JSON: {error.message}") from error


def sign_statement(text: str, *, dock: UUID, signer: Signer) -> bytes:
    """Sign a statement as the dock that makes it.

    Raises:
        WireSignature: The key bears another name than the dock's.
    """
    if signer.name != dock_key_name(dock):
        raise WireSignature(f"the key {signer.name!r} does not sign for dock {dock}")
    return sign_note(text, [signer])


def open_text(note: bytes, *, verifiers: Sequence[Verifier]) -> tuple[str, frozenset[str]]:
    """Check the signatures of a statement and return its text and the names of the keys that signed it.

    Raises:
        WireLimit: It is longer than `STATEMENT_BYTES_MAX`.
        WireSignature: It is no signed note, no given key signed it, or a signature is false.
    """
    if len(note) > STATEMENT_BYTES_MAX:
        raise WireLimit(f"the statement has {len(note)} bytes, at most {STATEMENT_BYTES_MAX} are allowed")
    try:
        opened = open_note(note, verifiers)
    except CodedError as error:
        raise WireSignature(f"the statement is not signed by a known dock: {error.message}") from error
    return opened.text, frozenset(verifier.name for verifier in opened.signed_by)


def check_signed_by(dock: UUID, names: frozenset[str]) -> None:
    """Refuse a statement that speaks for a dock which did not sign it.

    Raises:
        WireSignature: The dock's key is not among the signers.
    """
    if dock_key_name(dock) not in names:
        raise WireSignature(f"the statement speaks for dock {dock} and is signed by another key")
