"""Errors about recorders and whose they are."""

from __future__ import annotations

from evidence.errors import EvidenceError


class RecorderUnknown(EvidenceError):
    """No dock ever saw a recorder with this number, and nobody was given one."""

    code = "recorder.unknown"


class FindingUnknown(EvidenceError):
    """No finding about this recorder has this name."""

    code = "recorder.finding_unknown"


class OfficerUnknown(EvidenceError):
    """No officer bears this number; register the officer first."""

    code = "officer.unknown"


class AssignmentInvalid(EvidenceError):
    """A recorder cannot be given away in the future, nor before this law was made."""

    code = "recorder.assignment_invalid"
