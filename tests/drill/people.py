"""People of the drill's house who sign in: one account with every kind of credential, a session, its end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from evidence.accounts.accounts import change_account, create_account, issue_code
from evidence.accounts.secrets import begin_totp, confirm_totp, put_password, remove_totp
from evidence.accounts.sessions import begin_session, end_session, lock_person
from evidence.accounts.totp import code_at, step_at
from evidence.db.pool import Connection
from evidence.parties.roles import Role
from ledger.canonical import JsonObject

if TYPE_CHECKING:
    from tests.drill.house import DrillHouse

_HASH = "$argon2id$v=19$m=65536,t=3,p=4$ZHJpbGxkcmlsbGRyaWxs$ZHJpbGxkcmlsbGRyaWxsZHJpbGxkcmlsbA"


async def sign_somebody_in(house: DrillHouse) -> None:
    """Put an account on record with its password, one-time codes and provider, and two sessions, one of them ended."""
    clock, entropy = house.clock, house.entropy
    async with house.pool.acquire() as conn, conn.transaction():
        account = await create_account(
            conn,
            login="drill.person",
            name="演练人员",
            roles=[Role.ARCHIVIST],
            actor="service",
            clock=clock,
            entropy=entropy,
        )
        staff = account.staff
        await issue_code(conn, staff, lifetime=timedelta(days=1), actor="service", clock=clock, entropy=entropy)
        await put_password(conn, staff, _HASH, cause="code", clock=clock, entropy=entropy)
        await change_account(
            conn,
            staff,
            version=0,
            roles=[Role.ARCHIVIST, Role.REVIEWER],
            enabled=True,
            reason="兼任",
            actor="service",
            clock=clock,
            entropy=entropy,
        )
        sessions = [await _begin(house, conn, staff) for _ in range(2)]
        for kept in (False, True):
            secret = await begin_totp(conn, staff, now=clock(), entropy=entropy)
            code = code_at(secret, step_at(clock()))
            await confirm_totp(conn, staff, code, keep=sessions[1], clock=clock, entropy=entropy)
            if not kept:
                await remove_totp(conn, staff, reason="换手机", actor="service", clock=clock, entropy=entropy)
        await end_session(conn, sessions[1], staff=staff, cause="own", clock=clock, entropy=entropy)
    linked = {"staff": str(staff), "issuer": "https://id.example.cn", "subject": "248289761001"}
    await house.write("account.linked", f"staff:{staff}", {**linked})
    subscription = str(house.new_id())
    subscribed: JsonObject = {
        "subscription": subscription,
        "name": "公示平台",
        "url": "https://platform.example.cn/hooks",
        "types": ["clip.sealed"],
        "detail": "ids",
    }
    await house.write("outbox.subscribed", f"subscription:{subscription}", subscribed)
    ended: JsonObject = {"subscription": subscription, "reason": "停用"}
    await house.write("outbox.ended", f"subscription:{subscription}", ended)


async def _begin(house: DrillHouse, conn: Connection, staff: UUID) -> UUID:
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
        lifetime=timedelta(hours=12),
        clock=house.clock,
        entropy=house.entropy,
    )
    return begun.session
