"""`shilu fetch`: over a line that breaks, after a kill, and never anything under the name that is not the package."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from api.client import RequestRefused, ServiceUnreachable, open_client
from api.exports import maker_of
from api.package_download import DownloadDamaged, Downloaded, download_package
from evidence.errors import ExportTargetTaken
from evidence.parties.roles import Role
from evidence.verify.cli import main
from tests.support.cut_line import CutLine
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOOTAGE_BYTES = 3 * 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def package(shared: RunningService) -> Any:
    """A package of one clip, with the clip's id."""
    clip = await shared.clip(os.urandom(FOOTAGE_BYTES), path=f"{uuid4()}.mp4")
    case = await shared.ask(
        "POST", "/v1/cases", role=Role.INVESTIGATOR, json={"number": f"晋环罚〔2026〕{uuid4()}号", "title": "偷排"}
    )
    linked = await shared.ask(
        "POST", f"/v1/cases/{case.json()['case']}/clips", role=Role.INVESTIGATOR, json={"clip": str(clip)}
    )
    assert await shared.services.waiter.wait(UUID(linked.json()["entry"]), timeout_seconds=20) is not None
    asked = await shared.ask(
        "POST", "/v1/exports", role=Role.INVESTIGATOR, json={"purpose": "litigation", "clips": [str(clip)]}
    )
    maker = maker_of(shared.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass
    return {"export": UUID(asked.json()["export"]), "clip": clip}


async def fetched(shared: RunningService, url: str, package: Any, to: Path, **more: Any) -> Downloaded:
    async with open_client(url, await shared.token(Role.INVESTIGATOR)) as client:
        return await download_package(client, package["export"], purpose="litigation", to=to, **more)


async def hand_outs(shared: RunningService, package: Any) -> int:
    count: int = await shared.services.pool.fetchval(
        "SELECT count(*) FROM export_fetch WHERE export = $1", package["export"]
    )
    return count


async def test_a_line_that_breaks_three_times_is_one_hand_out(
    shared: RunningService, package: Any, tmp_path: Path
) -> None:
    before, line = await hand_outs(shared, package), CutLine(bytes_left=[1_000_000, 700_000, 30_000])
    to = tmp_path / "包.zip"
    async with line.to(shared.url) as url:
        came = await fetched(shared, url, package, to)
    assert line.breaks == 3
    asked = [head for head in line.heads if head.startswith("GET /packages/")]
    assert "Range" not in asked[0]
    assert all("Range: bytes=" in head for head in asked[1:])
    assert await hand_outs(shared, package) == before + 1
    assert [path.name for path in tmp_path.iterdir()] == ["包.zip"]
    assert to.stat().st_size == came.size == maker_of(shared.services).archive_of(package["export"]).stat().st_size
    with zipfile.ZipFile(to) as packed:
        packed.extractall(tmp_path / "open")
    assert main(["--log-key", shared.services.log_verifier.vkey, str(next((tmp_path / "open").iterdir()))]) == 0


async def test_a_killed_command_goes_on_where_it_was(shared: RunningService, package: Any, tmp_path: Path) -> None:
    before, to = await hand_outs(shared, package), tmp_path / "package.zip"
    part = tmp_path / "package.zip.part"
    line = CutLine(bytes_left=[1_500_000], then="hold")
    async with line.to(shared.url) as url:
        first = await started(shared, url, package, to)
        async with asyncio.timeout(60):
            while not (line.breaks and part.exists() and part.stat().st_size > 1_000_000):
                assert first.returncode is None
                await asyncio.sleep(0.01)
        first.kill()
        await first.wait()
        assert not to.exists()
        assert (tmp_path / "package.zip.part.json").stat().st_mode & 0o077 == 0
        have = part.stat().st_size
        second = await started(shared, url, package, to)
        told, complaint = await second.communicate()
    assert second.returncode == 0, complaint
    assert json.loads(told)["resumed_from"] == have
    assert await hand_outs(shared, package) == before + 1
    assert [path.name for path in tmp_path.iterdir()] == ["package.zip"]


async def test_what_differs_from_the_record_never_has_the_name(
    shared: RunningService, package: Any, tmp_path: Path
) -> None:
    to, part = tmp_path / "package.zip", tmp_path / "package.zip.part"
    line = CutLine(bytes_left=[1_500_000])
    async with line.to(shared.url) as url:
        line.bytes_left += [10] * 1000
        with pytest.raises(ServiceUnreachable):
            await fetched(shared, url, package, to, patience_seconds=1.0)
        spoiled = bytearray(part.read_bytes())
        spoiled[len(spoiled) // 2] ^= 1
        part.write_bytes(spoiled)
        line.bytes_left.clear()
        with pytest.raises(DownloadDamaged):
            await fetched(shared, url, package, to)
        assert list(tmp_path.iterdir()) == []
        assert (await fetched(shared, url, package, to)).resumed_from == 0


async def test_bytes_of_another_package_do_not_count(shared: RunningService, package: Any, tmp_path: Path) -> None:
    to, memory = tmp_path / "package.zip", tmp_path / "package.zip.part.json"
    (tmp_path / "package.zip.part").write_bytes(b"left by something else")
    memory.write_bytes(b'{"no": "way"}')
    assert (await fetched(shared, shared.url, package, to)).resumed_from == 0
    # The way is known, but the bytes are of another ETag: the service sends the whole, which takes their place.
    (tmp_path / "again.zip.part").write_bytes(b"x" * 1000)
    opened = await shared.ask(
        "POST",
        f"/v1/exports/{package['export']}/downloads",
        role=Role.INVESTIGATOR,
        json={"purpose": "litigation"},
    )
    told = opened.json()
    way = {key: told[key] for key in ("url", "entry", "size", "manifest")}
    kept = {"export": str(package["export"]), **way, "etag": '"another"'}
    (tmp_path / "again.zip.part.json").write_text(json.dumps(kept), encoding="utf-8")
    came = await fetched(shared, shared.url, package, tmp_path / "again.zip")
    assert (came.entry, (tmp_path / "again.zip").read_bytes()) == (UUID(told["entry"]), to.read_bytes())
    # An address that opens nothing any more: another hand-out, and the bytes stay.
    stale = {**kept, "url": told["url"][:-4] + "AAAA", "etag": f'"{package["export"]}"'}
    (tmp_path / "late.zip.part").write_bytes(to.read_bytes()[:2_000_000])
    (tmp_path / "late.zip.part.json").write_text(json.dumps(stale), encoding="utf-8")
    late = await fetched(shared, shared.url, package, tmp_path / "late.zip")
    assert (late.resumed_from, late.entry != UUID(told["entry"])) == (2_000_000, True)


async def test_two_at_once_a_taken_place_and_no_package(shared: RunningService, package: Any, tmp_path: Path) -> None:
    to = tmp_path / "package.zip"
    line = CutLine(bytes_left=[1_000_000], then="hold")
    async with line.to(shared.url) as url:
        first = asyncio.create_task(fetched(shared, url, package, to))
        async with asyncio.timeout(60):
            while not line.breaks:
                await asyncio.sleep(0.01)
        with pytest.raises(ExportTargetTaken):
            await fetched(shared, shared.url, package, to)
        first.cancel()
        await asyncio.wait({first})
    to.write_bytes(b"somebody's")
    with pytest.raises(ExportTargetTaken):
        await fetched(shared, shared.url, package, to)
    assert to.read_bytes() == b"somebody's"
    with pytest.raises(RequestRefused, match=r"export\.unknown"):
        await fetched(shared, shared.url, {"export": uuid4()}, tmp_path / "none.zip")


async def started(shared: RunningService, url: str, package: Any, to: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api.cli.main", "fetch", str(package["export"]), "--to", str(to), "--url", url),
        "--json",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "SHILU_TOKEN": await shared.token(Role.INVESTIGATOR)},
    )
