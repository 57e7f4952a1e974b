"""The payload of `clip.transcribed`: what a machine takes people to have said. Proposals, and nobody's words."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evidence.custody.payloads import DerivedObject, Digest, Id, Ordinal, Payload


class ClipTranscribed(Payload):
    """What a machine takes people to have said in a clip, as objects: a proposal that nobody has confirmed.

    `parent` is the SHA-256 of the review copy that was listened to, `speech` that of the list of segments.
    """

    clip: Id
    attempt: Ordinal
    parent: Digest
    speech: Digest
    models: dict[str, object]
    tools: dict[str, str]
    counts: dict[str, int]
    objects: Annotated[list[DerivedObject], Field(min_length=1)]
