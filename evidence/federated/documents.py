"""What a provider publishes about itself: its metadata (OpenID Connect Discovery 1.0) and its keys (RFC 7517); pure.

Nothing a document says widens what is believed: the issuer has to be the configured one to the letter, addresses have
to be HTTPS and not of this very host unless the issuer's own is, only keys of asymmetric algorithms are taken up, and
only such as are for signatures. Keys of kinds that nobody here knows are passed over, as RFC 7517 asks for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from evidence.federated.errors import ProviderUnavailable

Key = RSAKey | ECKey | OKPKey

ALGORITHMS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {
        **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", None)),
        "ES256": ("EC", "P-256"),
        "ES384": ("EC", "P-384"),
        "ES512": ("EC", "P-521"),
        "Ed25519": ("OKP", "Ed25519"),
        "EdDSA": ("OKP", "Ed25519"),
    }
)
"""Algorithms an ID token may be signed with, and the key each needs: type and curve; not `none`, not HMAC."""

KEYS_MAX = 100
RSA_BITS_MIN = 2048
ADDRESS_CHARACTERS_MAX = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Where a provider is asked what.

    Attributes:
        posts_secret: Whether the client's secret goes into the body, since the provider does not take it in the header.
        names_issuer: Whether its answers by way of the browser always state who it is (RFC 9207).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    posts_secret: bool
    names_issuer: bool


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A key that ID tokens may be signed with; `algorithm` is the only one it serves, None for any that fits."""

    kid: str | None
    algorithm: str | None
    key: Key

    def serves(self, algorithm: str) -> bool:
        """Tell whether a signature of this algorithm may be by this key."""
        kind, curve = ALGORITHMS[algorithm]
        fits = self.key.key_type == kind and (curve is None or self.key.as_dict(private=False).get("crv") == curve)
        return fits and self.algorithm in (None, algorithm)


def is_address(url: object, *, loopback: bool) -> bool:
    """Tell whether something is an address that a provider may have.

    Args:
        loopback: Whether it may be on this very host, by plain HTTP too.
    """
    if not isinstance(url, str) or len(url) > ADDRESS_CHARACTERS_MAX or not url.isascii() or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if " " in url or not parts.hostname or parts.username is not None or parts.fragment or not port_is_sound:
        return False
    if is_this_host(parts.hostname):
        return loopback and parts.scheme in ("http", "https")
    return parts.scheme == "https"


def is_this_host(name: str) -> bool:
    """Tell whether a host's name or literal address means this very host."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def read_metadata(raw: bytes, *, issuer: str) -> Metadata:
    """Read a provider's metadata.

    Raises:
        ProviderUnavailable: They are not metadata, are another issuer's, or name addresses that nobody should ask.
    """
    said = _object(raw, "the provider's metadata")
    if said.get("issuer") != issuer:
        raise ProviderUnavailable("the metadata are those of another issuer than the configured one")
    loopback = is_this_host(urlsplit(issuer).hostname or "")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not is_address(said.get(name), loopback=loopback):
            raise ProviderUnavailable(f"the metadata name no usable {name}")
    algorithms = said.get("id_token_signing_alg_values_supported", ["RS256"])
    if not isinstance(algorithms, list) or not ALGORITHMS.keys() & {one for one in algorithms if isinstance(one, str)}:
        raise ProviderUnavailable("the provider signs ID tokens with no algorithm that is taken here")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        issuer=issuer,
        authorization_endpoint=said["authorization_endpoint"],
        token_endpoint=said["token_endpoint"],
        jwks_uri=said["jwks_uri"],
        posts_secret=isinstance(methods, list) and "client_secret_basic" not in methods,
        names_issuer=said.get("authorization_response_iss_parameter_supported") is True,
    )


def read_keys(raw: bytes) -> tuple[ProviderKey, ...]:
    """Read a provider's keys, as far as ID tokens may be signed with them.

    Raises:
        ProviderUnavailable: It is no set of keys, or too large a one.
    """
    listed = _object(raw, "the provider's keys").get("keys")
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        raise ProviderUnavailable(f"the provider's keys are no list of at most {KEYS_MAX}")
    found = [_key(one) for one in listed if isinstance(one, dict)]
    return tuple(key for key in found if key is not None)


def read_token_answer(raw: bytes) -> str:
    """Return the ID token out of a token endpoint's answer (OpenID Connect Core 1.0, 3.1.3.3); the rest is let go.

    Raises:
        ProviderUnavailable: There is none.
    """
    said = _object(raw, "the answer of the token endpoint")
    token, kind = said.get("id_token"), said.get("token_type")
    if not isinstance(token, str) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise ProviderUnavailable("the answer of the token endpoint holds no ID token")
    return token


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailable(f"{what} are no JSON") from error
    if not isinstance(said, dict):
        raise ProviderUnavailable(f"{what} are no JSON object")
    return said


def _key(said: dict[str, Any]) -> ProviderKey | None:
    """Return a key that may sign, None for one that is for something else or that nobody here knows."""
    kinds = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kind, use, operations = said.get("kty"), said.get("use"), said.get("key_ops")
    kid, algorithm = said.get("kid"), said.get("alg")
    if kind not in kinds or use not in (None, "sig") or not isinstance(kid, str | None):
        return None
    if algorithm is not None and algorithm not in ALGORITHMS:
        return None
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        return None
    names = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}[kind]
    try:
        # Only what is public is taken over: neither certificates nor addresses of them are looked at.
        key: Key = kinds[kind].import_key({"kty": kind, **{name: said[name] for name in names}})  # type: ignore[attr-defined]
        if isinstance(key, RSAKey) and key.public_key.key_size < RSA_BITS_MIN:
            return None
    except (JoseError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return ProviderKey(kid, algorithm, key)
