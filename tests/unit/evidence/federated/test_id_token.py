"""ID tokens: each hostile one fails the one obligation it breaks, by name."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jws

from evidence.federated.documents import read_keys
from evidence.federated.errors import IdTokenRefused, ProviderUnavailable
from evidence.federated.id_token import TOKEN_CHARACTERS_MAX, Claims, Expected, judge
from tests.support.identity_provider import key_of, public, sign

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
EXPECTED = Expected(issuer="https://id.example.cn", client_id="shilu", nonce="n-0S6_WzA2Mj")
GOOD: dict[str, Any] = {
    "iss": "https://id.example.cn",
    "aud": "shilu",
    "sub": "248289761001",
    "nonce": "n-0S6_WzA2Mj",
    "iat": SECONDS,
    "exp": SECONDS + 300,
}
KEYS = {"keys": [public("rsa", "RS256"), public("ec", "ES256")]}


def read(token: str, keys: dict[str, Any] = KEYS) -> Claims:
    return judge(token, keys=read_keys(json.dumps(keys).encode()), expected=EXPECTED, now=NOW)


def refusal(token: str, keys: dict[str, Any] = KEYS) -> str:
    with pytest.raises(IdTokenRefused) as caught:
        read(token, keys)
    return caught.value.check


def said(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**GOOD, **changes}.items() if value is not None}


def spelled(header: dict[str, Any], claims: object, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize(("kid", "algorithm"), [("rsa", "RS256"), ("ec", "ES256")])
def test_a_token_of_the_provider_names_somebody(kid: str, algorithm: str) -> None:
    claims = read(sign(said(amr=["pwd", "mfa"], name="王芳"), kid=kid, algorithm=algorithm))
    assert (claims.subject, claims.hint, claims.amr) == ("248289761001", "王芳", ("pwd", "mfa"))
    assert claims.states_second_factor([])


def test_a_token_without_a_key_id_is_by_the_only_key_that_serves() -> None:
    token = sign(GOOD, kid=None, algorithm="ES256", key_name="ec")
    assert read(token).subject == "248289761001"
    assert refusal(token, {"keys": [public("ec", "ES256"), public("ec2", "ES256")]}) == "key"


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"iss": "https://id.example.cn/"}, "issuer"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": {"shilu": 1}}, "audience"),
        ({"aud": ["shilu", "another"]}, "audience"),
        ({"aud": ["shilu", "another"], "azp": "another"}, "party"),
        ({"azp": "another"}, "party"),
        ({"exp": SECONDS - 61}, "time"),
        ({"exp": None}, "time"),
        ({"exp": True}, "time"),
        ({"exp": str(SECONDS + 300)}, "time"),
        ({"exp": float("nan")}, "time"),
        ({"iat": SECONDS + 61}, "time"),
        ({"iat": SECONDS - 661}, "time"),
        ({"iat": None}, "time"),
        ({"nbf": SECONDS + 61}, "time"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["n-0S6_WzA2Mj"]}, "nonce"),
        ({"nonce": "\ud800"}, "nonce"),
        ({"sub": ""}, "subject"),
        ({"sub": None}, "subject"),
        ({"sub": 248289761001}, "subject"),
        ({"sub": "王芳"}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": "a b"}, "subject"),
    ],
)
def test_whoever_says_something_else_is_refused(changes: dict[str, Any], check: str) -> None:
    assert refusal(sign(said(**changes), kid="rsa", algorithm="RS256")) == check


def test_several_audiences_are_taken_from_who_asked() -> None:
    assert read(sign(said(aud=["other", "shilu"], azp="shilu"), kid="rsa", algorithm="RS256")).subject


def test_clocks_may_be_a_minute_apart() -> None:
    token = sign(said(iat=SECONDS + 60, exp=SECONDS - 59, nbf=SECONDS + 60), kid="rsa", algorithm="RS256")
    assert read(token).subject


def test_unsigned_tokens_and_those_of_shared_secrets_are_refused() -> None:
    assert refusal(spelled({"alg": "none"}, GOOD)) == "algorithm"
    assert refusal(spelled({"alg": "None", "kid": "rsa"}, GOOD)) == "algorithm"
    assert refusal(spelled({"kid": "rsa"}, GOOD)) == "algorithm"
    # HMAC with the bytes of the public key, which everybody knows.
    head, body, _ = spelled({"alg": "HS256", "kid": "rsa"}, GOOD).split(".")
    shared = hmac.digest(key_of("rsa", "RS256").as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    assert refusal(spelled({"alg": "HS256", "kid": "rsa"}, GOOD, shared)) == "algorithm"


def test_a_token_is_signed_by_the_key_it_names_and_with_that_key_s_algorithm() -> None:
    assert refusal(sign(GOOD, kid="rsa", algorithm="RS256", key_name="stolen")) == "signature"
    assert refusal(sign(GOOD, kid="unknown", algorithm="RS256")) == "key"
    assert refusal(sign(GOOD, kid="ec", algorithm="RS256", key_name="rsa")) == "key"
    assert refusal(sign(GOOD, kid="rsa", algorithm="PS256")) == "key"
    head, body, signature = sign(GOOD, kid="rsa", algorithm="RS256").split(".")
    other = urlsafe_b64encode(json.dumps(said(sub="mallory")).encode()).rstrip(b"=").decode()
    assert refusal(f"{head}.{other}.{signature}") == "signature"
    assert refusal(f"{head}.{body}.") == "signature"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "..",
        "a.b.c.d",
        "王.芳.芳",
        "!!!.e30.x",
        spelled({"alg": "RS256", "crit": ["b64"], "b64": False}, GOOD),
        spelled({"alg": "RS256", "kid": 7}, GOOD),
        "x." * 2 + "y" * TOKEN_CHARACTERS_MAX,
        urlsafe_b64encode(b"[" * 6000).decode().rstrip("=") + ".e30.x",
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refusal(token) == "shape"


def test_claims_are_an_object() -> None:
    several: tuple[Any, ...] = ([], "x", None)
    for claims in several:
        payload = jws.serialize_compact(
            {"alg": "RS256", "kid": "rsa"}, json.dumps(claims), key_of("rsa", "RS256"), algorithms=["RS256"]
        )
        assert refusal(payload) == "shape"


def test_keys_for_other_ends_are_passed_over() -> None:
    sound = public("rsa", "RS256")
    others: list[Any] = [
        {**sound, "use": "enc"},
        {**sound, "key_ops": ["sign"]},
        {**sound, "alg": "HS256"},
        {**sound, "kid": 1},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "rsa"},
        {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "new", "kid": "rsa"},
        "a text",
    ]
    assert read_keys(json.dumps({"keys": others}).encode()) == ()


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"keys": {}}', b'{"keys": [' + b"{}," * 100 + b"{}]}", b"\xff"])
def test_what_is_no_set_of_keys_is_refused(raw: bytes) -> None:
    with pytest.raises(ProviderUnavailable):
        read_keys(raw)
