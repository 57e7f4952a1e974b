"""Payloads of the ledger's entries, one strict model per type of event.

A payload is what an entry commits to and what an evidential row is made of. Fields are never renamed, retyped or
dropped: what was written once is replayed by every later audit. A new field is optional, older payloads lack it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from evidence.clips.content import AnnotationContent
from evidence.clips.parts import Line
from evidence.clips.redaction import RedactionContent
from evidence.core.clock import format_time, parse_time
from evidence.errors import TimeInvalid
from ledger.canonical import INTEGER_MAX
from ledger.lexemes import format_base64, parse_base64

TEXT_CHARS_MAX = 4096
"""Longest free text in a payload, in characters; names of files have up to 1,024 bytes."""


def _uuid_of(value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or str(parsed := UUID(value)) != value:
        raise ValueError("a UUID is written in lower case with dashes")
    return parsed


def _time_of(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("a time is written as text")  # noqa: TRY004 - pydantic reports ValueError only
    try:
        return parse_time(value)
    except TimeInvalid as error:
        raise ValueError(error.message) from error


def _digest_of(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or len(value) != 64 or value.lower() != value:
        raise ValueError("a digest is written as 64 lower-case hex digits")
    return bytes.fromhex(value)


def _octets_of(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError("octets are written as base64")  # noqa: TRY004 - pydantic reports ValueError only
    return parse_base64(value)


def _printable(text: str) -> str:
    if "\0" in text:
        raise ValueError("text holds no NUL")
    return text


Id = Annotated[UUID, BeforeValidator(_uuid_of), PlainSerializer(str)]
Time = Annotated[datetime, BeforeValidator(_time_of), PlainSerializer(format_time)]
Digest = Annotated[bytes, BeforeValidator(_digest_of), PlainSerializer(bytes.hex)]
Octets = Annotated[bytes, BeforeValidator(_octets_of), PlainSerializer(format_base64)]
Text = Annotated[str, Field(max_length=TEXT_CHARS_MAX), AfterValidator(_printable)]
Name = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX), AfterValidator(_printable)]
Note = Annotated[str, Field(min_length=1), AfterValidator(_printable)]
Count = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
Size = Annotated[int, Field(ge=1, le=INTEGER_MAX)]
Ordinal = Annotated[int, Field(ge=1, le=2**31 - 1)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]


class Payload(BaseModel):
    """Base of all payloads: every field stated, nothing else, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LogCreated(Payload):
    """A log begins: its name and the key its checkpoints are checked with."""

    origin: Name
    vkey: Name


class LogKeyRotated(Payload):
    """A new key of the log follows; both sign checkpoints of more than `size` entries. The signed statement, whole."""

    number: Ordinal
    old: Name
    new: Name
    size: Count
    statement: Note


class LogKeyRetired(Payload):
    """A key of the log ends; it signs no checkpoint of more than `size` entries. The signed statement, whole."""

    number: Ordinal
    vkey: Name
    size: Count
    statement: Note


class TokenIssued(Payload):
    """A person gets a token; only its digest is stated."""

    token: Id
    staff: Id
    name: Name
    role: Word
    expires_at: Time
    token_sha256: Digest
    scopes: list[Word] | None = None


class TokenRevoked(Payload):
    """A token is worth nothing from now on."""

    token: Id
    reason: Name


class DockEnrolled(Payload):
    """A docking station and the key it signs with."""

    dock: Id
    name: Name
    vkey: Name


class DockKeyRotated(Payload):
    """A dock goes over to another key: `note` is the change, signed by the old key and by the new one, whole."""

    dock: Id
    sequence: Ordinal
    vkey: Name
    note: Note


class DockRevoked(Payload):
    """What this dock signs is not taken any more."""

    dock: Id
    reason: Name


class DockInventory(Payload):
    """What a dock saw on a recorder before a byte moved: its signed note, whole."""

    inventory: Id
    dock: Id
    recorder: Name
    note: Note


class DockCleared(Payload):
    """What a dock removed from a recorder: its signed note, whole."""

    dock: Id
    recorder: Name
    note: Note


class DockKeyDemanded(Payload):
    """An administrator wants this dock to go over to another key; it does when it hears of it."""

    dock: Id
    reason: Name


class RecorderFinding(Payload):
    """One thing noticed about a recorder's sequence; `evidence.recorders.meanings` has codes and innocent causes."""

    code: Word
    weight: Literal["info", "notice", "high"]
    facts: dict[str, object]


class RecorderCompared(Payload):
    """An inventory was held against those before it; what was noticed. The newest word about an inventory counts.

    `previous` is the inventory that came before it in time, by whichever dock.
    """

    dock: Id
    recorder: Name
    inventory: Id
    previous: Id | None
    findings: list[RecorderFinding]


class RecorderFindingExplained(Payload):
    """Somebody says how a finding came about: the one at `place` of the entry `finding`."""

    finding: Id
    place: Count
    recorder: Name
    text: Name


class RecorderAssigned(Payload):
    """A recorder is an officer's from `since` on, until the next assignment; nobody's when `officer` is null."""

    assignment: Id
    recorder: Name
    officer: Id | None
    since: Time


class ClipSealed(Payload):
    """An original is sealed: where it came from and what its bytes are.

    `raw` tells that the path is escaped because its bytes are not UTF-8; `manifest` is the dock's signed note; times of
    the recorder are as its dock stated them. `clip.repeated` states the same about a content that was sealed before:
    there `clip` is the first clip. `sm3` is stated where the house computes it. `second_store` is stated where a
    recorder may only be cleared when the original is in that store too, which `clip.copied` states then.
    """

    clip: Id
    upload: Id
    name: Name
    path: Name
    raw: bool = False
    recorder: Name | None
    dock: Id | None
    inventory: Id | None
    actor: Name
    size: Size
    chunk_size: Size
    chunks: Size
    root: Digest
    sha256: Digest
    manifest: Note | None
    recorded_at: Time | None
    officer: Name | None
    key_mark: bool
    received_at: Time
    sm3: Digest | None = None
    second_store: Name | None = None


class ClipRepeated(ClipSealed):
    """The content of a sealed clip came again from another source."""


class ClipPrefix(Payload):
    """The beginning of a file that was still being written: its first `chunks` whole chunks, `size` bytes together."""

    upload: Id
    name: Name
    path: Name
    raw: bool
    recorder: Name | None
    dock: Id | None
    inventory: Id | None
    actor: Name
    size: Size
    chunk_size: Size
    chunks: Size
    root: Digest


class DerivedObject(Payload):
    """One object made from an original; `size` in bytes."""

    kind: Word
    sha256: Digest
    size: Size
    media_type: Name


class ClipDerived(Payload):
    """What could be made of an original, with which tools and parameters; `probe` is what its container states."""

    clip: Id
    attempt: Ordinal
    outcome: Literal["reviewable", "still", "audio", "undecodable"]
    reason: Text | None
    tools: dict[str, str]
    parameters: dict[str, object]
    probe: dict[str, object]
    objects: list[DerivedObject]


class CopiedObject(Payload):
    """One object in the second store, as that store describes it; `size` in bytes.

    `checksum` is the store's own (S3: base64 of the SHA-256, or of parts), `version` its name for these very bytes,
    `retained_until` the end of a lock that nobody can lift.
    """

    sha256: Digest
    size: Size
    checksum: Name | None
    version: Name | None
    retained_until: Time | None


class ClipCopied(Payload):
    """Objects of a clip, its original or what was made of it, are in a second store as well."""

    clip: Id
    store: Name
    objects: Annotated[list[CopiedObject], Field(min_length=1)]


class ObjectRestored(Payload):
    """An object of a clip was gone or damaged in one store, and the other's good bytes were put in its place.

    `store` is where (`local`, or the second store's address), `source` where the good bytes came from. What lay there
    instead is never deleted: `kept_as` names it, a file in the quarantine of the objects or a version in the second
    store, `held` is its SHA-256 and `held_size` its bytes, as far as it could be read.
    """

    clip: Id
    restoration: Id
    sha256: Digest
    size: Size
    store: Name
    source: Name
    reason: Literal["missing", "damaged", "unreadable"]
    kept_as: Name | None
    held: Digest | None
    held_size: Count | None


class ClipAnnotated(Payload):
    """A new version of what people say about a clip, and why there is one; it replaces the one before as a whole."""

    clip: Id
    version: Ordinal
    content: AnnotationContent
    reason: Line | None = None


class ClipViewed(Payload):
    """Somebody is about to see a clip; stated before the first byte is served.

    `session` is the public id of the session or token they showed, `sha256` the object they are to be served.
    """

    clip: Id
    rendition: Word
    purpose: Word
    staff: Id
    ticket: Id
    session: Id | None = None
    sha256: Digest | None = None


class ExportedFile(Payload):
    """One file of an export; `size` in bytes."""

    name: Name
    sha256: Digest
    size: Size


class ExportedStill(Payload):
    """Which picture of the original a still is: `pts` in ticks of `unit` seconds, `at_ms` on the players' clock.

    `frame` counts pictures from 0 as they are shown; `pixels_sha256` is over the decoder's planes, `decoder` names it.
    """

    frame: Count
    pts: int
    unit: Annotated[list[Size], Field(min_length=2, max_length=2)]
    at_ms: int
    pixels_sha256: Digest
    decoder: Name


class ClipExported(Payload):
    """A clip left the house, as these files, for this purpose; with `still`, one picture of it and nothing else."""

    clip: Id
    purpose: Word
    files: list[ExportedFile]
    still: ExportedStill | None = None
    session: Id | None = None


class ExcerptedRun(Payload):
    """Neighbouring chunks of an original: `chunks` of them from number `first` on."""

    first: Count
    chunks: Size


class ExcerptedCut(Payload):
    """The playable copy beside an excerpt, a derivative; `size` in bytes."""

    name: Name
    sha256: Digest
    size: Size


class ClipExcerpted(Payload):
    """Some seconds of a clip left the house: these chunks of the original, for this purpose, and a copy to look at."""

    clip: Id
    purpose: Word
    from_ms: Count
    to_ms: Count
    runs: list[ExcerptedRun]
    cut: ExcerptedCut | None
    session: Id | None = None


class ClipRedacted(Payload):
    """A copy with parts made unseen and unheard, a derivative: what was changed and why, and digests of both.

    `parent` is the original's SHA-256, `size` in bytes; `made` counts what the child did.
    """

    clip: Id
    redaction: Id
    parent: Digest
    sha256: Digest
    size: Size
    media_type: Name
    changes: RedactionContent
    tools: dict[str, str]
    made: dict[str, object]


class UploadQuarantined(Payload):
    """Bytes that came but could not be sealed are kept aside, with the reason; `size` in bytes."""

    upload: Id
    code: Name
    reason: Text
    size: Count
    name: Text
    actor: Name


class UploadGivenUp(Payload):
    """A sender gave an upload up before it was sealed; `size` bytes of it had come and are gone."""

    upload: Id
    name: Text
    actor: Name
    size: Count


class UploadCopiedOut(Payload):
    """Somebody took a copy of what is in quarantine, for this purpose; `size` in bytes."""

    upload: Id
    purpose: Word
    size: Size
    sha256: Digest


class AuditCompleted(Payload):
    """An audit of the whole log up to a size came to its end; `findings` counts them by code."""

    size: Count
    root: Digest
    findings: dict[str, Count]


class LogTimestamped(Payload):
    """A stranger's clock was asked: its time stamp over a published checkpoint, both byte for byte.

    `checkpoint` is the published note, `response` what the authority answered (RFC 3161, DER in base64), `time` the one
    that it states.
    """

    size: Size
    root: Digest
    authority: Word
    time: Time
    checkpoint: Note
    response: Octets
