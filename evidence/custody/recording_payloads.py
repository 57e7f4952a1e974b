"""Payloads of entries about controllers of body worn systems and their deliveries; same rules as in `payloads`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evidence.custody.payloads import Count, Digest, Id, Name, Payload, Size, Text, Time, Word


class ControllerConnected(Payload):
    """The controller of a body worn system may deliver; only the digest of its key is stated."""

    controller: Id
    name: Name
    key_sha256: Digest


class ControllerRevoked(Payload):
    """What this controller brings is not taken any more."""

    controller: Id
    reason: Name


class RecordedClip(Payload):
    """One original of a recording: its name there, the clip it is, what its controller said about it."""

    name: Name
    clip: Id
    sha256: Digest
    size: Size
    started_at: Time | None
    stopped_at: Time | None
    metadata: dict[str, Text]


class RecordedCompanion(Payload):
    """What came beside the originals, and the clip it belongs to; a bookmark may have no bytes and so no digest."""

    name: Name
    kind: Word
    clip: Id
    sha256: Digest | None
    size: Count
    metadata: dict[str, Text]


class RecordingSealed(Payload):
    """A recording is complete as its controller says: these originals, sealed each, and what belongs to them.

    `wearer` is the controller's own id of who wore the recorder, `officer` the number and `officer_name` the name that
    it had registered for that id; `metadata` is what it said about the recording, as it came.
    """

    recording: Id
    controller: Id
    container: Name
    recorder: Name | None
    wearer: Name | None
    officer: Name | None
    officer_name: Name | None
    started_at: Time | None
    stopped_at: Time | None
    metadata: dict[str, Text]
    clips: Annotated[list[RecordedClip], Field(min_length=1)]
    companions: list[RecordedCompanion]
