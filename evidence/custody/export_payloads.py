"""Payloads of packages that leave the house: what they hold, whom they were shared with, who fetched them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evidence.custody.payloads import Count, Digest, Id, Name, Ordinal, Payload, Size, Text, Time, Word


class PackagedSpan(Payload):
    """Seconds that were asked for, in milliseconds on the players' clock."""

    from_ms: Count
    to_ms: Count


class PackagedExcerpt(Payload):
    """A clip of which an excerpt left: the chunks that hold these seconds, in `bytes`; `left_out` bytes stayed."""

    clip: Id
    spans: Annotated[list[PackagedSpan], Field(min_length=1)]
    chunks: Size
    bytes: Size
    left_out: Count


class PackageExported(Payload):
    """A package of clips left the house for this purpose, the record shown as of the log's first `log_size` entries.

    `manifest` is the SHA-256 of the list of its files, which lies in the package; `bytes` counts those files. Of the
    clips under `excerpts` an excerpt left, of all others the original.
    """

    export: Id
    case: Id | None
    clips: Annotated[list[Id], Field(min_length=1)]
    purpose: Word
    manifest: Digest
    files: Count
    bytes: Count
    log_size: Count
    excerpts: list[PackagedExcerpt] = Field(default_factory=list)


class ExportShared(Payload):
    """A link to a package for a named recipient, for so many uses until a time; the secret's SHA-256 alone is kept."""

    link: Id
    export: Id
    recipient: Name
    purpose: Word
    secret_sha256: Digest
    expires_at: Time
    uses_max: Ordinal
    session: Id | None = None


class ExportLinkRevoked(Payload):
    """A link opens nothing any more."""

    link: Id
    export: Id
    reason: Text


class ExportFetched(Payload):
    """Somebody was handed a package: by the link of a recipient, or, without one, as who works here."""

    export: Id
    link: Id | None
    purpose: Word
    session: Id | None = None
