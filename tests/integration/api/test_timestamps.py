"""A service whose checkpoints are stamped by authorities: on record, without a loop, complaints in the open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.errors import ConfigInvalid
from api.tasks import audit_all, verify_clips
from api.timestamps import read_authorities
from evidence.custody.timestamp_store import timestamps_covering
from evidence.parties.roles import Role
from ledger.findings import Severity
from ledger.timestamp.certificate import parse_roots
from ledger.timestamp.stamp import check_stamp
from tests.support.service import RunningService, config_for, running_service
from tests.support.time_authority import TimeAuthority, authorities_file, make_stamper


@dataclass
class Stamped:
    """A service with two authorities."""

    service: RunningService
    first: TimeAuthority
    second: TimeAuthority

    async def rows(self, authority: str | None = None) -> int:
        """Count stamps on record."""
        query = "SELECT count(*) FROM log_timestamp WHERE $1::text IS NULL OR authority = $1"
        found: int = await self.service.services.pool.fetchval(query, authority)
        return found

    async def wait_for(self, count: int, authority: str | None = None) -> None:
        """Wait until so many stamps are on record."""
        async with asyncio.timeout(30):
            while await self.rows(authority) < count:
                await asyncio.sleep(0.05)

    async def readiness(self) -> tuple[int, str, bool]:
        """Return the status of /readyz, and what it says of authorities."""
        reply = await self.service.ask("GET", "/readyz")
        check = next(one for one in reply.json()["checks"] if one["name"] == "timestamps")
        return reply.status, check["detail"], check["ok"]

    async def metrics(self) -> str:
        """Return the metrics."""
        return (await self.service.ask("GET", "/metrics", role=Role.AUDITOR)).body.decode()

    async def settle(self) -> None:
        """Wait until nothing is left that could be worth a stamp."""
        async with asyncio.timeout(30):
            while True:
                before = await self.rows()
                await asyncio.sleep(2 * INTERVAL_SECONDS)
                if await self.rows() == before:
                    return


INTERVAL_SECONDS = 1.0


@pytest.fixture
async def stamped(database: str, tmp_path: Path) -> AsyncIterator[Stamped]:
    """The service, asking every second."""
    async with AsyncExitStack() as stack:
        first, second = (
            stack.enter_context(TimeAuthority(make_stamper(tmp_path / name, name=name))) for name in ("eins", "zwei")
        )
        path = authorities_file(tmp_path / "authorities.toml", eins=first, zwei=second)
        config = config_for(
            database,
            tmp_path / "data",
            timestamp_authorities=path,
            timestamp_seconds=INTERVAL_SECONDS,
            run_worker=False,
        )
        service = await stack.enter_async_context(running_service(config))
        yield Stamped(service, first, second)


async def test_every_authority_stamps_what_is_published_and_an_idle_log_is_left_alone(stamped: Stamped) -> None:
    await stamped.wait_for(1, "eins")
    await stamped.wait_for(1, "zwei")
    clip = await stamped.service.clip(b"footage")
    await stamped.settle()
    services = stamped.service.services
    async with services.pool.acquire() as conn:
        index: int = await conn.fetchval(
            "SELECT index FROM ledger_leaf JOIN clip USING (entry_id) WHERE clip = $1", clip
        )
        covering = await timestamps_covering(conn, index)
        note: bytes = await conn.fetchval("SELECT note FROM ledger_publication WHERE size = $1", covering[0].size)
    assert [row.authority for row in covering] == ["eins", "zwei"]
    assert {row.checkpoint for row in covering} == {note}
    for row, authority in zip(covering, (stamped.first, stamped.second), strict=True):
        roots = parse_roots(authority.stamper.root.pem)
        assert check_stamp(row.response, data=row.checkpoint, roots=roots).at == row.stamped_at
        assert authority.stamper.second_opinion(row.response, note)
    asked = len(stamped.first.requests)
    await asyncio.sleep(2 * INTERVAL_SECONDS)
    assert len(stamped.first.requests) == asked
    metrics = await stamped.metrics()
    assert 'shilu_timestamp_age_seconds{authority="eins"}' in metrics
    assert 'shilu_clock_offset_seconds{source="zwei"}' in metrics
    assert await stamped.readiness() == (200, "every authority stamps", True)
    audited = await audit_all(services, since=None, put_on_record=False, say=lambda _: None)
    assert [one for one in audited.findings if one.severity is not Severity.OK] == []
    (verified,) = [one async for one in verify_clips(services, [clip], advance=lambda *_: None)]
    times = [one.details["authority"] for one in verified.findings if one.code == "met.time"]
    assert times == ["eins", "zwei"]


@pytest.mark.parametrize("answer", [b"", b"<html>please log in</html>", bytes.fromhex("30053003020102")])
async def test_what_is_no_stamp_is_not_kept_and_the_other_authority_goes_on(stamped: Stamped, answer: bytes) -> None:
    await stamped.settle()
    kept = await stamped.rows("eins")
    stamped.first.misbehave = lambda _request, _answer: answer
    await stamped.service.clip(b"footage")
    await stamped.wait_for(await stamped.rows("zwei") + 1, "zwei")
    async with asyncio.timeout(20):
        while (await stamped.readiness())[2]:
            await asyncio.sleep(0.05)
    status, detail, ok = await stamped.readiness()
    assert (status, ok) == (200, False)
    assert detail.startswith("eins: ")
    assert await stamped.rows("eins") == kept
    assert 'shilu_timestamp_failing{authority="eins"' in await stamped.metrics()
    stamped.first.misbehave = None
    await stamped.wait_for(kept + 1, "eins")
    assert await stamped.readiness() == (200, "every authority stamps", True)


def test_a_file_of_authorities_that_is_not_usable_says_why(tmp_path: Path) -> None:
    stamper = make_stamper(tmp_path / "tsa")
    (tmp_path / "none.pem").write_text("nothing")
    good = f'[[authority]]\nname = "a"\nurl = "http://127.0.0.1/tsr"\nroots = "{stamper.roots}"\n'
    path = tmp_path / "authorities.toml"
    path.write_text(good + 'policy = "1.2.3"\n' + good.replace('"a"', '"b-2"'))
    assert [(one.name, one.policy) for one in read_authorities(path)] == [("a", "1.2.3"), ("b-2", None)]
    hostile = [
        "",
        "authority = 1",
        "[[authority]]",
        "not toml",
        good + good,
        good * 17,
        good.replace('"a"', '"A"'),
        good.replace('"a"', '"../x"'),
        good.replace('"a"', "7"),
        good.replace("http:", "file:"),
        good.replace(str(stamper.roots), "none.pem"),
        good.replace(str(stamper.roots), "missing.pem"),
        good + 'policy = "timestamps"\n',
        good + "proxy = 1\n",
        good + "[other]\n",
    ]
    for text in hostile:
        path.write_text(text)
        with pytest.raises(ConfigInvalid):
            read_authorities(path)
    with pytest.raises(ConfigInvalid):
        read_authorities(tmp_path / "missing.toml")
    assert read_authorities(None) == ()
