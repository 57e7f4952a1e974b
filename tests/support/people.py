"""People with accounts, over HTTP, as an administrator and they themselves make them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.accounts.totp import code_at, step_at
from evidence.core.clock import utc_now
from evidence.custody.store import payloads_of
from evidence.parties.roles import Role
from tests.support.service import Reply, RunningService

PASSWORD = "梧桐树下的k7#Vq2-mPz9"


@dataclass(slots=True)
class PaperPerson:
    """A person with an account and a memory."""

    service: RunningService
    login: str
    staff: UUID
    password: str = PASSWORD
    secret: bytes = b""
    steps_ahead: int = -1

    def code(self, now: datetime | None = None) -> str:
        """Return a one-time code that was not shown before, as far as the window allows."""
        self.steps_ahead += 1
        return code_at(self.secret, step_at(now or utc_now()) + self.steps_ahead)

    async def sign_in(self, **more: object) -> Reply:
        """Sign in with the password, and whatever else is given."""
        body = {"login": self.login, "password": self.password, **more}
        return await self.service.ask("POST", "/v1/session", json=body)

    async def session(self, **more: object) -> dict[str, str]:
        """Sign in; return the headers that show the session."""
        reply = await self.sign_in(**more)
        assert reply.status == 201, reply.body
        return {"Authorization": f"Bearer {reply.json()['text']}"}


async def make_account(service: RunningService, login: str, *roles: Role, name: str = "王芳", **more: object) -> UUID:
    """Have an administrator create an account without a password."""
    body = {"login": login, "name": name, "roles": [role.value for role in roles], **more}
    reply = await service.ask("POST", "/v1/accounts", role=Role.ADMINISTRATOR, json=body)
    assert reply.status == 201, reply.body
    return UUID(reply.json()["staff"])


async def make_code(service: RunningService, staff: UUID) -> str:
    """Have an administrator make a code for an account."""
    reply = await service.ask("POST", f"/v1/accounts/{staff}/code", role=Role.ADMINISTRATOR, json={})
    assert reply.status == 201, reply.body
    code: str = reply.json()["code"]
    return code


async def person(service: RunningService, login: str, *roles: Role) -> PaperPerson:
    """Return a person with an account and a password."""
    staff = await make_account(service, login, *(roles or (Role.INVESTIGATOR,)))
    body = {"login": login, "code": await make_code(service, staff), "password": PASSWORD}
    reply = await service.ask("POST", "/v1/session/activate", json=body)
    assert reply.status == 204, reply.body
    return PaperPerson(service, login, staff)


async def entries(service: RunningService, type_: str, subject: str) -> list[dict[str, object]]:
    """Return the payloads of a type about a subject, as they are on record."""
    async with service.services.pool.acquire() as conn:
        return [json.loads(one.payload) for one in await payloads_of(conn, type=type_, subject=subject)]


async def enrol_totp(someone: PaperPerson, session: dict[str, str]) -> list[str]:
    """Have a person enrol one-time codes; return the recovery codes."""
    ask = someone.service.ask
    begun = await ask("POST", "/v1/session/totp", headers=session, json={"password": PASSWORD})
    assert begun.status == 201
    someone.secret = base64.b32decode(begun.json()["secret"])
    done = await ask("POST", "/v1/session/totp/confirm", headers=session, json={"code": someone.code()})
    assert done.status == 201, done.body
    codes: list[str] = done.json()["recovery"]
    return codes
