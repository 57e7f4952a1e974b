"""Passwords: which are refused, and how they are kept."""

from __future__ import annotations

import unicodedata

import pytest

from evidence.accounts.errors import PasswordRefused
from evidence.accounts.passwords import HashSettings, Passwords, digest_of, worst

CHEAP = HashSettings(passes=1, memory_kib=256, lanes=1)


@pytest.mark.parametrize(
    "password",
    [
        "short-pass1",
        "password2026!",
        "Password!!!!!!",
        "passwordpassword",
        "QWERTYUIOP123",
        "zhifajiluyi2026",
        "aaaaaaaaaaaaaaaa",
        "121212121212",
        "Administrator@2026",
        "wang.fang2026",
        "王芳王芳王芳王芳王芳王芳",
        "a" * 2000,
        "12ab" * 300,
    ],
)
def test_passwords_that_are_refused(password: str) -> None:
    with pytest.raises(PasswordRefused):
        Passwords(CHEAP).check(password, login="wang.fang", name="王芳")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "晋环罚记录仪与海棠花开了二十",
        "k7#Vq2!mPz9@",
        "  blanks count too  ",
        "yellow-wang.fang-tractor-9",
    ],
)
def test_passwords_that_are_taken(password: str) -> None:
    Passwords(CHEAP).check(password, login="wang.fang", name="王芳")


def test_the_least_length_is_a_setting() -> None:
    with pytest.raises(PasswordRefused):
        Passwords(CHEAP, characters_min=20).check("k7#Vq2!mPz9@k7#Vq2", login="a1", name="b")
    Passwords(CHEAP, characters_min=8).check("k7#Vq2!m", login="a1", name="b")


async def test_a_hash_is_salted_and_verifies_the_password_alone() -> None:
    passwords = Passwords(CHEAP)
    one, other = [await passwords.hash("k7#Vq2!mPz9@") for _ in range(2)]
    assert one != other
    assert one.startswith("$argon2id$")
    assert digest_of(one) != digest_of(other)
    assert await passwords.verify(one, "k7#Vq2!mPz9@")
    for wrong in ("", "k7#Vq2!mPz9", "k7#Vq2!mPz9@ ", "K7#Vq2!mPz9@", "\ud800"):
        assert not await passwords.verify(one, wrong)


async def test_characters_are_the_same_however_they_were_typed() -> None:
    passwords = Passwords(CHEAP)
    text = "café-crème-brûlée"
    hashed = await passwords.hash(unicodedata.normalize("NFD", text))
    assert await passwords.verify(hashed, unicodedata.normalize("NFC", text))


async def test_where_there_is_no_hash_nothing_is_right() -> None:
    passwords = Passwords(CHEAP)
    assert not await passwords.verify(None, "nobody's")
    for stored in ("", "$argon2id$", "$2b$12$abc", "plain"):
        assert not await passwords.verify(stored, "plain")


async def test_a_hash_of_weaker_settings_is_outgrown() -> None:
    hashed = await Passwords(CHEAP).hash("k7#Vq2!mPz9@")
    assert not Passwords(CHEAP).is_outgrown(hashed)
    assert Passwords(HashSettings(passes=2, memory_kib=256, lanes=1)).is_outgrown(hashed)


def test_the_list_of_the_worst_is_words_without_decoration() -> None:
    assert "password" in worst()
    assert all(word == word.casefold().strip() for word in worst())
