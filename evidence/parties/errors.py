"""Errors about parties: who acts, with which credential, and what docks have stated."""

from __future__ import annotations

from evidence.errors import EvidenceError


class NameInvalid(EvidenceError):
    """A name is empty, too long, or holds control characters or blank ends."""

    code = "party.name_invalid"


class NameLookalike(EvidenceError):
    """A name looks like another one on record (`details.like`) but is written otherwise, or mixes scripts in a word."""

    code = "party.name_lookalike"


class RoleInvalid(EvidenceError):
    """The role is not one a person can hold; docks get theirs by enrolment."""

    code = "party.role_invalid"


class ExpiryInvalid(EvidenceError):
    """A credential would live for no time at all or longer than its limit."""

    code = "party.expiry_invalid"


class TokenUnknown(EvidenceError):
    """No staff token has this id."""

    code = "token.unknown"


class TokenAlreadyRevoked(EvidenceError):
    """The staff token was revoked before; the first reason stands."""

    code = "token.already_revoked"


class TokenExpired(EvidenceError):
    """The staff token has expired and cannot be rotated; an administrator issues a new one."""

    code = "token.expired"


class DockUnknown(EvidenceError):
    """No dock has this id."""

    code = "dock.unknown"


class DockAlreadyRevoked(EvidenceError):
    """The dock was revoked before; the first reason stands."""

    code = "dock.already_revoked"


class DockKeyInvalid(EvidenceError):
    """The verifier key is not an Ed25519 key named `dock.<uuid>`."""

    code = "dock.key_invalid"


class DockAlreadyEnrolled(EvidenceError):
    """A dock with this id or key is enrolled already; make a new key and a new id."""

    code = "dock.already_enrolled"


class DockNotInForce(EvidenceError):
    """The dock was revoked, or its key replaced, before this statement could be recorded; sign with the present key."""

    code = "dock.not_in_force"


class DockKeySuperseded(EvidenceError):
    """The change starts from a key or number that is not the dock's present one: another change was faster."""

    code = "dock.key_superseded"


class DockKeyReused(EvidenceError):
    """The new key was a dock's key before; keys never come back, make a fresh one."""

    code = "dock.key_reused"


class ControllerUnknown(EvidenceError):
    """No controller has this id."""

    code = "controller.unknown"


class ControllerAlreadyRevoked(EvidenceError):
    """The controller was revoked before; the first reason stands."""

    code = "controller.already_revoked"


class EnrolmentCodeRefused(EvidenceError):
    """The enrolment code is unknown, expired or used by another dock; ask an administrator for a new one."""

    code = "dock.code_refused"


class InventoryConflict(EvidenceError):
    """Another inventory with the same id is on record; an inventory is never changed, make a new one."""

    code = "inventory.conflict"


class TicketUnknown(EvidenceError):
    """No ticket is like this one, or it has expired long ago; ask for a new view."""

    code = "ticket.unknown"


class TicketExpired(EvidenceError):
    """The time of this view is over; ask for a new one."""

    code = "ticket.expired"


class TicketForeign(EvidenceError):
    """The view was opened by somebody else, or in a browser whose session did not come along."""

    code = "ticket.foreign"


class KeyReused(EvidenceError):
    """The Idempotency-Key was used for another request; choose a new key for a new request."""

    code = "idempotency.conflict"
