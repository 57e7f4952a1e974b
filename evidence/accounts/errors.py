"""Errors about accounts, passwords and sessions."""

from __future__ import annotations

from datetime import datetime

from evidence.core.clock import format_time
from evidence.errors import EvidenceError
from ledger.errors import Blame


class LoginInvalid(EvidenceError):
    """A name to sign in with is not 2 to 64 of a-z, 0-9, `.`, `_`, `-`, `@`, beginning with a letter or digit."""

    code = "account.login_invalid"


class RolesInvalid(EvidenceError):
    """The roles are none, not a person's, named twice, or `administrator` beside another."""

    code = "account.roles_invalid"


class AccountTaken(EvidenceError):
    """Another account has this name to sign in with, or the person has an account already."""

    code = "account.taken"


class AccountUnknown(EvidenceError):
    """No account has this id."""

    code = "account.unknown"


class AccountStale(EvidenceError):
    """The account was changed by somebody else since the version in `If-Match`; read it again."""

    code = "account.stale"


class AccountDisabled(EvidenceError):
    """The account is disabled; nobody gets a code for it or signs in with it."""

    code = "account.disabled"


class PasswordRefused(EvidenceError):
    """The password is too short or too long, among the most used ones, or made of the account's own name."""

    code = "account.password_refused"


class SignInRefused(EvidenceError):
    """Name, password or one-time code are not right, or nobody may sign in with this account; which, is not said."""

    code = "auth.sign_in_refused"


class SecondFactorNeeded(EvidenceError):
    """The password is right; the account also asks for a one-time code, in the field `code`."""

    code = "auth.second_factor"


class SignInPaused(EvidenceError):
    """Too many attempts failed; `details.until` says when the next one is looked at."""

    code = "auth.paused"
    blame = Blame.WAY

    def __init__(self, message: str, *, until: datetime, seconds: int) -> None:
        super().__init__(message, until=format_time(until), seconds=seconds)
        self.seconds = seconds


class SecretDiffers(EvidenceError):
    """The stored secret of an account is not the one on record: somebody changed it behind the record's back."""

    code = "account.secret_differs"
    blame = Blame.BUG


class TotpNotPending(EvidenceError):
    """No enrolment of one-time codes is under way, or it took too long; begin it again."""

    code = "account.totp_not_pending"


class TotpNotEnrolled(EvidenceError):
    """The account asks for no one-time codes."""

    code = "account.totp_not_enrolled"


class SessionUnknown(EvidenceError):
    """There is no such session of the caller's that has not ended; a token is no session."""

    code = "session.unknown"


class LinkRefused(EvidenceError):
    """No account is linked with this person of the OpenID provider; an administrator can do it, once and for good."""

    code = "auth.not_linked"
