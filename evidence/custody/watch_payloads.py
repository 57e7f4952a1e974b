"""Payloads of links by which somebody outside watches one clip: made, marked copy, ended, and each use."""

from __future__ import annotations

from typing import Any, Literal

from evidence.custody.payloads import Count, Digest, Id, Name, Ordinal, Payload, Size, Text, Time, Word


class ClipShared(Payload):
    """A named recipient may watch a clip, or a span of it, so many times until a time; of the secret its SHA-256 alone.

    `parent` is the SHA-256 of the playable copy that the marked one is made from, `rendition` which one that is.
    `from_ms` and `to_ms` are on that copy's clock; null for its beginning and its end.
    """

    link: Id
    clip: Id
    recipient: Name
    purpose: Word
    secret_sha256: Digest
    expires_at: Time
    uses_max: Ordinal
    rendition: Literal["proxy", "redacted"]
    parent: Digest
    from_ms: Count | None = None
    to_ms: Count | None = None
    session: Id | None = None


class ClipMarked(Payload):
    """The copy for a link was made: a derivative with the recipient's watermark in every picture, kept until it ends.

    `mark` is what the watermark says, line by line, `size` in bytes; `made` counts what the child did.
    """

    link: Id
    clip: Id
    recipient: Name
    parent: Digest
    sha256: Digest
    size: Size
    media_type: Text
    mark: list[Text]
    tools: dict[str, Any]
    made: dict[str, Any]


class ClipLinkRevoked(Payload):
    """A link shows nothing any more."""

    link: Id
    clip: Id
    reason: Text


class ClipWatched(Payload):
    """Whoever holds a link is about to watch; stated before the first byte. `sha256` is that of the marked copy."""

    link: Id
    clip: Id
    ticket: Id
    sha256: Digest
    purpose: Word
