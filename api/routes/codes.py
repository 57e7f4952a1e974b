"""Error codes that several routes share."""

from __future__ import annotations

NOTE_ERRORS = ("wire.malformed", "wire.version", "wire.limit", "wire.path", "wire.signature")
"""What can be wrong with a dock's signed statement."""

UPLOAD_ERRORS = ("tus.version", "upload.unknown", "upload.terminated", "upload.expired")
"""What can be wrong with a request about an upload."""

BODY_ERRORS = ("request.header", "request.media_type", "request.encoding", "request.cut_short")

APPEND_ERRORS = (
    *("upload.finished", "upload.offset_mismatch", "upload.length_exceeded", "upload.taken_over", "upload.busy"),
    *("upload.stalled", "upload.no_space", "upload.storage_failed", "upload.spool_lost", "upload.spool_damaged"),
    *("upload.elsewhere", "clip.already_sealed", "object.damaged", *BODY_ERRORS),
    *("tus.checksum_unsupported", "upload.checksum_mismatch", "upload.final"),
)
"""What can happen while bytes are taken; the last ones of a person's upload seal it."""

DECLARE_ERRORS = ("upload.length_declared", "upload.empty", "upload.too_large")
"""What can be wrong with a length that is declared later."""

LOG_ERRORS = ("ledger.storage_unreadable", "ledger.storage_unreachable")
"""What can be wrong with reading the published log."""

PROOF_ERRORS = ("evidence.damaged", "ledger.not_published", *LOG_ERRORS)
"""What can be wrong with a proof that is about to go out."""
