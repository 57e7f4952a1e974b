"""Enrolment by one-time code and revocation, against a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from evidence.db.pool import Pool
from evidence.parties.docks import (
    CODE_HOURS_MAX,
    create_enrolment_code,
    enrol_dock,
    parse_dock_key,
    revoke_dock,
)
from evidence.parties.errors import (
    DockAlreadyEnrolled,
    DockAlreadyRevoked,
    DockKeyInvalid,
    DockUnknown,
    EnrolmentCodeRefused,
    ExpiryInvalid,
    NameInvalid,
)
from evidence.parties.store import Dock, find_dock, list_docks
from ledger.note import Signer
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.parties import PaperDock, paper_dock

HOUR = timedelta(hours=1)


async def make_code(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> str:
    async with pool.acquire() as conn, conn.transaction():
        return await create_enrolment_code(conn, lifetime=HOUR, actor="service", clock=clock, entropy=entropy)


async def enrol(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, *, code: str, dock: PaperDock, name: str = "一号站"
) -> Dock:
    async with pool.acquire() as conn, conn.transaction():
        return await enrol_dock(conn, code=code, name=name, vkey=dock.vkey, clock=clock, entropy=entropy)


async def count_entries(pool: Pool) -> int:
    async with pool.acquire() as conn:
        count: int = await conn.fetchval("SELECT count(*) FROM ledger_entry")
        return count


async def test_a_dock_comes_in_by_code(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    dock = paper_dock()
    code = await make_code(pool, clock, entropy)
    enrolled = await enrol(pool, clock, entropy, code=code, dock=dock)
    async with pool.acquire() as conn:
        stored = await find_dock(conn, dock.dock)
        codes = str(await conn.fetch("SELECT * FROM dock_enrolment_code"))
    assert stored == enrolled
    assert (enrolled.vkey, enrolled.name, enrolled.revoked_at) == (dock.vkey, "一号站", None)
    assert code not in codes
    assert code.replace("-", "") not in codes


async def test_the_same_dock_may_ask_again_because_its_answer_got_lost(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    dock = paper_dock()
    code = await make_code(pool, clock, entropy)
    first = await enrol(pool, clock, entropy, code=code, dock=dock)
    clock.advance(2 * HOUR)
    assert await enrol(pool, clock, entropy, code=code, dock=dock) == first
    assert await count_entries(pool) == 1


async def test_a_code_serves_one_dock(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    code = await make_code(pool, clock, entropy)
    await enrol(pool, clock, entropy, code=code, dock=paper_dock(1))
    with pytest.raises(EnrolmentCodeRefused, match="used"):
        await enrol(pool, clock, entropy, code=code, dock=paper_dock(2))


async def test_of_many_docks_with_one_code_one_gets_in(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    code = await make_code(pool, clock, entropy)

    async def attempt(seed: int) -> bool:
        try:
            await enrol(pool, clock, entropy, code=code, dock=paper_dock(seed))
        except EnrolmentCodeRefused:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt(seed) for seed in range(8)))) == 1
    assert await count_entries(pool) == 1


async def test_a_code_runs_out(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    code = await make_code(pool, clock, entropy)
    clock.advance(HOUR)
    with pytest.raises(EnrolmentCodeRefused, match="expired"):
        await enrol(pool, clock, entropy, code=code, dock=paper_dock())


@pytest.mark.parametrize("code", ["", "no code", "0" * 25, "A" * 1000, "'; DROP TABLE dock; --"])
async def test_codes_nobody_made_are_refused(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, code: str
) -> None:
    with pytest.raises(EnrolmentCodeRefused, match="not known"):
        await enrol(pool, clock, entropy, code=code, dock=paper_dock())
    assert await count_entries(pool) == 0


async def test_a_key_or_id_comes_in_once(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    dock = paper_dock()
    await enrol(pool, clock, entropy, code=await make_code(pool, clock, entropy), dock=dock)
    again = await make_code(pool, clock, entropy)
    with pytest.raises(DockAlreadyEnrolled):
        await enrol(pool, clock, entropy, code=again, dock=dock)
    other_key = PaperDock(dock.dock, Signer.generate(f"dock.{dock.dock}", entropy))
    with pytest.raises(DockAlreadyEnrolled):
        await enrol(pool, clock, entropy, code=again, dock=other_key)
    await enrol(pool, clock, entropy, code=again, dock=paper_dock(2))


async def test_a_refused_enrolment_does_not_use_the_code_up(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    code = await make_code(pool, clock, entropy)
    with pytest.raises(NameInvalid):
        await enrol(pool, clock, entropy, code=code, dock=paper_dock(), name="\n")
    await enrol(pool, clock, entropy, code=code, dock=paper_dock())


@pytest.mark.parametrize(
    "name",
    [
        "camera.0192f0c1-2f5e-7cc3-98c4-dc0c0c07398f",
        "dock.not-a-uuid",
        "dock.0192F0C1-2F5E-7CC3-98C4-DC0C0C07398F",
        "0192f0c1-2f5e-7cc3-98c4-dc0c0c07398f",
        "dock.dock.0192f0c1-2f5e-7cc3-98c4-dc0c0c07398f",
        "dock.",
    ],
)
def test_keys_with_other_names_are_no_dock_keys(name: str) -> None:
    with pytest.raises(DockKeyInvalid):
        parse_dock_key(Signer.generate(name).verifier.vkey)


@pytest.mark.parametrize("damage", ["", "dock", "dock.+00000000+AA==", " {}", "{} ", "{}\n", "{}A"])
def test_damaged_keys_are_refused(damage: str) -> None:
    vkey = paper_dock().vkey
    assert parse_dock_key(vkey).verifier.vkey == vkey
    with pytest.raises(DockKeyInvalid):
        parse_dock_key(damage.format(vkey))


@pytest.mark.parametrize("lifetime", [timedelta(0), -HOUR, timedelta(hours=CODE_HOURS_MAX, seconds=1)])
async def test_codes_live_within_bounds(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, lifetime: timedelta
) -> None:
    async with pool.acquire() as conn:
        with pytest.raises(ExpiryInvalid):
            await create_enrolment_code(conn, lifetime=lifetime, actor="service", clock=clock, entropy=entropy)


async def test_a_dock_is_revoked_once(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    dock = paper_dock()
    await enrol(pool, clock, entropy, code=await make_code(pool, clock, entropy), dock=dock)

    async def revoke() -> None:
        async with pool.acquire() as conn, conn.transaction():
            await revoke_dock(conn, dock=dock.dock, reason="设备遗失", actor="service", clock=clock, entropy=entropy)

    await revoke()
    with pytest.raises(DockAlreadyRevoked):
        await revoke()
    async with pool.acquire() as conn:
        (listed,) = await list_docks(conn, after=None, limit=10)
    assert listed.revoked_reason == "设备遗失"


async def test_an_unknown_dock_cannot_be_revoked(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    async with pool.acquire() as conn, conn.transaction():
        with pytest.raises(DockUnknown):
            await revoke_dock(
                conn, dock=paper_dock().dock, reason="gone", actor="service", clock=clock, entropy=entropy
            )
