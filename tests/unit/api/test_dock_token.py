"""Tokens of docks: exactly one shape, exactly one algorithm, the right key, the right log."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from api.auth import DOCK_TOKEN_SECONDS_MAX, check_dock_token, parse_dock_token
from api.errors import AuthAudience, AuthMalformed, AuthSignature
from tests.support.parties import paper_dock

ORIGIN = "log.example.cn/test"
DOCK = paper_dock(1)


def check(text: str) -> None:
    check_dock_token(parse_dock_token(text), verifier=DOCK.signer.verifier, origin=ORIGIN)


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_dock_is_believed_by_its_own_key() -> None:
    token = parse_dock_token(DOCK.token(origin=ORIGIN))
    check_dock_token(token, verifier=DOCK.signer.verifier, origin=ORIGIN)
    assert token.dock == DOCK.dock


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "not a uuid"},
        {"iss": str(DOCK.dock).upper()},
        {"iss": 5},
        {"iss": None},
        {"aud": None},
        {"aud": [ORIGIN]},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e12},
        {"iat": None},
        {"iat": 0},
        {"iat": 1.5},
        {"kid": None},
        {"sub": "more"},
        {"nbf": 0},
    ],
)
def test_other_claims_and_headers_are_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(AuthMalformed):
        parse_dock_token(DOCK.token(origin=ORIGIN, **changes))


@pytest.mark.parametrize("seconds", [0, -5, DOCK_TOKEN_SECONDS_MAX + 1, 10**9])
def test_no_token_lives_longer_than_allowed(seconds: int) -> None:
    with pytest.raises(AuthMalformed):
        parse_dock_token(DOCK.token(origin=ORIGIN, seconds=seconds))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "....",
        f"{encoded({'alg': 'none'})}.{encoded({})}.",
        f"{encoded([])}.{encoded({})}.AAAA",
        f"{encoded({'alg': 'Ed25519', 'kid': 'x'})}.{encoded([])}.AAAA",
        f"{encoded({'alg': 'Ed25519', 'kid': 'x'})}.////.AAAA",
        f"{encoded({'alg': 'Ed25519', 'kid': 'x', 'crit': ['b64'], 'b64': False})}.{encoded({})}.AAAA",
        "é.é.é",
    ],
)
def test_what_is_no_token_is_malformed(text: str) -> None:
    with pytest.raises(AuthMalformed):
        check(text)


def test_no_other_algorithm_is_taken() -> None:
    genuine = DOCK.token(origin=ORIGIN)
    claims = json.loads(base64.urlsafe_b64decode(genuine.split(".")[1] + "=="))
    header = {"kid": DOCK.kid, "typ": "JWT"}
    shared = OctKey.import_key(DOCK.signer.verifier.key.raw)
    by_secret = jwt.encode({**header, "alg": "HS256"}, claims, shared, algorithms=["HS256"])
    by_rsa = jwt.encode({**header, "alg": "RS256"}, claims, RSAKey.generate_key(2048), algorithms=["RS256"])
    unsigned = f"{encoded({**header, 'alg': 'none'})}.{genuine.split('.')[1]}."
    for text in (by_secret, by_rsa, unsigned):
        with pytest.raises(AuthMalformed):
            check(text)


def test_another_docks_key_is_no_help() -> None:
    thief = paper_dock(2)
    with pytest.raises(AuthSignature):
        check(thief.token(origin=ORIGIN, iss=str(DOCK.dock)))
    with pytest.raises(AuthSignature):
        check(thief.token(origin=ORIGIN, iss=str(DOCK.dock), kid=DOCK.kid))


def test_a_token_for_another_log_is_refused() -> None:
    with pytest.raises(AuthAudience):
        check(DOCK.token(origin="log.example.cn/other"))


@given(st.data())
def test_a_changed_token_is_never_believed(data: st.DataObject) -> None:
    genuine = DOCK.token(origin=ORIGIN)
    position = data.draw(st.integers(0, len(genuine) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_."))
    changed = genuine[:position] + letter + genuine[position + 1 :]
    if changed == genuine or _same_bytes(changed, genuine):
        return
    with pytest.raises((AuthMalformed, AuthSignature, AuthAudience)):
        check(changed)


def _same_bytes(left: str, right: str) -> bool:
    """Tell whether two tokens differ in spare bits of base64 only."""
    if left.count(".") != right.count("."):
        return False
    pairs = zip(left.split("."), right.split("."), strict=True)
    return all(base64.urlsafe_b64decode(a + "==") == base64.urlsafe_b64decode(b + "==") for a, b in pairs)
