"""What can be refused about grants and classes."""

from __future__ import annotations

from evidence.errors import EvidenceError


class AccessInvalid(EvidenceError):
    """A grant or classification cannot be what was asked for: nothing in it, an unknown class, an end in the past."""

    code = "access.invalid"


class AccessDenied(EvidenceError):
    """The caller may know of this and may not do it; `details.because` says which rule."""

    code = "access.denied"


class GrantUnknown(EvidenceError):
    """There is no grant with this id."""

    code = "access.grant_unknown"


class GrantWithdrawn(EvidenceError):
    """The grant has been withdrawn before."""

    code = "access.already_withdrawn"
