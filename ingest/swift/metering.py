"""Bytes on their way into the intake, measured: how many, their MD5 (Swift's ETag) and SHA-256.

The hashing is done by a thread, a mebibyte behind what goes on: `hashlib` lets others run meanwhile. MD5 proves nothing
to anybody here; it is what the sender compares.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

_BATCH_BYTES = 1_048_576


class Metered:
    """A stream that can tell, once it has ended, what went through it."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._batch: list[bytes] = []
        self._batched = 0
        self._hashing: asyncio.Future[None] | None = None
        self.size = 0

    def __aiter__(self) -> Metered:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._stream)
        self.size += len(piece)
        self._batched += len(piece)
        self._batch.append(piece)
        if self._batched >= _BATCH_BYTES:
            await self._flush()
        return piece

    async def digests(self) -> tuple[str, bytes]:
        """Return MD5 in lower-case hex and SHA-256 of everything that went through."""
        await self._flush()
        await self._flush()
        return self._md5.hexdigest(), self._sha256.digest()

    async def _flush(self) -> None:
        if self._hashing is not None:
            await self._hashing
        batch, self._batch, self._batched = self._batch, [], 0
        self._hashing = asyncio.get_running_loop().run_in_executor(None, self._hash, batch)

    def _hash(self, batch: list[bytes]) -> None:
        for piece in batch:
            self._md5.update(piece)
            self._sha256.update(piece)
