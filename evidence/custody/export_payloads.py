"""Payloads of packages that leave the house: what they hold, whom they were shared with, who fetched them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evidence.custody.payloads import Count, Digest, Id, Name, Ordinal, Payload, Text, Time, Word


class PackageExported(Payload):
    """A package of clips left the house for this purpose, the record shown as of the log's first `log_size` entries.

    `manifest` is the SHA-256 of the list of its files, which lies in the package; `bytes` counts those files.
    """

    export: Id
    case: Id | None
    clips: Annotated[list[Id], Field(min_length=1)]
    purpose: Word
    manifest: Digest
    files: Count
    bytes: Count
    log_size: Count


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
