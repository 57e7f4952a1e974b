"""Errors about figures and samples."""

from __future__ import annotations

from evidence.errors import EvidenceError


class CheckpointUnknown(EvidenceError):
    """The log never published a checkpoint of this size."""

    code = "statistics.checkpoint_unknown"


class SampleInvalid(EvidenceError):
    """A sample draws nothing, more than there is, or an assessment is of a case that was not drawn."""

    code = "sample.invalid"


class SampleUnknown(EvidenceError):
    """There is no sample with this id."""

    code = "sample.unknown"


class SampleSeedWrong(EvidenceError):
    """This is not the seed that was committed to."""

    code = "sample.seed_wrong"


class SampleNotReady(EvidenceError):
    """The commitment is not in a published checkpoint yet; nothing can be drawn before."""

    code = "sample.not_ready"
