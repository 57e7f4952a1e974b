"""What the ledger says of a sealed original, read out of a checked entry and its payload.

Two entry types seal a clip: `clip.sealed` for content seen for the first time, `clip.repeated` for the same content
from another source. Both state the clip and the digests of its bytes; this module reads those and ignores the rest, so
that a verifier of today still reads payloads which say more tomorrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from evidence.core.digest import ClipDigest
from evidence.core.wire.clip_digest import take_clip_digest
from evidence.core.wire.fields import take_text, take_uuid
from evidence.errors import ReceiptMismatch, WireMalformed
from ledger.canonical import Entry, JsonObject

SEALING_TYPES = frozenset({"clip.sealed", "clip.repeated"})


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
