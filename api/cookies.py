"""Sessions in a cookie, for browsers; and where a request comes from.

The cookie is `Secure; HttpOnly; SameSite=Strict; Path=/` under a `__Host-` name (RFC 6265bis): no script reads it, no
other host sets it, no other site's page sends it. That alone is the browser's promise; ours is that a change asked for
with the cookie names its origin in a header that scripts of other sites cannot set, and that it is our own: `Origin`,
or, where a browser leaves that out, `Sec-Fetch-Site: same-origin`. A session shown in `Authorization` needs none of it.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import web

from api.errors import CrossSite
from evidence.accounts.pauses import address_text
from evidence.federated.flow import FLOW_SECONDS

COOKIE = "__Host-shilu-session"

FLOW_COOKIE = "__Host-shilu-oidc"
"""Belongs to a sign-in with a provider (`evidence.federated.flow`); `Lax`, for it comes back out of another site."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def session_cookie(request: web.Request, *, public_url: str | None) -> list[str]:
    """Return the session that a request has in its cookie: none, or one.

    Raises:
        CrossSite: It asks for a change, and does not show that it comes from our own pages.
    """
    session = request.cookies.get(COOKIE)
    if session is None:
        return []
    if request.method not in _SAFE and not _is_ours(request, public_url):
        raise CrossSite("a change asked for with a cookie has to come from this site's own pages")
    return [session]


def cookie_header(text: str, *, seconds: int) -> str:
    """Return the `Set-Cookie` of a session; 0 seconds take it away."""
    return f"{COOKIE}={text}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Strict"


def flow_cookie_header(text: str) -> str:
    """Return the `Set-Cookie` of a sign-in with a provider; an empty text takes it away."""
    seconds = FLOW_SECONDS if text else 0
    return f"{FLOW_COOKIE}={text}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Lax"


def flow_of(request: web.Request) -> str | None:
    """Return what a request shows of a sign-in with a provider; None when it shows nothing."""
    return request.cookies.get(FLOW_COOKIE)


def address_of(request: web.Request, trusted_proxies: str) -> str:
    """Return where a request comes from, as `pauses.address_text` writes it.

    What a trusted proxy adds to X-Forwarded-For is believed, from the last hop on as long as the hops are trusted.
    """
    networks = [ip_network(network, strict=False) for network in trusted_proxies.split(",") if network]
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")] if networks else []
    remote = request.remote or ""
    while hops and any(_lies_in(remote, network) for network in networks):
        remote = hops.pop()
    return address_text(remote)


def _lies_in(remote: str, network: object) -> bool:
    try:
        return ip_address(remote) in network  # type: ignore[operator]  # a network of either version
    except ValueError:
        return False


def _is_ours(request: web.Request, public_url: str | None) -> bool:
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    if public_url is None:
        return origin in {f"http://{request.host}", f"https://{request.host}"}
    parts = urlsplit(public_url)
    return origin == f"{parts.scheme}://{parts.netloc}"
