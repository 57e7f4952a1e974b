"""JSON about accounts and sessions."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from evidence.parties.names import NAME_CHARACTERS_MAX, REASON_CHARACTERS_MAX
from evidence.parties.roles import Role

_PASSWORD = Field(min_length=1, max_length=1024, description="The password, as it is typed")


class SignIn(RequestModel):
    """Somebody wants to sign in."""

    login: str = Field(min_length=1, max_length=100, description="Name of the account", examples=["wang.fang"])
    password: str = _PASSWORD
    code: str | None = Field(
        None, max_length=40, description="One-time code, or a recovery code, where the account asks for one"
    )
    role: Role | None = Field(None, description="What to act as; without it, the account's first role")
    cookie: bool = Field(
        default=False, description="Whether the session comes as a cookie, which no script can read, and not in `text`"
    )


class Activate(RequestModel):
    """Somebody sets a password with the code that an administrator handed over."""

    login: str = Field(min_length=1, max_length=100, description="Name of the account")
    code: str = Field(
        min_length=1, max_length=100, description="The one-time code; case, blanks and dashes are the same"
    )
    password: str = _PASSWORD


class BegunSession(ResponseModel):
    """A session has begun."""

    session: UUID
    staff: UUID
    role: Role
    scopes: list[str] | None = Field(description="Groups of routes it opens; null for everything that the role may")
    expires_at: Time
    text: str | None = Field(description="What goes behind `Bearer`, its only copy; null when it is in the cookie")


class WhoAmI(ResponseModel):
    """Who the caller is, and what they may do."""

    staff: UUID
    name: str
    role: Role
    roles: list[Role] = Field(description="Roles that the account holds; of a token, its own")
    scopes: list[str] | None
    login: str | None = Field(description="Name of the account; null of a person who has none")
    has_totp: bool
    credential: UUID = Field(description="Id of the token or session that was shown")
    by_session: bool
    rights: list[str] = Field(description="Names of the routes that may be used, as in the OpenAPI document")


class SessionItem(ResponseModel):
    """One of the caller's sessions as it stands."""

    session: UUID
    role: Role
    method: str = Field(description="How it was begun: password, totp, recovery or oidc")
    signed_in_at: Time
    expires_at: Time
    seen_at: Time | None = Field(description="When it was used last, to the minute")
    address: str | None = Field(description="From where; an IPv6 address by its /64")
    ended_at: Time | None
    cause: str | None = Field(description="Why it ended: own, other, replaced, password, totp or account")


class SessionPage(Page[SessionItem]):
    """The caller's sessions in the order they began in."""


class ChangePassword(RequestModel):
    """The caller wants another password."""

    password: str = _PASSWORD
    new: str = Field(min_length=1, max_length=1024, description="The new one")


class BeginTotp(RequestModel):
    """The caller wants one-time codes from an authenticator."""

    password: str = _PASSWORD


class PendingTotp(ResponseModel):
    """A secret to put into an authenticator; counts once a code of it was shown."""

    secret: str = Field(description="Base 32, to be typed")
    uri: str = Field(description="`otpauth://`, to be shown as a QR code")


class ConfirmTotp(RequestModel):
    """The authenticator has the secret."""

    code: str = Field(min_length=6, max_length=6, description="The code it shows now")


class Recovery(ResponseModel):
    """One-time codes are asked for from now on."""

    recovery: list[str] = Field(description="Codes that stand in for a lost phone, each once; their only copy")


class CreateAccount(RequestModel):
    """An administrator wants an account for a person."""

    login: str = Field(
        min_length=2,
        max_length=64,
        description="Name to sign in with: a-z, 0-9, `.`, `_`, `-`, `@`",
        examples=["wang.fang"],
    )
    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, description="The person's name", examples=["王芳"])
    roles: list[Role] = Field(min_length=1, max_length=10, description="What the person may act as, one at a time")
    staff: UUID | None = Field(None, description="The person's id, if they have had tokens; without it a new person")


class ChangeAccount(RequestModel):
    """An administrator changes what an account may do."""

    roles: list[Role] = Field(min_length=1, max_length=10, description="What the person may act as from now on")
    enabled: bool = Field(description="Whether anybody can sign in with it")
    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="Why; goes on record")


class MakeAccountCode(RequestModel):
    """An administrator wants a code with which the person sets a password."""

    valid_hours: int = Field(72, ge=1, le=336, description="Life of the code in hours")


class AccountCode(ResponseModel):
    """The only copy of a code."""

    staff: UUID
    code: str
    expires_at: Time


class AccountItem(ResponseModel):
    """One account as it stands."""

    staff: UUID = Field(description="Whose it is: the id of the person all over the service")
    login: str
    name: str
    roles: list[Role]
    enabled: bool
    version: int = Field(description="For If-Match: how often roles or state were changed")
    reason: str | None = Field(description="Why it was changed last")
    has_password: bool
    has_totp: bool
    created_at: Time
    changed_at: Time


class AccountPage(Page[AccountItem]):
    """Accounts in order of their people's ids."""


class OwnToken(ResponseModel):
    """One of the caller's own tokens."""

    token: UUID
    role: Role
    scopes: list[str] | None
    issued_at: Time
    expires_at: Time
    seen_at: Time | None = Field(description="When it was used last, to the minute")


class OwnTokens(ResponseModel):
    """The caller's own tokens that count."""

    items: list[OwnToken]
