"""Pauses: they grow, they end, a stranger touches nobody's own address, and keys tell no names."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evidence.accounts.pauses import Guarded, address_text, counts_of, pause_after


@pytest.mark.parametrize("guarded", Guarded)
def test_pauses_grow_from_nothing_to_a_longest(guarded: Guarded) -> None:
    free, longest = guarded.value
    pauses = [pause_after(guarded, failures) for failures in range(free + 60)]
    assert pauses == sorted(pauses)
    assert set(pauses[:free]) == {timedelta(0)}
    assert pauses[free] == timedelta(seconds=1)
    assert pauses[-1] == timedelta(seconds=longest) == pause_after(guarded, 10**9)


def test_where_somebody_is_known_only_the_pair_counts() -> None:
    assert [count.guarded for count in counts_of("wang", "192.0.2.1", known=True)] == [Guarded.PAIR]
    assert {count.guarded for count in counts_of("wang", "192.0.2.1", known=False)} == set(Guarded)


def test_counts_come_in_one_order_so_that_two_attempts_never_wait_for_each_other() -> None:
    for login in ("a1", "b2", "c3", "d4"):
        keys = [count.key for count in counts_of(login, "192.0.2.1", known=False)]
        assert keys == sorted(keys)
        assert all(len(key) == 32 and login.encode() not in key for key in keys)


@pytest.mark.parametrize(
    ("remote", "text"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("", "unknown"),
        ("unix:", "unknown"),
        ("192.0.2.7'; DROP TABLE account", "unknown"),
    ],
)
def test_addresses_as_they_are_counted(remote: str | None, text: str) -> None:
    assert address_text(remote) == text
