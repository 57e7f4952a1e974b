"""One log at three places, the same at each: a bucket, a folder behind a plain web server, our routes.

The service publishes to S3, is read from there by the commands that strangers use, audits it, and moves to a folder and
back: what is published comes from the rows, so a place that is new or empty is filled by the next term.
"""

from __future__ import annotations

import asyncio
import functools
import http.server
import json
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import get_session

from api.cli.exits import Exit
from api.config import load_config
from api.errors import ConfigInvalid
from api.tasks import audit_all
from ledger.publish_s3 import open_s3_log
from ledger.s3_place import S3Place
from tests.acceptance.test_commands import started
from tests.support.published_log import files_of
from tests.support.s3_server import S3Server, Strike, s3_server
from tests.support.service import RunningService, config_for, running_service


@pytest.fixture(scope="module")
def storage() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
async def place(storage: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Place:
    """A bucket that anybody may read."""
    storage.reset()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    made = S3Place(bucket=f"log-{secrets.token_hex(6)}", prefix="office/log", endpoint=storage.url, region="us-east-1")
    everybody = {"Effect": "Allow", "Principal": "*"}
    what = {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [f"arn:aws:s3:::{made.bucket}/*"]}
    async with get_session().create_client("s3", endpoint_url=storage.url, region_name="us-east-1") as s3:
        await s3.create_bucket(Bucket=made.bucket)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**everybody, **what}]})
        await s3.put_bucket_policy(Bucket=made.bucket, Policy=policy)
    return made


def in_s3(place: S3Place) -> dict[str, Any]:
    return {
        "log_store": str(place),
        "log_store_endpoint": place.endpoint,
        "log_store_region": place.region,
    }


@asynccontextmanager
async def published(database: str, data: Path, **settings: Any) -> AsyncIterator[RunningService]:
    """Run the service until all that is logged is published."""
    async with running_service(config_for(database, data, **settings)) as service:
        async with asyncio.timeout(30):
            while await service.services.pool.fetchval("SELECT count(*) FROM ledger_pending"):
                await asyncio.sleep(0.02)
            while (
                sequencer := service.services.sequencer
            ) and sequencer.status.published_size != sequencer.status.size:
                await asyncio.sleep(0.02)
            while sequencer and not sequencer.status.published_size:
                await asyncio.sleep(0.02)
        yield service


async def followed(url: str, folder: Path, vkey: str) -> dict[str, bytes]:
    """Mirror and monitor a log by command; return the copy."""
    copy, state = str(folder / "copy"), str(folder / "state")
    for words in (("mirror", url, copy), ("monitor", url, "--state", state, "--all")):
        ran = await asyncio.to_thread(started, "log", *words, "--vkey", vkey, "--once", "--json")
        assert ran.code == Exit.OK, ran
    return {path: data for path, data in files_of(folder / "copy").items() if not path.startswith(".")}


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Serve a folder as any plain web server does."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.timeout(300)
@pytest.mark.slow
async def test_bucket_folder_and_routes_give_the_same_log(database: str, tmp_path: Path, place: S3Place) -> None:
    data = tmp_path / "data"
    async with published(database, data, **in_s3(place)) as service:
        vkey = service.services.log_verifier.vkey
        for number in range(3):
            reply = await service.seal(b"footage %d" % number, path=f"DCIM/{number}.mp4")
            assert reply.status in (200, 201), reply
        await _fill(service, 300)
        bucket = await followed(f"{place.endpoint}/{place.bucket}/{place.prefix}", tmp_path / "s3", vkey)
        routes = await followed(f"{service.url}/log", tmp_path / "routes", vkey)
        audited = await audit_all(service.services, since=None, put_on_record=False, say=lambda _: None)
        assert audited.is_clean, audited.findings
        assert audited.size >= 300
        assert list(files_of(data / "log")) == [], "nothing is published to the folder"
    async with published(database, data):
        with web_server(data / "log") as url:
            folder = await followed(url, tmp_path / "folder", vkey)
    assert bucket == routes
    assert bucket == folder
    assert {path.split("/")[1] for path in bucket if path.startswith("tile/")} >= {"0", "1", "entries"}


async def _fill(service: RunningService, count: int) -> None:
    """Let the log grow until it has a full tile."""
    dock = await service.dock()
    for number in range(count):
        inventory = dock.inventory()
        async with service.session.post(
            f"{service.url}/v1/inventories",
            headers={
                "Authorization": f"Bearer {dock.token(origin=service.services.origin)}",
                "Content-Type": "text/plain; charset=utf-8",
            },
            data=dock.inventory_note(inventory),
        ) as answer:
            assert answer.status == 201, number
    assert service.services.sequencer is not None
    async with asyncio.timeout(60):
        while await service.services.pool.fetchval("SELECT count(*) FROM ledger_pending"):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)


async def test_a_changed_and_a_missing_object_are_found_by_the_audit(
    database: str, tmp_path: Path, place: S3Place
) -> None:
    async with published(database, tmp_path / "data", **in_s3(place)) as service:
        await service.seal(b"footage", path="DCIM/1.mp4")
        async with open_s3_log(place) as log:
            names = sorted([path async for path in log.paths() if path.startswith("tile/0/")])
        async with get_session().create_client("s3", endpoint_url=place.endpoint, region_name="us-east-1") as s3:
            newest = max(names, key=lambda name: int(name.rpartition("/")[2]))
            kept = (await s3.get_object(Bucket=place.bucket, Key=place.key(newest)))["Body"]
            raw = bytearray(await kept.read())
            raw[0] ^= 1
            await s3.put_object(Bucket=place.bucket, Key=place.key(newest), Body=bytes(raw))
            altered = await audit_all(service.services, since=None, put_on_record=False, say=lambda _: None)
            await s3.delete_object(Bucket=place.bucket, Key=place.key(newest))
            missing = await audit_all(service.services, since=None, put_on_record=False, say=lambda _: None)
    assert set(altered.counts()) == {"log.tile_altered"}
    assert set(missing.counts()) == {"log.tile_missing"}


@pytest.mark.timeout(120)
async def test_a_storage_that_is_away_is_said_and_survived(
    database: str, tmp_path: Path, place: S3Place, storage: S3Server
) -> None:
    async with published(database, tmp_path / "data", **in_s3(place), receipt_wait_seconds=0.1) as service:
        storage.strike("/", Strike.DENIED, times=10_000)
        reply = await service.seal(b"footage", path="DCIM/1.mp4")
        assert reply.status == 202, "sealed and safe, not provable yet"
        sequencer = service.services.sequencer
        assert sequencer is not None
        async with asyncio.timeout(20):
            while sequencer.status.error is None:
                await asyncio.sleep(0.02)
        assert sequencer.status.error.startswith("ledger.storage_unreachable")
        for path in ("/log/checkpoint", "/log/tile/0/000.p/1"):
            reply = await service.ask("GET", path)
            assert reply.code == "ledger.storage_unreachable"
            assert place.bucket.encode() not in reply.body, "the address is nobody's business"
        storage.reset()
        async with asyncio.timeout(20):
            while sequencer.status.error or sequencer.status.published_size != sequencer.status.size:
                await asyncio.sleep(0.02)
        audited = await audit_all(service.services, since=None, put_on_record=False, say=lambda _: None)
        assert audited.is_clean, audited.findings


@pytest.mark.parametrize("store", ["s3:/b", "Folder", "s3://", "s3://B", "http://b", "", "s3://abc/../d", "s3://abc\n"])
def test_what_is_no_store_is_refused(store: str) -> None:
    with pytest.raises(ConfigInvalid, match="log_store"):
        load_config(log_store=store)
