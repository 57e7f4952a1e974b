"""Errors about signing in with an OpenID provider."""

from __future__ import annotations

from evidence.errors import EvidenceError
from ledger.errors import Blame


class ProviderUnavailable(EvidenceError):
    """The OpenID provider is not reached, is too slow, or answers what no provider answers; the message says which."""

    code = "auth.provider_unavailable"
    blame = Blame.WAY


class ProviderRefused(EvidenceError):
    """The OpenID provider has not let the person in, or takes the code for none of its own; begin anew."""

    code = "auth.provider_refused"


class FlowRefused(EvidenceError):
    """The answer is to no sign-in that this browser began within ten minutes, or came a second time; begin anew."""

    code = "auth.flow_refused"


class IdTokenRefused(EvidenceError):
    """The provider's ID token is not one that lets anybody in; `details.check` names the obligation it fails."""

    code = "auth.id_token_refused"

    def __init__(self, message: str, *, check: str) -> None:
        super().__init__(message, check=check)
        self.check = check


class SecondFactorUnstated(EvidenceError):
    """The account asks for a second factor and the provider states none: use name, password and one-time code."""

    code = "auth.second_factor_unstated"


class SubjectInvalid(EvidenceError):
    """The issuer is not the provider that this house asks, or the subject is not 1 to 255 visible ASCII characters."""

    code = "account.subject_invalid"


class LinkTaken(EvidenceError):
    """The subject belongs to an account already, or the account to a subject of this provider; links stay for good."""

    code = "account.link_taken"
