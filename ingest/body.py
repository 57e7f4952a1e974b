"""Bodies of requests, and where they pour their bytes: straight into the buffers that are written and hashed.

Who has a socket receives into a room of the basin (`api.socket_body`) and copies nothing; who has pieces that lie
somewhere already hands them in as `Pieces`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Protocol


class Basin(Protocol):
    """Takes the bytes of one body, in order; everything is called on the event loop."""

    async def room(self) -> memoryview:
        """Return where the next bytes go, at least one, waiting until there is room.

        It is good until `took` or until the caller lets the event loop run, whichever is first.

        Raises:
            CodedError: No more bytes can be taken, or none before them could be kept.
        """

    def room_now(self) -> memoryview | None:
        """Return the same without waiting; None when there is none just now, or when `room` would raise."""

    def took(self, count: int) -> None:
        """Take over so many bytes, which lie in the room that was returned last."""


class Body(ABC):
    """The bytes of one request."""

    @abstractmethod
    async def pour(self, basin: Basin) -> None:
        """Pour everything into a basin; what the way of the bytes raises comes out."""


class Pieces(Body):
    """A body that comes as pieces of any size."""

    def __init__(self, pieces: AsyncIterator[bytes | memoryview]) -> None:
        self._pieces = pieces

    async def pour(self, basin: Basin) -> None:
        """Copy every piece."""
        async for piece in self._pieces:
            await pour_piece(basin, piece)


async def pour_piece(basin: Basin, piece: bytes | memoryview) -> None:
    """Copy bytes into a basin."""
    rest = memoryview(piece)
    while rest:
        room = await basin.room()
        part = rest[: len(room)]
        room[: len(part)] = part
        basin.took(len(part))
        rest = rest[len(part) :]
