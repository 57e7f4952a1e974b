"""Payloads about accounts and sessions: that something was set and by whom, digests of what was, and never a secret.

What is digested has at least 125 random bits of its own (a salt, a key, a token), so that nobody guesses it from here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from evidence.custody.payloads import Count, Digest, Id, Name, Ordinal, Payload, Time, Word

Roles = Annotated[list[Word], Field(min_length=1, max_length=10)]


class AccountCreated(Payload):
    """A person gets an account under a name to sign in with; it has no password yet."""

    staff: Id
    login: Name
    name: Name
    roles: Roles


class AccountChanged(Payload):
    """What an account may do from now on: its roles, and whether anybody can sign in with it at all."""

    staff: Id
    version: Ordinal
    roles: Roles
    enabled: bool
    reason: Name


class AccountCodeIssued(Payload):
    """A one-time code lets a person set the account's password; a later one, or a set password, ends it."""

    staff: Id
    number: Ordinal
    code_sha256: Digest
    expires_at: Time


class AccountPasswordSet(Payload):
    """The account's password is another one, or the same under a stronger hash; the SHA-256 of the salted hash."""

    staff: Id
    number: Ordinal
    verifier_sha256: Digest
    cause: Literal["code", "own", "rehash"]


class AccountTotpEnrolled(Payload):
    """The account asks for a one-time code besides the password; digests of secret and recovery codes."""

    staff: Id
    number: Ordinal
    secret_sha256: Digest
    recovery_sha256: Annotated[list[Digest], Field(min_length=1, max_length=50)]


class AccountTotpRemoved(Payload):
    """The account asks for no one-time code any more."""

    staff: Id
    number: Ordinal
    reason: Name


class AccountLinked(Payload):
    """The account belongs to a subject of an OpenID provider, which alone may sign in with it there."""

    staff: Id
    issuer: Name
    subject: Name


class SessionBegun(Payload):
    """A person signed in, and acts in one role until the session ends; `failed_before` counts the guesses before."""

    session: Id
    staff: Id
    role: Word
    scopes: list[Word] | None
    expires_at: Time
    token_sha256: Digest
    method: Literal["password", "totp", "recovery", "oidc"]
    recovery_sha256: Digest | None
    failed_before: Count


class SessionEnded(Payload):
    """A session is worth nothing from now on."""

    session: Id
    cause: Literal["own", "other", "replaced", "password", "totp", "account"]
