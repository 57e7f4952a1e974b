"""Publications on record: every step, every refusal, what the public sees of it, and what an audit says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from evidence.calendar.workdays import CHINA
from evidence.db.pool import Pool
from evidence.parties.errors import NameInvalid
from evidence.publicity import records
from evidence.publicity.errors import (
    PublicationIncomplete,
    PublicationNotReady,
    PublicationRevealing,
    PublicationSamePerson,
    PublicationStale,
    PublicationUndecided,
    PublicationUnknown,
)
from evidence.publicity.public import PublicView, public_view
from evidence.publicity.public_store import public_issues, registers_on
from evidence.publicity.standing import State, last_public_day
from ledger.errors import CodedError
from tests.support.auditing import differences
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.publicity import BRIEF, REGISTER, WRITER, Press
from tests.support.retention import APPROVER, let_in
from tests.support.small_house import open_small_house

DAY = timedelta(days=1)


@pytest.fixture
def press(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> Press:
    """Two people with the test's database."""
    return Press(pool=pool, clock=clock, entropy=entropy)


async def seen(press: Press, publication: UUID, *, today: date | None = None, on: date | None = None) -> PublicView:
    async with press.pool.acquire() as conn:
        return await public_view(conn, publication, today=today or _today(press), on=on)


def _today(press: Press) -> date:
    return press.clock.now.astimezone(CHINA).date()


async def state_of(press: Press, publication: UUID) -> State:
    async with press.pool.acquire() as conn:
        return (await records.publication_of(conn, publication)).state


async def refused(error: type[CodedError], work: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(error):
        await work()


async def test_a_publication_goes_its_way_and_no_step_is_left_out(press: Press) -> None:
    made = await press.draft()
    assert await state_of(press, made) is State.SCANNED
    await refused(PublicationUnknown, lambda: seen(press, made))
    await refused(PublicationNotReady, lambda: press.publish(made))
    await refused(PublicationSamePerson, lambda: press.approve(made, actor=WRITER))
    await refused(PublicationNotReady, lambda: press.withdraw(made))
    await press.approve(made)
    await refused(PublicationUnknown, lambda: seen(press, made))
    await refused(PublicationNotReady, lambda: press.approve(made))
    await refused(PublicationNotReady, lambda: press.mask_all(made))
    await press.publish(made)
    view = await seen(press, made)
    assert (view.status, view.issue and view.issue.fields) == ("public", dict(BRIEF))
    await refused(PublicationNotReady, lambda: press.publish(made))
    await refused(PublicationUnknown, lambda: press.approve(uuid4()))
    async with press.pool.acquire() as conn:
        listed = await public_issues(conn, today=_today(press), kind=None, before=None, limit=10)
        other = await public_issues(conn, today=_today(press), kind="permit", before=None, limit=10)
    assert [one.publication for one in listed] == [made]
    assert other == []


async def test_r36_after_withdrawal_no_content_and_both_times_remain(press: Press) -> None:
    """R36: the public view shows no content; when it was published and withdrawn stays, with its reason."""
    made = await press.issue(await press.draft())
    public = await seen(press, made)
    await refused(PublicationRevealing, lambda: press.withdraw(made, reason="张三（13800138000）申请"))
    await refused(NameInvalid, lambda: press.withdraw(made, reason="撤\u2066销"))
    await refused(NameInvalid, lambda: press.withdraw(made, reason=""))
    await press.withdraw(made)
    view = await seen(press, made)
    assert (view.status, view.issue, view.cause) == ("withdrawn", None, "revoked")
    assert view.reason == "行政复议撤销原决定"
    assert view.versions == public.versions
    assert view.gone_at is not None
    assert view.gone_at > view.versions[0].published_at
    async with press.pool.acquire() as conn:
        assert not await public_issues(conn, today=_today(press), kind=None, before=None, limit=10)
        kept = await conn.fetch("SELECT type FROM custody_payload WHERE type LIKE 'publication.%' ORDER BY entry_id")
    assert [row["type"].partition(".")[2] for row in kept][-2:] == ["published", "withdrawn"]
    for step in (press.withdraw, press.publish, press.correct):
        await refused(PublicationNotReady, lambda step=step: step(made))  # type: ignore[misc]


async def test_r37_a_correction_is_reviewed_and_the_old_version_not_public(press: Press) -> None:
    """R37: versions with a reason; the old one stays public until the new one was approved and published."""
    made = await press.issue(await press.draft())
    better = {**BRIEF, "subject": "某化工有限公司"}
    await refused(NameInvalid, lambda: press.correct(made, better, reason=""))
    assert await press.correct(made, better) == 2
    await refused(PublicationStale, lambda: press.correct(made, better))
    await refused(PublicationStale, lambda: press.approve(made, 1))
    await refused(PublicationNotReady, lambda: press.publish(made, 2))
    view = await seen(press, made)
    assert view.issue is not None
    assert view.issue.version == 1
    await press.issue(made, 2)
    view = await seen(press, made)
    assert view.issue is not None
    assert (view.issue.version, view.issue.fields["subject"]) == (2, "某化工有限公司")
    assert [one.version for one in view.versions] == [1, 2]
    async with press.pool.acquire() as conn:
        listed = await public_issues(conn, today=_today(press), kind=None, before=None, limit=10)
        known = await records.publication_of(conn, made)
    assert [(one.publication, one.version) for one in listed] == [(made, 2)]
    assert [(one.version, one.reason) for one in known.versions] == [(1, ""), (2, "名称有误")]


async def test_r38_a_planted_number_is_caught_and_the_original_stays_as_it_was(press: Press) -> None:
    """R38: nothing is published while a span is undecided; the draft's bytes never change."""
    fields = {**BRIEF, "facts": "当事人张三，身份证号11010519491231002X，电话１３８ ００１３ ８０００。"}
    made = await press.draft(fields)
    async with press.pool.acquire() as conn:
        before = await conn.fetchval("SELECT payload FROM custody_payload WHERE type = 'publication.drafted'")
    await refused(PublicationUndecided, lambda: press.approve(made))
    await press.mask_all(made, actor=APPROVER)
    await refused(PublicationSamePerson, lambda: press.approve(made))
    await press.approve(made, actor="staff:0195a000-0000-7000-8000-000000000003")
    await press.publish(made)
    view = await seen(press, made)
    assert view.issue is not None
    assert view.issue.fields["facts"] == "当事人张三，身份证号［身份证号已隐去］，电话［手机号已隐去］。"
    async with press.pool.acquire() as conn:
        after = await conn.fetchval("SELECT payload FROM custody_payload WHERE type = 'publication.drafted'")
        shown = await conn.fetchval("SELECT payload FROM custody_payload WHERE type = 'publication.published'")
    assert after == before
    assert "11010519491231002X" in after.decode()
    assert "11010519491231002X" not in shown.decode()


async def test_r39_the_day_after_its_term_it_is_not_public(press: Press) -> None:
    """R39: a term by kind; gone on the day after at read time, and put on record by the job, once."""
    async with press.pool.acquire() as conn, conn.transaction():
        await records.state_term(
            conn, kind="penalty", months=36, citation="规定", actor=WRITER, clock=press.clock, entropy=press.entropy
        )
    made = await press.issue(await press.draft())
    shorter = await press.issue(await press.draft(until=date(2026, 3, 9)))
    for publication, last in ((made, date(2029, 3, 2)), (shorter, date(2026, 3, 9))):
        assert (await seen(press, publication, today=last)).status == "public"
        view = await seen(press, publication, today=last + DAY)
        assert (view.status, view.issue, view.cause) == ("over", None, "term")
    assert await _take_down(press) == []
    press.clock.advance(7 * DAY)
    assert await _take_down(press) == [], "its last day"
    press.clock.advance(DAY)
    assert await _take_down(press) == [shorter]
    assert await _take_down(press) == []
    view = await seen(press, shorter)
    assert (view.status, view.cause) == ("withdrawn", "term")
    assert (await seen(press, made)).status == "public"


async def _take_down(press: Press) -> list[UUID]:
    async with press.pool.acquire() as conn, conn.transaction():
        return await records.take_down_over(conn, clock=press.clock, entropy=press.entropy)


@pytest.mark.parametrize(
    ("published", "months", "last"),
    [
        ((2026, 3, 2), 36, (2029, 3, 2)),
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2024, 2, 29), 12, (2025, 2, 28)),
        ((2026, 12, 15), 1, (2027, 1, 15)),
    ],
)
def test_a_term_ends_on_the_day_of_the_same_number(
    published: tuple[int, int, int], months: int, last: tuple[int, int, int]
) -> None:
    assert last_public_day(date(*published), months) == date(*last)


async def test_r44_the_version_in_force_on_any_past_day_and_never_a_draft(press: Press) -> None:
    """R44: versions with effective dates; a superseded one is found by its day, a draft by none."""
    made = await press.draft(REGISTER, form="register", kind="spot_checks")
    await refused(PublicationUnknown, lambda: seen(press, made))
    await press.issue(made)
    press.clock.advance(30 * DAY)
    second = {**REGISTER, "body": "一、抽查主体\n二、抽查对象", "effective_from": "2026-04-01"}
    early = {**second, "effective_from": "2026-03-01"}
    await refused(PublicationIncomplete, lambda: press.correct(made, early))
    assert await press.correct(made, second) == 2
    assert await version_on(press, made, date(2026, 4, 1)) == 1, "a draft never counts"
    await press.issue(made, 2)
    assert await press.correct(made, {**second, "effective_from": "2026-05-01"}, seen=2) == 3
    days = [(date(2026, 3, 2), 1), (date(2026, 3, 31), 1), (date(2026, 4, 1), 2), (date(2027, 1, 1), 2)]
    for day, version in days:
        assert await version_on(press, made, day) == version, day
    await refused(PublicationUnknown, lambda: seen(press, made, on=date(2026, 3, 1)))
    async with press.pool.acquire() as conn:
        assert [one.version for one in await registers_on(conn, date(2026, 3, 5), today=_today(press))] == [1]
        assert not await public_issues(conn, today=_today(press), kind=None, before=None, limit=10)


async def version_on(press: Press, publication: UUID, day: date) -> int:
    issue = (await seen(press, publication, on=day)).issue
    assert issue is not None
    return issue.version


async def test_of_two_who_publish_at_once_one_does(press: Press) -> None:
    made = await press.draft()
    await press.approve(made)
    done = await asyncio.gather(*(press.publish(made) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["NoneType", *["PublicationNotReady"] * 3]
    gone = await asyncio.gather(*(press.withdraw(made) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in gone) == ["NoneType", *["PublicationNotReady"] * 3]


async def test_a_correction_voids_an_approval(press: Press) -> None:
    made = await press.draft()
    await press.approve(made)
    assert await press.correct(made) == 2
    await refused(PublicationStale, lambda: press.publish(made, 1))
    await refused(PublicationNotReady, lambda: press.publish(made, 2))


async def test_an_audit_makes_every_row_again(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    async with open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as house:
        await let_in(house)
        press = Press(pool=pool, clock=clock, entropy=entropy)
        made = await press.draft({**BRIEF, "facts": "电话13800138000"})
        await press.mask_all(made)
        await press.issue(made)
        await press.correct(made)
        await press.issue(made, 2)
        await press.withdraw(made)
        await press.issue(await press.draft(REGISTER, form="register", kind="guides"))
        await house.publish()
        assert await differences(house) == []
