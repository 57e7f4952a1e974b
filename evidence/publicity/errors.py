"""Errors about what is told the public."""

from __future__ import annotations

from evidence.errors import EvidenceError


class PublicationIncomplete(EvidenceError):
    """A publication lacks a field that its form demands, or a field does not fit; `problems` names each."""

    code = "publication.incomplete"


class PublicationUnknown(EvidenceError):
    """There is no publication with this id, or none of this version."""

    code = "publication.unknown"


class PublicationStale(EvidenceError):
    """A newer version of the publication is on record than the one this is about."""

    code = "publication.stale"


class PublicationUndecided(EvidenceError):
    """Nobody has said of every span that the privacy scan found what is to become of it; `spans` names them."""

    code = "publication.undecided"


class PublicationNotReady(EvidenceError):
    """The publication is not in the state that this step needs, such as approved before it is published."""

    code = "publication.not_ready"


class PublicationSamePerson(EvidenceError):
    """Whoever wrote a version or decided about its spans does not approve it: another person does."""

    code = "publication.same_person"


class PublicationSpanInvalid(EvidenceError):
    """A decision about a span names no place in the text, two spans of different fates overlap, or gives no reason."""

    code = "publication.span_invalid"


class PublicationRevealing(EvidenceError):
    """A reason that the public will read holds what looks like personal data."""

    code = "publication.revealing"


class ReportInvalid(EvidenceError):
    """A period that is not over yet or no period, or a stated figure that there is none of."""

    code = "report.invalid"


class ReportUnknown(EvidenceError):
    """There is no report with this id."""

    code = "report.unknown"
