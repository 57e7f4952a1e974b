"""Faults at every call that a sequencer makes: to the database, over a real connection, and to the published folder.

A call fails in one of three forms: it was not done, it was done and not reported, or (for several files) half of it was
done. A failed database call loses the connection as well, as it would.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from ledger.publish import LogFolder

T = TypeVar("T")

if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection


class Form(Enum):
    """How a call fails."""

    NOT_DONE = "not done"
    UNREPORTED = "done, not reported"
    HALF = "half done"


class Faults:
    """Counts calls and lets one of them fail.

    Args:
        at: Number of the call that fails, from 0; None for none.
        form: How it fails.
    """

    def __init__(self, *, at: int | None = None, form: Form = Form.NOT_DONE) -> None:
        self.at = at
        self.form = form
        self.calls: list[str] = []

    @property
    def struck(self) -> bool:
        """Whether the call that fails has been made."""
        return self.at is not None and len(self.calls) > self.at

    async def around(self, name: str, call: Callable[[], Awaitable[T]], fail: Callable[[], None]) -> T:
        """Make a call, or let it fail."""
        self.calls.append(name)
        if len(self.calls) - 1 != self.at:
            return await call()
        if self.form is not Form.NOT_DONE:
            await call()
        fail()
        raise OSError(errno.EIO, f"{name}: {self.form.value}")


def faulty_connection(faults: Faults) -> type[_Connection]:
    """Make a class of connections whose calls are counted, and fail."""

    class FaultyConnection(_Connection):
        async def execute(self, query: str, *args: Any, **options: Any) -> str:
            """Fail or execute; begin and end of transactions come here too."""
            return await self._around(query, lambda: super(FaultyConnection, self).execute(query, *args, **options))

        async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
            """Fail or fetch."""
            return await self._around(query, lambda: super(FaultyConnection, self).fetch(query, *args, **options))

        async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
            """Fail or fetch."""
            return await self._around(query, lambda: super(FaultyConnection, self).fetchrow(query, *args, **options))

        async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
            """Fail or fetch."""
            return await self._around(query, lambda: super(FaultyConnection, self).fetchval(query, *args, **options))

        async def copy_records_to_table(self, table_name: str, **options: Any) -> str:
            """Fail or copy."""
            copy = super().copy_records_to_table
            return await self._around(f"COPY {table_name}", lambda: copy(table_name, **options))

        async def _around(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
            return await faults.around(" ".join(name.split()[:4]), call, self.terminate)

    return FaultyConnection


class FaultyFolder:
    """A log folder whose calls are counted, and fail."""

    def __init__(self, folder: LogFolder, faults: Faults) -> None:
        self._folder = folder
        self._faults = faults

    async def put_immutable(self, files: Mapping[str, bytes]) -> None:
        """Fail or store."""
        half = dict(list(files.items())[: len(files) // 2]) if self._faults.form is Form.HALF else files
        is_struck = len(self._faults.calls) == self._faults.at
        await self._around("put_immutable", lambda: self._folder.put_immutable(half if is_struck else files))

    async def put_checkpoint(self, note: bytes) -> None:
        """Fail or store."""
        await self._around("put_checkpoint", lambda: self._folder.put_checkpoint(note))

    async def get(self, path: str) -> bytes | None:
        """Fail or read."""
        return await self._around("get", lambda: self._folder.get(path))

    async def drop_partials(self, paths: Iterable[str]) -> None:
        """Fail or drop."""
        await self._around("drop_partials", lambda: self._folder.drop_partials(paths))

    async def remove_unfinished(self) -> None:
        """Fail or remove."""
        await self._around("remove_unfinished", self._folder.remove_unfinished)

    def paths(self) -> AsyncIterator[str]:
        """List."""
        return self._folder.paths()

    async def _around(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        return await self._faults.around(name, call, lambda: None)
