"""Errors of the intake, one class per stable code; docs/errors.md lists them with HTTP status and retry meaning."""

from __future__ import annotations

from typing import ClassVar

from ledger.errors import Blame, CodedError


class IngestError(CodedError):
    """Base of the intake's errors."""

    blame: ClassVar[Blame] = Blame.INPUT


class UploadUnknown(IngestError):
    """There is no such upload, or it belongs to somebody else; create a new one."""

    code = "upload.unknown"


class UploadTerminated(IngestError):
    """The upload was given up by its owner and its bytes are gone; create a new one."""

    code = "upload.terminated"


class UploadExpired(IngestError):
    """Nothing came for this upload for so long that it was closed; what had come is in quarantine, create a new one."""

    code = "upload.expired"


class UploadFinished(IngestError):
    """The upload is complete, sealed or in quarantine and takes no more bytes; ask for its state."""

    code = "upload.finished"


class UploadNotQuarantined(IngestError):
    """The upload is not in quarantine, or nothing of it is kept on this host; `shilu quarantine list` says what is."""

    code = "upload.not_quarantined"


class UploadIncomplete(IngestError):
    """Bytes are still missing; continue at the offset the upload states, then try again."""

    code = "upload.incomplete"


class UploadOffsetMismatch(IngestError):
    """The bytes were offered at another offset than the acknowledged one; nothing was touched, ask for the offset."""

    code = "upload.offset_mismatch"


class UploadChecksumMismatch(IngestError):
    """The body does not have the checksum its sender stated; none of it was taken, send it again."""

    code = "upload.checksum_mismatch"


class UploadTooLarge(IngestError):
    """The announced length is above what this service accepts for one upload."""

    code = "upload.too_large"


class UploadLengthExceeded(IngestError):
    """More bytes came than the upload's length leaves room for; the file is not the one that was announced."""

    code = "upload.length_exceeded"


class UploadLengthUnknown(IngestError):
    """The upload was created with a deferred length that has not been declared yet."""

    code = "upload.length_unknown"


class UploadLengthDeclared(IngestError):
    """The length of an upload is declared once, and not below what has already arrived."""

    code = "upload.length_declared"


class UploadEmpty(IngestError):
    """A file without a byte cannot be evidence; the inventory states that it was there."""

    code = "upload.empty"


class UploadNameInvalid(IngestError):
    """The name is missing, not UTF-8, too long, or not a relative path free of control characters."""

    code = "upload.name_invalid"


class UploadMetadataInvalid(IngestError):
    """The metadata lack what this kind of sender owes, or are too large."""

    code = "upload.metadata_invalid"


class UploadNotInventoried(IngestError):
    """The dock never stated this file, or stated another size; take an inventory first, then send."""

    code = "upload.not_inventoried"


class UploadConcatInvalid(IngestError):
    """What should be put together is no list of this sender's parts, each named once; nothing was done."""

    code = "upload.concat_invalid"


class UploadPartTaken(IngestError):
    """A part belongs to another file already, or has ended; send it again."""

    code = "upload.part_taken"


class UploadFinal(IngestError):
    """A file that is put together from parts takes its bytes from them alone."""

    code = "upload.final"


class UploadTakenOver(IngestError):
    """Another request continues this upload; this one stops, what it had acknowledged stays."""

    code = "upload.taken_over"


class ClipAlreadySealed(IngestError):
    """These very bytes are sealed already; the clip is named, nothing was added."""

    code = "clip.already_sealed"


class ManifestDisagrees(IngestError):
    """The signed manifest does not describe the bytes that arrived; nothing is sealed, the bytes are in quarantine."""

    code = "manifest.disagrees"


class ManifestMisplaced(IngestError):
    """The manifest speaks of another upload, or this upload takes none; nothing was touched."""

    code = "manifest.misplaced"


class UploadBusy(IngestError):
    """As many uploads as the service can carry are running, or the former writer has not let go yet; come back."""

    code = "upload.busy"
    blame: ClassVar[Blame] = Blame.WAY


class UploadStalled(IngestError):
    """Nothing arrived for so long that the request was given up; what came is acknowledged, continue from there."""

    code = "upload.stalled"
    blame: ClassVar[Blame] = Blame.WAY


class UploadNoSpace(IngestError):
    """The disk is full up to its reserve; acknowledged bytes are kept, an operator must make room."""

    code = "upload.no_space"
    blame: ClassVar[Blame] = Blame.WAY


class UploadElsewhere(IngestError):
    """The upload's bytes lie on another host's disk; requests for it must be routed there."""

    code = "upload.elsewhere"
    blame: ClassVar[Blame] = Blame.WAY


class SpoolLost(IngestError):
    """Acknowledged bytes are no longer on this host's disk: a failed or exchanged disk; send the file again."""

    code = "upload.spool_lost"
    blame: ClassVar[Blame] = Blame.WAY


class SpoolDamaged(IngestError):
    """Bytes on disk differ from what was acknowledged; they went to quarantine, send the file again."""

    code = "upload.spool_damaged"
    blame: ClassVar[Blame] = Blame.WAY


class SpoolFailed(IngestError):
    """The disk refused to write or to sync; nothing more was acknowledged."""

    code = "upload.storage_failed"
    blame: ClassVar[Blame] = Blame.WAY


class ExcerptImpossible(IngestError):
    """No excerpt can be made: nothing lies between these times, or nobody knows which bytes hold them."""

    code = "excerpt.impossible"


class ExcerptTooLong(IngestError):
    """More bytes of the original hold these seconds than are handed out in one answer; ask for fewer seconds."""

    code = "excerpt.too_long"


class CutRefused(IngestError):
    """The playable copy beside an excerpt cannot be made of this file; ask for the excerpt without one."""

    code = "excerpt.cut_refused"


class StillNotDerived(IngestError):
    """Nothing has been derived from the clip yet, so nobody knows its pictures by number; ask again in a while."""

    code = "still.not_derived"


class StillIndexMissing(IngestError):
    """The clip was derived without a frame index, so its pictures have no numbers; ask for an excerpt or an export."""

    code = "still.no_index"


class RedactionUnknown(IngestError):
    """Nobody asked for this redacted copy, or it is one of another clip."""

    code = "redaction.unknown"


class RedactionRefused(IngestError):
    """No redacted copy can be made of this file: what is to be covered or muted is not there, or does not decode."""

    code = "redaction.refused"
