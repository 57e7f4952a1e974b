"""Limits of the intake and of the workers; frozen, read once by the composition root and handed down."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1_048_576
GIBIBYTE = 1024 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSettings:
    """What the intake accepts and how it paces itself.

    Attributes:
        length_bytes_max: Longest upload of a dock; 64 GiB is a day of 1080p footage.
        staff_length_bytes_max: Longest upload of a person; None for the same.
        reserve_bytes: Free space on the spool's disk that uploads never touch: the database lives there too.
        appends_max: Requests that may carry bytes at the same time; more are told to come back.
        appends_per_sender_max: The same for one dock or person, so that nobody takes all places.
        buffers_max: 1 MiB buffers for all of them together; at least one each.
        buffers_per_append_max: Most buffers one request may hold: enough to keep network, hash and disk apart.
        buffers_eager_max: Buffers in use from which on no request gets a second one.
        acknowledge_bytes: Unacknowledged bytes after which a running request is synced and recorded.
        acknowledge_seconds: The same by time; also how soon a request notices that another took its upload over.
        idle_seconds: Silence after which a request is given up.
        takeover_seconds: How long a second writer waits for the first to let go.
        retry_seconds: How often complete uploads whose sealing failed are tried again.
        prefix_seconds: How often the beginning of a file that is still being written is sealed; None for never.
        expiry_seconds: Idleness after which an upload that waits for its sender is closed; None for never.
        second_store: Address of the store where an original must be too before its recorder may be cleared; None when
            the seal is enough.
        sm3: Whether SM3 of the whole file is computed as well.
    """

    length_bytes_max: int = 64 * GIBIBYTE
    staff_length_bytes_max: int | None = None
    reserve_bytes: int = 2 * GIBIBYTE
    appends_max: int = 64
    appends_per_sender_max: int = 32
    buffers_max: int = 64
    buffers_per_append_max: int = 6
    buffers_eager_max: int = 48
    acknowledge_bytes: int = 64 * MEBIBYTE
    acknowledge_seconds: float = 1.0
    idle_seconds: float = 60.0
    takeover_seconds: float = 10.0
    retry_seconds: float = 5.0
    prefix_seconds: float | None = 10.0
    expiry_seconds: float | None = 30 * 86400.0
    second_store: str | None = None
    sm3: bool = False

    def length_max_of(self, actor: str) -> int:
        """Return the longest upload in bytes that is taken from a machine or a person."""
        if actor.startswith(("dock:", "controller:")) or self.staff_length_bytes_max is None:
            return self.length_bytes_max
        return self.staff_length_bytes_max


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How derivation jobs are taken and held.

    Attributes:
        concurrency: Jobs one worker runs at the same time.
        attempts_max: Attempts after which a clip is declared undecodable.
        lease_seconds: Silence after which a worker is taken for dead; it renews three times as often.
        retry_seconds: Pause after a failed attempt.
        blocked_seconds: Pause after an attempt that failed for want of disk space or of the original's bytes.
        sweep_seconds: How often lost queue entries are looked for.
    """

    concurrency: int = 2
    attempts_max: int = 3
    lease_seconds: float = 30.0
    retry_seconds: float = 5.0
    blocked_seconds: float = 60.0
    sweep_seconds: float = 30.0
