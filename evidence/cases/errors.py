"""Errors about recording-item lists and case files."""

from __future__ import annotations

from evidence.errors import EvidenceError


class ItemListInvalid(EvidenceError):
    """The recording-item list breaks a rule; the details name each place and what is wrong there."""

    code = "items.invalid"


class ItemListUnknown(EvidenceError):
    """There is no such recording-item list, or none was in force on that day."""

    code = "items.unknown"


class ItemListAmbiguous(EvidenceError):
    """Lists of several agencies are in force: say which agency is meant."""

    code = "items.ambiguous"


class ItemListBackdated(EvidenceError):
    """A version is in force from no earlier day than the version before it, so that no day changes its list."""

    code = "items.backdated"


class CaseKindUnknown(EvidenceError):
    """The recording-item list in force knows no such action type."""

    code = "case.kind_unknown"
