"""One-time codes: the vectors of RFC 6238, the window, and that a code counts once."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.accounts.totp import accepted_step, code_at, enrolment_uri, secret_text, step_at

SECRET = b"12345678901234567890"
"""RFC 6238, appendix B."""


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_the_rfc(seconds: int, code: str) -> None:
    assert code_at(SECRET, seconds // 30) == code[-6:]


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("offset", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phone_may_be_one_step_off(offset: int, *, counts: bool) -> None:
    now = at(1_750_000_005)
    step = step_at(now) + offset
    assert accepted_step(SECRET, code_at(SECRET, step), now=now, after=None) == (step if counts else None)


def test_a_code_counts_once_and_none_before_it_any_more() -> None:
    now = at(1_750_000_005)
    step = step_at(now)
    assert accepted_step(SECRET, code_at(SECRET, step), now=now, after=step) is None
    assert accepted_step(SECRET, code_at(SECRET, step - 1), now=now, after=step) is None
    assert accepted_step(SECRET, code_at(SECRET, step + 1), now=now, after=step) == step + 1


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345a", " 12345", "１２３４５６", "+12345", "123.45", "\0" * 6]
)
def test_what_is_no_code_is_refused(code: str) -> None:
    assert accepted_step(SECRET, code, now=at(59), after=None) is None


@given(st.binary(min_size=20, max_size=20), st.integers(10**9, 4 * 10**9))
def test_every_code_is_six_digits_and_accepted_at_its_time(secret: bytes, seconds: int) -> None:
    code = code_at(secret, step_at(at(seconds)))
    assert len(code) == 6
    assert code.isdigit()
    assert accepted_step(secret, code, now=at(seconds), after=None) is not None


def test_the_address_for_a_phone() -> None:
    parts = urlsplit(enrolment_uri(SECRET, login="wang.fang", issuer="evidence.example.cn/log"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path == "/evidence.example.cn%2Flog:wang.fang"
    assert parse_qs(parts.query) == {"secret": [secret_text(SECRET)], "issuer": ["evidence.example.cn/log"]}
