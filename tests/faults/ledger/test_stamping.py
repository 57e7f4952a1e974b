"""Failures on the way of a time stamp: every call in two broken forms, every false answer; then a clean audit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from api.timestamps import HttpStampTransport, open_stamp_transport
from evidence.audit.house import audit_house
from evidence.custody.timestamps import TimestampBook
from evidence.db.pool import Pool, connect
from ledger.findings import Finding, Severity
from ledger.stamping import LastStamp, Stamp, Stamping, StampingSettings, StampRecord
from ledger.timestamp.certificate import parse_roots
from ledger.timestamp.response import RESPONSE_BYTES_MAX
from ledger.timestamp.stamp import Authority
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.small_house import SmallHouse, open_small_house
from tests.support.time_authority import Stamper, TimeAuthority, make_stamper

INTERVAL = timedelta(hours=1)


@dataclass
class Stage:
    """A small house, one authority, and a stamping that moves step by step."""

    house: SmallHouse
    authority: TimeAuthority
    transport: HttpStampTransport
    record: StampRecord
    stamping: Stamping = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    @property
    def known(self) -> Authority:
        """The authority as an operator knows it."""
        return Authority(name="eins", url=self.authority.url, roots=parse_roots(self.authority.stamper.root.pem))

    def restart(self) -> None:
        """Forget everything that is not on record."""
        settings = StampingSettings(interval_seconds=INTERVAL.total_seconds(), request_seconds=5, retry_seconds=10)
        self.stamping = Stamping((self.known,), self.transport, self.record, clock=self.house.clock, settings=settings)

    async def step(self) -> float:
        """Try once."""
        return await self.stamping.step(self.known)

    async def grow(self) -> None:
        """Put one more entry on record, and publish."""
        await self.house.write("audit.completed", "log", {"size": 1, "root": "00" * 32, "findings": {}})
        await self.house.publish()

    async def sizes(self) -> list[int]:
        """Return the sizes of the checkpoints that are stamped."""
        await self.house.publish()
        rows = await self.house.pool.fetch("SELECT size FROM log_timestamp ORDER BY recorded_at")
        return [row["size"] for row in rows]

    async def audit(self) -> list[Finding]:
        """Return what the audit has against the house."""
        await self.house.publish()
        house, conn = self.house, await connect(self.house.dsn)
        try:
            stream = audit_house(conn, storage=house.storage, objects=house.objects, log=house.signer.verifier)
            return [found async for found in stream if found.severity is Severity.ERROR]
        finally:
            await conn.close()


@dataclass
class BrokenBook:
    """The real book, whose next write is lost, or done and not reported."""

    book: TimestampBook
    fails: str | None = None

    async def last(self, authority: str) -> LastStamp | None:
        return await self.book.last(authority)

    async def wanted(self, *, after_size: int) -> bytes | None:
        return await self.book.wanted(after_size=after_size)

    async def keep(self, stamp: Stamp) -> None:
        fails, self.fails = self.fails, None
        if fails == "not done":
            raise ConnectionResetError("the database went away before the commit")
        await self.book.keep(stamp)
        if fails == "not reported":
            raise ConnectionResetError("the database went away after the commit")


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> Stamper:
    """An honest authority."""
    return make_stamper(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
async def stage(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy, stamper: Stamper
) -> AsyncIterator[Stage]:
    """A house that was never stamped."""
    async with (
        open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as house,
        open_stamp_transport() as transport,
    ):
        with TimeAuthority(stamper) as authority:
            yield Stage(house, authority, transport, BrokenBook(TimestampBook(pool, clock, entropy)))


async def retry_same(stage: Stage) -> None:
    """Nothing changes before the next try."""


async def retry_different(stage: Stage) -> None:
    """The log has grown before the next try."""
    await stage.grow()


async def restart(stage: Stage) -> None:
    """The process ends and another one takes over."""
    stage.restart()


RETRIES: list[Callable[[Stage], Awaitable[None]]] = [retry_same, retry_different, restart]


@pytest.mark.parametrize("meanwhile", RETRIES)
@pytest.mark.parametrize("broken", ["refused", "unavailable", "not reported", "slow"])
async def test_an_authority_that_fails_is_asked_again(
    stage: Stage, broken: str, meanwhile: Callable[[Stage], Awaitable[None]]
) -> None:
    authority = stage.authority
    match broken:
        case "refused":
            authority.misbehave = lambda _request, _answer: bytes.fromhex("30053003020102")
        case "unavailable":
            authority.status = 503
        case "not reported":
            authority.is_deaf = True
        case _:
            authority.delay_seconds = 0.5
            stage.stamping = Stamping(
                (stage.known,),
                stage.transport,
                stage.record,
                clock=stage.house.clock,
                settings=StampingSettings(request_seconds=0.1, retry_seconds=10),
            )
    assert [await stage.step(), await stage.step(), await stage.step()] == [10, 20, 40]
    assert await stage.sizes() == []
    (report,) = stage.stamping.reports
    assert (report.failures, bool(report.error)) == (3, True)
    authority.misbehave, authority.status, authority.is_deaf, authority.delay_seconds = None, 200, False, 0.0
    await meanwhile(stage)
    stage.restart()
    await stage.step()
    (size,) = await stage.sizes()
    assert size >= 1
    assert stage.stamping.reports[0].error is None
    assert await stage.audit() == []


@pytest.mark.parametrize("meanwhile", RETRIES)
@pytest.mark.parametrize("broken", ["not done", "not reported"])
async def test_a_stamp_is_on_record_once_whatever_the_database_says(
    stage: Stage, broken: str, meanwhile: Callable[[Stage], Awaitable[None]]
) -> None:
    assert isinstance(stage.record, BrokenBook)
    stage.record.fails = broken
    with pytest.raises(ConnectionResetError):
        await stage.step()
    await meanwhile(stage)
    await stage.step()
    await stage.step()
    assert len(await stage.sizes()) == 1
    assert await stage.audit() == []


FALSE_ANSWERS: dict[str, Callable[[Stamper, bytes, bytes, Path], bytes]] = {
    "of other data": lambda stamper, request, answer, folder: stamper.reply(flipped(request, 55)),
    "to another request": lambda stamper, request, answer, folder: stamper.reply(flipped(request, 65)),
    "by a stranger": lambda stamper, request, answer, folder: make_stamper(folder / "stranger").reply(request),
    "cut": lambda stamper, request, answer, folder: answer[:-7],
    "with something behind": lambda stamper, request, answer, folder: answer + b"\n",
    "huge": lambda stamper, request, answer, folder: answer + bytes(RESPONSE_BYTES_MAX),
    "a page": lambda stamper, request, answer, folder: b"<html>please log in</html>",
    "nothing": lambda stamper, request, answer, folder: b"",
}


def flipped(request: bytes, at: int) -> bytes:
    """Return a request with one other bit: at 55 in the imprint, at 65 in the nonce."""
    return request[:at] + bytes([request[at] ^ 1]) + request[at + 1 :]


@pytest.mark.parametrize("what", FALSE_ANSWERS)
async def test_an_answer_that_does_not_hold_is_never_kept(stage: Stage, tmp_path: Path, what: str) -> None:
    stage.authority.misbehave = lambda request, answer: FALSE_ANSWERS[what](
        stage.authority.stamper, request, answer, tmp_path
    )
    await stage.step()
    assert await stage.sizes() == []
    assert stage.stamping.reports[0].failures == 1


async def test_the_schedule_is_kept_over_restarts_and_an_idle_log_is_left_alone(stage: Stage) -> None:
    clock = stage.house.clock
    await stage.step()
    first = await stage.sizes()
    for _ in range(3):
        stage.restart()
        clock.advance(INTERVAL * 2)
        await stage.step()
    assert await stage.sizes() == first, "only the stamp's own entry was new"
    await stage.grow()
    await stage.step()
    assert len(await stage.sizes()) == 2
    await stage.grow()
    await stage.step()
    assert len(await stage.sizes()) == 2, "it is not time yet"
    clock.advance(-INTERVAL * 24)
    await stage.step()
    assert len(await stage.sizes()) == 3, "a clock that was set back silences nobody"


async def test_nobody_asks_who_does_not_lead(stage: Stage) -> None:
    stage.stamping = Stamping(
        (stage.known,), stage.transport, stage.record, clock=stage.house.clock, is_leading=lambda: False
    )
    await stage.step()
    assert stage.authority.requests == []


async def test_nobody_follows_an_authority_elsewhere(stage: Stage) -> None:
    async with aiohttp.ClientSession() as session:
        for status in (301, 307, 404):
            stage.authority.status = status
            with pytest.raises(ConnectionError):
                await HttpStampTransport(session).ask(stage.authority.url, b"")
