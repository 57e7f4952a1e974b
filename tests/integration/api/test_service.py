"""The service about itself: alive, ready or not, metered, documented; and its log lines hold no secret."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from api import health, metrics
from evidence.parties.roles import Role
from tests.support.database import fresh_database
from tests.support.parties import secret_of
from tests.support.service import RunningService, config_for, running_service

METER = re.compile(r"^ *(shilu_\w+)", re.MULTILINE)


async def metric_values(service: RunningService) -> dict[str, float]:
    reply = await service.ask("GET", "/metrics", role=Role.AUDITOR)
    families = text_string_to_metric_families(reply.body.decode())
    return {
        " ".join([sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))]): sample.value
        for family in families
        for sample in family.samples
    }


async def test_a_sound_service_is_ready(service: RunningService) -> None:
    assert (await service.ask("GET", "/healthz")).json() == {"status": "live"}
    reply = await service.ask("GET", "/readyz")
    assert reply.status == 200
    assert {check["name"] for check in reply.json()["checks"]} == {
        *(
            "database",
            "publication",
            "disk",
            "sequencer",
            "intake",
            "housekeeping",
            "recordings",
            "disposals",
            "deadlines",
        )
    }
    assert all(check["ok"] for check in reply.json()["checks"])


async def test_without_its_database_it_is_alive_and_not_ready(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "DATABASE_SECONDS_MAX", 0.5)
    async with fresh_database(postgres) as database:
        starting = running_service(config_for(database, tmp_path / "data"))
        service = await starting.__aenter__()
    # The database is gone now; the service has to say so, and to stop cleanly all the same.
    assert (await service.ask("GET", "/healthz")).status == 200
    reply = await service.ask("GET", "/readyz")
    assert reply.status == 503
    failed = {check["name"] for check in reply.json()["checks"] if not check["ok"]}
    assert "database" in failed
    refused = await service.ask(
        "GET", "/v1/cases", headers={"Authorization": "Bearer shilu_" + "0" * 32 + "_" + "A" * 43}
    )
    assert (refused.status, refused.code) == (503, "database.unreachable")
    assert int(refused.headers["Retry-After"]) > 0
    await starting.__aexit__(None, None, None)


async def test_a_full_disk_is_not_ready(database: str, tmp_path: Path) -> None:
    more_than_there_is = shutil.disk_usage(tmp_path).total * 2
    config = config_for(database, tmp_path / "data").model_copy(update={"disk_reserve_bytes": more_than_there_is})
    async with running_service(config) as service:
        reply = await service.ask("GET", "/readyz")
        assert reply.status == 503
        assert [check["name"] for check in reply.json()["checks"] if not check["ok"]] == ["disk"]


async def test_a_log_that_lags_is_not_ready(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data", publication_lag_seconds_max=0.2)
    async with running_service(config) as service:
        await service.services.duties.__aexit__()
        await service.token(Role.AUDITOR)
        await asyncio.sleep(0.3)
        reply = await service.ask("GET", "/readyz")
        assert [check["name"] for check in reply.json()["checks"] if not check["ok"]] == ["publication"]


async def test_meters_count_what_happens(service: RunningService) -> None:
    await service.token(Role.AUDITOR)
    await service.clip(b"x" * 1000)
    await service.ask("GET", "/nowhere")
    values = await metric_values(service)
    assert values["shilu_upload_bytes_total"] == 1000
    assert values["shilu_clips state=sealed"] == 1
    assert values["shilu_http_requests_total method=PATCH route=append_upload status=204"] == 1
    assert values["shilu_http_requests_total method=GET route=unrouted status=404"] == 1
    assert values["shilu_ledger_entries place=published"] == values["shilu_ledger_entries place=sequenced"] >= 4
    assert values["shilu_ledger_pending"] == 0
    assert values["shilu_disk_free_bytes"] > 0


def test_every_meter_is_described_and_every_description_has_its_meter() -> None:
    described = set(METER.findall(metrics.__doc__ or ""))
    made = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in metrics.make_metrics().registry.collect()
    }
    assert described == made


async def test_metrics_are_for_overseers_unless_this_host_is_trusted(database: str, tmp_path: Path) -> None:
    async with running_service(config_for(database, tmp_path / "data", metrics_on_loopback=True)) as service:
        assert (await service.ask("GET", "/metrics")).status == 200
        # Somebody who shows a token is judged by it.
        assert (await service.ask("GET", "/metrics", role=Role.INVESTIGATOR)).code == "auth.role"


async def test_the_document_is_served_to_anybody(service: RunningService) -> None:
    reply = await service.ask("GET", "/openapi.json")
    assert reply.json()["openapi"].startswith("3.1")
    assert "/v1/clips" in reply.json()["paths"]


async def test_the_vocabulary_is_in_two_languages(service: RunningService) -> None:
    words = (await service.ask("GET", "/v1/vocabulary", role=Role.ADMINISTRATOR)).json()
    assert {"key": "litigation", "zh": "诉讼", "en": "litigation"} in words["purposes"]
    assert {term["key"] for term in words["roles"]} == {role.value for role in Role}
    assert words["markers"]
    assert words["speakers"]


async def test_log_lines_name_route_actor_and_code_and_hold_no_secret(service: RunningService) -> None:
    clip = await service.clip(b"logged")
    token = await service.token(Role.REVIEWER)
    with structlog.testing.capture_logs() as lines:
        opened = await service.ask(
            "POST",
            f"/v1/clips/{clip}/views",
            role=Role.REVIEWER,
            json={"purpose": "litigation", "rendition": "original"},
        )
        url = opened.json()["url"]
        await service.ask("GET", url)
        await service.ask("GET", "/v1/docks", role=Role.REVIEWER)
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["route"], line["status"], line["code"]) for line in requests] == [
        ("view_clip", 201, None),
        ("media", 200, None),
        ("list_docks", 403, "auth.role"),
    ]
    assert requests[0]["actor"].startswith("staff:")
    written = json.dumps(lines, default=str)
    for secret in (token, secret_of(token), url, secret_of(url)):
        assert secret not in written


async def test_an_unforeseen_error_is_logged_whole_and_shown_as_nothing(service: RunningService) -> None:
    async with service.services.pool.acquire() as conn:
        await conn.execute("ALTER TABLE dock RENAME TO dock_away")
    with structlog.testing.capture_logs() as lines:
        reply = await service.ask("GET", "/v1/docks", role=Role.AUDITOR)
    assert (reply.status, reply.code) == (500, "internal")
    assert "dock" not in reply.json()["detail"]
    (unforeseen,) = [line for line in lines if line["event"] == "unforeseen"]
    assert unforeseen["request_id"] == reply.headers["X-Request-Id"]
    assert unforeseen["exc_info"]
