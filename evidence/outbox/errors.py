"""Errors about subscriptions of the outbox."""

from __future__ import annotations

from evidence.errors import EvidenceError


class SubscriptionInvalid(EvidenceError):
    """A subscription names a type of entry that there is none of, or none at all, or an address that is no URL."""

    code = "outbox.invalid"


class TargetRefused(EvidenceError):
    """The address is not among those that the setting OUTBOX_TARGETS allows."""

    code = "outbox.target_refused"


class SubscriptionUnknown(EvidenceError):
    """No subscription that has not ended has this id."""

    code = "outbox.unknown"
