"""How often one address may ask: a bucket that refills with time."""

from __future__ import annotations

import pytest

from api.errors import PublicPaused
from api.public_rate import ADDRESSES_MAX, PublicRate


def test_a_bucket_refills_with_time_and_is_of_one_address() -> None:
    now = 0.0
    rate = PublicRate(3, lambda: now)
    for address in ("a", "a", "a", "b"):
        rate.take(address)
    with pytest.raises(PublicPaused):
        rate.take("a")
    rate.take("b")
    now = 20.0
    rate.take("a")
    with pytest.raises(PublicPaused):
        rate.take("a")


def test_only_so_many_addresses_are_remembered() -> None:
    rate = PublicRate(1, lambda: 0.0)
    for number in range(ADDRESSES_MAX + 1):
        rate.take(str(number))
    rate.take("0")
    with pytest.raises(PublicPaused):
        rate.take(str(ADDRESSES_MAX))
