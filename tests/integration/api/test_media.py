"""Views and footage: on record before a byte goes out, by ticket and for a short while, whole or in ranges."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from evidence.core.clock import utc_now
from evidence.parties.purposes import PURPOSES
from evidence.parties.roles import Role
from tests.support.clock import SteppingClock
from tests.support.parties import secret_of
from tests.support.people import person
from tests.support.service import Reply, RunningService, config_for, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROXY = bytes(range(256)) * 9000
"""Longer than one read of the server."""


async def clip_with_proxy(service: RunningService) -> UUID:
    clip = await service.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    await service.derive(clip, PROXY)
    return clip


async def view(service: RunningService, clip: UUID, *, role: Role = Role.REVIEWER, **body: str) -> Reply:
    return await service.ask("POST", f"/v1/clips/{clip}/views", role=role, json={"purpose": "legal_review", **body})


async def test_a_view_is_on_record_before_it_has_an_address(shared: RunningService) -> None:
    clip = await clip_with_proxy(shared)
    opened = await view(shared, clip, purpose="litigation")
    assert opened.status == 201
    history = (await shared.ask("GET", f"/v1/clips/{clip}/history", role=Role.AUDITOR)).json()["items"]
    line = history[-1]
    assert (line["type"], line["entry"]) == ("clip.viewed", opened.json()["entry"])
    assert line["payload"]["purpose"] == "litigation"
    assert line["actor"] == f"staff:{line['payload']['staff']}"
    secret = secret_of(opened.json()["url"])
    assert secret not in str(history)


async def test_a_view_that_cannot_be_recorded_serves_nothing(shared: RunningService) -> None:
    clip = await clip_with_proxy(shared)
    async with shared.services.pool.acquire() as conn:
        tickets = await conn.fetchval("SELECT count(*) FROM view_ticket")
        await conn.execute("ALTER TABLE ledger_entry RENAME TO ledger_entry_away")
        try:
            refused = await view(shared, clip)
        finally:
            await conn.execute("ALTER TABLE ledger_entry_away RENAME TO ledger_entry")
        assert (refused.status, refused.code) == (500, "internal")
        assert await conn.fetchval("SELECT count(*) FROM view_ticket") == tickets


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_every_purpose_on_the_list_is_taken(shared: RunningService, purpose: str) -> None:
    clip = await shared.clip(b"purposes")
    assert (await view(shared, clip, purpose=purpose, rendition="original")).status == 201


async def test_r42_without_a_purpose_on_the_list_nobody_looks(shared: RunningService) -> None:
    clip = await clip_with_proxy(shared)
    before = len((await shared.ask("GET", f"/v1/clips/{clip}/history", role=Role.AUDITOR)).json()["items"])
    reply = await view(shared, clip, purpose="curiosity")
    assert (reply.code, reply.json()["details"]["purposes"]) == ("view.purpose_unknown", sorted(PURPOSES))
    for body in ({}, {"purpose": ""}, {"purpose": "案卷评查"}, {"purpose": None}):
        reply = await shared.ask("POST", f"/v1/clips/{clip}/views", role=Role.REVIEWER, json=body)
        assert reply.code == "request.invalid"
    after = len((await shared.ask("GET", f"/v1/clips/{clip}/history", role=Role.AUDITOR)).json()["items"])
    assert after == before


async def test_an_administrator_sees_no_footage(shared: RunningService) -> None:
    clip = await clip_with_proxy(shared)
    assert (await view(shared, clip, role=Role.ADMINISTRATOR)).code == "auth.role"


async def test_what_is_not_there_cannot_be_seen(shared: RunningService) -> None:
    clip = await shared.clip(b"no proxy yet")
    reply = await view(shared, clip)
    assert (reply.code, reply.json()["retry"]) == ("view.rendition_missing", "later")
    assert (await view(shared, uuid4())).code == "clip.unknown"


async def test_the_whole_object_is_served(shared: RunningService) -> None:
    url = (await view(shared, await clip_with_proxy(shared))).json()["url"]
    reply = await shared.ask("GET", url)
    assert (reply.status, reply.body) == (200, PROXY)
    assert reply.headers["Content-Type"] == "video/mp4"
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert reply.headers["Cache-Control"] == "private, no-store"
    head = await shared.ask("HEAD", url)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(PROXY)))


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-", 100, len(PROXY)),
        ("bytes=-7", len(PROXY) - 7, len(PROXY)),
        ("bytes=500000-1500000", 500_000, 1_500_001),
        (f"bytes={len(PROXY) - 1}-{len(PROXY) + 5}", len(PROXY) - 1, len(PROXY)),
    ],
)
async def test_a_range_is_exactly_what_was_asked_for(
    shared: RunningService, header: str, start: int, stop: int
) -> None:
    url = (await view(shared, await clip_with_proxy(shared))).json()["url"]
    reply = await shared.ask("GET", url, headers={"Range": header})
    assert (reply.status, reply.body) == (206, PROXY[start:stop])
    assert reply.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(PROXY)}"
    assert reply.headers["Content-Length"] == str(stop - start)
    tag = reply.headers["ETag"]
    assert (await shared.ask("GET", url, headers={"Range": header, "If-Range": tag})).status == 206
    assert (await shared.ask("GET", url, headers={"Range": header, "If-Range": '"other"'})).status == 200


async def test_ranges_out_of_the_object_are_refused_with_its_size(shared: RunningService) -> None:
    url = (await view(shared, await clip_with_proxy(shared))).json()["url"]
    reply = await shared.ask("GET", url, headers={"Range": f"bytes={len(PROXY)}-"})
    assert (reply.status, reply.code) == (416, "request.range")
    assert reply.headers["Content-Range"] == f"bytes */{len(PROXY)}"
    several = await shared.ask("GET", url, headers={"Range": "bytes=0-1,5-6"})
    assert (several.status, several.body) == (200, PROXY)


async def test_an_original_is_handed_out_as_bytes_only(shared: RunningService) -> None:
    page = b"<script>alert(1)</script>" + uuid4().bytes
    clip = await shared.clip(page, path="page.html")
    url = (await view(shared, clip, rendition="original")).json()["url"]
    reply = await shared.ask("GET", url)
    assert reply.body == page
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.headers["Content-Disposition"] == "attachment"


async def test_a_ticket_opens_one_object_for_a_short_while(database: str, tmp_path: Path) -> None:
    clock = SteppingClock(utc_now())
    config = config_for(database, tmp_path / "data", view_ticket_seconds=60, token_leeway_seconds=300)
    async with running_service(config, clock=clock) as service:
        clip = await clip_with_proxy(service)
        url = (await view(service, clip)).json()["url"]
        assert (await service.ask("GET", url)).status == 200
        clock.advance(timedelta(seconds=61))
        reply = await service.ask("GET", url)
        assert (reply.status, reply.code) == (403, "ticket.expired")


async def test_tickets_nobody_made_open_nothing(shared: RunningService) -> None:
    url = (await view(shared, await clip_with_proxy(shared))).json()["url"]
    for forged in (f"/media/{'0' * 32}_{'A' * 43}", url[:-1] + ("A" if url[-1] != "A" else "B")):
        assert (await shared.ask("GET", forged)).code == "ticket.unknown"


async def test_an_object_that_is_gone_is_a_loss_and_says_so(shared: RunningService) -> None:
    clip = await shared.clip(uuid4().bytes, path="gone.mp4")
    sha256 = await shared.derive(clip, uuid4().bytes)
    url = (await view(shared, clip)).json()["url"]
    shared.services.objects.open_path(sha256).unlink()
    reply = await shared.ask("GET", url)
    assert (reply.status, reply.code) == (500, "object.missing")


PLAYLIST = b"#EXTM3U\nproxy\n"
PARTS = {
    "playlist": (PLAYLIST, "application/vnd.apple.mpegurl"),
    "storyboard": (b"WEBVTT\n", "text/vtt"),
    "storyboard-sheet": (b"\xff\xd8tiles", "image/jpeg"),
}


async def test_a_ticket_opens_what_was_made_together_with_its_object(shared: RunningService) -> None:
    """A playlist names the film by a relative address, and tiles are fetched by the player: one view covers them."""
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    await shared.derive(clip, PROXY, beside=PARTS)
    url = (await view(shared, clip)).json()["url"]
    for kind, (data, media_type) in PARTS.items():
        reply = await shared.ask("GET", f"{url}/{kind}")
        assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, data, media_type)
    part = await shared.ask("GET", f"{url}/proxy", headers={"Range": "bytes=5-9"})
    assert (part.status, part.body) == (206, PROXY[5:10])


async def test_a_ticket_opens_nothing_of_other_clips(shared: RunningService) -> None:
    """Two clips may have the same film; what was made beside it is each clip's own."""
    first, second = [await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4") for _ in range(2)]
    await shared.derive(first, PROXY, beside={"playlist": (b"first", "text/vtt")})
    await shared.derive(second, PROXY, beside={"playlist": (b"second", "text/vtt"), "speech": (b"{}", "text/vtt")})
    url = (await view(shared, first)).json()["url"]
    assert (await shared.ask("GET", f"{url}/playlist")).body == b"first"
    for kind in ("speech", "poster", "original", "..", "x" * 300):
        assert (await shared.ask("GET", f"{url}/{kind}")).status == 404


async def test_beside_an_original_there_is_nothing(shared: RunningService) -> None:
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    await shared.derive(clip, PROXY, beside=PARTS)
    url = (await view(shared, clip, rendition="original")).json()["url"]
    reply = await shared.ask("GET", f"{url}/playlist")
    assert (reply.status, reply.code) == (404, "ticket.unknown")


async def test_parts_end_with_their_ticket(database: str, tmp_path: Path) -> None:
    clock = SteppingClock(utc_now())
    config = config_for(database, tmp_path / "data", view_ticket_seconds=60, token_leeway_seconds=300)
    async with running_service(config, clock=clock) as service:
        clip = await service.clip(uuid4().bytes, path="film.mp4")
        await service.derive(clip, PROXY, beside=PARTS)
        url = (await view(service, clip)).json()["url"]
        assert (await service.ask("GET", f"{url}/playlist")).status == 200
        clock.advance(timedelta(seconds=61))
        reply = await service.ask("GET", f"{url}/playlist")
        assert (reply.status, reply.code) == (403, "ticket.expired")


async def test_two_hundred_ranges_are_one_view_and_one_entry(shared: RunningService) -> None:
    """Progressive, segments of HLS and tiles: whatever a player asks for in one session, the record says once."""
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    await shared.derive(clip, PROXY, beside=PARTS)
    count = "SELECT count(*) FROM ledger_entry"
    async with shared.services.pool.acquire() as conn:
        before = await conn.fetchval(count)
        url = (await view(shared, clip)).json()["url"]
        step = len(PROXY) // 200
        for at in range(200):
            # Every other one as a player of HLS asks for a segment of the film beside its playlist.
            path = url if at % 2 else f"{url}/proxy"
            reply = await shared.ask("GET", path, headers={"Range": f"bytes={at * step}-{(at + 1) * step - 1}"})
            assert (reply.status, reply.body) == (206, PROXY[at * step : (at + 1) * step])
        for kind in PARTS:
            assert (await shared.ask("GET", f"{url}/{kind}")).status == 200
        assert (await shared.ask("HEAD", url)).status == 200
        assert await conn.fetchval(count) == before + 1


async def test_a_ticket_is_its_persons(shared: RunningService) -> None:
    url = (await view(shared, await clip_with_proxy(shared))).json()["url"]
    for path in (url, f"{url}/proxy"):
        assert (await shared.ask("GET", path, role=Role.REVIEWER)).status == 200
        assert (await shared.ask("GET", path)).status == 200, "a player sends no token along"
        for other in (Role.INVESTIGATOR, Role.ADMINISTRATOR, Role.DOCK):
            reply = await shared.ask("GET", path, role=other)
            assert (reply.status, reply.code) == (403, "ticket.foreign"), other
            assert PROXY[:64] not in reply.body
        spoiled = await shared.ask("GET", path, headers={"Authorization": "Bearer staff_nobody"})
        assert spoiled.code == "ticket.foreign"


async def test_a_view_opened_in_a_browser_needs_its_session_with_every_range(shared: RunningService) -> None:
    watcher, other = [await person(shared, login, Role.REVIEWER) for login in ("watcher", "another")]
    clip = await clip_with_proxy(shared)
    cookies = []
    for one in (watcher, other):
        signed = await one.sign_in(cookie=True)
        cookies.append({"Cookie": signed.headers["Set-Cookie"].partition(";")[0], "Origin": shared.url})
    own, foreign = cookies
    body = {"purpose": "litigation", "rendition": "proxy"}
    url = (await shared.ask("POST", f"/v1/clips/{clip}/views", headers=own, json=body)).json()["url"]
    assert (await shared.ask("GET", url, headers={**own, "Range": "bytes=0-9"})).status == 206
    for headers in ({}, foreign):
        reply = await shared.ask("GET", url, headers=headers)
        assert (reply.status, reply.code) == (403, "ticket.foreign")
    assert (await shared.ask("DELETE", "/v1/session", headers=own)).status == 204
    assert (await shared.ask("GET", url, headers=own)).code == "ticket.foreign", "signing out ends what one watches"
