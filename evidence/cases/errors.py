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


class CaseIsArchived(EvidenceError):
    """The case is archived and changes no more; what became known since is stated as an addendum."""

    code = "case.archived"


class CaseNotArchived(EvidenceError):
    """The case is not archived yet: what an addendum would say is stated in the case itself."""

    code = "case.not_archived"


class CaseStale(EvidenceError):
    """Somebody changed the case meanwhile: fetch it, look, and send again with its version."""

    code = "case.stale"


class ExhibitUnknown(EvidenceError):
    """The case has no such exhibit, or has it no more."""

    code = "case.exhibit_unknown"


class StatementRefused(EvidenceError):
    """What is stated about the case cannot be: it names what is not there, or what its list does not allow."""

    code = "case.statement_refused"


class ExemptionRefused(EvidenceError):
    """The recording-item list lets no written record stand in for this item; one recorded in full is never exempted."""

    code = "case.exemption_refused"


class ArchiveRefused(EvidenceError):
    """The case cannot be archived yet; the details list every reason."""

    code = "case.archive_refused"
