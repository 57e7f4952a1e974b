"""The audit on accounts and sessions: exchanged secrets, altered rows, entries of people who had signed out."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from evidence.accounts.accounts import create_account
from evidence.accounts.secrets import put_password
from evidence.accounts.sessions import begin_session, end_session, lock_person
from evidence.cases import cases
from evidence.parties.roles import Role
from tests.support.auditing import differences
from tests.support.small_house import SmallHouse, superuser

HASH = "$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHRzYWx0c2E$AAAA"


async def someone(house: SmallHouse) -> UUID:
    async with house.pool.acquire() as conn, conn.transaction():
        account = await create_account(
            conn,
            login="wang",
            name="王芳",
            roles=[Role.ARCHIVIST],
            actor="service",
            clock=house.clock,
            entropy=house.entropy,
        )
        await put_password(conn, account.staff, HASH, cause="code", clock=house.clock, entropy=house.entropy)
    return account.staff


async def sign_in(house: SmallHouse, staff: UUID) -> UUID:
    async with house.pool.acquire() as conn, conn.transaction():
        await lock_person(conn, staff)
        begun = await begin_session(
            conn,
            staff=staff,
            role=Role.ARCHIVIST,
            scopes=None,
            method="password",
            recovery=None,
            failed_before=0,
            address="192.0.2.1",
            lifetime=timedelta(hours=8),
            clock=house.clock,
            entropy=house.entropy,
        )
    return begun.session


async def open_case(house: SmallHouse, staff: UUID, number: str) -> None:
    async with house.pool.acquire() as conn, conn.transaction():
        await cases.open_case(
            conn, number=number, title="甲", actor=f"staff:{staff}", clock=house.clock, entropy=house.entropy
        )


async def test_people_who_sign_in_work_and_sign_out_are_no_finding(house: SmallHouse) -> None:
    staff = await someone(house)
    session = await sign_in(house, staff)
    await open_case(house, staff, "甲1")
    async with house.pool.acquire() as conn, conn.transaction():
        await end_session(conn, session, staff=staff, cause="own", clock=house.clock, entropy=house.entropy)
    await house.publish()
    assert await differences(house) == []


async def test_who_acts_long_after_signing_out_is_named(house: SmallHouse) -> None:
    staff = await someone(house)
    session = await sign_in(house, staff)
    async with house.pool.acquire() as conn, conn.transaction():
        await end_session(conn, session, staff=staff, cause="own", clock=house.clock, entropy=house.entropy)
    house.clock.advance(timedelta(hours=2))
    await open_case(house, staff, "甲2")
    await house.publish()
    assert await differences(house) == ["actor.not_in_force"]


async def test_who_never_signed_in_is_named(house: SmallHouse) -> None:
    staff = await someone(house)
    await open_case(house, staff, "甲3")
    await house.publish()
    assert await differences(house) == ["actor.not_in_force"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE account_secret SET password = '$argon2id$mallory'",
        "UPDATE account_secret SET totp = '\\x0102'",
        "UPDATE account_secret SET password = NULL",
        "DELETE FROM account_secret",
    ],
)
async def test_an_exchanged_secret_is_named(house: SmallHouse, statement: str) -> None:
    await someone(house)
    await house.publish()
    async with superuser(house.dsn) as conn:
        await conn.execute(statement)
    assert await differences(house) == ["account.secret_differs"]
