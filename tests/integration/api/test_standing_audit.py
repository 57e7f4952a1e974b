"""The background audit: rounds that end as entries, findings that are shown and stop nobody, progress that survives."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from uuid import UUID

import pytest

from api.health import check_readiness
from api.services import Duty, Services, open_services
from api.standing_audit import AuditSettings, StandingAudit
from evidence.clips.query import ClipQuery
from evidence.clips.search import list_clips
from evidence.core.clock import utc_now
from evidence.db.pool import connect
from ledger.canonical import JsonObject
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.note import Signer
from tests.support.clock import SeededEntropy
from tests.support.ledger import until
from tests.support.payloads import Scribe
from tests.support.service import config_for

FAST = {"audit_interval_seconds": 0.1, "audit_bytes_per_second": 10**9}


def _audit(services: Services, *, bytes_per_second: int = 10**9, interval: float = 0.05) -> StandingAudit:
    return StandingAudit(
        connect=lambda: connect(services.dsn, program="test-audit"),
        pool=services.pool,
        objects=services.local,
        storage=services.storage,
        memory=services.folders.root / "run" / "audit.json",
        clock=utc_now,
        entropy=SeededEntropy(3),
        settings=AuditSettings(interval_seconds=interval, bytes_per_second=bytes_per_second),
    )


async def _recorded(services: Services) -> list[JsonObject]:
    rows = await services.pool.fetch("SELECT payload FROM custody_payload WHERE type = 'audit.completed'")
    return [json.loads(row["payload"]) for row in rows]


async def _sealed(services: Services, sha256: str, *, size: int) -> UUID:
    """Put a clip on record whose original is an object of the store."""
    async with services.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=utc_now, entropy=SeededEntropy(7))
        nothing = dict.fromkeys(("recorder", "dock", "inventory", "officer", "recorded_at"))
        return await scribe.seal(**nothing, sha256=sha256, size=size)


async def test_rounds_come_by_themselves_and_are_entries(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", **FAST)
    async with open_services(config, duties=frozenset({Duty.SEQUENCE, Duty.AUDIT})) as services:
        assert services.audit is not None
        status = services.audit
        await until(lambda: status.status.completed_at is not None, seconds=40)
        recorded = await _recorded(services)
        readiness = await check_readiness(services)
    assert recorded
    assert recorded[0]["findings"] == {}
    assert [(one.ok, one.required, one.detail) for one in readiness.checks if one.name == "findings"] == [
        (True, False, "clean")
    ]


@pytest.mark.parametrize("off", [{"audit_interval_seconds": 0}, {"audit_bytes_per_second": 0}])
async def test_zero_switches_it_off(off: dict[str, int], database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", **off)
    async with open_services(config, duties=frozenset({Duty.SEQUENCE, Duty.AUDIT})) as services:
        assert services.audit is None


async def test_an_altered_object_is_found_shown_and_does_not_stop_the_service(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", **FAST)
    async with open_services(config, duties=frozenset({Duty.SEQUENCE})) as services:
        name = services.objects.put(b"derived" * 1000)
        clip = await _sealed(services, name, size=7_000)
        path = services.objects.open_path(name)
        path.chmod(0o644)
        path.write_bytes(b"altered" * 1000)
    async with open_services(config, duties=frozenset({Duty.SEQUENCE, Duty.AUDIT})) as services:
        audit = services.audit
        assert audit is not None
        await until(lambda: audit.status.completed_at is not None, seconds=40)
        assert audit.status.counts() == {"object.altered": 1}
        assert {"object.altered": 1} in [one["findings"] for one in await _recorded(services)]
        async with services.pool.acquire() as conn:
            page = await list_clips(conn, ClipQuery(text="findings:object.altered"))
        assert [item.clip for item in page.items] == [clip], "the search knows of it"
        readiness = await check_readiness(services)
        (shown,) = [one for one in readiness.checks if one.name == "findings"]
        assert not shown.ok
        assert "object.altered (1)" in shown.detail
        assert all(one.ok for one in readiness.checks if one.required), readiness


async def test_it_keeps_to_its_budget_and_goes_on_where_it_was(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")
    async with open_services(config, duties=frozenset({Duty.SEQUENCE})) as services:
        for number in range(12):
            services.objects.put(bytes([number]) * 100_000)
        memory = services.folders.root / "run" / "audit.json"
        stop = asyncio.Event()
        slow = _audit(services, bytes_per_second=200_000)
        began = time.monotonic()
        running = asyncio.create_task(slow.run(stop))
        await until(lambda: slow.status.coverage > 0.2, seconds=30)
        stop.set()
        await asyncio.wait_for(running, 5)
        assert time.monotonic() - began > 1.0, "three objects of 100,000 bytes take more than a second at this rate"
        kept = json.loads(memory.read_bytes())["round"]
        assert kept["housed"]
        assert kept["done"] >= 3
        assert kept["done"] < 12
        stop = asyncio.Event()
        fast = _audit(services)
        running = asyncio.create_task(fast.run(stop))
        await until(lambda: fast.status.completed_at is not None, seconds=30)
        stop.set()
        await asyncio.wait_for(running, 5)
        assert len(await _recorded(services)) >= 1


async def test_a_log_that_went_back_since_the_last_round_is_found(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", **FAST)
    memory = tmp_path / "data" / "run" / "audit.json"
    async with open_services(config, duties=frozenset({Duty.SEQUENCE, Duty.AUDIT})) as services:
        first = services.audit
        assert first is not None
        await until(lambda: first.status.completed_at is not None, seconds=40)
        before = await services.reader.checkpoint()
        signer = Signer.parse(services.folders.log_key.read_text().strip())
        origin = services.origin
    body = json.loads(memory.read_bytes())
    assert body["seen"].split("\n")[0] == before.decode().split("\n")[0]
    # What it saw then is more than there is now, and signed by the log itself.
    body["seen"] = sign_checkpoint(Checkpoint(origin, 10_000, bytes(32)), [signer]).decode()
    memory.write_text(json.dumps(body))
    async with open_services(config, duties=frozenset({Duty.SEQUENCE, Duty.AUDIT})) as services:
        second = services.audit
        assert second is not None
        await until(lambda: "log.rolled_back" in second.status.counts(), seconds=40)
