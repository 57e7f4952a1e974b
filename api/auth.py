"""Who calls: a person's token or session, a dock's signed token or a controller's session in `Authorization: Bearer`.

Staff tokens and sessions are opaque and looked up by their public id; the stored digest is compared in constant time. A
session may come in a cookie instead, see `api.cookies`. A dock signs a JWT (RFC 7519) for every few minutes of work
with the key it was enrolled with:

    header  {"alg": "Ed25519", "kid": <key ID, 8 hex>, "typ": "JWT"}
    claims  {"iss": <dock id>, "aud": <origin of the log>, "iat": <seconds>, "exp": <seconds>}

Controllers of body worn systems open sessions (`evidence.parties.controllers`) and show their opaque token, on their
own routes in `X-Auth-Token` too.

No other algorithm, header or claim is taken, and no token lives longer than `DOCK_TOKEN_SECONDS_MAX`. The key comes
from our own table, never from the token.

Obligations, in order: one header of the right shape (`auth.malformed`), a known token or dock (`auth.unknown_token`),
the right secret or signature (`auth.unknown_token`, `auth.signature`), the right audience (`auth.audience`), still in
force (`auth.revoked`), within its time (`auth.expired`). Whether the role suffices is for the dispatcher to say.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OKPKey

from api.errors import (
    AuthAudience,
    AuthExpired,
    AuthMalformed,
    AuthMissing,
    AuthRevoked,
    AuthSignature,
    AuthUnknownToken,
)
from evidence.accounts.session_store import find_staff_session
from evidence.accounts.sessions import SESSION_PREFIX as STAFF_SESSION_PREFIX
from evidence.accounts.sessions import note_use
from evidence.core.clock import format_time
from evidence.core.wire.fields import take_uuid
from evidence.db.pool import Connection
from evidence.errors import WireError
from evidence.parties.controller_store import find_controller, find_session
from evidence.parties.controllers import SESSION_PREFIX
from evidence.parties.credentials import STAFF_PREFIX, parse_credential
from evidence.parties.roles import Role
from evidence.parties.store import find_dock, find_staff_token
from ledger.note import Verifier

DOCK_TOKEN_SECONDS_MAX = 300
"""Longest life of a dock's token in seconds."""

TOKEN_CHARACTERS_MAX = 2048
ALGORITHM = "Ed25519"

_HEADER_NAMES = frozenset({"alg", "kid", "typ"})
_CLAIM_NAMES = frozenset({"iss", "aud", "iat", "exp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCaller:
    """A person, known by token.

    Attributes:
        token: Public id of what was shown: a token's, or a session's.
        scopes: Groups of routes that it opens (`api.scopes`); None for everything that the role may.
        by_session: Whether the person has signed in, and shows no token.
    """

    staff: UUID
    token: UUID
    name: str
    role: Role
    scopes: frozenset[str] | None = None
    by_session: bool = False

    @property
    def actor(self) -> str:
        """How the ledger calls this party."""
        return f"staff:{self.staff}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DockCaller:
    """A docking station, known by key."""

    dock: UUID
    name: str
    verifier: Verifier
    role: ClassVar[Role] = Role.DOCK

    @property
    def actor(self) -> str:
        """How the ledger calls this party."""
        return f"dock:{self.dock}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerCaller:
    """The controller of a body worn system, known by the token of its session."""

    controller: UUID
    name: str
    role: ClassVar[Role] = Role.CONTROLLER

    @property
    def actor(self) -> str:
        """How the ledger calls this party."""
        return f"controller:{self.controller}"


Caller = StaffCaller | DockCaller | ControllerCaller


@dataclass(frozen=True, slots=True)
class DockToken:
    """A dock's token as it came, signature not yet checked."""

    text: str
    kid: str
    dock: UUID
    audience: str
    issued_at: int
    expires_at: int


async def authenticate(
    conn: Connection,
    headers: Sequence[str],
    *,
    origin: str,
    now: datetime,
    leeway: timedelta,
    idle: timedelta,
    address: str,
) -> Caller:
    """Tell who sent a request.

    Args:
        headers: Every value of `Authorization` that the request has.
        origin: The log's name, which a dock's token has to be made for.
        leeway: How far a dock's clock may be off.
        idle: How long a session may have been unused.
        address: Where the request comes from, kept with what it shows as its last use.

    Raises:
        ApiError: One of the seven `auth` errors in the order of the module's obligations.
    """
    token = _bearer(headers)
    if token.startswith(STAFF_PREFIX):
        return await _staff(conn, token, now=now, address=address)
    if token.startswith(STAFF_SESSION_PREFIX):
        return await _person(conn, token, now=now, idle=idle, address=address)
    if token.startswith(SESSION_PREFIX):
        return await _controller(conn, token, now=now)
    return await _dock(conn, parse_dock_token(token), origin=origin, now=now, leeway=leeway)


def parse_dock_token(text: str) -> DockToken:
    """Take a dock's token apart without believing it.

    Raises:
        AuthMalformed: It is no compact JWT with exactly the header fields and claims of the front page.
    """
    try:
        signed = jws.extract_compact(text.encode("ascii"))
        claims = json.loads(signed.payload or b"")
    except (JoseError, ValueError, RecursionError) as error:
        raise AuthMalformed("the token is neither a staff token nor a signed dock token") from error
    header = signed.headers()
    if not isinstance(claims, dict) or claims.keys() != _CLAIM_NAMES or not header.keys() <= _HEADER_NAMES:
        raise AuthMalformed("a dock token has exactly the claims iss, aud, iat and exp")
    if header.get("alg") != ALGORITHM or not isinstance(header.get("kid"), str):
        raise AuthMalformed(f"a dock token is signed with {ALGORITHM} and names its key in kid")
    if type(claims["iat"]) is not int or type(claims["exp"]) is not int or not isinstance(claims["aud"], str):
        raise AuthMalformed("iat and exp are whole seconds, aud is a text")
    if not 0 < claims["exp"] - claims["iat"] <= DOCK_TOKEN_SECONDS_MAX:
        raise AuthMalformed(f"a dock token lives at most {DOCK_TOKEN_SECONDS_MAX} seconds")
    try:
        dock = take_uuid(claims["iss"], where="iss")
    except WireError as error:
        raise AuthMalformed(error.message) from error
    return DockToken(text, header["kid"], dock, claims["aud"], claims["iat"], claims["exp"])


def check_dock_token(token: DockToken, *, verifier: Verifier, origin: str) -> None:
    """Check that a token is by this key and for this log; time is not judged.

    Raises:
        AuthSignature: The key ID or the signature is another key's.
        AuthAudience: It is for another log.
    """
    key = OKPKey.import_key(_jwk(verifier))
    try:
        if token.kid != verifier.key_id.hex():
            raise AuthSignature("the token names another key than the dock's")
        jwt.decode(token.text, key, algorithms=[ALGORITHM])
    except BadSignatureError as error:
        raise AuthSignature("the token is not signed by the dock's key") from error
    except JoseError as error:
        raise AuthMalformed("the token is not a signed dock token") from error
    if token.audience != origin:
        raise AuthAudience("the token was made for another log", origin=origin)


def _bearer(headers: Sequence[str]) -> str:
    if not headers:
        raise AuthMissing("a token is needed here")
    scheme, _, token = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer":
        raise AuthMalformed("one Authorization header with the scheme Bearer is needed")
    if not token or len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
        raise AuthMalformed("the token is empty, too long, or not ASCII")
    return token


async def _staff(conn: Connection, text: str, *, now: datetime, address: str) -> StaffCaller:
    credential = parse_credential(text, prefix=STAFF_PREFIX)
    if credential is None:
        raise AuthMalformed("the staff token is not of the right shape")
    token = await find_staff_token(conn, credential.id)
    if token is None or not credential.matches(token.token_sha256):
        raise AuthUnknownToken("the token is not known")
    if token.revoked_at is not None:
        raise AuthRevoked("the token has been revoked", revoked_at=format_time(token.revoked_at))
    if token.expires_at <= now:
        raise AuthExpired("the token has expired", expired_at=format_time(token.expires_at))
    await note_use(conn, token.token, staff=token.staff, address=address, at=now, seen_at=token.seen_at)
    return StaffCaller(staff=token.staff, token=token.token, name=token.name, role=token.role, scopes=token.scopes)


async def _person(conn: Connection, text: str, *, now: datetime, idle: timedelta, address: str) -> StaffCaller:
    credential = parse_credential(text, prefix=STAFF_SESSION_PREFIX)
    if credential is None:
        raise AuthMalformed("the session is not of the right shape")
    session = await find_staff_session(conn, credential.id)
    if session is None or not credential.matches(session.token_sha256):
        raise AuthUnknownToken("the session is not known")
    if session.ended_at is not None:
        raise AuthRevoked("the session has been ended", revoked_at=format_time(session.ended_at))
    if session.expires_at <= now or session.last_used() + idle <= now:
        raise AuthExpired("the session is over; sign in again", expired_at=format_time(session.expires_at))
    await note_use(conn, session.session, staff=session.staff, address=address, at=now, seen_at=session.seen_at)
    return StaffCaller(
        staff=session.staff,
        token=session.session,
        name=session.name,
        role=session.role,
        scopes=session.scopes,
        by_session=True,
    )


async def _controller(conn: Connection, text: str, *, now: datetime) -> ControllerCaller:
    credential = parse_credential(text, prefix=SESSION_PREFIX)
    if credential is None:
        raise AuthMalformed("the controller's token is not of the right shape")
    session = await find_session(conn, credential.id)
    controller = None if session is None else await find_controller(conn, session.controller)
    if session is None or controller is None or not credential.matches(session.token_sha256):
        raise AuthUnknownToken("the token is not known")
    if controller.revoked_at is not None:
        raise AuthRevoked("the controller has been revoked", revoked_at=format_time(controller.revoked_at))
    if session.expires_at <= now:
        raise AuthExpired("the token has expired", expired_at=format_time(session.expires_at))
    return ControllerCaller(controller=controller.controller, name=controller.name)


async def _dock(conn: Connection, token: DockToken, *, origin: str, now: datetime, leeway: timedelta) -> DockCaller:
    dock = await find_dock(conn, token.dock)
    if dock is None:
        raise AuthUnknownToken("the dock is not known")
    verifier = Verifier.parse(dock.vkey)
    check_dock_token(token, verifier=verifier, origin=origin)
    if dock.revoked_at is not None:
        raise AuthRevoked("the dock has been revoked", revoked_at=format_time(dock.revoked_at))
    if not token.issued_at - leeway.total_seconds() <= now.timestamp() < token.expires_at + leeway.total_seconds():
        raise AuthExpired("the token's time is over or has not come", server_time=format_time(now))
    return DockCaller(dock=dock.dock, name=dock.name, verifier=verifier)


def _jwk(verifier: Verifier) -> dict[str, str | list[str]]:
    public = urlsafe_b64encode(verifier.key.raw).rstrip(b"=").decode("ascii")
    return {"kty": "OKP", "crv": "Ed25519", "x": public}
