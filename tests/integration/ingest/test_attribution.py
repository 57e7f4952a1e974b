"""Whose a clip is, from its sealing on: flagged and kept, blocked from use, resolved by a named person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from evidence.cases.cases import LinkedClip, link_clip, open_case
from evidence.clips.store import clip_row
from evidence.core.clock import utc_now
from evidence.db.paging import FIRST_ID
from evidence.registers.attribution import Attribution, attribution_of, catch_up, resolve
from evidence.registers.attribution_store import AttributionRow, attribution_versions, blocked_clips
from evidence.registers.errors import ClipBlocked, RegisterStale, ResolutionInvalid
from tests.support.intake import STAFF, Intake
from tests.support.parties import PaperDock
from tests.support.registry import ADMINISTRATOR, Registry

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def registry(intake: Intake) -> AsyncIterator[Registry]:
    async with intake.pool.acquire() as conn:
        yield Registry(conn=conn, clock=utc_now, entropy=intake.entropy)


async def bring(
    intake: Intake, dock: PaperDock, *, name: str = "A.mp4", at: datetime = AT, officer: str | None = None
) -> UUID:
    _, sealed = await intake.dock_sealed(dock, name.encode() * 9, path=name, recorded_at=at, officer=officer)
    return sealed.clip


async def whose(intake: Intake, clip: UUID) -> Attribution:
    async with intake.pool.acquire() as conn:
        return await attribution_of(conn, clip)


async def link(registry: Registry, clip: UUID, number: str = "晋环罚〔2026〕1号") -> LinkedClip:
    clock, entropy = registry.clock, registry.entropy
    async with registry.conn.transaction():
        case = await open_case(registry.conn, number=number, title="某案", actor=STAFF, clock=clock, entropy=entropy)
        return await link_clip(
            registry.conn, case_id=case.case_id, clip=clip, actor=STAFF, clock=clock, entropy=entropy
        )


async def settle(registry: Registry, clip: UUID, *, officer: str | None = None, version: int = 1) -> AttributionRow:
    async with registry.conn.transaction():
        return await resolve(
            registry.conn,
            clip=clip,
            officer=officer,
            reason="与值班记录核对无误",
            expected_version=version,
            actor=ADMINISTRATOR,
            clock=registry.clock,
            entropy=registry.entropy,
        )


async def test_r15_a_clip_recorded_the_day_after_the_certificate_expired_is_flagged_and_not_dropped(
    intake: Intake, dock: PaperDock, registry: Registry
) -> None:
    officer = await registry.officer("1001", until=date(2026, 3, 2))
    await registry.assign(dock.recorder, "1001", LONG_AGO)
    on_the_day = await bring(intake, dock, name="today.mp4", at=datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC))
    after = await bring(intake, dock, name="after.mp4", at=datetime(2026, 3, 2, 16, 0, tzinfo=UTC))
    found = await whose(intake, on_the_day)
    assert (found.officer, found.flags, found.blocked, found.basis) == (officer, (), False, "name")
    found = await whose(intake, after)
    assert (found.officer, found.flags, found.blocked, found.version) == (officer, ("officer_expired",), True, 1)
    assert intake.object_bytes(b"after.mp4" * 9) == b"after.mp4" * 9
    assert await clip_row(registry.conn, after) is not None
    await link(registry, on_the_day)
    with pytest.raises(ClipBlocked, match="certificate") as refused:
        await link(registry, after, number="2号")
    assert refused.value.details["flags"] == ["officer_expired"]
    assert str(after) in str(refused.value.details["resolve"])
    assert [row.clip for row in await blocked_clips(registry.conn, before=None, limit=9)] == [after]
    row = await settle(registry, after)
    assert (row.version, row.blocked, row.flags, row.attributed_by) == (2, False, ("officer_expired",), ADMINISTRATOR)
    assert (await link(registry, after, number="3号")).exhibit == 1
    assert await blocked_clips(registry.conn, before=None, limit=9) == []
    events = [name for name in await intake.events() if name.startswith("clip.")]
    assert events == ["clip.sealed", "clip.attributed", "clip.sealed", "clip.attributed", "clip.attribution_resolved"]


async def test_r24_what_an_unassigned_recorder_brings_is_kept_and_not_used(
    intake: Intake, dock: PaperDock, registry: Registry
) -> None:
    officer = await registry.officer("1001")
    clip = await bring(intake, dock)
    found = await whose(intake, clip)
    assert (found.officer, found.flags, found.blocked) == (None, ("recorder_unassigned",), True)
    with pytest.raises(ClipBlocked):
        await link(registry, clip)
    # Whoever writes the assignment down late changes nothing by that: a person says it with a reason.
    await registry.assign(dock.recorder, "1001", LONG_AGO)
    assert (await whose(intake, clip)).blocked
    row = await settle(registry, clip, officer="1001")
    assert row.officer == officer
    await link(registry, clip)


async def test_who_held_it_at_the_time_and_not_now(intake: Intake, dock: PaperDock, registry: Registry) -> None:
    first, second = await registry.officer("1001"), await registry.officer("1002")
    await registry.assign(dock.recorder, "1001", LONG_AGO)
    await registry.assign(dock.recorder, "1002", AT)
    before = await bring(intake, dock, name="before.mp4", at=AT - timedelta(milliseconds=1))
    at = await bring(intake, dock, name="at.mp4", at=AT)
    other = await bring(intake, dock, name="other.mp4", at=AT, officer="1001")
    assert (await whose(intake, before)).officer == first
    assert (await whose(intake, at)).officer == second
    found = await whose(intake, other)
    assert (found.officer, found.flags, found.blocked) == (second, ("officers_disagree",), True)


async def test_no_register_no_entry_and_what_was_sealed_before_it_is_shown_and_not_blocked(
    intake: Intake, dock: PaperDock, registry: Registry
) -> None:
    early = await bring(intake, dock, name="early.mp4", officer="9999")
    found = await whose(intake, early)
    assert (found.version, found.flags, found.blocked) == (0, ("register_empty",), False)
    assert "clip.attributed" not in await intake.events()
    assert await catch_up(intake.pool, after=FIRST_ID, clock=utc_now, entropy=intake.entropy) is None
    await registry.officer("1001")
    found = await whose(intake, early)
    assert (found.version, found.blocked) == (0, False)
    last = await catch_up(intake.pool, after=FIRST_ID, clock=utc_now, entropy=intake.entropy)
    assert last == early
    assert await catch_up(intake.pool, after=early, clock=utc_now, entropy=intake.entropy) is None
    found = await whose(intake, early)
    assert (found.version, found.blocked) == (1, False)
    assert found.flags == ("register_empty", "recorder_unassigned", "officer_unknown")
    await link(registry, early)
    with pytest.raises(ResolutionInvalid):
        await settle(registry, early)


async def test_a_person_sends_it_and_its_recorder_follows(intake: Intake, dock: PaperDock, registry: Registry) -> None:
    officer = await registry.officer("1001")
    await registry.assign(dock.recorder, "1001", LONG_AGO)
    view = await intake.staff_upload(b"A.mp4" * 9)
    await intake.send(view, b"A.mp4" * 9)
    clip = (await intake.state(view)).clip
    assert clip is not None
    found = await whose(intake, clip)
    assert (found.officer, found.flags, found.blocked) == (None, ("no_recorder",), False)
    assert await bring(intake, dock) == clip
    assert await bring(intake, dock, name="A.mp4") == clip
    versions = await attribution_versions(registry.conn, clip)
    assert [(one.officer, one.flags) for one in versions] == [(None, ("no_recorder",)), (officer, ())]


async def test_a_resolution_is_about_what_was_seen(intake: Intake, dock: PaperDock, registry: Registry) -> None:
    await registry.officer("1001")
    clip = await bring(intake, dock)
    with pytest.raises(RegisterStale):
        await settle(registry, clip, version=0)
    await settle(registry, clip)
    with pytest.raises(ResolutionInvalid):
        await settle(registry, clip, version=2)


async def test_a_crash_between_seal_and_attribution_leaves_neither(
    intake: Intake, dock: PaperDock, registry: Registry
) -> None:
    await registry.officer("1001")
    # The connection ends inside the transaction, after the clip's rows and before its attribution's.
    await registry.conn.execute(
        """CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'gone'; END $$;
           CREATE TRIGGER fail BEFORE INSERT ON clip_attribution_version EXECUTE FUNCTION fail()"""
    )
    view = await intake.dock_upload(dock, b"xyz", path="C.mp4")
    await intake.send(view, b"xyz")
    manifest = intake.manifest(dock, view, b"xyz")
    with pytest.raises(Exception, match="gone"):
        await intake.seal(dock, view, manifest)
    assert "clip.sealed" not in await intake.events()
    await registry.conn.execute("DROP TRIGGER fail ON clip_attribution_version")
    sealed = await intake.seal(dock, view, manifest)
    assert (await whose(intake, sealed.clip)).version == 1
