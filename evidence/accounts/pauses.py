"""How long guessing has to wait: growing pauses, by pair, address and account. Pure.

Three things are counted, each attempt before it is judged, so that a hundred at once are a hundred:

    pair      this name to sign in from this address    5 free, then 1, 2, 4 ... seconds up to 15 minutes
    address   any name from this address                30 free, the same up to 5 minutes
    account   this name from anywhere                   20 free, the same up to 1 minute

A stranger cannot lock anybody out for good: where a person has signed in within the last 30 days, only the pair counts,
which a stranger elsewhere does not touch. What is left to somebody at the very same address is 15 minutes at a time.

An IPv6 address counts by its /64, which one subscriber has whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from ipaddress import IPv6Address, ip_address, ip_network

KNOWN_FOR = timedelta(days=30)
"""How long an address counts as a person's own after it was used."""

FORGOTTEN_AFTER = timedelta(days=1)
"""How long after the last attempt a count is kept."""

COUNTS_MAX = 200_000
"""Most counts that are kept; the oldest go first."""

_EXPONENT_MAX = 20


class Guarded(Enum):
    """What attempts are counted by: free attempts, and the longest pause in seconds."""

    PAIR = (5, 900)
    ADDRESS = (30, 300)
    ACCOUNT = (20, 60)


@dataclass(frozen=True, slots=True)
class Count:
    """One thing that is counted; `key` is 32 bytes and tells nobody a name."""

    guarded: Guarded
    key: bytes


def pause_after(guarded: Guarded, failures: int) -> timedelta:
    """Return how long the next attempt waits after so many failures in a row."""
    free, longest = guarded.value
    if failures < free:
        return timedelta(0)
    return timedelta(seconds=min(longest, 2 ** min(failures - free, _EXPONENT_MAX)))


def counts_of(login: str, address: str, *, known: bool) -> Sequence[Count]:
    """Return what an attempt counts towards, always in the same order of keys."""
    pair = Count(Guarded.PAIR, _key("pair", login, address))
    if known:
        return (pair,)
    others = (Count(Guarded.ADDRESS, _key("address", address)), Count(Guarded.ACCOUNT, _key("account", login)))
    return sorted((pair, *others), key=lambda count: count.key)


def account_key(login: str) -> bytes:
    """Return the key under which the attempts on an account are counted, from wherever they came."""
    return _key("account", login)


def address_text(remote: str | None) -> str:
    """Return an address as it is counted: IPv4 whole, IPv6 by its /64; `unknown` for none."""
    try:
        address = ip_address((remote or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
