"""Reading the chunks of an excerpt, as they lie one after the other in their file, in constant memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from evidence.verify.excerpt_statement import ChunkRun, ExcerptStatement
from evidence.verify.hashing import FileUnreadable


def runs_read(path: Path, statement: ExcerptStatement) -> Iterator[tuple[ChunkRun, Iterator[bytes]]]:
    """Yield every run with its chunks, as they lie in the file of chunks; each run has to be read to its end.

    Raises:
        FileUnreadable: It is missing, no regular file, has another length than the runs, or a read failed.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for somebody to write into it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise FileUnreadable(0, error.strerror or str(error), missing=missing) from error
    with os.fdopen(handle, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileUnreadable(0, "not a regular file")
        for run in statement.runs:
            yield (
                run,
                (
                    _read(handle, statement.bytes_of(number, number + 1), at=file.tell())
                    for number in range(run.first, run.stop)
                ),
            )


def _read(handle: int, count: int, *, at: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        try:
            piece = os.read(handle, count - len(data))
        except OSError as error:
            raise FileUnreadable(at + len(data), error.strerror or str(error)) from error
        if not piece:
            raise FileUnreadable(at + len(data), "the file ends too early")
        data += piece
    return bytes(data)
