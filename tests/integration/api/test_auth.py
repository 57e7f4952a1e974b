"""Credentials over HTTP: every way in which one can be wrong has a code of its own, and the right one works."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from multidict import CIMultiDict

from evidence.core.clock import utc_now
from evidence.parties.docks import revoke_dock
from evidence.parties.roles import Role
from evidence.parties.staff import issue_token, revoke_token
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.parties import paper_dock
from tests.support.service import TUS, Reply, RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def present(service: RunningService, credential: str) -> Reply:
    """Ask for something that every role and no dock may see."""
    return await service.ask("GET", "/v1/vocabulary", headers={"Authorization": credential})


async def present_dock(service: RunningService, token: str) -> Reply:
    """Ask for something that docks may see."""
    return await service.ask("OPTIONS", "/uploads", headers={**TUS, "Authorization": f"Bearer {token}"})


async def test_a_persons_token_works(shared: RunningService) -> None:
    token = await shared.token(Role.AUDITOR)
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert (await present(shared, f"{scheme} {token}")).status == 200


@pytest.mark.parametrize(
    "credential",
    [
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "shilu_x",
        "Bearer shilu_",
        "Bearer shilu_" + "0" * 32 + "_short",
        "Bearer shilu_" + "G" * 32 + "_" + "A" * 43,
        "Bearer a b",
        "Bearer " + "A" * 5000,
        "Bearer x.y.z",
        "Bearer 令牌",
        "Bearer shilu_' OR 1=1 --",
    ],
)
async def test_what_is_no_token_is_malformed(shared: RunningService, credential: str) -> None:
    reply = await present(shared, credential)
    assert (reply.status, reply.code) == (401, "auth.malformed")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


async def test_two_authorization_headers_are_none(shared: RunningService) -> None:
    token = f"Bearer {await shared.token(Role.AUDITOR)}"
    headers = CIMultiDict([("Authorization", token), ("Authorization", token)])
    async with shared.session.get(f"{shared.url}/v1/vocabulary", headers=headers) as answer:
        assert answer.headers["X-Problem-Code"] == "auth.malformed"


async def test_a_token_nobody_issued_is_unknown(shared: RunningService) -> None:
    known = await shared.token(Role.AUDITOR)
    other_secret = known[:-1] + ("A" if known[-1] != "A" else "B")
    other_id = "shilu_" + "0" * 32 + known[38:]
    for text in (other_secret, other_id):
        assert (await present(shared, f"Bearer {text}")).code == "auth.unknown_token"


async def test_a_token_expires_and_can_be_revoked(database: str, tmp_path: Path) -> None:
    clock, entropy = SteppingClock(utc_now()), SeededEntropy()
    async with running_service(config_for(database, tmp_path / "data"), clock=clock) as service:
        async with service.services.pool.acquire() as conn, conn.transaction():
            issued = await issue_token(
                conn,
                name="临时",
                role=Role.AUDITOR,
                lifetime=timedelta(hours=1),
                actor="service",
                clock=clock,
                entropy=entropy,
            )
        credential = f"Bearer {issued.text}"
        assert (await present(service, credential)).status == 200
        clock.advance(timedelta(hours=1))
        reply = await present(service, credential)
        assert (reply.status, reply.code, reply.json()["retry"]) == (401, "auth.expired", "fixed")
        async with service.services.pool.acquire() as conn, conn.transaction():
            await revoke_token(conn, token=issued.token, reason="遗失", actor="service", clock=clock, entropy=entropy)
        reply = await present(service, credential)
        assert (reply.code, reply.json()["retry"]) == ("auth.revoked", "never")


async def test_a_docks_token_works_within_its_time_and_leeway(shared: RunningService) -> None:
    dock, origin = await shared.dock(), shared.services.origin
    now = utc_now()
    for shift in (0, -60, 20, -140):
        token = dock.token(origin=origin, now=now + timedelta(seconds=shift))
        assert (await present_dock(shared, token)).status == 204, shift
    for shift in (-200, -100_000, 100, 100_000):
        reply = await present_dock(shared, dock.token(origin=origin, now=now + timedelta(seconds=shift)))
        assert reply.code == "auth.expired", shift
        assert "server_time" in reply.json()["details"]
        assert "Date" in reply.headers


async def test_a_dock_nobody_enrolled_is_unknown(shared: RunningService) -> None:
    stranger = paper_dock(77)
    assert (await present_dock(shared, stranger.token(origin=shared.services.origin))).code == "auth.unknown_token"


async def test_a_dock_that_signs_with_anothers_key_is_told_so(shared: RunningService) -> None:
    honest, thief = await shared.dock(1), await shared.dock(2)
    origin = shared.services.origin
    for kid in (thief.kid, honest.kid):
        token = thief.token(origin=origin, iss=str(honest.dock), kid=kid)
        assert (await present_dock(shared, token)).code == "auth.signature"


async def test_a_token_for_another_log_is_refused(shared: RunningService) -> None:
    dock = await shared.dock()
    reply = await present_dock(shared, dock.token(origin="elsewhere.example.cn/log"))
    assert (reply.code, reply.json()["details"]) == ("auth.audience", {"origin": shared.services.origin})


async def test_a_revoked_dock_is_out_at_once(shared: RunningService) -> None:
    dock = await shared.dock(3)
    async with shared.services.pool.acquire() as conn, conn.transaction():
        await revoke_dock(conn, dock=dock.dock, reason="遗失", actor="service", clock=utc_now, entropy=shared.entropy)
    assert (await present_dock(shared, dock.token(origin=shared.services.origin))).code == "auth.revoked"


async def test_a_dock_is_no_person_and_a_person_no_dock(shared: RunningService) -> None:
    assert (await present(shared, f"Bearer {await shared.token(Role.DOCK)}")).code == "auth.role"
    assert (await present_dock(shared, await shared.token(Role.AUDITOR))).code == "auth.role"
