"""A running service for tests: the real house, a real server on 127.0.0.1, a real HTTP client.

Every answer is held against the routes table on its way to the test: the status has to be one the route declares, a
problem has to be well-formed and carry a code that the route declares, and the security headers have to be there.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
from multidict import CIMultiDictProxy

from api.app import serve
from api.config import ServiceConfig, load_config
from api.middleware import SECURITY_HEADERS
from api.openapi import codes_of
from api.problems import MEDIA_TYPE, PROBLEMS, Problem
from api.route import PATH_PATTERNS, Route
from api.routes.table import ROUTES
from api.services import Duty, Services, open_services
from api.tus import OFFSET_MEDIA_TYPE, format_metadata
from evidence.core.digest import ClipDigest, ClipHasher
from evidence.core.wire.manifest import Manifest
from evidence.custody.record import record
from evidence.parties.roles import Role
from evidence.parties.staff import issue_token
from ledger.canonical import JsonValue
from tests.support.clock import SeededEntropy
from tests.support.controllers import PaperController, connect_paper
from tests.support.parties import PaperDock, enrol, file_of, paper_dock

TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read whole."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def code(self) -> str | None:
        """The problem's code, also of an answer to HEAD."""
        return self.headers.get("X-Problem-Code")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class RunningService:
    """The service and somebody who can call it in any role."""

    services: Services
    url: str
    session: aiohttp.ClientSession
    entropy: SeededEntropy = field(default_factory=lambda: SeededEntropy(9))
    tokens: dict[Role, str] = field(default_factory=dict)
    docks: dict[int, PaperDock] = field(default_factory=dict)
    controllers: dict[str, PaperController] = field(default_factory=dict)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        role: Role | None = None,
        dock: PaperDock | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Reply:
        """Send a request in a role, as a dock, or as nobody, and check what every answer owes."""
        merged = dict(headers or {})
        if role is not None:
            merged.setdefault("Authorization", f"Bearer {await self.token(role)}")
        if dock is not None:
            merged.setdefault("Authorization", f"Bearer {dock.token(origin=self.services.origin)}")
        async with self.session.request(
            method, self.url + path, headers=merged, allow_redirects=False, **more
        ) as answer:
            reply = Reply(answer.status, answer.headers, await answer.read())
        check_owed(method, path, reply)
        return reply

    async def token(self, role: Role) -> str:
        """Return a token of a person in a role; docks have a dock's."""
        if role is Role.DOCK:
            return (await self.dock()).token(origin=self.services.origin)
        if role is Role.CONTROLLER:
            return (await self.controller()).token
        if role not in self.tokens:
            async with self.services.pool.acquire() as conn, conn.transaction():
                issued = await issue_token(
                    conn,
                    name=f"测试 {role.value}",
                    role=role,
                    lifetime=timedelta(days=1),
                    actor="service",
                    clock=self.services.clock,
                    entropy=self.entropy,
                )
            self.tokens[role] = issued.text
        return self.tokens[role]

    async def dock(self, seed: int = 1) -> PaperDock:
        """Return an enrolled dock."""
        if seed not in self.docks:
            self.docks[seed] = paper_dock(seed)
            await enrol(self.services.pool, self.docks[seed], entropy=self.entropy)
        return self.docks[seed]

    async def controller(self, name: str = "一号系统控制器") -> PaperController:
        """Return a connected controller with a session."""
        if name not in self.controllers:
            self.controllers[name] = await connect_paper(self.services, name, entropy=self.entropy)
        return self.controllers[name]

    async def create_upload(
        self,
        data: bytes,
        *,
        path: str,
        dock: PaperDock,
        recorded_at: datetime | None = None,
        officer: str | None = None,
    ) -> tuple[str, UUID]:
        """State an inventory of one file and announce its upload; return the upload's path and the inventory."""
        inventory = dock.inventory(file_of(path, size=len(data), recorded_at=recorded_at, officer=officer))
        reply = await self.ask("POST", "/v1/inventories", dock=dock, data=dock.inventory_note(inventory), headers=NOTE)
        assert reply.status == 201, reply
        metadata = {"inventory": str(inventory.id), "path": path, "recorder": dock.recorder}
        headers = {**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": format_metadata(metadata)}
        reply = await self.ask("POST", "/uploads", dock=dock, headers=headers)
        assert reply.status == 201, reply
        return reply.headers["Location"].removeprefix(self.url), inventory.id

    async def append(self, upload: str, data: bytes, *, offset: int = 0, dock: PaperDock) -> Reply:
        """Send bytes at an offset."""
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": OFFSET_MEDIA_TYPE}
        return await self.ask("PATCH", upload, dock=dock, headers=headers, data=io.BytesIO(data))

    async def seal(
        self,
        data: bytes,
        *,
        path: str = "DCIM/a.mp4",
        dock: PaperDock | None = None,
        recorded_at: datetime | None = None,
        officer: str | None = None,
    ) -> Reply:
        """Bring a file from inventory to receipt; return the last answer."""
        dock = dock or await self.dock()
        upload, inventory = await self.create_upload(
            data, path=path, dock=dock, recorded_at=recorded_at, officer=officer
        )
        reply = await self.append(upload, data, dock=dock)
        assert reply.status == 204, reply
        return await self.state_manifest(upload, data, path=path, inventory=inventory, dock=dock)

    async def state_manifest(self, upload: str, data: bytes, *, path: str, inventory: UUID, dock: PaperDock) -> Reply:
        """Hand in the manifest of an upload."""
        id_ = upload.rpartition("/")[2]
        manifest = Manifest(
            upload=UUID(id_),
            dock=dock.dock,
            inventory=inventory,
            recorder=dock.recorder,
            path=path,
            digest=digest_of(data),
        )
        return await self.ask(
            "POST", f"/v1/uploads/{id_}/manifest", dock=dock, data=dock.manifest_note(manifest), headers=NOTE
        )

    async def clip(self, data: bytes = b"footage", **more: Any) -> UUID:
        """Seal a file and return its clip."""
        await self.seal(data, **more)
        async with self.services.pool.acquire() as conn:
            clip: UUID = await conn.fetchval("SELECT clip FROM clip WHERE sha256 = $1", hashlib.sha256(data).digest())
        return clip

    async def derive(
        self,
        clip: UUID,
        data: bytes,
        *,
        kind: str = "proxy",
        media_type: str = "video/mp4",
        beside: Mapping[str, tuple[bytes, str]] | None = None,
        probe: JsonValue | None = None,
    ) -> str:
        """Put an object on record as derived from a clip, and others beside it; return its digest."""
        sha256 = self.services.objects.put(data)
        made: list[JsonValue] = [{"kind": kind, "sha256": sha256, "size": len(data), "media_type": media_type}]
        for other, (more, type_) in (beside or {}).items():
            digest = self.services.objects.put(more)
            made.append({"kind": other, "sha256": digest, "size": len(more), "media_type": type_})
        async with self.services.pool.acquire() as conn, conn.transaction():
            await record(
                conn,
                type="clip.derived",
                actor="service",
                subject=f"clip:{clip}",
                payload={
                    "clip": str(clip),
                    "attempt": 1,
                    "outcome": "reviewable",
                    "reason": None,
                    "tools": {"ffmpeg": "8.1.2"},
                    "parameters": {},
                    "probe": {} if probe is None else probe,
                    "objects": made,
                },
                clock=self.services.clock,
                entropy=self.services.entropy,
            )
        return sha256


NOTE = {"Content-Type": "text/plain; charset=utf-8"}


def digest_of(data: bytes) -> ClipDigest:
    """Return the digests of a file in memory."""
    hasher = ClipHasher()
    hasher.update(data)
    return hasher.digest()


def route_of(method: str, path: str) -> Route | None:
    """Return the route that answers a request."""
    for route in ROUTES:
        pattern = re.sub(r"\\\{(\w+)\\\}", lambda match: f"(?:{PATH_PATTERNS[match[1]]})", re.escape(route.path))
        if method in route.methods and re.fullmatch(pattern, path.partition("?")[0]):
            return route
    return None


def check_owed(method: str, path: str, reply: Reply) -> None:
    """Hold an answer against what the routes table and the house rules promise of every answer."""
    route = route_of(method, path)
    for name, value in SECURITY_HEADERS.items():
        expected = route.always.get(name, value) if route else value
        assert reply.headers[name] == expected, name
    assert re.fullmatch(r"[0-9a-f-]{36}", reply.headers["X-Request-Id"])
    if reply.headers.get("Content-Type") != MEDIA_TYPE:
        if route is not None:
            assert reply.status in {answer.status for answer in route.answers}, (method, path, reply)
        return
    code = reply.headers["X-Problem-Code"]
    assert reply.status == PROBLEMS[code].status
    assert reply.headers["Cache-Control"] == "no-store"
    assert route is None or code in codes_of(route), f"{method} {path} answers {code}, which it does not declare"
    if method != "HEAD":
        problem = Problem.model_validate_json(reply.body)
        assert (problem.code, problem.status, problem.retry) == (code, reply.status, PROBLEMS[code].retry)
        assert problem.instance == f"urn:uuid:{reply.headers['X-Request-Id']}"


def config_for(database: str, folder: Path, **overrides: object) -> ServiceConfig:
    """Return a configuration for tests."""
    settings: dict[str, object] = {"listen_port": 0, "disk_reserve_bytes": 0, "axis_destination": True}
    settings |= {"password_passes": 1, "password_memory_kib": 256, "password_lanes": 1}
    return load_config(data=folder, database=database, **settings | overrides)


@asynccontextmanager
async def running_service(config: ServiceConfig, **more: Any) -> AsyncIterator[RunningService]:
    """Run a service for the length of the block."""
    duties = frozenset({Duty.INTAKE, Duty.SEQUENCE})
    async with (
        open_services(config, duties=duties, **more) as services,
        serve(services) as url,
        aiohttp.ClientSession() as session,
    ):
        yield RunningService(services, url, session)
