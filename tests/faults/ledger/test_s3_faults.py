"""A fault at every request of a term whose log is published in S3: cut before it took effect, or after.

The client does not try again by itself here, so that every request's fault reaches the leader.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiobotocore.session import get_session

from ledger import store
from ledger.audit import audit_ledger
from ledger.checkpoint import open_checkpoint
from ledger.errors import CodedError
from ledger.publish import CHECKPOINT_PATH
from ledger.publish_s3 import open_s3_log
from ledger.s3_place import S3Place, S3Settings
from tests.support.ledger import EAGER, TestLog
from tests.support.s3_server import S3Server, Strike, s3_server

BATCHES = replace(EAGER, batch_entries_max=300)
ONCE = S3Settings(tries=1, concurrency=1)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture
async def place(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Place:
    """An empty bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server.reset()
    made = S3Place(bucket=f"matrix-{secrets.token_hex(6)}", prefix="log", endpoint=server.url, region="us-east-1")
    async with get_session().create_client("s3", endpoint_url=server.url, region_name="us-east-1") as s3:
        await s3.create_bucket(Bucket=made.bucket)
    return made


async def struck_term(log: TestLog, place: S3Place, server: S3Server, session: Any, at: int, strike: Strike) -> bool:
    """Run a term whose request of this number fails; tell whether there were so many."""
    server.seen.clear()
    server.strike_at(at, strike)
    async with open_s3_log(place, ONCE, session=session) as storage:
        sequencer = log.sequencer(BATCHES, storage=storage)
        await log.vacant()
        try:
            await sequencer.recover()
            while await sequencer.step():
                pass
        except (CodedError, *store.DATABASE_ERRORS):
            assert len(server.seen) > at, "nothing fails by itself"
        finally:
            await sequencer.close()
    is_struck = len(server.seen) > at
    server.reset()
    return is_struck


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("strike", "stride"),
    [
        pytest.param(Strike.CUT_AFTER, 5, id="unreported, some requests"),
        pytest.param(Strike.CUT_BEFORE, 1, id="not done", marks=pytest.mark.slow),
        pytest.param(Strike.CUT_AFTER, 1, id="unreported", marks=pytest.mark.slow),
    ],
)
async def test_a_fault_at_any_request_changes_nothing(
    log: TestLog, place: S3Place, server: S3Server, strike: Strike, stride: int
) -> None:
    session, appended, at = get_session(), len(await log.append(230)), 0
    seen: list[tuple[int, bytes]] = []
    is_struck = True
    while is_struck:
        appended += len(await log.append(29))
        is_struck = await struck_term(log, place, server, session, at, strike)
        told = await store.published_size(log.conn)
        appended += len(await log.append(at % 2))
        async with open_s3_log(place, ONCE, session=session) as storage:
            if told:
                note = await storage.get(CHECKPOINT_PATH)
                assert note is not None
                assert open_checkpoint(note, log.signer.verifier).size >= told
            await log.sequence(BATCHES, storage=storage)
            note = await storage.get(CHECKPOINT_PATH)
            assert note is not None
            shown = open_checkpoint(note, log.signer.verifier)
            assert (shown.size, shown.root) == (appended, (await log.model()).root())
            seen.append((shown.size, shown.root))
        at += stride
    assert at > 10, "a term makes many requests"
    model = await log.model()
    assert all(root == model.root(size) for size, root in seen)
    async with open_s3_log(place, ONCE, session=session) as storage:
        findings = [one async for one in audit_ledger(log.conn, storage, log=log.signer.verifier)]
    assert [one.code for one in findings] == ["log.audited"]
