"""The audit of times and time stamps over a real house: honest ones are clean, each tampering is named by one code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence.audit.timestamps import StampRules
from evidence.custody.timestamps import TimestampBook
from evidence.db.pool import Pool
from ledger.audit_times import TimeRules
from ledger.canonical import JsonObject
from ledger.findings import Severity
from ledger.publish import stored_checkpoint
from ledger.stamping import Stamp
from ledger.timestamp.certificate import parse_roots
from ledger.timestamp.stamp import make_request, open_stamp
from tests.support.auditing import audited
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.small_house import SmallHouse, open_small_house, superuser
from tests.support.time_authority import Stamper, make_stamper


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> Stamper:
    """An honest authority."""
    return make_stamper(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
async def present(
    pool: Pool, database: str, tmp_path: Path, entropy: SeededEntropy, stamper: Stamper
) -> AsyncIterator[SmallHouse]:
    """A house of today, stamped."""
    clock = SteppingClock(datetime.now(UTC))
    async with open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as house:
        note = await house.reader.checkpoint()
        await keep(house, stamper, note=note)
        await house.publish()
        yield house


async def keep(house: SmallHouse, stamper: Stamper, *, note: bytes, response: bytes | None = None) -> None:
    """Put a stamp on record."""
    honest = stamper.reply(make_request(note)[0])
    checkpoint = stored_checkpoint(note)
    stamp = Stamp(
        authority="eins",
        size=checkpoint.size,
        root=checkpoint.root,
        checkpoint=note,
        response=response or honest,
        said=open_stamp(honest, data=note),
    )
    await TimestampBook(house.pool, house.clock, house.entropy).keep(stamp)


async def judged(house: SmallHouse, stamper: Stamper | None, *, now: datetime | None = None) -> dict[str, str]:
    """Audit with times; return what is wrong, code -> subject."""
    roots = None if stamper is None else {"eins": parse_roots(stamper.root.pem)}
    found = await audited(
        house,
        times=TimeRules(now=now or datetime.now(UTC)),
        stamps=StampRules(roots=roots, tolerance_seconds=300),
    )
    return {one.code: one.subject for one in found if one.severity is not Severity.OK}


async def test_an_honest_house_is_clean_with_roots_and_without(present: SmallHouse, stamper: Stamper) -> None:
    assert await judged(present, stamper) == {}
    assert await judged(present, None) == {}


NEWEST = "WHERE size = (SELECT max(size) FROM ledger_checkpoint)"
SECOND = "WHERE size = (SELECT size FROM ledger_publication ORDER BY size OFFSET 1 LIMIT 1)"
THIRD_ENTRY = "WHERE entry_id = (SELECT entry_id FROM ledger_leaf WHERE index = 3)"
HOURS = "interval '2 hours'"

ATTACKS: dict[str, tuple[str, str]] = {
    "a row's time": (
        f"UPDATE ledger_entry SET appended_at = appended_at - {HOURS} {THIRD_ENTRY}",
        "log.entry_misdated",
    ),
    "a signature dated ahead": (
        f"UPDATE ledger_checkpoint SET signed_at = signed_at + {HOURS} {NEWEST}",
        "log.clock_jumped",
    ),
    "a signature dated back": (
        f"UPDATE ledger_checkpoint SET signed_at = signed_at - {HOURS} {NEWEST}",
        "log.clock_jumped",
    ),
    "a publication dated back": (
        f"UPDATE ledger_publication SET published_at = published_at - {HOURS} {NEWEST}",
        "log.clock_jumped",
    ),
    "the first publication deleted": (
        "DELETE FROM ledger_publication WHERE size = (SELECT min(size) FROM ledger_publication)",
        "log.publication_chain",
    ),
    "a publication in between deleted": (f"DELETE FROM ledger_publication {SECOND}", "log.publication_chain"),
    "the chain cut": (f"UPDATE ledger_publication SET previous_size = NULL {NEWEST}", "log.publication_chain"),
    "a stamp deleted": ("DELETE FROM log_timestamp", "row.missing"),
    "a stamp altered": (f"UPDATE log_timestamp SET stamped_at = stamped_at - {HOURS}", "row.altered"),
}


@pytest.mark.parametrize("what", ATTACKS)
async def test_a_superusers_touch_is_named(present: SmallHouse, stamper: Stamper, what: str) -> None:
    statement, code = ATTACKS[what]
    async with superuser(present.dsn) as conn:
        done = await conn.execute(statement)
    assert done.endswith(" 1")
    assert code in await judged(present, stamper)


async def test_an_entry_dated_back_by_the_services_clock_is_named(present: SmallHouse, stamper: Stamper) -> None:
    await present.publish()
    true, present.clock.now = present.clock.now, datetime(2026, 1, 1, tzinfo=UTC)
    payload: JsonObject = {"size": 1, "root": "00" * 32, "findings": {}}
    await present.write("audit.completed", "log", payload)
    present.clock.now = true
    await present.publish()
    assert set(await judged(present, stamper)) == {"log.entry_misdated"}


async def test_a_clock_that_disagrees_with_the_authority_is_named(present: SmallHouse, stamper: Stamper) -> None:
    present.clock.now = datetime(2026, 1, 1, tzinfo=UTC)
    await keep(present, stamper, note=await present.reader.checkpoint())
    await present.publish()
    assert "timestamp.clock_differs" in await judged(present, stamper)


FORGED: dict[str, Callable[[SmallHouse, Stamper, bytes, Path], bytes]] = {
    "of other data": lambda house, stamper, note, folder: stamper.reply(make_request(b"x")[0]),
    "by a stranger": lambda house, stamper, note, folder: make_stamper(folder / "stranger").reply(
        make_request(note)[0]
    ),
    "no stamp": lambda house, stamper, note, folder: b"x",
}


@pytest.mark.parametrize("what", FORGED)
async def test_a_false_stamp_that_was_put_on_record_is_named(
    present: SmallHouse, stamper: Stamper, tmp_path: Path, what: str
) -> None:
    note = await present.reader.checkpoint()
    await keep(present, stamper, note=note, response=FORGED[what](present, stamper, note, tmp_path))
    await present.publish()
    assert set(await judged(present, stamper)) == {"timestamp.false"}


async def test_a_record_that_states_something_else_than_its_stamp_is_named(
    present: SmallHouse, stamper: Stamper
) -> None:
    note = await present.reader.checkpoint()
    checkpoint = stored_checkpoint(note)
    honest = stamper.reply(make_request(note)[0])
    stamp = Stamp(
        authority="eins",
        size=checkpoint.size - 1,
        root=checkpoint.root,
        checkpoint=note,
        response=honest,
        said=open_stamp(honest, data=note),
    )
    await TimestampBook(present.pool, present.clock, present.entropy).keep(stamp)
    await present.publish()
    assert set(await judged(present, stamper)) == {"timestamp.disagrees"}


async def test_an_authority_that_is_not_configured_any_more_is_a_warning(present: SmallHouse, stamper: Stamper) -> None:
    found = await audited(present, stamps=StampRules(roots={"zwei": parse_roots(stamper.root.pem)}))
    assert [(one.code, one.severity) for one in found if one.severity is not Severity.OK] == [
        ("timestamp.unjudged", Severity.WARNING)
    ]
