"""Excerpts over HTTP: on record first, one archive that proves itself, and refusals that say what to do."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from evidence.parties.roles import Role
from evidence.verify.cli import main
from evidence.verify.report import Exit
from ingest.media.frame_format import write_frames
from tests.support.frame_indexes import index_of
from tests.support.media import Film, Sound, write
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("film") / "film.mp4", film=Film(), sound=Sound())


async def clip_of(service: RunningService, film: Path) -> UUID:
    clip = await service.clip(film.read_bytes() + uuid4().bytes, path=f"{uuid4()}.mp4")
    index = index_of(film)
    # Trailing bytes make the clip another one without moving a unit.
    grown = type(index)(index.size + 16, index.origin, index.tracks)
    await service.derive(clip, write_frames(grown), kind="frames", media_type="application/octet-stream")
    return clip


async def order(service: RunningService, clip: UUID, *, role: Role = Role.REVIEWER, **body: object) -> Reply:
    wanted = {"purpose": "legal_review", "from_ms": 200, "to_ms": 1200, **body}
    return await service.ask("POST", f"/v1/clips/{clip}/excerpts", role=role, json=wanted)


async def test_an_excerpt_comes_as_an_archive_that_proves_itself(
    shared: RunningService, film: Path, tmp_path: Path
) -> None:
    clip = await clip_of(shared, film)
    reply = await order(shared, clip)
    assert reply.status == 200
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    key = shared.services.log_verifier.vkey
    (folder,) = tmp_path.iterdir()
    assert main(["--quiet", "--log-key", key, str(folder)]) == Exit.VERIFIED
    history = (await shared.ask("GET", f"/v1/clips/{clip}/history", role=Role.AUDITOR)).json()["items"]
    assert (history[-1]["type"], history[-1]["entry"]) == ("clip.excerpted", reply.headers["X-Shilu-Entry"])
    assert history[-1]["actor"].startswith("staff:")
    work = shared.services.folders.work
    assert not [path for path in work.iterdir() if path.name.startswith("excerpt-")]


async def test_an_excerpt_that_cannot_be_recorded_sends_nothing(shared: RunningService, film: Path) -> None:
    clip = await clip_of(shared, film)
    async with shared.services.pool.acquire() as conn:
        await conn.execute("ALTER TABLE custody_payload RENAME TO custody_payload_away")
        try:
            refused = await order(shared, clip, cut=False)
        finally:
            await conn.execute("ALTER TABLE custody_payload_away RENAME TO custody_payload")
    assert refused.status == 500
    assert not refused.body.startswith(b"PK")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"purpose": "curiosity"}, 400, "view.purpose_unknown"),
        ({"from_ms": 1200}, 400, "request.invalid"),
        ({"from_ms": -1}, 400, "request.invalid"),
        ({"to_ms": 3_600_201}, 400, "request.invalid"),
        ({"from_ms": 900_000, "to_ms": 901_000}, 409, "excerpt.impossible"),
    ],
)
async def test_what_cannot_be_an_excerpt_is_refused(
    shared: RunningService, film: Path, body: dict[str, Any], status: int, code: str
) -> None:
    reply = await order(shared, await clip_of(shared, film), **body)
    assert (reply.status, reply.code) == (status, code)


async def test_a_clip_without_an_index_says_so(shared: RunningService) -> None:
    reply = await order(shared, await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4"))
    assert (reply.status, reply.code) == (409, "excerpt.impossible")
    assert "export the whole clip" in reply.json()["detail"]


async def test_an_administrator_gets_no_footage(shared: RunningService, film: Path) -> None:
    reply = await order(shared, await clip_of(shared, film), role=Role.ADMINISTRATOR)
    assert (reply.status, reply.code) == (403, "auth.role")
