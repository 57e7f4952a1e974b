"""Manifest: what a dock has read and sent, signed when the last byte has left.

The service compares it with the bytes that arrived: when they differ nothing is sealed and the bytes go to quarantine.
The note stays in the payload of the sealed clip, so anybody can later see what the dock itself read off the recorder.
Body of `shilu/manifest/v1`:

```
{"digest":{"chunk_size":bytes,"chunks":int,"root":hex,"sha256":hex,"size":bytes},"dock":uuid,"inventory":uuid,
"path":path,"raw":bool,"recorder":text,"upload":uuid}
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from evidence.core.digest import ClipDigest
from evidence.core.wire.clip_digest import DIGEST_NAMES, check_digest, digest_body, take_clip_digest
from evidence.core.wire.fields import check_name, take_boolean, take_object, take_text, take_uuid
from evidence.core.wire.paths import check_path
from evidence.core.wire.statement import check_signed_by, format_text, open_text, parse_text, sign_statement
from ledger.canonical import JsonValue
from ledger.note import Signer, Verifier

VERSION = "shilu/manifest/v1"

_NAMES = frozenset({"upload", "dock", "inventory", "recorder", "path", "raw", "digest"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The digests of one file as the dock computed them in its only read.

    Attributes:
        upload: The upload that carried the bytes.
        dock: The dock that signs.
        inventory: The inventory that listed the file.
        recorder: As in the inventory.
        path: As in the inventory.
        raw: As in the inventory.
        digest: Size, whole-file SHA-256 and clip tree.
    """

    upload: UUID
    dock: UUID
    inventory: UUID
    recorder: str
    path: str
    digest: ClipDigest
    raw: bool = False

    def __post_init__(self) -> None:
        check_name(self.recorder, where="recorder")
        check_path(self.path, raw=self.raw)
        check_digest(self.digest)


def format_manifest(manifest: Manifest) -> str:
    """Write a manifest as the text that is signed."""
    body: JsonValue = {
        "upload": str(manifest.upload),
        "dock": str(manifest.dock),
        "inventory": str(manifest.inventory),
        "recorder": manifest.recorder,
        "path": manifest.path,
        "raw": manifest.raw,
        "digest": digest_body(manifest.digest),
    }
    return format_text(body, version=VERSION)


def parse_manifest(text: str) -> Manifest:
    """Read what `format_manifest` wrote; no signature is checked.

    Raises:
        WireError: See its subclasses.
    """
    body = take_object(parse_text(text, version=VERSION), names=_NAMES, where="manifest")
    return Manifest(
        upload=take_uuid(body["upload"], where="upload"),
        dock=take_uuid(body["dock"], where="dock"),
        inventory=take_uuid(body["inventory"], where="inventory"),
        recorder=take_text(body["recorder"], where="recorder"),
        path=take_text(body["path"], where="path"),
        raw=take_boolean(body["raw"], where="raw"),
        digest=take_clip_digest(take_object(body["digest"], names=DIGEST_NAMES, where="digest")),
    )


def sign_manifest(manifest: Manifest, signer: Signer) -> bytes:
    """Return the signed note of a manifest.

    Raises:
        WireSignature: The key is not the dock's.
    """
    return sign_statement(format_manifest(manifest), dock=manifest.dock, signer=signer)


def open_manifest(note: bytes, verifiers: Sequence[Verifier]) -> Manifest:
    """Check the signature and return the manifest.

    Raises:
        WireSignature: It is not signed by the dock it speaks for, or that dock's key is not among `verifiers`.
        WireError: It is no manifest; see the subclasses.
    """
    text, names = open_text(note, verifiers=verifiers)
    manifest = parse_manifest(text)
    check_signed_by(manifest.dock, names)
    return manifest
