"""The honest state, and the way back to it from whatever an attack did to files and rows.

Files are remembered by content, rows by a second copy of every table in a schema of its own. Going back counts what it
had to put right: an attack after which there is nothing to put right was none.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.small_house import superuser

_SCHEMA = "honest"
_PASSING = (
    "alembic_version",
    "view_ticket",
    "look_ticket",
    "look_picture",
    "stored_answer",
    "dock_enrolment_code",
    "search_document",
    "search_term",
)
"""Tables that no attack and no audit cares for."""


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    mode: int
    stamp: tuple[int, int, int]


@dataclass
class Baseline:
    """Every file below a folder and every row of a database, as they were once.

    Attributes:
        tables: Names of the tables that are remembered.
        beside: Goes back to what is remembered of other places, and counts likewise.
    """

    root: Path
    dsn: str
    files: dict[Path, _File]
    tables: tuple[str, ...]
    beside: Callable[[], int]

    @classmethod
    async def of(cls, root: Path, dsn: str, *, beside: Callable[[], int]) -> Baseline:
        """Remember the present state."""
        async with superuser(dsn) as conn:
            rows = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            tables = tuple(
                row["tablename"]
                for row in rows
                if row["tablename"] not in _PASSING and not row["tablename"].startswith("pgqueuer")
            )
            await conn.execute(f"CREATE SCHEMA {_SCHEMA}")
            for table in tables:
                await conn.execute(f"CREATE TABLE {_SCHEMA}.{table} AS TABLE public.{table}")
            await conn.execute("ANALYZE")
        files = {path: _remember(path) for path in _walk(root)}
        return cls(root, dsn, files, tables, beside)

    async def restore(self, *, rows: bool) -> int:
        """Go back; return how many files and rows were not as they had been."""
        return self.beside() + self._restore_files() + (await self._restore_rows() if rows else 0)

    def _restore_files(self) -> int:
        repaired = 0
        present = set(_walk(self.root))
        for path in present - self.files.keys():
            path.unlink()
            repaired += 1
        for path, file in self.files.items():
            if path in present and _stamp(path) == file.stamp:
                continue
            if not path.is_file() or path.read_bytes() != file.content:
                repaired += 1
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            path.chmod(file.mode)
            self.files[path] = _remember(path)
        return repaired

    async def _restore_rows(self) -> int:
        repaired = 0
        async with superuser(self.dsn) as conn, conn.transaction():
            for table in self.tables:
                kept, now = f"{_SCHEMA}.{table}", f"public.{table}"
                # A row as text is a row: nothing that is stored is lost in it.
                remove = f"DELETE FROM {now} t WHERE t::text NOT IN (SELECT k::text FROM {kept} k)"
                add = f"""INSERT INTO {now} OVERRIDING SYSTEM VALUE SELECT k.* FROM {kept} k
                          WHERE k::text NOT IN (SELECT t::text FROM {now} t)"""
                for statement in (remove, add):
                    repaired += int((await conn.execute(statement)).rsplit(" ", 1)[1])
        return repaired


def _walk(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if not path.is_dir()]


def _remember(path: Path) -> _File:
    return _File(path.read_bytes(), path.stat().st_mode & 0o777, _stamp(path))


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
