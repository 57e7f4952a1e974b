"""A service that decides by grants, with people, clips and cases in and out of their reach."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from evidence.parties.roles import Role
from evidence.parties.staff import issue_token
from tests.support.database import fresh_database
from tests.support.service import Reply, RunningService, config_for, running_service


@dataclass
class Office:
    """A service that decides by grants, its people, and clips and cases in and out of their reach."""

    service: RunningService
    clips: dict[str, UUID] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)
    people: dict[tuple[Role, str], tuple[UUID, str]] = field(default_factory=dict)

    async def person(self, role: Role, name: str, **grant: Any) -> tuple[UUID, str]:
        """Return a person's id and token; they get a grant when they are first asked for."""
        if (role, name) not in self.people:
            services = self.service.services
            async with services.pool.acquire() as conn, conn.transaction():
                issued = await issue_token(
                    conn,
                    name=name,
                    role=role,
                    lifetime=timedelta(days=1),
                    actor="service",
                    clock=services.clock,
                    entropy=self.service.entropy,
                )
            self.people[role, name] = (issued.staff, issued.text)
            if grant:
                body = {"staff": str(issued.staff), "reason": "专案组成员", **grant}
                made = await self.service.ask("POST", "/v1/access/grants", role=Role.ADMINISTRATOR, json=body)
                assert made.status == 201, made
        return self.people[role, name]

    async def ask(self, method: str, path: str, person: tuple[UUID, str], **more: Any) -> Reply:
        """Ask as a person."""
        headers = {"Authorization": f"Bearer {person[1]}", **more.pop("headers", {})}
        return await self.service.ask(method, path, headers=headers, **more)


@asynccontextmanager
async def open_office(postgres: str, folder: Path) -> AsyncIterator[Office]:
    """Open the service with the clips granted, other and secret (bears `minors`), and the cases granted and other."""
    async with (
        fresh_database(postgres) as database,
        running_service(config_for(database, folder / "data", access="units")) as running,
    ):
        office = Office(running)
        keeper = await office.person(Role.ARCHIVIST, "全部", all_units=True, classes=["minors", "covert", "secrets"])
        for name in ("granted", "other", "secret"):
            office.clips[name] = await running.clip(name.encode(), path=f"DCIM/{name}.mp4")
            await running.derive(office.clips[name], b"proxy " + name.encode())
        for name in ("granted", "other"):
            body = {"number": f"晋环罚〔2026〕{name}号", "title": f"{name}案"}
            office.cases[name] = (await office.ask("POST", "/v1/cases", keeper, json=body)).json()["case"]
        for case, clip in (("granted", "granted"), ("granted", "secret"), ("other", "other"), ("other", "granted")):
            link = {"clip": str(office.clips[clip])}
            reply = await office.ask("POST", f"/v1/cases/{office.cases[case]}/clips", keeper, json=link)
            assert reply.status == 201, reply
        put = {"classes": ["minors"], "reason": "涉及未成年人"}
        reply = await office.ask("POST", f"/v1/clips/{office.clips['secret']}/classes", keeper, json=put)
        assert reply.status == 201, reply
        yield office
