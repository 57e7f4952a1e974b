"""What the ledger says of a sealed original, read out of a checked entry and its payload.

Two entry types seal a clip: `clip.sealed` for content seen for the first time, `clip.repeated` for the same content
from another source. Both state the clip and the digests of its bytes; this module reads those and ignores the rest, so
that a verifier of today still reads payloads which say more tomorrow.

A third, `clip.prefix`, seals the beginning of a file that was still being written: whole chunks of it, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.core.wire.clip_digest import take_clip_digest
from evidence.core.wire.fields import check_integer, take_digest, take_integer, take_text, take_uuid
from evidence.errors import ReceiptMismatch, WireMalformed
from ledger.canonical import Entry, JsonObject

SEALING_TYPES = frozenset({"clip.sealed", "clip.repeated"})
BEGINNING_TYPE = "clip.prefix"


@dataclass(frozen=True, slots=True)
class SealedClip:
    """A clip as the ledger knows it.

    Attributes:
        clip: The clip's id.
        name: File name as it came; a person's words, never a path to write to.
        digest: Size, whole-file SHA-256 and clip tree of the original.
    """

    clip: UUID
    name: str
    digest: ClipDigest


@dataclass(frozen=True, slots=True)
class SealedBeginning:
    """The beginning of a file as it was sealed while the file was still being written.

    Attributes:
        upload: The upload's id; a clip may never have come of it.
        name: File name as it came; a person's words, never a path to write to.
        size: Bytes of the beginning, whole chunks only.
        chunks: How many.
        root: 32 bytes, RFC 6962 root over them.
    """

    upload: UUID
    name: str
    size: int
    chunks: int
    root: bytes


def read_stated(entry: Entry, payload: JsonObject) -> SealedClip | SealedBeginning:
    """Return what an entry seals, a clip or the beginning of a file.

    Raises:
        ReceiptMismatch, WireMalformed, WireLimit: See `read_sealed`.
    """
    return read_beginning(entry, payload) if entry.type == BEGINNING_TYPE else read_sealed(entry, payload)


def read_beginning(entry: Entry, payload: JsonObject) -> SealedBeginning:
    """Return the beginning of a file that an entry seals.

    Raises:
        ReceiptMismatch: It seals none, or its subject is another upload than its payload's.
        WireMalformed: The payload lacks what a sealed beginning states, or its numbers contradict each other.
        WireLimit: The size is not positive or beyond what JSON holds.
    """
    if entry.type != BEGINNING_TYPE:
        raise ReceiptMismatch(f"the entry is a {entry.type!r} and seals no beginning of a file")
    if missing := sorted({"chunk_size", "chunks", "name", "root", "size", "upload"} - payload.keys()):
        raise WireMalformed(f"the payload lacks {missing[0]!r}")
    upload = take_uuid(payload["upload"], where="upload")
    if entry.subject != f"upload:{upload}":
        raise ReceiptMismatch(f"the entry is about {entry.subject!r}, its payload about upload {upload}")
    chunk_bytes = take_integer(payload["chunk_size"], where="chunk_size")
    beginning = SealedBeginning(
        upload=upload,
        name=take_text(payload["name"], where="name"),
        size=take_integer(payload["size"], where="size"),
        chunks=take_integer(payload["chunks"], where="chunks"),
        root=take_digest(payload["root"], where="root"),
    )
    check_integer(beginning.size, where="size", low=1)
    if chunk_bytes != CHUNK_BYTES:
        raise WireMalformed(f"chunk_size is {chunk_bytes}, this version has {CHUNK_BYTES}")
    if beginning.size != beginning.chunks * CHUNK_BYTES:
        raise WireMalformed(f"{beginning.size} bytes are not {beginning.chunks} whole chunks")
    return beginning


def read_sealed(entry: Entry, payload: JsonObject) -> SealedClip:
    """Return the clip that an entry seals.

    Raises:
        ReceiptMismatch: The entry seals no clip, or its subject is another clip than its payload's.
        WireMalformed: The payload lacks what a sealed clip states.
    """
    if entry.type not in SEALING_TYPES:
        raise ReceiptMismatch(f"the entry is a {entry.type!r} and seals no clip")
    if missing := sorted({"clip", "name"} - payload.keys()):
        raise WireMalformed(f"the payload lacks {missing[0]!r}")
    clip = take_uuid(payload["clip"], where="clip")
    if entry.subject != f"clip:{clip}":
        raise ReceiptMismatch(f"the entry is about {entry.subject!r}, its payload about clip {clip}")
    return SealedClip(clip=clip, name=take_text(payload["name"], where="name"), digest=take_clip_digest(payload))
