"""One sign-in with a provider, between the browser's leaving and its coming back: nothing is stored for strangers.

The browser gets one random secret in a cookie of ten minutes; what goes to the provider is computed from it:

    state     HMAC-SHA-256(secret, "state" and what the cookie says)    comes back with the browser
    nonce     HMAC-SHA-256(secret, "nonce" and ...)                     comes back inside the ID token
    verifier  HMAC-SHA-256(secret, "verifier" and ...)                  goes to the token endpoint only (RFC 7636)

So an answer counts in the browser that asked, and in no other (a code that an attacker obtained for himself, slipped to
another person, finds no cookie that fits), and whoever begins a million sign-ins fills no table. That an answer counts
once is kept when somebody has been let in or turned away by name: see `evidence.federated.sign_in`.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from evidence.core.clock import Entropy
from evidence.federated.errors import FlowRefused
from evidence.parties.roles import STAFF_ROLES, Role

FLOW_SECONDS = 600
"""How long in seconds a person may take at the provider."""

_SECRET_BYTES = 32
_COOKIE = re.compile(r"1\.([0-9]{1,12})\.([a-z]{0,20})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One sign-in that was begun.

    Attributes:
        begun_at: Whole seconds since 1970.
        role: What the person wants to act as; None for the account's first role.
    """

    begun_at: int
    role: Role | None
    secret: bytes = field(repr=False)

    @property
    def cookie(self) -> str:
        """What the browser keeps; the only copy of the secret."""
        return f"1.{self.begun_at}.{self.role.value if self.role else ''}.{self.secret.hex()}"

    @property
    def state(self) -> str:
        """What the provider hands back by way of the browser (RFC 6749, 10.12)."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the ID token has to hold (OpenID Connect Core 1.0, 3.1.2.1)."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What shows the token endpoint that the code was asked for by us: 43 characters (RFC 7636, 4.1)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """The verifier's SHA-256, which the provider is shown first (`S256`)."""
        return _text(sha256(self.verifier.encode()).digest())

    def _derived(self, name: str) -> str:
        said = f"{name}.{self.begun_at}.{self.role.value if self.role else ''}"
        return _text(hmac.digest(self.secret, said.encode(), "sha256"))


def begin_flow(*, role: Role | None, now: datetime, entropy: Entropy) -> Flow:
    """Begin a sign-in."""
    return Flow(begun_at=int(now.timestamp()), role=role, secret=entropy(_SECRET_BYTES))


def resume_flow(cookie: str | None, state: str, *, now: datetime) -> Flow:
    """Return the sign-in that an answer belongs to.

    Args:
        cookie: What the browser shows; None when it shows nothing.
        state: What came back with the answer.

    Raises:
        FlowRefused: This browser began no such sign-in, or too long ago.
    """
    match = _COOKIE.fullmatch(cookie or "")
    if match is None:
        raise FlowRefused("this browser has begun no sign-in with the provider; begin one here")
    role = Role(match[2]) if match[2] in STAFF_ROLES else None
    flow = Flow(begun_at=int(match[1]), role=role, secret=bytes.fromhex(match[3]))
    if not hmac.compare_digest(flow.state.encode(), state.encode()):
        raise FlowRefused("the answer is to another sign-in than the one this browser began last")
    if not 0 <= now.timestamp() - flow.begun_at + 1 <= FLOW_SECONDS:
        raise FlowRefused("the sign-in was begun too long ago; begin anew")
    return flow


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
