"""A redacted copy that leaves the house: on record first, whole or not at all, and what is on record."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from api import redactions
from api.redactions import copy_out
from evidence.errors import ExportNoSpace, ExportTargetTaken, ExportTargetUnusable, ObjectDamaged
from ingest.redaction_store import MadeCopy
from tests.support.service import RunningService

COPY = b"a redacted copy" * 200_000
"""Several pieces."""


async def handed_out(service: RunningService, out: Path) -> int:
    """Take a copy out of the house; return how many entries say so."""
    clip = await service.clip(b"an original")
    await service.derive(clip, COPY)
    row = await service.services.pool.fetchrow("SELECT entry_id, sha256, size FROM clip_object WHERE kind = 'proxy'")
    assert row is not None
    made = MadeCopy(entry_id=row["entry_id"], sha256=row["sha256"], size=row["size"], media_type="video/mp4")
    await copy_out(service.services, clip, made, out=out, purpose="litigation", actor="service")
    return await exported(service)


async def exported(service: RunningService) -> int:
    count: int = await service.services.pool.fetchval(
        "SELECT count(*) FROM custody_payload WHERE type = 'clip.exported'"
    )
    return count


async def test_what_leaves_is_what_is_on_record(service: RunningService, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    out = tmp_path / "stick" / "公开.mp4"
    assert await handed_out(service, out) == 1
    assert out.read_bytes() == COPY
    assert [path.name for path in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize("taken", ["file", "link"])
async def test_what_is_there_stays_and_nothing_is_on_record(
    service: RunningService, tmp_path: Path, taken: str
) -> None:
    out = tmp_path / "public.mp4"
    out.write_bytes(b"older") if taken == "file" else out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ExportTargetTaken):
        await handed_out(service, out)
    assert await exported(service) == 0
    assert out.is_symlink() or out.read_bytes() == b"older"


async def test_a_damaged_copy_does_not_leave(service: RunningService, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    out, put = tmp_path / "stick" / "public.mp4", service.services.objects.put
    path = service.services.objects.open_path(put(COPY))
    path.chmod(0o644)
    path.write_bytes(COPY[:-1] + b"!")
    with pytest.raises(ObjectDamaged):
        await handed_out(service, out)
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize(("number", "refused"), [(errno.ENOSPC, ExportNoSpace), (errno.EIO, ExportTargetUnusable)])
async def test_a_disk_that_fails_leaves_no_file_behind(
    service: RunningService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    refused: type[Exception],
) -> None:
    (tmp_path / "stick").mkdir()
    out = tmp_path / "stick" / "public.mp4"

    def failing(_: Path) -> None:
        raise OSError(number, "the disk")

    monkeypatch.setattr(redactions, "sync_file", failing)
    with pytest.raises(refused):
        await handed_out(service, out)
    assert list(out.parent.iterdir()) == []
    assert await exported(service) == 1, "that it was to leave stays on record"
