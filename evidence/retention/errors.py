"""Errors about how long clips are kept and how they go."""

from __future__ import annotations

from evidence.errors import EvidenceError


class RetentionInvalid(EvidenceError):
    """A schedule or hold breaks its form: below six months, of nothing or of two things, back in time."""

    code = "retention.invalid"


class HoldUnknown(EvidenceError):
    """There is no hold with this id."""

    code = "hold.unknown"


class HoldReleasedAlready(EvidenceError):
    """The hold was released before."""

    code = "hold.already_released"


class FourEyesRequired(EvidenceError):
    """Another person has to do this: who placed a hold does not release it, who appraised does not approve."""

    code = "retention.same_person"


class AppraisalUnknown(EvidenceError):
    """There is no appraisal with this id."""

    code = "disposal.unknown"


class AppraisalDecided(EvidenceError):
    """The appraisal was approved or refused before."""

    code = "disposal.already_decided"


class NotDue(EvidenceError):
    """A clip on the list may not be disposed of: it is kept for longer, held, evidence of a case, or not there."""

    code = "disposal.not_due"


class ClipDisposed(EvidenceError):
    """The clip was disposed of after its term; `details` are its tombstone. What proves it is still to be had."""

    code = "clip.disposed"
