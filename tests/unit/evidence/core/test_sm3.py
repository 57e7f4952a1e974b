"""SM3 by the standard's own vectors, and what is said where a Python has none."""

from __future__ import annotations

import hashlib

import pytest

from evidence.core.digest import Sm3Unavailable, has_sm3, start_sm3


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        # GB/T 32905-2016, annex A.
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_the_vectors_of_the_standard(message: bytes, expected: str) -> None:
    digest = start_sm3()
    for byte in message:
        digest.update(bytes([byte]))
    assert digest.hexdigest() == expected


def test_a_python_without_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ValueError(f"unsupported hash type {name}")

    assert has_sm3()
    monkeypatch.setattr(hashlib, "new", refuse)
    assert not has_sm3()
    with pytest.raises(Sm3Unavailable):
        start_sm3()
    assert hashlib.sha256(b"").digest()
