"""How tokens, tickets and codes are spelled, and what is refused."""

from __future__ import annotations

import secrets
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.parties.credentials import (
    CODE_CHARACTERS,
    STAFF_PREFIX,
    new_credential,
    new_enrolment_code,
    parse_credential,
    parse_enrolment_code,
)

ID = UUID("0192f0c1-2f5e-7cc3-98c4-dc0c0c07398f")
GOOD = f"{ID.hex}_{'A' * 43}"


@given(st.binary(min_size=32, max_size=32), st.uuids(), st.sampled_from(["", STAFF_PREFIX]))
def test_a_credential_reads_back(secret: bytes, id_: UUID, prefix: str) -> None:
    made = new_credential(id_, entropy=lambda count: secret[:count], prefix=prefix)
    assert parse_credential(made.text, prefix=prefix) == made
    assert made.matches(made.digest)


def test_two_secrets_do_not_match() -> None:
    first, second = (new_credential(ID, entropy=secrets.token_bytes) for _ in range(2))
    assert not first.matches(second.digest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        GOOD[:-1],
        GOOD + "A",
        GOOD + "\n",
        GOOD.upper(),
        GOOD.replace("_", "-"),
        "g" + GOOD[1:],
        GOOD[:-1] + "=",
        GOOD[:-1] + "Ａ",
        " " + GOOD,
        STAFF_PREFIX + GOOD,
    ],
)
def test_other_spellings_are_no_ticket(text: str) -> None:
    assert parse_credential(text) is None


def test_a_prefix_is_owed() -> None:
    assert parse_credential(GOOD, prefix=STAFF_PREFIX) is None
    assert parse_credential(STAFF_PREFIX + GOOD, prefix=STAFF_PREFIX) is not None


@given(st.binary(min_size=CODE_CHARACTERS, max_size=CODE_CHARACTERS))
def test_a_code_reads_back_however_it_is_typed(random: bytes) -> None:
    made = new_enrolment_code(entropy=lambda count: random[:count])
    for typed in (made.text, made.text.lower(), made.text.replace("-", ""), f" {made.text.replace('-', ' ')} "):
        assert parse_enrolment_code(typed) == made


def test_letters_that_look_like_digits_are_read_as_such() -> None:
    assert parse_enrolment_code("O" * 25) == parse_enrolment_code("0" * 25)
    assert parse_enrolment_code("iIlL1" * 5) == parse_enrolment_code("1" * 25)


@pytest.mark.parametrize("typed", ["", "A" * 24, "A" * 26, "U" * 25, "é" * 25, "A" * 24 + "\0", "٠" * 25])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert parse_enrolment_code(typed) is None


def test_secrets_do_not_show_in_representations() -> None:
    made = new_credential(ID, entropy=secrets.token_bytes)
    code = new_enrolment_code(entropy=secrets.token_bytes)
    assert made.secret not in repr(made)
    assert code.characters not in repr(code)
