"""An OpenID provider on a real socket, with real keys: strict in what it takes, and as hostile as a test wants it.

It checks what a provider has to check (client, redirect address, PKCE, that a code counts once), signs with RS256 or
ES256, and changes its keys. `claims`, `signed` and `instead` make it lie.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

CLIENT = "shilu 实录".encode().hex()
SECRET = "a secret: with + and %"
SUBJECT = "248289761001"

Key = RSAKey | ECKey


@cache
def key_of(kid: str, algorithm: str) -> Key:
    """Return a private key by its name; RSA keys take a while to make."""
    made: Key = RSAKey.generate_key(2048) if algorithm.startswith(("RS", "PS")) else ECKey.generate_key("P-256")
    return made


def public(kid: str, algorithm: str) -> dict[str, Any]:
    """Return a key as the provider publishes it."""
    return {**key_of(kid, algorithm).as_dict(private=False), "kid": kid, "alg": algorithm, "use": "sig"}


def sign(claims: dict[str, Any], *, kid: str | None, algorithm: str, key_name: str | None = None) -> str:
    """Sign claims as an ID token."""
    header = {"alg": algorithm, "typ": "JWT"} | ({} if kid is None else {"kid": kid})
    key = key_of(key_name or kid or "", algorithm)
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=[algorithm])


@dataclass(slots=True)
class IdentityProvider:
    """One provider.

    Attributes:
        current: Name and algorithm of the key that signs.
        published: Keys that are shown; follows `current` unless a test sets it.
        claims: What is said differently in ID tokens; None leaves a claim out.
        signed: Makes the ID token out of the claims, in place of signing them.
        instead: Path -> what answers there in its place.
        metadata: What is said differently about itself.
        forgets_codes: Whether a code may come twice, as at a careless provider.
        asked: Paths that were asked for, in order.
    """

    issuer: str = ""
    subject: str = SUBJECT
    current: tuple[str, str] = ("first", "RS256")
    published: list[dict[str, Any]] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    signed: Callable[[dict[str, Any]], str] | None = None
    instead: dict[str, Callable[[web.Request], Any]] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    forgets_codes: bool = False
    public_client: bool = False
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer whatever is asked."""
        self.asked.append(request.path)
        if request.path in self.instead:
            answer: web.StreamResponse = await self.instead[request.path](request)
            return answer
        match request.path:
            case "/.well-known/openid-configuration":
                return web.json_response(self._metadata())
            case "/keys":
                return web.json_response({"keys": self._keys()})
            case "/authorize":
                return self._authorize(request)
            case "/token":
                return await self._token(request)
            case _:
                return web.Response(status=404)

    def _metadata(self) -> dict[str, Any]:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "none"],
            "authorization_response_iss_parameter_supported": True,
        }
        return {name: value for name, value in (said | self.metadata).items() if value is not None}

    def _keys(self) -> list[dict[str, Any]]:
        return [public(*self.current)] if self.published is None else self.published

    def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        if asked["client_id"] != CLIENT or asked["code_challenge_method"] != "S256" or "openid" not in asked["scope"]:
            self.problems.append("authorize")
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer, "session_state": "passed over"}
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(back)}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked = self.codes.get(form.get("code", ""))
        if asked is None or not self._knows_client(request, form) or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if challenge != asked["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if not self.forgets_codes:
            del self.codes[form["code"]]
        return web.json_response({"id_token": self._id_token(asked), "access_token": "unread", "token_type": "Bearer"})

    def _knows_client(self, request: web.Request, form: dict[str, str]) -> bool:
        if self.public_client:
            return form.get("client_id") == CLIENT and "Authorization" not in request.headers
        if "client_secret" in form:
            return (form.get("client_id"), form["client_secret"]) == (CLIENT, SECRET)
        scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Basic" and b64decode(pair).decode() == f"{CLIENT}:a+secret%3A+with+%2B+and+%25"

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        said = {"iss": self.issuer, "aud": CLIENT, "sub": self.subject, "nonce": asked["nonce"], "iat": now}
        said |= {"exp": now + 300, "preferred_username": "王芳", **self.claims}
        said = {name: value for name, value in said.items() if value is not None}
        if self.signed is not None:
            return self.signed(said)
        return sign(said, kid=self.current[0], algorithm=self.current[1])


async def slow(_request: web.Request) -> web.Response:
    """Answer long after anybody waits."""
    await asyncio.sleep(30)
    return web.Response()


async def huge(request: web.Request) -> web.StreamResponse:
    """Answer without an end."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(64):
        await response.write(b" " * 65536)
    return response


@asynccontextmanager
async def open_identity_provider() -> AsyncIterator[IdentityProvider]:
    """Run a provider on a free port for the length of the block."""
    provider = IdentityProvider()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", provider.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        provider.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        await runner.cleanup()


def settings_of(provider: IdentityProvider, folder: Path) -> dict[str, object]:
    """Return the settings of a house that this provider is the provider of."""
    return {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret_file": folder / "secret",
        "oidc_acr_values": "silver,gold",
        "listen_port": (port := free_port()),
        "public_url": f"http://127.0.0.1:{port}",
    }


def free_port() -> int:
    """Return a port that nobody listens on: an address to come back to has to be known before there is a service."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port
