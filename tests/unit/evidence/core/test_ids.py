"""UUIDv7: the layout of RFC 9562, section 5.7, and the order of birth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from evidence.core.ids import uuid7

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS = st.integers(min_value=0, max_value=4_000_000_000_000)
RANDOM = st.binary(min_size=10, max_size=10)


def make(milliseconds: int, random: bytes) -> UUID:
    def entropy(count: int) -> bytes:
        assert count == len(random)
        return random

    return uuid7(clock=lambda: EPOCH + timedelta(milliseconds=milliseconds), entropy=entropy)


def test_the_example_of_the_rfc() -> None:
    # RFC 9562, appendix A.6: 2022-02-22T19:22:22Z, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
    random = (0xCC3 << 68 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert make(0x017F22E279B0, random) == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


@given(MILLISECONDS, RANDOM)
def test_version_variant_and_time(milliseconds: int, random: bytes) -> None:
    made = make(milliseconds, random)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert abs((made.int >> 80) - milliseconds) <= 1, "the float of a POSIX time may be off in its last place"


@given(MILLISECONDS, RANDOM, RANDOM)
def test_later_ids_sort_behind(milliseconds: int, first: bytes, second: bytes) -> None:
    assert str(make(milliseconds, first)) < str(make(milliseconds + 2, second))


def test_every_random_bit_counts() -> None:
    used = {make(0, (1 << bit).to_bytes(10, "big")) for bit in range(80)}
    # 74 bits are random; the other 6 of the ten bytes lie under version and variant.
    assert len(used - {make(0, bytes(10))}) == 74
