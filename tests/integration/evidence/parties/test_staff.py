"""Staff tokens against a real database: issued, recorded, revoked, never stored in clear."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from uuid import UUID

import pytest

from evidence.custody.store import find_payload
from evidence.db.pool import Pool
from evidence.parties.credentials import STAFF_PREFIX, parse_credential
from evidence.parties.errors import (
    ExpiryInvalid,
    NameInvalid,
    RoleInvalid,
    TokenAlreadyRevoked,
    TokenExpired,
    TokenUnknown,
)
from evidence.parties.roles import STAFF_ROLES, Role
from evidence.parties.staff import TOKEN_DAYS_MAX, IssuedToken, issue_token, revoke_token, rotate_token
from evidence.parties.store import find_staff_token, list_staff_tokens
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.parties import secret_of

DAY = timedelta(days=1)


async def issue(
    pool: Pool,
    clock: SteppingClock,
    entropy: SeededEntropy,
    *,
    name: str = "王芳",
    role: Role = Role.INVESTIGATOR,
    lifetime: timedelta = DAY,
    staff: UUID | None = None,
) -> IssuedToken:
    async with pool.acquire() as conn, conn.transaction():
        return await issue_token(
            conn,
            name=name,
            role=role,
            lifetime=lifetime,
            staff=staff,
            actor="service",
            clock=clock,
            entropy=entropy,
        )


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
async def test_a_token_of_every_role_is_on_record_by_its_digest_alone(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, role: Role
) -> None:
    issued = await issue(pool, clock, entropy, role=role)
    digest = hashlib.sha256(issued.text.encode()).digest()
    async with pool.acquire() as conn:
        stored = await find_staff_token(conn, issued.token)
        payload = await find_payload(conn, issued.entry_id)
        rows = str(await conn.fetch("SELECT * FROM staff_token"))
    assert stored is not None
    assert payload is not None
    assert (stored.role, stored.name, stored.token_sha256) == (role, "王芳", digest)
    assert digest.hex().encode() in payload.payload
    secret = secret_of(issued.text)
    assert secret.encode() not in payload.payload
    assert secret not in rows
    assert secret not in repr(issued)


async def test_the_text_of_a_token_names_its_row_and_matches_its_digest(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    issued = await issue(pool, clock, entropy)
    credential = parse_credential(issued.text, prefix=STAFF_PREFIX)
    assert credential is not None
    async with pool.acquire() as conn:
        stored = await find_staff_token(conn, credential.id)
    assert stored is not None
    assert credential.matches(stored.token_sha256)
    assert not credential.matches(b"\0" * 32)


async def test_a_person_keeps_their_id_over_several_tokens(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    first = await issue(pool, clock, entropy)
    second = await issue(pool, clock, entropy, staff=first.staff)
    assert second.staff == first.staff
    assert second.token != first.token


@pytest.mark.parametrize("name", ["", " 王芳", "王芳 ", "王\n芳", "王\0芳", "王\u202e芳", "名" * 101, "\ud800"])
async def test_names_that_cannot_be_shown_are_refused(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, name: str
) -> None:
    with pytest.raises(NameInvalid):
        await issue(pool, clock, entropy, name=name)
    async with pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM ledger_entry") == 0


async def test_a_person_cannot_be_a_dock(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    with pytest.raises(RoleInvalid):
        await issue(pool, clock, entropy, role=Role.DOCK)


@pytest.mark.parametrize("lifetime", [timedelta(0), -DAY, timedelta(days=TOKEN_DAYS_MAX, seconds=1)])
async def test_lifetimes_out_of_bounds_are_refused(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, lifetime: timedelta
) -> None:
    with pytest.raises(ExpiryInvalid):
        await issue(pool, clock, entropy, lifetime=lifetime)


async def test_a_revocation_stands_with_its_first_reason(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    issued = await issue(pool, clock, entropy)

    async def revoke(reason: str) -> UUID:
        async with pool.acquire() as conn, conn.transaction():
            return await revoke_token(
                conn, token=issued.token, reason=reason, actor="service", clock=clock, entropy=entropy
            )

    await revoke("调离岗位")
    with pytest.raises(TokenAlreadyRevoked):
        await revoke("again")
    async with pool.acquire() as conn:
        stored = await find_staff_token(conn, issued.token)
    assert stored is not None
    assert stored.revoked_reason == "调离岗位"


async def test_of_parallel_revocations_exactly_one_counts(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    issued = await issue(pool, clock, entropy)

    async def revoke(number: int) -> bool:
        try:
            async with pool.acquire() as conn, conn.transaction():
                await revoke_token(
                    conn,
                    token=issued.token,
                    reason=f"reason {number}",
                    actor="service",
                    clock=clock,
                    entropy=entropy,
                )
        except TokenAlreadyRevoked:
            return False
        return True

    assert sum(await asyncio.gather(*(revoke(number) for number in range(8)))) == 1


async def test_what_was_never_issued_cannot_be_revoked(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    async with pool.acquire() as conn, conn.transaction():
        with pytest.raises(TokenUnknown):
            await revoke_token(conn, token=UUID(int=7), reason="gone", actor="service", clock=clock, entropy=entropy)


async def test_the_list_goes_on_behind_a_token(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    issued = [await issue(pool, clock, entropy, name=f"人{number}") for number in range(5)]
    async with pool.acquire() as conn:
        first = await list_staff_tokens(conn, after=None, limit=3)
        rest = await list_staff_tokens(conn, after=first[-1].token, limit=3)
    assert [token.token for token in (*first, *rest)] == [token.token for token in issued]


@pytest.mark.parametrize("table", ["staff_token", "staff_token_revocation"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET entry_id = entry_id"])
async def test_rows_of_tokens_cannot_be_changed(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, table: str, change: str
) -> None:
    await issue(pool, clock, entropy)
    async with pool.acquire() as conn:
        with pytest.raises(Exception, match="insert-only"):
            await conn.execute(change.format(table))


async def rotate(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy, token: UUID, *, lifetime: timedelta | None = None
) -> IssuedToken:
    async with pool.acquire() as conn, conn.transaction():
        return await rotate_token(
            conn,
            token=token,
            lifetime=lifetime,
            by_holder=False,
            reason="例行更换",
            actor="service",
            clock=clock,
            entropy=entropy,
        )


async def test_a_rotation_gives_a_new_token_and_ends_the_old_one(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    old = await issue(pool, clock, entropy, role=Role.ARCHIVIST)
    new = await rotate(pool, clock, entropy, old.token)
    async with pool.acquire() as conn:
        before, after = [await find_staff_token(conn, one.token) for one in (old, new)]
        types = [row["type"] for row in await conn.fetch("SELECT type FROM custody_payload ORDER BY at")]
    assert before is not None
    assert after is not None
    assert (before.revoked_reason, after.revoked_at) == ("例行更换", None)
    assert (after.staff, after.name, after.role) == (before.staff, before.name, before.role)
    assert sorted(types) == ["staff.token_issued", "staff.token_issued", "staff.token_revoked"]


async def test_of_parallel_rotations_exactly_one_counts(
    pool: Pool, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    old = await issue(pool, clock, entropy)
    ended = await asyncio.gather(*(rotate(pool, clock, entropy, old.token) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, IssuedToken) for one in ended) == 1
    assert sum(isinstance(one, TokenAlreadyRevoked) for one in ended) == 4
    async with pool.acquire() as conn:
        assert len(await list_staff_tokens(conn, after=None, limit=10)) == 2


async def test_a_rotation_that_fails_changes_nothing(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    old = await issue(pool, clock, entropy)
    with pytest.raises(ExpiryInvalid):
        await rotate(pool, clock, entropy, old.token, lifetime=DAY * (TOKEN_DAYS_MAX + 1))
    with pytest.raises(TokenUnknown):
        await rotate(pool, clock, entropy, UUID(int=5))
    async with pool.acquire() as conn:
        assert [one.revoked_at for one in await list_staff_tokens(conn, after=None, limit=10)] == [None]


async def test_an_expired_token_is_not_rotated(pool: Pool, clock: SteppingClock, entropy: SeededEntropy) -> None:
    old = await issue(pool, clock, entropy, lifetime=timedelta(seconds=1))
    while clock() < old.expires_at:
        pass
    with pytest.raises(TokenExpired):
        await rotate(pool, clock, entropy, old.token)
