"""Nobody looks without leaving a trace: for every way in, a database that cannot take the entry means no footage.

The ways in are made from the routes table, and one without a scenario here fails. Each is tried with a database that
has become read-only, and with one that stops at the very moment before the entry is written: the answer is a coded 503
without a byte of content, nothing is half-written, and the same request goes through once the database is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from typer.main import get_command

from api.bodies import JsonBody
from api.cli.main import app
from api.clip_links import marker_of
from api.excerpts import excerpt
from api.exports import maker_of, write_package
from api.redactions import copy_out
from api.route import Route
from api.routes.permits import permit_of
from api.routes.table import ROUTES
from api.stills import still_out
from api.tasks import export_clips
from evidence.access.policy import Action
from evidence.core.clock import format_time, utc_now
from evidence.parties.roles import STAFF_ROLES, Role
from ingest.excerpts import Wish
from ingest.media.frame_format import write_frames
from ingest.media.showing import Asked
from ingest.redaction_store import MadeCopy
from ingest.stills import StillWish
from ledger.canonical import SALT_BYTES
from tests.support.clock import SeededEntropy
from tests.support.database import fresh_database
from tests.support.database_gate import DatabaseGate, database_gate
from tests.support.frame_indexes import index_of
from tests.support.media import Film, Sound, write
from tests.support.service import Reply, RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARK = b"CONTENT-THAT-MAY-NOT-LEAVE"
PICTURE = b"\x89PNG"
"""What a picture of the film begins with: it is decoded, so no mark of ours is in it."""

LOOKING = frozenset({Action.VIEW, Action.ORIGINAL, Action.EXCERPT, Action.EXPORT})

TRACES = (
    "ledger_entry",
    "custody_payload",
    "view_ticket",
    "look_ticket",
    "export_ticket",
    "export_fetch",
    "export_job",
    "clip_shown",
)
"""Tables in which something half-written would stand."""


class Trap:
    """Random bytes, with a trap: armed, it springs when an entry's salt is drawn, just before the entry is written."""

    def __init__(self) -> None:
        self._entropy = SeededEntropy(77)
        self._spring: Callable[[], None] | None = None

    @property
    def armed(self) -> bool:
        """Whether it has not sprung yet."""
        return self._spring is not None

    def arm(self, spring: Callable[[], None] | None) -> None:
        """Call this just before the next entry; None for nothing."""
        self._spring = spring

    def __call__(self, count: int) -> bytes:
        if count == SALT_BYTES and self._spring is not None:
            spring, self._spring = self._spring, None
            spring()
        return self._entropy(count)


@dataclass
class House:
    """A service behind a gate, with a clip in a case, a package, a link and tickets."""

    service: RunningService
    gate: DatabaseGate
    trap: Trap
    database: str
    clip: UUID
    case: str = ""
    export: str = ""
    tickets: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: Any = None, *, role: Role | None = Role.ARCHIVIST) -> Reply:
        """Ask in a role."""
        return await self.service.ask(method, path, role=role, **({} if body is None else {"json": body}))

    async def share(self) -> str:
        """Make a link and return its address."""
        wish = {
            "recipient": "李律师",
            "purpose": "litigation",
            "expires_at": format_time(utc_now() + timedelta(days=1)),
            "uses": 50,
        }
        made = await self.ask("POST", f"/v1/exports/{self.export}/links", wish)
        return str(made.json()["url"])

    async def watch(self, film: bytes) -> None:
        """Make a link to watch a clip by, and use it once."""
        shown = await self.service.clip(film, path="shown.mp4")
        await self.service.derive(shown, film)
        made = await self.ask("POST", f"/v1/clips/{shown}/links", {**outside(), "uses": 50})
        maker = marker_of(self.service.services)
        maker.folder.mkdir(exist_ok=True)
        while await maker.attempt():
            pass
        self.tickets["watch"] = made.json()["url"]
        used = await self.ask("POST", self.tickets["watch"], role=None)
        self.tickets["watching"] = used.headers["Location"]

    async def traces(self) -> dict[str, int]:
        """Count what stands on record, past the gate."""
        conn = await asyncpg.connect(self.database)
        try:
            return {name: await conn.fetchval(f"SELECT count(*) FROM {name}") for name in TRACES}
        finally:
            await conn.close()

    async def set_read_only(self, *, on: bool) -> None:
        """Have the database take no writes, as a standby does that everybody was moved to."""
        conn = await asyncpg.connect(self.database)
        try:
            name = await conn.fetchval("SELECT current_database()")
            await conn.execute("SET default_transaction_read_only = off")
            await conn.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {'on' if on else 'off'}")
        finally:
            await conn.close()
        self.gate.cut()

    async def settled(self) -> None:
        """Wait until the service reaches its database again."""
        for _ in range(100):
            if (await self.service.ask("GET", "/v1/clips", role=Role.ARCHIVIST)).status == 200:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the service does not come back")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("gate")
    film = write(folder / "film.mp4", film=Film(), sound=Sound())
    trap = Trap()
    async with (
        fresh_database(postgres) as database,
        database_gate(database, folder) as gate,
        running_service(config_for(gate.dsn, folder / "data"), entropy=trap) as running,
    ):
        clip = await running.clip(film.read_bytes() + MARK, path="film.mp4")
        index = index_of(film)
        frames = write_frames(type(index)(index.size + len(MARK), index.origin, index.tracks))
        await running.derive(
            clip,
            MARK + b" proxy",
            beside={
                **{kind: (MARK + kind.encode(), "text/vtt") for kind in ("playlist", "transcript", "poster", "stills")},
                "frames": (frames, "application/octet-stream"),
            },
        )
        house = House(running, gate, trap, database, clip)
        case = await house.ask("POST", "/v1/cases", {"number": "晋环罚〔2026〕1号", "title": "偷排"})
        house.case = case.json()["case"]
        linked = await house.ask("POST", f"/v1/cases/{house.case}/clips", {"clip": str(clip)})
        put = {"classes": ["minors"], "reason": "涉及未成年人"}
        assert (await house.ask("POST", f"/v1/clips/{clip}/classes", put)).status == 201
        assert await running.services.waiter.wait(UUID(linked.json()["entry"]), timeout_seconds=20) is not None
        asked = await house.ask("POST", "/v1/exports", {"purpose": "litigation", "case": house.case})
        house.export = asked.json()["export"]
        maker = maker_of(running.services)
        maker.folder.mkdir(exist_ok=True)
        while await maker.attempt():
            pass
        house.tickets["view"] = (await house.ask("POST", f"/v1/clips/{clip}/views", view("proxy"))).json()["url"]
        wish = {"purpose": "litigation", "clips": [str(clip)]}
        house.tickets["look"] = (await house.ask("POST", "/v1/looks", wish)).json()["url"]
        fetch = await house.ask("POST", f"/v1/exports/{house.export}/downloads", {"purpose": "litigation"})
        house.tickets["package"] = fetch.json()["url"]
        house.tickets["share"] = await house.share()
        await house.watch(film.read_bytes())
        yield house


def outside() -> dict[str, str]:
    until = format_time(utc_now() + timedelta(days=1))
    return {"recipient": "王律师", "purpose": "litigation", "expires_at": until}


def view(rendition: str) -> dict[str, str]:
    return {"purpose": "litigation", "rendition": rendition}


Way = Callable[[House], Awaitable[Reply]]

WRITES: dict[str, Way] = {
    **{
        f"view_clip {kind}": lambda h, kind=kind: h.ask("POST", f"/v1/clips/{h.clip}/views", view(kind))  # type: ignore[misc]
        for kind in ("original", "proxy", "transcript", "poster", "stills")
    },
    "look_at_clips": lambda h: h.ask("POST", "/v1/looks", {"purpose": "litigation", "clips": [str(h.clip)]}),
    "order_excerpt": lambda h: h.ask(
        "POST", f"/v1/clips/{h.clip}/excerpts", {"purpose": "litigation", "from_ms": 200, "to_ms": 900, "cut": False}
    ),
    "order_still": lambda h: h.ask("POST", f"/v1/clips/{h.clip}/stills", {"purpose": "litigation", "frame": 3}),
    "find_clips": lambda h: h.ask("GET", "/v1/clips?purpose=litigation"),
    "download_export": lambda h: h.ask("POST", f"/v1/exports/{h.export}/downloads", {"purpose": "litigation"}),
    "share_export": lambda h: h.ask(
        "POST",
        f"/v1/exports/{h.export}/links",
        {
            "recipient": "王律师",
            "purpose": "litigation",
            "expires_at": format_time(utc_now() + timedelta(days=1)),
        },
    ),
    "use_share": lambda h: h.ask("POST", h.tickets["share"], role=None),
    "share_clip": lambda h: h.ask("POST", f"/v1/clips/{h.clip}/links", outside()),
    "use_watch": lambda h: h.ask("POST", h.tickets["watch"], role=None),
}
"""Ways in that write their entry: name of the route, and what tells its scenarios apart."""

ORDERS: dict[str, Way] = {
    "order_export case": lambda h: h.ask("POST", "/v1/exports", {"purpose": "litigation", "case": h.case}),
    "order_export clips": lambda h: h.ask("POST", "/v1/exports", {"purpose": "litigation", "clips": [str(h.clip)]}),
    "order_export again": lambda h: h.ask("POST", "/v1/exports", {"purpose": "litigation", "repeat": h.export}),
}
"""Asking for a package: nothing leaves yet; its entry is written before its first byte, see below."""

TICKETS: dict[str, Way] = {
    "media": lambda h: h.ask("GET", h.tickets["view"], role=None),
    "media_beside": lambda h: h.ask("GET", f"{h.tickets['view']}/playlist", role=None),
    "media_of_look": lambda h: h.ask("GET", f"{h.tickets['look']}/{h.clip}/poster", role=None),
    "package": lambda h: h.ask("GET", h.tickets["package"], role=None),
    "show_share": lambda h: h.ask("GET", h.tickets["share"], role=None),
    "show_watch": lambda h: h.ask("GET", h.tickets["watch"], role=None),
    "watching": lambda h: h.ask("GET", h.tickets["watching"], role=None),
    "watermarked_copy": lambda h: h.ask("GET", f"{h.tickets['watching']}/copy", role=None),
    "share_verifier": lambda h: h.ask("GET", f"{h.tickets['share']}/verify.html", role=None),
}
"""Bytes behind an entry that is on record: without a database to ask, not one of them."""

NO_WAY_IN = frozenset({"give_up_export", "revoke_link", "revoke_clip_link", "commit_sample"})
"""Routes that look like ways in by the rule below and let nothing out."""


def ways_in() -> set[str]:
    """Return the routes by which footage is seen or leaves, or that ask what for."""
    found = set()
    for route in ROUTES:
        people = route.roles is None or bool(route.roles & STAFF_ROLES)
        if people and (_looks(route) or _asks_what_for(route) or "ticket" in route.parameters):
            found.add(route.name)
    return found - NO_WAY_IN


def _looks(route: Route) -> bool:
    action = permit_of(route).action
    return callable(action) or action in LOOKING


def _asks_what_for(route: Route) -> bool:
    body = route.body.model.model_fields if isinstance(route.body, JsonBody) else {}
    return "purpose" in body or "purpose" in route.query.model_fields


async def test_every_way_in_is_tried_here() -> None:
    tried = {name.partition(" ")[0] for name in (*WRITES, *ORDERS, *TICKETS)}
    assert ways_in() == tried


def _refused(reply: Reply) -> None:
    assert (reply.status, reply.json()["retry"]) == (503, "later"), reply
    assert reply.code in {"database.unreachable", "database.unwritable", "service.unavailable"}, reply
    assert MARK not in reply.body
    assert PICTURE not in reply.body


@pytest.mark.parametrize("way", [*WRITES, *ORDERS])
async def test_a_database_that_takes_no_entry_lets_nothing_out(house: House, way: str) -> None:
    ask, before = {**WRITES, **ORDERS}[way], await house.traces()
    await house.set_read_only(on=True)
    try:
        _refused(await ask(house))
    finally:
        await house.set_read_only(on=False)
    await house.settled()
    assert await house.traces() == before
    assert not _left(house)
    assert (await ask(house)).status < 400, "and once it takes entries again, the same request is granted"
    after = await house.traces()
    if way in WRITES:
        assert after["custody_payload"] == before["custody_payload"] + 1


@pytest.mark.parametrize("way", WRITES)
async def test_a_database_that_stops_just_before_the_entry_lets_nothing_out(house: House, way: str) -> None:
    before = await house.traces()
    house.trap.arm(house.gate.shut)
    try:
        _refused(await WRITES[way](house))
        assert not house.trap.armed, "it stopped at the entry, not before"
    finally:
        house.trap.arm(None)
        await house.gate.open()
    await house.settled()
    assert await house.traces() == before
    assert not _left(house)


@pytest.mark.parametrize("way", [*TICKETS, *ORDERS, *WRITES])
async def test_a_database_that_is_gone_lets_no_byte_out(house: House, way: str) -> None:
    before = await house.traces()
    house.gate.shut()
    try:
        _refused(await {**TICKETS, **ORDERS, **WRITES}[way](house))
    finally:
        await house.gate.open()
    await house.settled()
    assert await house.traces() == before
    if way in TICKETS:
        granted = await TICKETS[way](house)
        assert granted.status == 200
        assert granted.body


async def test_a_package_whose_entry_cannot_be_written_is_not_made(house: House) -> None:
    asked = await house.ask("POST", "/v1/exports", {"purpose": "litigation", "clips": [str(house.clip)]})
    maker, export = maker_of(house.service.services), UUID(asked.json()["export"])
    entries = (await house.traces())["ledger_entry"]
    house.trap.arm(house.gate.shut)
    try:
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await maker.attempt()
        assert not house.trap.armed
        assert not list(maker.folder.glob(f"{export}*"))
    finally:
        house.trap.arm(None)
        await house.gate.open()
    await house.settled()
    assert (await house.traces())["ledger_entry"] == entries
    fetched = await house.ask("POST", f"/v1/exports/{export}/downloads", {"purpose": "litigation"})
    assert fetched.code == "export.not_ready"


@pytest.mark.parametrize("name", sorted(ways_in() - set(TICKETS) - {"use_share", "use_watch", "find_clips"}))
async def test_r42_no_way_in_without_a_purpose_on_the_list(house: House, name: str) -> None:
    (route,) = [one for one in ROUTES if one.name == name]
    path = route.path.replace("{clip}", str(house.clip)).replace("{export}", house.export)
    assert isinstance(route.body, JsonBody)
    assert route.body.model.model_fields["purpose"].is_required(), "nobody's purpose is taken for granted"
    bodies: dict[str, dict[str, Any]] = {
        "order_excerpt": {"from_ms": 200, "to_ms": 900},
        "order_still": {"frame": 3},
        "order_export": {"clips": [str(house.clip)]},
        "look_at_clips": {"clips": [str(house.clip)]},
        "share_export": {"recipient": "王律师", "expires_at": format_time(utc_now() + timedelta(days=1))},
        "share_clip": {"recipient": "王律师", "expires_at": format_time(utc_now() + timedelta(days=1))},
    }
    rest = bodies.get(name, {})
    before = await house.traces()
    wrong: tuple[dict[str, Any], ...] = ({}, {"purpose": None}, {"purpose": ""}, {"purpose": "litigation "})
    for purpose in wrong:
        assert (await house.ask("POST", path, {**rest, **purpose})).code == "request.invalid", purpose
    for word in ("curiosity", "case_file_reviews", str(uuid4()).replace("-", "_")):
        reply = await house.ask("POST", path, {**rest, "purpose": word})
        assert reply.code in {"view.purpose_unknown", "request.invalid"}, word
        assert MARK not in reply.body
    assert await house.traces() == before


async def test_r42_restricted_footage_is_not_found_without_a_purpose(house: House) -> None:
    assert (await house.ask("GET", "/v1/clips?purpose=curiosity")).code == "view.purpose_unknown"
    assert (await house.ask("GET", "/v1/clips?purpose=")).status == 400


HandOut = Callable[[House, Path], Awaitable[object]]


async def _export(house: House, to: Path) -> object:
    done = export_clips(
        house.service.services, [house.clip], to=to, actor="service", purpose="litigation", advance=_silently
    )
    return [one async for one in done]


async def _redacted(house: House, to: Path) -> None:
    """The newest derivative stands for a copy: what is asked is the order of entry and bytes."""
    services = house.service.services
    row = await services.pool.fetchrow("SELECT sha256, size FROM clip_object WHERE kind = 'proxy'")
    assert row is not None
    entry = await services.pool.fetchval("SELECT entry_id FROM clip")
    made = MadeCopy(entry_id=entry, sha256=row["sha256"], size=row["size"], media_type="video/mp4")
    await copy_out(services, house.clip, made, out=to, purpose="litigation", actor="service")


def _silently(_name: str, _done: int, _all: int) -> None:
    """Tell nobody how far it is."""


COMMANDS: dict[str, HandOut] = {
    "export": _export,
    "export --package": lambda h, to: write_package(
        h.service.services,
        case=UUID(h.case),
        clips=[],
        to=to,
        purpose="litigation",
        actor="service",
        advance=_silently,
    ),
    "excerpt": lambda h, to: excerpt(
        h.service.services,
        Wish(clip=h.clip, from_ms=0, to_ms=500, purpose="litigation", actor="service", cut=False),
        target=to,
    ),
    "redact": _redacted,
    "still": lambda h, to: still_out(
        h.service.services,
        StillWish(clip=h.clip, asked=Asked(frame=3), purpose="litigation", actor="service"),
        out=to,
    ),
}
"""Commands that write footage into a folder or file; `shilu quarantine save` has its own in ingest/test_set_aside."""


def _commands(command: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Return the commands that ask for a purpose and a place to write to."""
    if below := getattr(command, "commands", None):
        return [one for name, sub in below.items() for one in _commands(sub, (*path, name))]
    names = {parameter.name for parameter in command.params}
    return [" ".join(path)] if "purpose" in names and names & {"to", "out"} else []


async def test_every_command_that_hands_out_is_tried() -> None:
    assert {*_commands(get_command(app))} == {name.partition(" --")[0] for name in COMMANDS} | {
        "quarantine save",
        # What it writes comes by `download_export`, which is among the ways in above.
        "fetch",
    }


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_whose_entry_cannot_be_written_writes_no_byte(house: House, tmp_path: Path, name: str) -> None:
    before, to = await house.traces(), tmp_path / "out"
    house.trap.arm(house.gate.shut)
    try:
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await COMMANDS[name](house, to)
        assert not house.trap.armed, "it stopped at the entry, not before"
    finally:
        house.trap.arm(None)
        await house.gate.open()
    assert [path for path in (to, *to.rglob("*")) if path.is_file()] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    await house.settled()
    assert await house.traces() == before
    assert not _left(house)
    await COMMANDS[name](house, to)
    left = [path.read_bytes() for path in (to, *to.rglob("*")) if path.is_file()]
    assert any(MARK in raw or raw.startswith(PICTURE) for raw in left)
    assert (await house.traces())["custody_payload"] == before["custody_payload"] + 1


def _left(house: House) -> list[Path]:
    """Return what lies in the work folder that somebody might still find."""
    return [
        path for path in house.service.services.folders.work.iterdir() if path.name.startswith(("excerpt-", "still-"))
    ]
