"""Errors of annotating, one class per stable code; docs/errors.md has the table with HTTP status and retry meaning."""

from __future__ import annotations

from evidence.errors import EvidenceError


class AnnotationUnknown(EvidenceError):
    """The clip's annotation has no version of this number."""

    code = "annotation.unknown"


class LeavesMissing(EvidenceError):
    """The leaf hashes of an original are not kept; they can be computed from the original and proved by its root."""

    code = "clip.leaves_missing"


class ProposalUnknown(EvidenceError):
    """The clip has no transcript with this entry, or the transcript has no segment at this place."""

    code = "proposal.unknown"


class ProposalTaken(EvidenceError):
    """Somebody took this proposal over already; their words stay, and are changed by annotating, not by accepting."""

    code = "proposal.taken"


class ProposalUnseen(EvidenceError):
    """Nobody reviews what they have not looked at: open a view of the clip first, then accept."""

    code = "proposal.unseen"


class BulkRefused(EvidenceError):
    """Of clips that were to be annotated all or nothing some are refused, named in the details; none was annotated."""

    code = "annotation.bulk_refused"
