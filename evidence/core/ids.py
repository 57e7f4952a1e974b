"""Identifiers: UUID version 7 (RFC 9562), so that keys sort by time of birth and index pages stay warm."""

from __future__ import annotations

from uuid import UUID

from evidence.core.clock import Clock, Entropy


def uuid7(*, clock: Clock, entropy: Entropy) -> UUID:
    """Make a UUIDv7: 48 bits of Unix milliseconds, version, 12 random bits, variant, 62 random bits."""
    milliseconds = int(clock().timestamp() * 1000)
    random_bits = int.from_bytes(entropy(10), "big")
    random_a, random_b = random_bits >> 68, random_bits & ((1 << 62) - 1)
    return UUID(int=(milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b)
