"""Queries and JSON about signing in with the agency's provider, and about links of accounts with its subjects."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from evidence.federated.id_token import SUBJECT_CHARACTERS_MAX
from evidence.parties.roles import Role

_ISSUER = "The provider, as its ID tokens name it"
_SUBJECT = "The provider's name for the person (`sub`), to the letter"


class SignInWays(ResponseModel):
    """By what people sign in here."""

    password: bool = Field(description="With a local account")
    provider: bool = Field(description="With the agency's OpenID provider, at /v1/session/oidc")


class OidcBegin(BaseModel):
    """How a sign-in with the provider begins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role | None = Field(None, description="What to act as; without it, the account's first role")


class OidcReturn(BaseModel):
    """What the provider hands back by way of the browser; what it adds of its own is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    state: str = Field(min_length=1, max_length=200, description="As it was sent to the provider")
    code: str | None = Field(None, min_length=1, max_length=4096, description="Worth an ID token, once")
    iss: str | None = Field(None, max_length=2000, description="Which provider answers (RFC 9207)")
    error: str | None = Field(None, max_length=200, description="Why there is no code")


class LinkAccount(RequestModel):
    """An administrator links an account with a person of the provider, for good."""

    issuer: str = Field(min_length=1, max_length=2000, description=_ISSUER, examples=["https://id.example.cn"])
    subject: str = Field(
        min_length=1, max_length=SUBJECT_CHARACTERS_MAX, description=_SUBJECT, examples=["248289761001"]
    )


class LinkedSubject(ResponseModel):
    """A person of the provider whom an account belongs to."""

    issuer: str = Field(description=_ISSUER)
    subject: str = Field(description=_SUBJECT)
    linked_at: Time
    entry: UUID = Field(description="Id of the ledger entry")


class LinkedSubjects(ResponseModel):
    """All of an account's, one of each provider at most."""

    items: list[LinkedSubject]


class StrangerItem(ResponseModel):
    """Somebody whom the provider let in, and no account here is linked with."""

    issuer: str = Field(description=_ISSUER)
    subject: str = Field(description=_SUBJECT)
    hint: str | None = Field(description="What the provider calls the person; proves nothing")
    first_at: Time
    last_at: Time
    times: int = Field(description="How often the person was turned away")


class StrangerPage(Page[StrangerItem]):
    """People who were turned away within 30 days, in the order they came first in."""
