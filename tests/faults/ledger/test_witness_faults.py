"""A witness whose disk fails: at every statement of its memory, full at any byte, the write-ahead log torn anywhere.

Whatever happens, it never cosigns two roots of a size, never goes back, and what it cosigned it remembers. After a
fault the log asks again: the same checkpoint, or a larger one, or another history, which has to be refused. A kill
during a commit leaves what a torn write-ahead log is; real processes are killed in `test_witness_killed`.
"""

from __future__ import annotations

import errno
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.witness_app.server import serving
from api.witnesses import open_transport
from ledger.cosignature import Cosigner
from ledger.keys import KeyType
from ledger.witness.errors import WitnessMemoryUnusable
from ledger.witness.store import Memory
from ledger.witness.witness import Witness
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.paper_witness import SIGNER, PaperHistory

MAIN = PaperHistory("main", count=64)
FORK = PaperHistory("fork", count=64)
COSIGNER = Cosigner.generate("witness.example/w", key_type=KeyType.COSIGNATURE_ED25519, entropy=SeededEntropy(5))
REAL_CONNECT = sqlite3.connect


def new_memory(folder: Path) -> Path:
    """Make the memory of a witness that has cosigned size 10."""
    path = folder / "witness.db"
    Memory.create(path, vkey=COSIGNER.verifier.vkey).add_log(SIGNER.verifier)
    assert ask(path, MAIN, 0, 10) == 200
    return path


def ask(path: Path, history: PaperHistory, old: int, size: int) -> int:
    """Ask a witness that was just started; return the status."""
    witness = Witness(COSIGNER, Memory(path, vkey=COSIGNER.verifier.vkey), clock=SteppingClock())
    return witness.add_checkpoint(history.request(old, size)).status


def remembered(path: Path) -> int:
    size = Memory(path, vkey=COSIGNER.verifier.vkey).logs()[0].size
    assert size is not None
    return size


class Fault:
    """Lets the statement of this number fail, before or after it was executed."""

    def __init__(self, at: int, *, is_done: bool) -> None:
        self.at = at
        self.is_done = is_done
        self.statements: list[str] = []

    @contextmanager
    def armed(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let connections that are opened in the block meet the fault."""
        fault = self

        class Failing(sqlite3.Connection):
            def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
                fault.statements.append(" ".join(statement.split()[:2]))
                strikes = len(fault.statements) - 1 == fault.at
                if strikes and not fault.is_done:
                    raise sqlite3.OperationalError("disk I/O error")
                cursor = super().execute(statement, *arguments)
                if strikes:
                    raise sqlite3.OperationalError("disk I/O error")
                return cursor

        def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
            return REAL_CONNECT(*arguments, factory=Failing, **options)

        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", connect)
            yield


@pytest.mark.parametrize("again", ["the same", "a larger one", "another history"])
@pytest.mark.parametrize("is_done", [False, True], ids=["not done", "unreported"])
def test_a_fault_at_any_statement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_done: bool, again: str) -> None:
    at, statements = 0, []
    while True:
        (tmp_path / str(at)).mkdir()
        path, fault, status = new_memory(tmp_path / str(at)), Fault(at, is_done=is_done), 0
        with fault.armed(monkeypatch):
            try:
                status = ask(path, MAIN, 10, 20)
            except WitnessMemoryUnusable:
                assert len(fault.statements) > at, "nothing fails by itself"
        if len(fault.statements) <= at:
            break
        statements = fault.statements
        assert status == 0, "what fails is not cosigned"
        old = remembered(path)
        assert old in (10, 20)
        if again == "the same":
            assert ask(path, MAIN, old, 20) == 200
        elif again == "a larger one":
            assert ask(path, MAIN, old, 30) == 200
        else:
            assert ask(path, FORK, old, 20) in (409, 422)
            assert ask(path, FORK, 0, 20) in (409, 422)
            assert ask(path, FORK, old, 30) == 422
            assert ask(path, MAIN, old, 20) == 200
        assert remembered(path) == (30 if again == "a larger one" else 20)
        at += 1
    assert at > 12
    assert "COMMIT" in {statement.split()[0] for statement in fault.statements}, statements


def test_a_log_that_is_added_while_the_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = 0
    while True:
        (tmp_path / str(at)).mkdir()
        path = tmp_path / str(at) / "witness.db"
        memory, fault = Memory.create(path, vkey=COSIGNER.verifier.vkey), Fault(at, is_done=bool(at % 2))
        with fault.armed(monkeypatch):
            try:
                memory.add_log(SIGNER.verifier)
            except WitnessMemoryUnusable:
                assert len(fault.statements) > at
        if len(fault.statements) <= at:
            break
        if not memory.logs():
            memory.add_log(SIGNER.verifier)
        assert ask(path, MAIN, 0, 10) == 200
        at += 1
    assert at > 4


def test_a_write_ahead_log_torn_anywhere_is_the_old_memory_or_the_new(tmp_path: Path) -> None:
    path = new_memory(tmp_path)
    kept = tmp_path / "kept"
    kept.mkdir()
    # A reader keeps the last connection from folding the write-ahead log into the file.
    with sqlite3.connect(path) as reader:
        reader.execute("SELECT count(*) FROM seen").fetchone()
        before = path.with_name("witness.db-wal").stat().st_size
        assert ask(path, MAIN, 10, 20) == 200
        whole = path.with_name("witness.db-wal").read_bytes()
        shutil.copy(path, kept / "witness.db")
    reader.close()
    assert len(whole) > before
    found = set()
    for end in [*range(before, len(whole), 509), len(whole) - 1, len(whole)]:
        torn = tmp_path / f"torn {end}"
        shutil.copytree(kept, torn)
        (torn / "witness.db-wal").write_bytes(whole[:end])
        size = remembered(torn / "witness.db")
        found.add(size)
        assert size == (20 if end == len(whole) else 10)
        assert ask(torn / "witness.db", FORK, size, 20) in (409, 422)
        assert ask(torn / "witness.db", MAIN, size, 20) == 200
    assert found == {10, 20}


def test_a_disk_that_is_full_at_any_byte(tmp_path: Path) -> None:
    """A limit on the size of files is met at the same calls as a full disk is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    refused = cosigned = 0
    for limit in range(0, 60_000, 2048):
        (tmp_path / str(limit)).mkdir()
        path = new_memory(tmp_path / str(limit))
        status = None
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            status = ask(path, MAIN, 10, 20)
        except WitnessMemoryUnusable:
            refused += 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        cosigned += status == 200
        assert status in (None, 200)
        old = remembered(path)
        assert old == 20 or status is None
        assert ask(path, FORK, old, 20) in (409, 422)
        assert ask(path, MAIN, old, 20) == 200
    assert refused > 5
    assert cosigned > 5


async def test_a_disk_that_does_not_answer_is_an_answer_for_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_memory(tmp_path)
    witness = Witness(COSIGNER, Memory(path, vkey=COSIGNER.verifier.vkey), clock=SteppingClock())

    def unreadable(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    async with serving(witness, host="127.0.0.1", port=0) as url, open_transport() as transport:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "stat", unreadable)
            reply = await transport.add_checkpoint(url, MAIN.request(10, 20))
        assert reply.status == 503
        reply = await transport.add_checkpoint(url, MAIN.request(10, 20))
        assert reply.status == 200
