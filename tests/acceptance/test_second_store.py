"""A house with a second store: sealed here, copied there, cleared on a recorder with both, read when one is gone."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.config import load_config
from api.errors import ConfigInvalid
from api.services import open_services
from api.tasks import audit_all
from dockstation.config import StateFolder
from dockstation.errors import ReceiptRefused
from dockstation.identity import Enrolment
from dockstation.journal import FileRow, State
from dockstation.log_trust import LogTrust
from dockstation.receipts import check_clip_receipt
from evidence.core.wire.copied import split_receipts
from evidence.errors import ObjectStoreUnsuitable
from evidence.parties.roles import Role
from ledger.findings import Severity
from tests.support.dock_journal import CLIP, UPLOAD, listed
from tests.support.parties import PaperDock
from tests.support.s3_bucket import Bucket, make_bucket
from tests.support.s3_server import S3Server, Strike
from tests.support.service import Reply, RunningService, config_for, digest_of, running_service

DATA = b"footage of a night" * 100


def with_second(bucket: Bucket, **more: object) -> dict[str, Any]:
    return {
        "objects_second": str(bucket.place),
        "objects_second_endpoint": bucket.place.endpoint,
        "objects_second_region": bucket.place.region,
        "objects_second_retention_days": 3650,
        **more,
    }


def receipted(reply: Reply, service: RunningService, dock: PaperDock, data: bytes, path: str) -> None:
    """Check an answer as a dock does that has read those bytes.

    Raises:
        ReceiptRefused: A dock would not clear.
    """
    digest = digest_of(data)
    row = FileRow(
        id=1,
        dock=dock.dock,
        recorder=dock.recorder,
        seen=listed(path, size=len(data)).seen,
        order=0,
        key_mark=False,
        state=State.UPLOADED,
        inventory=CLIP,
        upload=UPLOAD,
        offset_bytes=len(data),
        prefix=None,
        read_identity=None,
        root=digest.root,
        sha256=digest.sha256,
        clip=None,
        entry=None,
        trouble=None,
        verified_at=None,
        clearing_root=None,
    )
    verifier = service.services.log_verifier
    enrolment = Enrolment(dock.dock, "n", service.url, verifier.name, verifier, "")
    check_clip_receipt(reply.body, row=row, trust=LogTrust(StateFolder(Path("no state folder")), enrolment))


async def asked_again(service: RunningService, dock: PaperDock, clip: str) -> Reply:
    """Ask for a receipt until it is there."""
    async with asyncio.timeout(30):
        while (reply := await service.ask("GET", f"/v1/clips/{clip}/receipt", dock=dock)).status == 202:
            await asyncio.sleep(0.05)
    return reply


async def second_copies(service: RunningService) -> dict[str, Any]:
    """Return what /readyz says of copying."""
    checks = (await service.ask("GET", "/readyz")).json()["checks"]
    return next(check for check in checks if check["name"] == "second copies")


async def findings(service: RunningService) -> dict[str, int]:
    audited = await audit_all(service.services, since=None, put_on_record=False, say=lambda _: None)
    return audited.counts()


@pytest.mark.timeout(180)
async def test_a_recorder_is_cleared_when_the_copy_is_provable_and_not_before(
    database: str, tmp_path: Path, bucket: Bucket
) -> None:
    config = config_for(
        database, tmp_path / "data", **with_second(bucket, receipt_requires_second_copy=True, receipt_wait_seconds=0.2)
    )
    async with running_service(config) as service:
        dock = await service.dock()
        bucket.server.strike(f"/{bucket.place.bucket}", Strike.DENIED, times=100_000)
        reply = await service.seal(DATA, path="DCIM/1.mp4", dock=dock)
        assert reply.status == 202, "sealed and provable, and not copied"
        clip = reply.json()["clip"]
        await asyncio.sleep(0.5)
        assert (await service.ask("GET", f"/v1/clips/{clip}/receipt", dock=dock)).status == 202
        person = await service.ask("GET", f"/v1/clips/{clip}/receipt", role=Role.INVESTIGATOR)
        assert person.status == 200, "people prove the seal itself"
        with pytest.raises(ReceiptRefused, match="no receipt of one came"):
            receipted(person, service, dock, DATA, "DCIM/1.mp4")
        async with asyncio.timeout(20):
            while (state := await second_copies(service))["ok"]:
                await asyncio.sleep(0.05)
        assert (state["detail"], state["required"]) == ("object.store_unreachable", False)
        metrics = (await service.ask("GET", "/metrics", role=Role.ADMINISTRATOR)).body.decode()
        assert "shilu_copies_waiting 1.0" in metrics
        assert "shilu_copies_failing 1.0" in metrics
        bucket.server.reset()
        reply = await asked_again(service, dock, clip)
        receipted(reply, service, dock, DATA, "DCIM/1.mp4")
        seal, copy = split_receipts(reply.body)
        assert copy is not None
        assert seal.entry == split_receipts(person.body)[0].entry
        assert await findings(service) == {}


@pytest.mark.timeout(180)
async def test_what_is_gone_here_is_read_from_there_and_stays_a_finding(
    database: str, tmp_path: Path, bucket: Bucket
) -> None:
    config = config_for(database, tmp_path / "data", **with_second(bucket))
    async with running_service(config) as service:
        clip = await service.clip(DATA, path="DCIM/1.mp4")
        made = await service.derive(clip, b"a proxy")
        name = hashlib.sha256(DATA).hexdigest()
        async with asyncio.timeout(20):
            while not await service.services.pool.fetchval("SELECT count(*) > 1 FROM clip_copy"):
                await asyncio.sleep(0.05)
        assert await findings(service) == {}
        service.services.local.open_path(name).unlink()
        asked = await service.ask(
            "POST",
            f"/v1/clips/{clip}/views",
            role=Role.INVESTIGATOR,
            json={"rendition": "original", "purpose": "legal_review"},
        )
        assert asked.status == 201, asked
        shown = await service.ask("GET", asked.json()["url"].removeprefix(service.url), headers={"Range": "bytes=8-20"})
        assert (shown.status, shown.body) == (206, DATA[8:21])
        assert await findings(service) == {"object.missing": 1}
        service.services.local.open_path(made).unlink()
        audited = await audit_all(service.services, since=None, put_on_record=False, say=lambda _: None)
        named = sorted(one.code for one in audited.findings if one.severity is not Severity.OK)
        assert named == ["object.elsewhere", "object.missing"], "made again, or by a worker elsewhere: no error"
        bucket.delete(name)
        assert await findings(service) == {"object.missing": 1, "copy.missing": 1}


LONG = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range((5 << 20) // 32 + 9))
"""Five chunks and a bit."""


@pytest.mark.timeout(180)
async def test_ranges_of_an_original_that_is_away_are_fetched_and_proved_piece_by_piece(
    database: str, tmp_path: Path, bucket: Bucket
) -> None:
    async with running_service(config_for(database, tmp_path / "data", **with_second(bucket))) as service:
        clip = await service.clip(LONG, path="DCIM/1.mp4")
        name = hashlib.sha256(LONG).hexdigest()
        async with asyncio.timeout(20):
            while not await service.services.pool.fetchval("SELECT count(*) > 0 FROM clip_copy"):
                await asyncio.sleep(0.05)
        service.services.local.open_path(name).unlink()
        body = {"rendition": "original", "purpose": "legal_review"}
        asked = await service.ask("POST", f"/v1/clips/{clip}/views", role=Role.INVESTIGATOR, json=body)
        url = asked.json()["url"].removeprefix(service.url)

        async def shown(start: int, stop: int) -> Reply:
            return await service.ask("GET", url, headers={"Range": f"bytes={start}-{stop - 1}"})

        async def no_answer(start: int) -> Reply:
            return await service.ask("GET", url, headers={"Range": f"bytes={start}-"})

        def gets() -> int:
            return sum(line.startswith("GET") and name in line for line in bucket.server.seen)

        for start, stop, requests in ((0, 10, 1), (1_048_570, 1_048_580, 2), (3_000_000, len(LONG), 2)):
            bucket.server.seen.clear()
            reply = await shown(start, stop)
            assert (reply.status, reply.body) == (206, LONG[start:stop])
            assert gets() == requests
        assert (await service.ask("GET", url)).body == LONG
        assert not list(service.services.folders.fetched.iterdir()), "nothing was brought here whole"
        bucket.server.strike(f"GET /{bucket.place.bucket}/{bucket.key(name)}", Strike.FLIPPED)
        reply = await shown(5, 10)
        assert (reply.status, reply.code) == (500, "object.damaged")
        bucket.server.strike(f"GET /{bucket.place.bucket}/{bucket.key(name)}", Strike.DENIED)
        reply = await shown(5, 10)
        assert (reply.status, reply.code) == (503, "object.store_unreachable")
        bucket.server.spared, bucket.server.strikes[:] = 1, [("", Strike.FLIPPED)]
        with pytest.raises(aiohttp.ClientError):
            await no_answer(0)
        await service.services.pool.execute("UPDATE clip_leaves SET leaves = $1", b"\0" * 32 * 6)
        assert (await shown(5, 10)).body == LONG[5:10], "leaves that prove nothing: fetched whole and compared"
        assert [path.name for path in service.services.folders.fetched.iterdir()] == [name]


async def test_a_bucket_that_keeps_no_lock_ends_the_start_unless_none_is_meant(
    database: str, tmp_path: Path, running: S3Server, session: Any, bucket: Bucket
) -> None:
    plain = make_bucket(running, session, locks=False)
    with pytest.raises(ObjectStoreUnsuitable, match="Object Lock"):
        async with open_services(config_for(database, tmp_path / "data", **with_second(plain))):
            raise AssertionError("it started")
    meant = with_second(plain, objects_second_retention_days=0)
    async with open_services(config_for(database, tmp_path / "data", **meant)) as services:
        assert services.second is not None


async def test_a_second_store_that_is_away_keeps_nobody_from_starting(
    database: str, tmp_path: Path, bucket: Bucket
) -> None:
    away = with_second(bucket, objects_second_endpoint="http://127.0.0.1:9")
    async with running_service(config_for(database, tmp_path / "data", **away)) as service:
        assert (await service.seal(DATA, path="DCIM/1.mp4")).status in (200, 201)
        assert (await service.ask("GET", "/readyz")).json()["ready"]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"objects_second": "s3://bucket/a"}, "retention_days"),
        ({"receipt_requires_second_copy": True}, "needs objects_second"),
        ({"objects_second": "bucket", "objects_second_retention_days": 1}, "objects_second"),
        ({"objects_second": "s3://bucket", "objects_second_retention_days": -1}, "retention_days"),
    ],
)
def test_half_a_configuration_is_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigInvalid, match=match):
        load_config(**settings)


@pytest.mark.timeout(180)
async def test_the_command_puts_back_what_is_damaged_and_the_audit_is_clean_again(
    database: str, tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = with_second(bucket)
    async with running_service(config_for(database, tmp_path / "data", **settings)) as service:
        await service.clip(DATA, path="DCIM/1.mp4")
        async with asyncio.timeout(20):
            while not await service.services.pool.fetchval("SELECT count(*) > 0 FROM clip_copy"):
                await asyncio.sleep(0.05)
        path = service.services.local.open_path(hashlib.sha256(DATA).hexdigest())
        path.chmod(0o644)
        path.write_bytes(b"other bytes")
        assert await findings(service) == {"object.size_differs": 1}
        words = ["repair", "--data", str(tmp_path / "data"), "--database", database, "--json"]
        # Its own loop stands in a thread beside the service's, where no signals can be heard.
        monkeypatch.setattr("api.cli.repair.run", asyncio.run)
        for name, value in settings.items():
            monkeypatch.setenv(f"SHILU_{name.upper()}", str(value))

        async def repaired(*more: str) -> tuple[int, dict[str, Any]]:
            ran = await asyncio.to_thread(CliRunner().invoke, app, [*words, *more])
            return ran.exit_code, json.loads(ran.stdout)

        code, body = await repaired("--dry-run")
        assert (code, body["whole"], body["objects"][0]["outcome"]) == (1, False, "restored")
        assert path.read_bytes() == b"other bytes"
        code, body = await repaired()
        assert (code, body["whole"]) == (0, True)
        assert (path.read_bytes(), body["objects"][0]["was"]) == (DATA, "damaged")
        assert await findings(service) == {}
        assert await repaired() == (0, {"whole": True, "dry_run": False, "objects": []})
        history = await service.ask("GET", f"/v1/clips/{body['objects'][0]['clip']}/history", role=Role.REVIEWER)
        assert "object.restored" in [item["type"] for item in history.json()["items"]]


async def test_a_house_without_a_second_store_has_nothing_to_repair_from(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.cli.repair.run", asyncio.run)
    async with open_services(config_for(database, tmp_path / "data")):
        pass
    words = ["repair", "--data", str(tmp_path / "data"), "--database", database]
    ran = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert ran.exit_code == 2
    assert "SHILU_OBJECTS_SECOND" in ran.output
