"""Clocks made from the log: none forgotten, warned of once, stopped, made longer and ended by people on record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from evidence.access.scope import WHOLE
from evidence.calendar.loading import load_calendar
from evidence.calendar.workdays import OFFICIAL, day_of
from evidence.cases.cases import Opening, open_case
from evidence.cases.file import state
from evidence.cases.items import publish_list
from evidence.cases.presets import preset as list_preset
from evidence.cases.statements import Conclusion
from evidence.clips.query import ClipQuery
from evidence.clips.search import list_clips
from evidence.core.clock import format_time
from evidence.custody.replay import replay
from evidence.db.pool import Pool
from evidence.deadlines import statements
from evidence.deadlines.clock_store import ClockRow, Question, clocks_after, count_open, files_not_come
from evidence.deadlines.clocks import Standing
from evidence.deadlines.errors import (
    ClockConflict,
    ClockStatementInvalid,
    ClockUnknown,
    ExtensionRefused,
    RulesBackdated,
)
from evidence.deadlines.follow import STRETCH, catch_up, step
from evidence.deadlines.publishing import publish_rules
from evidence.deadlines.rules import preset, read_table
from evidence.parties.statements import take_inventory
from evidence.statistics.figures import statement_at
from tests.support.clock import SteppingClock
from tests.support.ledger import TestLog, opened_log
from tests.support.parties import enrol, file_of, paper_dock
from tests.support.payloads import STAFF, Scribe

OTHER = "staff:0195a000-0000-7000-8000-000000000002"
DAY = timedelta(days=1)


class Office:
    """An agency whose log is sequenced and followed when a test says so; it is 2 March 2026, a Monday."""

    def __init__(self, pool: Pool, scribe: Scribe, log: TestLog, clock: SteppingClock) -> None:
        self.pool, self.scribe, self.log, self.clock = pool, scribe, log, clock
        self.entropy, self.conn = scribe.entropy, scribe.conn

    async def follow(self) -> None:
        await self.log.sequence()
        await catch_up(self.pool, clock=self.clock, entropy=self.entropy)

    async def open_case(self, *, kind: str | None = "penalty", handlers: tuple[str, ...] = ()) -> UUID:
        async with self.conn.transaction():
            opened = await open_case(
                self.conn,
                number=f"罚{self.entropy(4).hex()}号",
                title="某厂案",
                actor=STAFF,
                clock=self.clock,
                entropy=self.entropy,
                more=Opening(kind=kind, handlers=list(handlers)),
            )
        return opened.case_id

    async def publish(self, name: str, since: date | None = None) -> None:
        draft = preset(name)
        async with self.conn.transaction():
            await publish_rules(
                self.conn,
                table=draft.table,
                effective_from=since or draft.effective_from,
                actor=STAFF,
                clock=self.clock,
                entropy=self.entropy,
            )

    async def rows(self, *, today: date | None = None, **question: object) -> Sequence[ClockRow]:
        return await clocks_after(
            self.conn,
            Question(**question),  # type: ignore[arg-type]
            after=None,
            limit=100,
            today=today or day_of(self.clock(), OFFICIAL),
            scope=WHOLE,
        )

    async def standings(self, case: UUID) -> dict[str, Standing]:
        found = await statements.clocks_of(self.conn, case, clock=self.clock)
        return {one.clock.key: now for one, now in found}

    async def start(self, case: UUID, kind: str = "review") -> str:
        async with self.conn.transaction():
            key, _ = await statements.start(
                self.conn,
                case=case,
                kind=kind,
                started_at=self.clock(),
                note="送审",
                actor=STAFF,
                clock=self.clock,
                entropy=self.entropy,
            )
        return key

    async def say(self, verb: str, key: str, case: UUID | None, *, actor: str = STAFF, **more: object) -> None:
        acts = {
            "pause": statements.pause,
            "resume": statements.resume,
            "extend": statements.extend,
            "fulfil": statements.fulfil,
            "void": statements.void,
            "explain": statements.explain,
        }
        words = {} if verb == "fulfil" else {"reason": "因补充材料"}
        async with self.conn.transaction():
            await acts[verb](  # type: ignore[operator]
                self.conn, key=key, case=case, actor=actor, clock=self.clock, entropy=self.entropy, **words, **more
            )

    async def warnings(self) -> list[tuple[str, str, str]]:
        rows = await self.conn.fetch(
            """SELECT clock, content ->> 'mark' AS mark, content ->> 'due_on' AS due_on
               FROM deadline_statement WHERE verb = 'warned' ORDER BY entry_id"""
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def office(
    pool: Pool, database: str, scribe: Scribe, clock: SteppingClock, tmp_path: Path
) -> AsyncIterator[Office]:
    """An agency with an empty record."""
    async with opened_log(database, tmp_path / "log") as log:
        async with scribe.conn.transaction():
            await publish_list(
                scribe.conn,
                content=list_preset("zaozhuang-emergency-2019").content,
                effective_from=date(2026, 1, 1),
                actor=STAFF,
                clock=scribe.clock,
                entropy=scribe.entropy,
            )
        yield Office(pool, scribe, log, clock)


async def test_a_case_has_its_clocks_without_anybody_starting_them(office: Office) -> None:
    case = await office.open_case()
    other = await office.open_case(kind="license")
    await office.publish("zaozhuang-emergency-2019")
    await office.follow()
    (only,) = await office.rows(kind="case")
    # 2 March and ninety calendar days.
    assert (only.clock, only.due_on) == (f"case/{case}", date(2026, 5, 31))
    async with office.conn.transaction():
        await state(
            office.conn,
            case_id=case,
            statement=Conclusion(kind="conclusion", on=date(2026, 3, 2)),
            actor=STAFF,
            clock=office.clock,
            entropy=office.entropy,
        )
    await office.follow()
    (archive,) = await office.rows(kind="archive")
    assert (archive.due_on, archive.content["rule"]["citation"][:4]) == (date(2026, 4, 1), "枣应急发")
    (ended,) = await office.rows(state="in_time")
    index = await office.conn.fetchval("SELECT index FROM deadline_fact WHERE type = 'case.stated'")
    assert ended.clock == f"case/{case}"
    assert ended.content["fulfilment"]["index"] == index
    assert await office.rows(case=other) == []


async def test_r20_what_comes_late_is_taken_and_marked_and_may_be_explained(office: Office) -> None:
    """Recorded on Friday 13 February 2026 at 18:00 before nine days off with Saturday 14 worked: due Tuesday 24."""
    recorded = "2026-02-13T10:00:00.000Z"
    kept = await office.scribe.seal(recorded_at=recorded, received_at="2026-02-24T15:59:59.000Z")
    late = await office.scribe.seal(recorded_at=recorded, received_at="2026-02-24T16:00:00.000Z")
    await office.scribe.seal(recorded_at=None)
    await office.follow()
    assert [(row.clip, row.due_on) for row in await office.rows(state="in_time")] == [(kept, date(2026, 2, 24))]
    (row,) = await office.rows(state="late", unexplained=True)
    assert row.clip == late
    with pytest.raises(ClockConflict):
        await office.say("explain", f"storing/{kept}", None)
    await office.say("explain", row.clock, None)
    await office.follow()
    assert await office.rows(state="late", unexplained=True) == []
    (row,) = await office.rows(state="late")
    assert row.content["explained"] == "因补充材料"


async def test_r20_search_figures_and_marks_tell_one_truth_where_the_recorders_clock_was_wrong(office: Office) -> None:
    """Due is Wednesday 4 March 24:00 for what ended on Monday 2 March; each clip is judged otherwise uncorrected."""
    scribe, last = office.scribe, "2026-03-04T15:59:59.000Z"
    behind = await scribe.seal(recorded_at="2026-02-27T10:00:00.000Z", received_at=last, recorder="BEHIND")
    await scribe.attribute(behind, recorded_at="2026-03-02T10:00:00.000Z")
    ahead = await scribe.seal(recorded_at="2026-03-02T10:00:00.000Z", received_at=last, recorder="AHEAD")
    await scribe.attribute(ahead, recorded_at="2026-02-27T10:00:00.000Z")
    long = await scribe.seal(recorded_at="2026-02-27T10:00:00.000Z", received_at=last, recorder="LONG")
    await scribe.attribute(long, recorded_at="2026-02-27T15:59:00.000Z")
    # It ends on Saturday 28 February, a make-up day on which people work: due Tuesday 3 March, still late ...
    await scribe.derive(long, probe={"container": {"duration_ms": 120_000}, "duration_ms": "long"})
    longer = await scribe.seal(recorded_at="2026-02-27T10:00:00.000Z", received_at=last, recorder="LONGER")
    await scribe.attribute(longer, recorded_at="2026-03-01T15:59:00.000Z")
    # ... and this one on Monday by what was decoded of it, whatever its container says: in time.
    probe = {"decoded": {"duration_ms": 120_000}, "container": {"duration_ms": 1}}
    await scribe.derive(longer, probe=probe)
    file_time = await scribe.seal(recorded_at=None, received_at=last, recorder="FILE")
    await scribe.attribute(file_time, recorded_at="2026-02-27T10:00:00.000Z", basis="file_time")
    await scribe.seal(recorded_at=None, recorder="NOBODY")
    await office.follow()
    truth = {"yes": {ahead, long, file_time}, "no": {behind, longer}}
    for word, standing in (("yes", "late"), ("no", "in_time")):
        page = await list_clips(office.conn, ClipQuery(text=f"late:{word}"), limit=200)
        assert {one.clip for one in page.items} == truth[word], word
        assert {row.clip for row in await office.rows(state=standing)} == truth[word], word
    figures = await statement_at(office.conn, by="recorder")
    late = {name for name, group in figures.groups.items() if group.late}
    assert late == {"AHEAD", "LONG", "FILE"}
    assert (figures.total.late, figures.total.on_time, figures.total.undated) == (3, 2, 1)
    assert figures.total.milliseconds == 240_000, "what a container states is how long a clip is, until it is decoded"


async def test_r20_a_file_that_a_dock_saw_is_overdue_until_it_is_sealed(office: Office) -> None:
    dock = paper_dock()
    await enrol(office.pool, dock, entropy=office.entropy)
    recorded = datetime(2026, 2, 13, 10, tzinfo=UTC)
    path = "DCIM/a.mp4"
    seen = dock.inventory(
        file_of(path, recorded_at=recorded), file_of("DCIM/empty.mp4", size=0, recorded_at=recorded, order=2)
    )
    async with office.conn.transaction():
        await take_inventory(
            office.conn,
            note=dock.inventory_note(seen),
            verifier=dock.signer.verifier,
            clock=office.clock,
            entropy=office.entropy,
        )
    await office.follow()
    (waiting,) = await office.rows(kind="storing")
    assert (waiting.clip, waiting.due_on, waiting.name) == (None, date(2026, 2, 24), f"{dock.recorder} {path}")
    assert [one.clock for one in await office.rows(state="overdue")] == [waiting.clock]
    await office.say("explain", waiting.clock, None)
    await office.follow()
    assert await office.rows(state="overdue", unexplained=True) == []
    clip = await office.scribe.seal(recorder=dock.recorder, path=path, recorded_at=format_time(recorded))
    await office.follow()
    (stored,) = await office.rows(kind="storing")
    assert (stored.clip, stored.clock) == (clip, f"storing/{clip}")


async def test_warnings_are_one_entry_each_however_often_a_program_starts(office: Office) -> None:
    case = await office.open_case()
    await office.follow()
    assert await office.warnings() == []
    due = date(2026, 5, 31)
    office.clock.now += timedelta(days=80)  # ten days ahead
    assert not await step(office.pool, clock=office.clock, entropy=office.entropy, tells=False)
    assert await office.warnings() == []
    for _ in range(3):
        await office.follow()
    assert await office.warnings() == [(f"case/{case}", "ahead", due.isoformat())]
    office.clock.now += 11 * DAY
    for _ in range(3):
        await office.follow()
    assert [mark for _, mark, _ in await office.warnings()] == ["ahead", "overdue"]
    assert [(kind, state, n) for kind, state, n in await count_open(office.conn, today=date(2026, 6, 1))] == [
        ("annual_data", "running", 1),
        ("case", "overdue", 1),
    ]


async def test_a_crash_before_the_commit_leaves_the_step_to_be_taken_again(office: Office) -> None:
    await office.open_case()
    await office.follow()
    office.clock.now += 100 * DAY
    await office.log.sequence()

    def broken(count: int) -> bytes:
        raise OSError("no entropy")

    with pytest.raises(OSError, match="no entropy"):
        await step(office.pool, clock=office.clock, entropy=broken)
    assert await office.warnings() == []
    await office.follow()
    assert [mark for _, mark, _ in await office.warnings()] == ["overdue"]


async def test_r31_stopping_going_on_and_an_extension_by_somebody_else(office: Office) -> None:
    case = await office.open_case()
    key = await office.start(case)  # Monday 2 March, five working days: Monday 9
    assert (await office.standings(case))[key].due_on == date(2026, 3, 9)
    office.clock.now += 2 * DAY
    await office.say("pause", key, case)
    with pytest.raises(ClockConflict):
        await office.say("pause", key, case)
    office.clock.now += 7 * DAY
    assert (await office.standings(case))[key].state == "paused"
    await office.say("resume", key, case)
    with pytest.raises(ClockConflict):
        await office.say("resume", key, case)
    assert (await office.standings(case))[key].due_on == date(2026, 3, 16)
    with pytest.raises(ExtensionRefused):  # whoever opened the case
        await office.say("extend", key, case, days=3, asked_by="张三")
    with pytest.raises(ExtensionRefused):
        await office.say("extend", key, case, actor=OTHER, days=6, asked_by="张三")
    await office.say("extend", key, case, actor=OTHER, days=3, asked_by="张三")
    with pytest.raises(ExtensionRefused):
        await office.say("extend", key, case, actor=OTHER, days=3, asked_by="张三")
    now = (await office.standings(case))[key]
    assert (now.due_on, now.extended_by) == (date(2026, 3, 19), 3)
    office.clock.now = office.clock.now.replace(day=20)
    assert (await office.standings(case))[key].state == "overdue"
    with pytest.raises(ClockConflict):
        await office.say("extend", key, case, actor=OTHER, days=1, asked_by="张三")
    await office.say("explain", key, case)
    await office.say("fulfil", key, case, done_at=office.clock(), reference="审核意见书〔2026〕3号")
    assert (await office.standings(case))[key].state == "late"
    for verb in ("void", "pause"):
        with pytest.raises(ClockConflict):
            await office.say(verb, key, case)
    # What was said is evidence, and the audit makes its rows again.
    assert [difference async for difference in replay(office.conn)] == []


async def test_a_handler_by_name_grants_no_extension(office: Office, database: str) -> None:
    case = await office.open_case(handlers=("李 四",))
    key = await office.start(case)
    staff = str(OTHER).removeprefix("staff:")
    await office.scribe.write(
        "staff.token_issued",
        "token:0195a000-0000-7000-8000-0000000000aa",
        {
            "token": "0195a000-0000-7000-8000-0000000000aa",
            "staff": staff,
            "name": "李四",
            "role": "reviewer",
            "expires_at": "2027-01-01T00:00:00.000Z",
            "token_sha256": "ab" * 32,
        },
    )
    with pytest.raises(ExtensionRefused):
        await office.say("extend", key, case, actor=OTHER, days=1, asked_by=None)


async def test_a_stopped_clock_moves_from_day_to_day_without_anybody_touching_it(office: Office) -> None:
    case = await office.open_case()
    key = await office.start(case)
    await office.say("pause", key, case)
    await office.follow()
    before = {row.clock: row.due_on for row in await office.rows(state="paused")}
    office.clock.now += 30 * DAY
    await office.follow()
    after = {row.clock: row.due_on for row in await office.rows(state="paused")}
    assert before[key] < after[key]
    assert [clock for clock, *_ in await office.warnings()] == []


async def test_an_announced_holiday_moves_what_is_counted_and_is_warned_of_again(office: Office) -> None:
    case = await office.open_case()
    key = await office.start(case)
    await office.follow()
    day = {"day": "2026-03-09", "is_working": False, "reason": "停电检修"}
    async with office.conn.transaction():
        await load_calendar(
            office.conn, content={"years": [], "days": [day]}, actor=STAFF, clock=office.clock, entropy=office.entropy
        )
    office.clock.now += 8 * DAY
    await office.follow()
    (row,) = [row for row in await office.rows(case=case) if row.clock == key]
    assert row.due_on == date(2026, 3, 10)
    assert (key, "ahead", "2026-03-10") in await office.warnings()


async def test_a_running_clock_keeps_the_rule_it_began_under(office: Office) -> None:
    case = await office.open_case()
    key = await office.start(case)
    rule = {
        "key": "review",
        "kind": "review",
        "unit": "working_days",
        "days": 15,
        "citation": "本机关办法",
        "source": "own",
    }
    table = read_table({"title": "期限", "source": "own", "rules": [rule]})

    async def publish(since: date) -> None:
        async with office.conn.transaction():
            await publish_rules(
                office.conn, table=table, effective_from=since, actor=STAFF, clock=office.clock, entropy=office.entropy
            )

    await publish(date(2026, 3, 3))
    assert (await office.standings(case))[key].due_on == date(2026, 3, 9)
    office.clock.now += DAY
    later = await office.start(case)
    assert (await office.standings(case))[later].due_on == date(2026, 3, 24)
    with pytest.raises(RulesBackdated):
        await publish(date(2026, 3, 2))


async def test_r41_months_and_years_have_clocks_of_their_own(office: Office) -> None:
    await office.publish("shuozhou-ecology-2017")
    await office.follow()
    assert [(row.clock, row.due_on) for row in await office.rows()] == [
        ("monthly_summary/2026-03", date(2026, 3, 25)),
        ("annual_data/2026", date(2027, 1, 31)),
    ]
    office.clock.now += 30 * DAY
    await office.follow()
    assert [row.clock for row in await office.rows(state="overdue")] == ["monthly_summary/2026-03"]
    assert [row.clock for row in await office.rows(kind="monthly_summary", state="running")] == [
        "monthly_summary/2026-04"
    ]


async def test_slips_of_statements_are_refused(office: Office) -> None:
    case = await office.open_case()
    key = await office.start(case)
    for kind in ("case", "archive", "storing", "annual_data", "nonsense"):
        with pytest.raises(ClockStatementInvalid):
            await office.start(case, kind)
    with pytest.raises(ClockStatementInvalid):  # nobody states a term for tasks
        await office.start(case, "task")
    for verb in ("pause", "resume", "void", "explain"):
        with pytest.raises(ClockUnknown):
            await office.say(verb, f"review/{case}", case)
    for away in (-DAY, DAY):
        with pytest.raises(ClockStatementInvalid):
            await office.say("fulfil", key, case, done_at=office.clock() + away, reference="x")
    with pytest.raises(ClockConflict):
        await office.say("explain", key, case)
    await office.say("void", key, case)
    assert (await office.standings(case))[key].state == "void"


async def test_a_long_log_is_read_in_stretches_and_pages_follow_each_other(office: Office) -> None:
    cases = [await office.open_case() for _ in range(5)]
    await office.follow()
    pages, after = list[str](), None
    while page := await clocks_after(
        office.conn, Question(kind="case"), after=after, limit=2, today=date(2026, 3, 2), scope=WHOLE
    ):
        pages += [row.clock for row in page]
        after = (page[-1].due_on, page[-1].clock)
    assert pages == sorted(f"case/{case}" for case in cases)
    assert STRETCH >= 100
    assert await files_not_come(office.conn, []) == []
    assert format_time(office.clock()).startswith("2026-03-02")
