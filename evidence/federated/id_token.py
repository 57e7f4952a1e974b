"""Judging an ID token (OpenID Connect Core 1.0, 3.1.3.7). Numbered obligations, each with the name a refusal carries:

     1. `shape`      a compact JWS of bounded length, header and claims JSON objects, nothing critical in the header
     2. `algorithm`  one of `documents.ALGORITHMS`: asymmetric, whatever the token or the provider say
     3. `key`        by a key of the provider's that serves the algorithm, found by `kid`; without one, the only one
     4. `signature`  which made the signature
     5. `issuer`     `iss` is the configured issuer to the letter
     6. `audience`   `aud` holds our client id; where it holds more, `azp` has to be there
     7. `party`      `azp`, where it is, is our client id
     8. `time`       `exp` has not come; `iat` is neither to come nor older than a sign-in may take; `nbf` has come
     9. `nonce`      is the one of this very sign-in
    10. `subject`    1 to 255 visible ASCII characters

What the caller owes: keys from the issuer's own address over TLS, the nonce from this browser's cookie, that an answer
counts once. Times may be off by `SKEW_SECONDS`. The access token beside it is never used, so `at_hash` binds nothing.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from joserfc import jws
from joserfc.errors import JoseError

from evidence.federated.documents import ALGORITHMS, ProviderKey
from evidence.federated.errors import IdTokenRefused
from evidence.federated.flow import FLOW_SECONDS

TOKEN_CHARACTERS_MAX = 16_384
SKEW_SECONDS = 60
"""How far in seconds the provider's clock may be off."""

SUBJECT_CHARACTERS_MAX = 255
HINT_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says about its signature: its algorithm is one that may be, its key id not yet known."""

    algorithm: str
    kid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the token has to say."""

    issuer: str
    client_id: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Who the provider says has signed in there.

    Attributes:
        hint: What the provider calls the person, for an administrator to know them by; never decides anything.
        amr, acr: How the person showed who they are (RFC 8176), as far as the provider says.
    """

    subject: str
    hint: str | None
    amr: tuple[str, ...]
    acr: str | None

    def states_second_factor(self, acr_values: Sequence[str]) -> bool:
        """Tell whether the provider states more than one factor: `mfa` in `amr`, or an `acr` out of the setting."""
        return "mfa" in self.amr or (self.acr is not None and self.acr in acr_values)


def is_subject(text: object) -> bool:
    """Tell whether something can be a provider's name for a person: 1 to 255 visible ASCII characters."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= SUBJECT_CHARACTERS_MAX
        and all("\x21" <= character <= "\x7e" for character in text)
    )


def read_header(token: str) -> Header:
    """Do obligations 1 and 2 as far as the header goes, so that the caller knows which key to look for.

    Raises:
        IdTokenRefused: See the obligations.
    """
    if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii() or token.count(".") != 2:
        raise _refused("shape", "the ID token is no compact JWS")
    header = _object(token.partition(".")[0])
    if "crit" in header or header.get("b64") is not None or not isinstance(header.get("kid"), str | None):
        raise _refused("shape", "the ID token's header asks for what is not understood here")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _refused("algorithm", "the ID token is not signed with an asymmetric algorithm")
    return Header(algorithm, header.get("kid"))


def find_key(header: Header, keys: Sequence[ProviderKey]) -> ProviderKey | None:
    """Return the key a token has to be signed with; None when the provider has none, or several and names none."""
    serving = [key for key in keys if key.serves(header.algorithm)]
    if header.kid is not None:
        serving = [key for key in serving if key.kid == header.kid]
    return serving[0] if len(serving) == 1 else None


def judge(token: str, *, keys: Sequence[ProviderKey], expected: Expected, now: datetime) -> Claims:
    """Judge an ID token by all obligations, in order.

    Raises:
        IdTokenRefused: It fails one; `check` says which.
    """
    header = read_header(token)
    key = find_key(header, keys)
    if key is None:
        raise _refused("key", "the ID token is signed by no key of the provider's")
    try:
        payload = jws.deserialize_compact(token, key.key, algorithms=[header.algorithm]).payload
    except (JoseError, ValueError) as error:
        raise _refused("signature", "the ID token is not signed by the key it names") from error
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _refused("shape", "the ID token's claims are no JSON") from error
    if not isinstance(claims, dict):
        raise _refused("shape", "the ID token's claims are no JSON object")
    _judge_parties(claims, expected)
    _judge_times(claims, now.timestamp())
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce.isascii() or not hmac.compare_digest(nonce, expected.nonce):
        raise _refused("nonce", "the ID token was made for another sign-in")
    if not is_subject(claims.get("sub")):
        raise _refused("subject", "the ID token names nobody")
    return Claims(subject=claims["sub"], hint=_hint(claims), amr=_amr(claims), acr=_text(claims.get("acr")))


def _judge_parties(claims: dict[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise _refused("issuer", "the ID token is by another issuer")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or expected.client_id not in audiences:
        raise _refused("audience", "the ID token was made for somebody else")
    if len(audiences) > 1 and "azp" not in claims:
        raise _refused("audience", "the ID token was made for several, and does not say who asked for it")
    if "azp" in claims and claims["azp"] != expected.client_id:
        raise _refused("party", "the ID token was asked for by somebody else")


def _judge_times(claims: dict[str, Any], now: float) -> None:
    expires, issued, begins = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
    if not (_is_number(expires) and _is_number(issued) and _is_number(begins)):
        raise _refused("time", "the ID token does not say in numbers when it was made and when it ends")
    if not now < expires + SKEW_SECONDS:
        raise _refused("time", "the ID token's time is over")
    if not now - FLOW_SECONDS - SKEW_SECONDS <= issued <= now + SKEW_SECONDS or not begins <= now + SKEW_SECONDS:
        raise _refused("time", "the ID token was not made during this sign-in; compare the clocks")


def _is_number(said: object) -> TypeGuard[int | float]:
    return isinstance(said, int | float) and not isinstance(said, bool)


def _hint(claims: dict[str, Any]) -> str | None:
    said = _text(claims.get("preferred_username")) or _text(claims.get("name"))
    return None if said is None else "".join(c for c in said if c.isprintable())[:HINT_CHARACTERS_MAX] or None


def _amr(claims: dict[str, Any]) -> tuple[str, ...]:
    said = claims.get("amr")
    return tuple(one for one in said if isinstance(one, str)) if isinstance(said, list) else ()


def _text(said: object) -> str | None:
    return said if isinstance(said, str) and said else None


def _object(part: str) -> dict[str, Any]:
    try:
        said = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError) as error:
        raise _refused("shape", "the ID token's header is no JSON") from error
    if not isinstance(said, dict):
        raise _refused("shape", "the ID token's header is no JSON object")
    return said


def _refused(check: str, message: str) -> IdTokenRefused:
    return IdTokenRefused(message, check=check)
