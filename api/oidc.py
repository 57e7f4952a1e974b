"""The OpenID provider that this house asks: what it publishes, kept for a while, and the exchange of a code.

    metadata   /.well-known/openid-configuration below the issuer       an hour
    keys       its `jwks_uri`                                           an hour; asked anew for a key that is not there,
                                                                        at most twice a minute
    exchange   its `token_endpoint`: code, PKCE verifier, our secret    each sign-in

Every fetch is bounded in bytes and seconds, follows no redirect, keeps no cookie, uses no proxy of the environment, and
reaches this very host only where the issuer itself is there. A provider that fails is left alone for some seconds, so
that strangers who begin sign-ins do not make us knock. Certificates are judged as Python does; an authority of the
agency's own comes in by `SSL_CERT_FILE`.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp

from api.config import ServiceConfig
from api.errors import ConfigInvalid
from api.outbox import GuardedResolver
from evidence.core.clock import Clock
from evidence.federated.documents import (
    Metadata,
    ProviderKey,
    is_address,
    is_this_host,
    read_keys,
    read_metadata,
    read_token_answer,
)
from evidence.federated.errors import ProviderRefused, ProviderUnavailable
from evidence.federated.flow import Flow
from evidence.federated.id_token import Claims, Expected, find_key, judge, read_header

KEPT = timedelta(hours=1)
KEYS_PAUSE = timedelta(seconds=30)
"""Between two looks for a key that is not there."""

FAILURE_PAUSE = timedelta(seconds=5)
FETCH_SECONDS = 10.0
FETCH_BYTES_MAX = 256 * 1024
SECRET_BYTES_MAX = 4096
RETURN_PATH = "/v1/session/oidc/return"
_SCOPE = "openid profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """Who is asked, and as whom; `client_secret` is None for a public client, which PKCE alone protects."""

    issuer: str
    client_id: str
    return_url: str
    client_secret: str | None = field(repr=False)


@dataclass(slots=True)
class _Kept:
    """What was fetched last, or how that failed."""

    at: datetime
    metadata: Metadata | None = None
    keys: tuple[ProviderKey, ...] = ()
    problem: str | None = None


class Provider:
    """The provider, for one process."""

    def __init__(self, settings: OidcSettings, session: aiohttp.ClientSession, *, clock: Clock) -> None:
        self.settings = settings
        self._session = session
        self._clock = clock
        self._kept: _Kept | None = None
        self._fetching = asyncio.Lock()

    async def address_for(self, flow: Flow) -> str:
        """Return where a browser goes to sign in (OpenID Connect Core 1.0, 3.1.2.1, with PKCE).

        Raises:
            ProviderUnavailable: Its metadata cannot be had.
        """
        metadata, _ = await self._published()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.return_url,
            "scope": _SCOPE,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
        return f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}"

    async def claims_of(self, code: str, flow: Flow, *, issuer: str | None) -> Claims:
        """Exchange a code and judge the ID token that comes for it.

        Args:
            issuer: Who the answer by way of the browser says it is from (RFC 9207); None where it does not say.

        Raises:
            ProviderRefused: It is by another provider, or the code is none of this one's.
            ProviderUnavailable: The provider does not answer as it has to.
            IdTokenRefused: See `evidence.federated.id_token`.
        """
        metadata, keys = await self._published()
        if issuer != metadata.issuer and (issuer is not None or metadata.names_issuer):
            raise ProviderRefused("the answer is not by the provider that was asked")
        token = await self._exchange(metadata, code, flow)
        header = read_header(token)
        if find_key(header, keys) is None:
            _, keys = await self._published(for_keys=True)
        expected = Expected(issuer=metadata.issuer, client_id=self.settings.client_id, nonce=flow.nonce)
        return judge(token, keys=keys, expected=expected, now=self._clock())

    async def _published(self, *, for_keys: bool = False) -> tuple[Metadata, tuple[ProviderKey, ...]]:
        """Return metadata and keys; `for_keys` when a key was not among those that are kept."""
        # One at a time: whoever waited finds what the one before has fetched.
        async with self._fetching:
            kept, now = self._kept, self._clock()
            if kept is not None and kept.metadata is None and now < kept.at + FAILURE_PAUSE:
                raise ProviderUnavailable(kept.problem or "the provider was not reached just now")
            if kept is None or now >= kept.at + (KEYS_PAUSE if for_keys else KEPT) or kept.metadata is None:
                kept = self._kept = await self._fetch_all(now)
            if kept.metadata is None:
                raise ProviderUnavailable(kept.problem or "the provider was not reached")
            return kept.metadata, kept.keys

    async def _fetch_all(self, now: datetime) -> _Kept:
        issuer = self.settings.issuer
        try:
            raw = await self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            metadata = read_metadata(raw, issuer=issuer)
            return _Kept(now, metadata, read_keys(await self._ask("GET", metadata.jwks_uri)))
        except (ProviderUnavailable, ProviderRefused) as error:
            return _Kept(now, problem=error.message)

    async def _exchange(self, metadata: Metadata, code: str, flow: Flow) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.return_url,
            "code_verifier": flow.verifier,
        }
        headers = {"Accept": "application/json"}
        client, secret = self.settings.client_id, self.settings.client_secret
        if secret is None or metadata.posts_secret:
            form["client_id"] = client
            form |= {} if secret is None else {"client_secret": secret}
        else:
            # Both parts are encoded as in a form before they are joined (RFC 6749, 2.3.1).
            pair = f"{quote_plus(client)}:{quote_plus(secret)}".encode()
            headers["Authorization"] = f"Basic {b64encode(pair).decode('ascii')}"
        return read_token_answer(await self._ask("POST", metadata.token_endpoint, form=form, headers=headers))

    async def _ask(
        self, method: str, url: str, *, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        """Send a request; return the body of a 200.

        Raises:
            ProviderRefused: A code was refused: 400, 401 or 403 to a form.
            ProviderUnavailable: Everything else that is no answer.
        """
        what = urlsplit(url).path
        try:
            async with self._session.request(method, url, data=form, headers=headers, allow_redirects=False) as answer:
                body = bytearray()
                async for piece in answer.content.iter_any():
                    body += piece
                    if len(body) > FETCH_BYTES_MAX:
                        raise ProviderUnavailable(f"the provider's {what} answers more than {FETCH_BYTES_MAX} bytes")
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise ProviderUnavailable(f"the provider's {what} did not answer: {type(error).__name__}") from error
        if form is not None and answer.status in (400, 401, 403):
            raise ProviderRefused("the provider does not take the code, or does not know this house; begin anew")
        if answer.status != 200:
            raise ProviderUnavailable(f"the provider's {what} answered {answer.status}")
        return bytes(body)


def oidc_settings(config: ServiceConfig) -> OidcSettings | None:
    """Read who is asked out of the settings; None where nobody is.

    Raises:
        ConfigInvalid: Something is missing, or the issuer is not an address by HTTPS (by HTTP on this very host).
    """
    issuer = config.oidc_issuer
    if issuer is None:
        return None
    if not is_address(issuer, loopback=True) or urlsplit(issuer).query:
        raise ConfigInvalid("oidc_issuer has to be an https:// address without query", setting="oidc_issuer")
    if config.oidc_client_id is None:
        raise ConfigInvalid("oidc_issuer needs oidc_client_id", setting="oidc_client_id")
    if config.public_url is None:
        raise ConfigInvalid("oidc_issuer needs public_url, where browsers come back to", setting="public_url")
    return OidcSettings(
        issuer=issuer,
        client_id=config.oidc_client_id,
        return_url=f"{config.public_url}{RETURN_PATH}",
        client_secret=None if config.oidc_client_secret_file is None else _secret(config.oidc_client_secret_file),
    )


@asynccontextmanager
async def open_provider(config: ServiceConfig, *, clock: Clock) -> AsyncIterator[Provider | None]:
    """Give the way to the provider for the length of the block; None where nobody is asked.

    Raises:
        ConfigInvalid: See `oidc_settings`.
    """
    settings = oidc_settings(config)
    if settings is None:
        yield None
        return
    inside = is_this_host(urlsplit(settings.issuer).hostname or "")
    connector = aiohttp.TCPConnector(resolver=None if inside else GuardedResolver())
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS),
        trust_env=False,
    ) as session:
        yield Provider(settings, session, clock=clock)


def _secret(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(SECRET_BYTES_MAX + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"the secret {path} is not readable: {error}", setting="oidc_client_secret_file") from error
    if not text or len(text) > SECRET_BYTES_MAX or not text.isprintable():
        raise ConfigInvalid(f"{path} holds no secret of one line", setting="oidc_client_secret_file")
    return text
