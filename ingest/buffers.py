"""Buffers for incoming bytes: preallocated, shared by all requests, bounded for the whole process.

A request opens a `Ring` and takes buffers from it; threads give them back when the bytes are written and hashed. The
rules of giving:

- a ring that holds nothing may always have one buffer, so every open ring makes progress;
- more than one it gets while no other ring is left without, never more than `per_ring_max`, and only while all rings
  together hold less than `eager_max`.

A slow sender therefore holds one buffer, a fast one up to its share, and all of them together no more memory than
`count_max` buffers. Fewer are better where many streams share a few processors: what lies in buffers is what a stream
waits for behind its last byte. Buffers are made when first needed and never freed: fresh memory costs page faults, and
those cost more than the copying. Everything here runs on the event loop; threads come in through
`loop.call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from evidence.core.digest import CHUNK_BYTES

BUFFER_BYTES = CHUNK_BYTES
"""Size of a buffer: one chunk of the clip tree, so that a full, aligned buffer is hashed in one call."""


class Buffers:
    """All buffers of the process.

    Args:
        count_max: Buffers there may be; at least the number of rings open at the same time.
        per_ring_max: Most buffers one ring may hold.
        eager_max: Buffers in use from which on nobody gets a second one; None for no such limit.
    """

    def __init__(self, *, count_max: int, per_ring_max: int, eager_max: int | None = None) -> None:
        self._eager_max = count_max if eager_max is None else eager_max
        self._count_max = count_max
        self._per_ring_max = per_ring_max
        self._free: list[bytearray] = []
        self._in_use = 0
        self._rings: set[Ring] = set()
        self._waiting: dict[Ring, asyncio.Future[None]] = {}

    @contextmanager
    def ring(self) -> Iterator[Ring]:
        """Open a ring; all its buffers must have been given back when the block ends."""
        if len(self._rings) == self._count_max:
            raise RuntimeError("more rings than buffers")  # the limit on requests is set below the number of buffers
        ring = Ring(self)
        self._rings.add(ring)
        try:
            yield ring
        finally:
            self._rings.discard(ring)
            self._wake()

    async def _take(self, ring: Ring) -> bytearray:
        while not self._may_take(ring):
            self._waiting[ring] = asyncio.get_running_loop().create_future()
            try:
                await self._waiting[ring]
            finally:
                del self._waiting[ring]
        return self._hand_out(ring)

    def _take_now(self, ring: Ring) -> bytearray | None:
        return self._hand_out(ring) if self._may_take(ring) else None

    def _hand_out(self, ring: Ring) -> bytearray:
        self._in_use += 1
        ring.held += 1
        return self._free.pop() if self._free else bytearray(BUFFER_BYTES)

    def _give_back(self, ring: Ring, buffer: bytearray) -> None:
        self._in_use -= 1
        ring.held -= 1
        self._free.append(buffer)
        self._wake()

    def _may_take(self, ring: Ring) -> bool:
        left = self._count_max - self._in_use
        if ring.held == 0:
            return left > 0
        without = sum(1 for other in self._rings if other.held == 0)
        return ring.held < self._per_ring_max and left > without and self._in_use < self._eager_max

    def _wake(self) -> None:
        for ring, future in self._waiting.items():
            if not future.done() and self._may_take(ring):
                future.set_result(None)


class Ring:
    """The buffers of one request.

    Attributes:
        held: Buffers it holds, the one being filled included.
    """

    def __init__(self, buffers: Buffers) -> None:
        self.held = 0
        self._buffers = buffers

    async def take(self) -> bytearray:
        """Return a buffer, waiting until this ring may have one; one waiter per ring."""
        return await self._buffers._take(self)

    def take_now(self) -> bytearray | None:
        """Return a buffer, or None where `take` would wait."""
        return self._buffers._take_now(self)

    def give_back(self, buffer: bytearray) -> None:
        """Return a buffer that nobody reads any more."""
        self._buffers._give_back(self, buffer)
