"""Starting and stopping: the log's identity across starts, unfinished work taken up, running requests let through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest

from api.app import serve
from api.errors import LogAbsent, LogKeyMissing, OriginMismatch
from api.folders import DataFolders
from api.services import Duty, open_services
from api.tus import OFFSET_MEDIA_TYPE
from evidence.errors import DatabaseUnsuitable
from evidence.parties.roles import Role
from tests.support.clock import SeededEntropy
from tests.support.database import fresh_database
from tests.support.service import TUS, RunningService, config_for, running_service

SEQUENCE = frozenset({Duty.SEQUENCE})
INTAKE = frozenset({Duty.INTAKE})


async def test_a_log_keeps_its_name_and_key_over_starts(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")
    async with open_services(config, duties=SEQUENCE) as first:
        vkey = first.log_verifier.vkey
        assert first.origin.startswith("shilu.local/")
    async with open_services(config, duties=SEQUENCE) as second:
        assert second.log_verifier.vkey == vkey
        async with second.pool.acquire() as conn:
            assert await conn.fetchval("SELECT count(*) FROM ledger_entry") == 1


async def test_eight_processes_that_start_at_once_begin_one_log(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")

    async def start() -> str:
        async with open_services(config, duties=SEQUENCE) as services:
            return services.log_verifier.vkey

    assert len(set(await asyncio.gather(*(start() for _ in range(8))))) == 1


async def test_the_configured_name_is_taken_and_held_to(database: str, tmp_path: Path) -> None:
    named = config_for(database, tmp_path / "data", origin="evidence.example.cn/log")
    async with open_services(named, duties=SEQUENCE) as services:
        assert services.origin == "evidence.example.cn/log"
    other = config_for(database, tmp_path / "data", origin="other.example.cn/log")
    with pytest.raises(OriginMismatch):
        async with open_services(other, duties=SEQUENCE):
            pass


async def test_a_database_without_its_key_is_not_served(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")
    async with open_services(config, duties=SEQUENCE):
        pass
    key = DataFolders(tmp_path / "data").log_key
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    key.rename(key.with_suffix(".away"))
    with pytest.raises(LogKeyMissing):
        async with open_services(config, duties=SEQUENCE):
            pass
    # Whoever does not sign needs no key: workers and audits on other hosts.
    async with open_services(config, create=False) as services:
        assert services.origin


async def test_a_key_of_another_log_is_refused(database: str, tmp_path: Path, postgres: str) -> None:
    async with open_services(config_for(database, tmp_path / "one"), duties=SEQUENCE):
        pass
    async with (
        fresh_database(postgres) as other,
        open_services(config_for(other, tmp_path / "two"), duties=SEQUENCE),
    ):
        pass
    key = DataFolders(tmp_path / "one").log_key
    key.unlink()
    key.write_text(DataFolders(tmp_path / "two").log_key.read_text())
    key.chmod(0o600)
    with pytest.raises(OriginMismatch):
        async with open_services(config_for(database, tmp_path / "one"), duties=SEQUENCE):
            pass


async def test_a_key_written_before_a_crash_is_gone_on_with(database: str, tmp_path: Path) -> None:
    class Crash(Exception):
        """Stands for the end of the process."""

    calls = 0
    seeded = SeededEntropy()

    def entropy(count: int) -> bytes:
        # Name and seed of the key are drawn first; the next draw is for the entry, after the key is on disk.
        nonlocal calls
        calls += 1
        if calls > 2:
            raise Crash
        return seeded(count)

    config = config_for(database, tmp_path / "data")
    with pytest.raises(Crash):
        async with open_services(config, duties=SEQUENCE, entropy=entropy):
            pass
    key = DataFolders(tmp_path / "data").log_key.read_text()
    async with open_services(config, duties=SEQUENCE):
        assert DataFolders(tmp_path / "data").log_key.read_text() == key


async def test_programs_that_only_look_begin_nothing(database: str, tmp_path: Path) -> None:
    with pytest.raises(LogAbsent):
        async with open_services(config_for(database, tmp_path / "data"), create=False):
            pass
    config = config_for(database, tmp_path / "nothing").model_copy(update={"database": None})
    with pytest.raises(LogAbsent):
        async with open_services(config, create=False):
            pass
    assert not (tmp_path / "nothing").exists()


async def test_a_database_without_schema_says_what_to_do(empty_database: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnsuitable, match="shilu migrate"):
        async with open_services(config_for(empty_database, tmp_path / "data")):
            pass


async def test_the_embedded_database_comes_and_goes_with_the_service(data_folder: Path) -> None:
    config = config_for("unused", data_folder).model_copy(update={"database": None})
    async with running_service(config) as service:
        clip = await service.clip(b"kept over restarts")
    async with running_service(config) as service:
        reply = await service.ask("GET", f"/v1/clips/{clip}", role=Role.AUDITOR)
        assert reply.status == 200
        assert isinstance(reply.json()["index"], int)


async def test_an_upload_goes_on_after_a_restart(database: str, tmp_path: Path) -> None:
    config, data = config_for(database, tmp_path / "data"), bytes(2_000_000)
    async with running_service(config) as service:
        dock = await service.dock()
        upload, inventory = await service.create_upload(data, path="a.mp4", dock=dock)
        await service.append(upload, data[:1_500_000], dock=dock)
    async with running_service(config) as service:
        head = await service.ask("HEAD", upload, dock=dock, headers=TUS)
        assert head.headers["Upload-Offset"] == "1500000"
        await service.append(upload, data[1_500_000:], offset=1_500_000, dock=dock)
        reply = await service.state_manifest(upload, data, path="a.mp4", inventory=inventory, dock=dock)
        assert reply.status == 200


async def test_a_running_upload_ends_before_the_server_does(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", shutdown_seconds_max=10)
    going_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(1)  # until the server has the request's head and is at its body
        going_on.set()
        await asyncio.sleep(0.5)
        yield b"second"

    async with open_services(config, duties=INTAKE) as services, aiohttp.ClientSession() as session:
        serving = serve(services)
        service = RunningService(services, await serving.__aenter__(), session)
        dock = await service.dock()
        upload, _ = await service.create_upload(b"firstsecond", path="a.mp4", dock=dock)
        headers = {**TUS, "Upload-Offset": "0", "Content-Type": OFFSET_MEDIA_TYPE}
        sending = asyncio.create_task(service.ask("PATCH", upload, dock=dock, headers=headers, data=slowly()))
        await going_on.wait()
        await serving.__aexit__(None, None, None)
        reply = await sending
        assert (reply.status, reply.headers["Upload-Offset"]) == (204, "11")
        with pytest.raises(aiohttp.ClientConnectionError):
            await service.ask("GET", "/healthz")


async def test_a_request_that_does_not_end_is_cut_off_and_keeps_what_came(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", shutdown_seconds_max=0.3)
    going_on = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(1)  # until the server has the request's head and is at its body
        going_on.set()
        await asyncio.Event().wait()

    async with open_services(config, duties=INTAKE) as services, aiohttp.ClientSession() as session:
        serving = serve(services)
        service = RunningService(services, await serving.__aenter__(), session)
        dock = await service.dock()
        upload, _ = await service.create_upload(b"firstsecond", path="a.mp4", dock=dock)
        headers = {**TUS, "Upload-Offset": "0", "Content-Type": OFFSET_MEDIA_TYPE}
        sending = asyncio.create_task(service.ask("PATCH", upload, dock=dock, headers=headers, data=stuck()))
        await going_on.wait()
        await asyncio.wait_for(serving.__aexit__(None, None, None), 10)
        reply = await sending
        assert (reply.status, reply.headers["Upload-Offset"]) == (204, "5")
        view = await services.uploads.status(actor=f"dock:{dock.dock}", upload=UUID(upload.rpartition("/")[2]))
        assert view.offset == 5
