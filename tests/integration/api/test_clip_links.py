"""Links to watch one clip by: a watermark in every picture, on record before the first byte, and gone with the link."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import av
import numpy as np
import pytest
import pytest_asyncio

from api.clip_links import marker_of
from evidence.core.clock import format_time, utc_now
from evidence.export import mark_text as texts
from evidence.parties.roles import Role
from tests.integration.api.test_redactions import MUTE, done, redact
from tests.support.media import Film, Sound, write
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE = (640, 360)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A playable copy: six seconds, dark and light quarters."""
    path = tmp_path_factory.mktemp("film") / "proxy.mp4"
    return write(
        path, film=Film(size=SIZE, times_ms=range(0, 6000, 40)), sound=Sound(pieces_ms=((0, 6000),))
    ).read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clip(shared: RunningService, film: bytes) -> UUID:
    made = await shared.clip(film + uuid4().bytes, path=f"{uuid4()}.mp4")
    await shared.derive(made, film)
    return made


def wish(**more: Any) -> dict[str, Any]:
    until = format_time(utc_now() + timedelta(days=3))
    return {"recipient": "李律师", "purpose": "litigation", "expires_at": until, **more}


async def ask(
    service: RunningService, method: str, path: str, body: Any = None, role: Role = Role.INVESTIGATOR
) -> Reply:
    return await service.ask(method, path, role=role, **({} if body is None else {"json": body}))


async def made(service: RunningService, clip: UUID, **more: Any) -> Any:
    """Make a link, and its copy as the duty does; return what the answer says."""
    reply = await ask(service, "POST", f"/v1/clips/{clip}/links", wish(**more))
    assert reply.status == 201, reply
    await work(service)
    return reply.json()


async def work(service: RunningService) -> None:
    maker = marker_of(service.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass


async def copy_by(service: RunningService, url: str) -> bytes:
    used = await service.ask("POST", url)
    assert used.status == 303, used
    return (await service.ask("GET", f"{used.headers['Location']}/copy")).body


async def item_of(service: RunningService, clip: UUID, link: str) -> Any:
    items = (await ask(service, "GET", f"/v1/clips/{clip}/links?limit=200", role=Role.AUDITOR)).json()["items"]
    return next(item for item in items if item["link"] == link)


def luma_of(data: bytes) -> list[Any]:
    with av.open(io.BytesIO(data), "r") as container:
        return [frame.to_ndarray()[: SIZE[1]].astype(int) for frame in container.decode(video=0)]


def differing(one: Any, other: Any, box: tuple[slice, slice] = (slice(None), slice(None))) -> float:
    """Return which part of the pixels differ by more than an encoder does."""
    return float((np.abs(one[box] - other[box]) > 40).mean())


async def test_every_picture_carries_the_mark_of_its_recipient(shared: RunningService, clip: UUID, film: bytes) -> None:
    first, second = await made(shared, clip), await made(shared, clip, recipient="王律师")
    plain = luma_of(film)
    one, other = [luma_of(await copy_by(shared, link["url"])) for link in (first, second)]
    assert len(plain) == len(one) == len(other) == 150
    halves = [
        (slice(top, top + SIZE[1] // 2), slice(left, left + SIZE[0] // 2))
        for top in (0, SIZE[1] // 2)
        for left in (0, SIZE[0] // 2)
    ]
    for picture, marked, differently in zip(plain[::10], one[::10], other[::10], strict=True):
        # Each quarter of every picture, dark or light: a crop to it still holds the mark.
        for quarter in halves:
            assert differing(picture, marked, quarter) > 0.01
        assert differing(marked, differently) > 0.002
    # It moves: what covers a place now does not cover it two seconds later.
    assert differing(np.abs(one[10] - plain[10]), np.abs(one[110] - plain[110])) > 0.01


async def test_the_mark_is_the_text_and_nothing_else_changes(shared: RunningService, clip: UUID, film: bytes) -> None:
    link = await made(shared, clip)
    marked, plain = luma_of(await copy_by(shared, link["url"])), luma_of(film)
    untouched = np.abs(marked[60] - plain[60]) < 24
    assert untouched.mean() > 0.6, "the scene stays visible between the words"
    payload = await payload_of(shared, clip, "clip.marked", link["link"])
    assert payload["mark"] == list(texts.mark_text("李律师", UUID(link["link"]), at=utc_now()).lines)
    assert payload["recipient"] == "李律师"
    row = await shared.services.pool.fetchrow("SELECT sha256 FROM clip_object WHERE clip = $1 AND kind = 'proxy'", clip)
    assert row is not None
    assert payload["parent"] == row["sha256"].hex()


async def test_a_span_is_as_long_as_it_says(shared: RunningService, clip: UUID) -> None:
    link = await made(shared, clip, from_ms=2000, to_ms=3000)
    data = await copy_by(shared, link["url"])
    assert len(luma_of(data)) == 25
    with av.open(io.BytesIO(data), "r") as container:
        assert "非原件" in container.metadata["comment"]
        assert sum(frame.samples for frame in container.decode(audio=0)) < 1.3 * 16_000
    late = await made(shared, clip, from_ms=60_000, to_ms=61_000)
    item = await item_of(shared, clip, late["link"])
    assert (item["state"], (await shared.ask("POST", late["url"])).code) == ("refused", "share.not_ready")


async def test_a_link_is_watched_once_without_script_and_logged(shared: RunningService, clip: UUID) -> None:
    asked = (await ask(shared, "POST", f"/v1/clips/{clip}/links", wish(recipient="李律师<script>"))).json()
    waiting = await shared.ask("GET", asked["url"])
    assert "副本正在制作" in waiting.body.decode()
    assert (await shared.ask("POST", asked["url"])).code == "share.not_ready"
    await work(shared)
    page = await shared.ask("GET", asked["url"])
    assert "李律师&lt;script&gt;" in page.body.decode()
    assert "非原件" in page.body.decode()
    assert "script" not in page.headers["Content-Security-Policy"]
    both = await asyncio.gather(*(shared.ask("POST", asked["url"]) for _ in range(2)))
    assert sorted(reply.status for reply in both) == [303, 404]
    where = next(reply.headers["Location"] for reply in both if reply.status == 303)
    watching = await shared.ask("GET", where)
    assert f'src="{where}/copy"' in watching.body.decode()
    assert "media-src 'self'" in watching.headers["Content-Security-Policy"]
    whole = await shared.ask("GET", f"{where}/copy")
    part = await shared.ask("GET", f"{where}/copy", headers={"Range": "bytes=10-19"})
    assert (part.status, part.body, whole.headers["Content-Type"]) == (206, whole.body[10:20], "video/mp4")
    assert "watermarked-copy" in whole.headers["Content-Disposition"]
    item = await item_of(shared, clip, asked["link"])
    assert (item["uses"], item["state"], item["mark"]) == (1, "done", asked["link"][-8:].upper())
    report = await ask(shared, "GET", f"/v1/clips/{clip}/custody-report?limit=200", role=Role.AUDITOR)
    used = [line for line in report.json()["items"] if line["type"] == "clip.watched"]
    assert [line["served"]["recipient"] for line in used if line["served"]["link"] == asked["link"]] == [
        "李律师<script>"
    ]


async def test_what_is_over_wrong_or_another_ones_shows_nothing(shared: RunningService, clip: UUID) -> None:
    where = f"/v1/clips/{clip}/links"
    link = await made(shared, clip, uses=5)
    text = link["url"].rpartition("/")[2]
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    for secret in (wrong, "0" * 32 + "_" + "A" * 43):
        for method in ("GET", "POST"):
            assert (await shared.ask(method, f"/watch/{secret}")).code == "share.unknown"
    ticket = (await shared.ask("POST", link["url"])).headers["Location"]
    # Tickets of other doors open nothing here, nor these there; a link is no ticket.
    view = await ask(shared, "POST", f"/v1/clips/{clip}/views", {"purpose": "litigation", "rendition": "proxy"})
    foreign = view.json()["url"].rpartition("/")[2]
    for secret in (foreign, text, wrong):
        assert (await shared.ask("GET", f"/watching/{secret}/copy")).code == "ticket.unknown"
        assert (await shared.ask("GET", f"/watching/{secret}")).code == "ticket.unknown"
    own = ticket.rpartition("/")[2]
    assert (await shared.ask("GET", f"/media/{own}")).code == "ticket.unknown"
    assert (await shared.ask("GET", f"/packages/{own}")).code == "ticket.unknown"
    ended = await ask(shared, "POST", f"{where}/{link['link']}/revocation", {"reason": "更换代理人"})
    again = await ask(shared, "POST", f"{where}/{link['link']}/revocation", {"reason": "更换代理人"})
    assert (ended.json()["entry"] is None, again.json()["entry"]) == (False, None)
    assert (await shared.ask("GET", f"{ticket}/copy")).code == "ticket.unknown"
    assert (await shared.ask("POST", link["url"])).code == "share.unknown"
    elsewhere = f"/v1/clips/{uuid4()}/links/{link['link']}/revocation"
    assert (await ask(shared, "POST", elsewhere, {"reason": "x"})).code in {"share.unknown", "clip.unknown"}
    for change in (
        {"expires_at": format_time(utc_now() - timedelta(seconds=1))},
        {"expires_at": format_time(utc_now() + timedelta(days=400))},
        {"recipient": "two\nlines"},
    ):
        assert (await ask(shared, "POST", where, wish(**change))).code == "share.invalid"
    for broken in ({"from_ms": 5, "to_ms": 5}, {"uses": 0}, {"rendition": "original"}):
        assert (await ask(shared, "POST", where, wish(**broken))).code == "request.invalid"
    assert (await ask(shared, "POST", where, wish(purpose="curiosity"))).code == "view.purpose_unknown"


async def test_the_copy_goes_when_the_link_ends(shared: RunningService, clip: UUID) -> None:
    maker = marker_of(shared.services)
    maker.folder.mkdir(exist_ok=True)
    await maker.tidy()
    kept, revoked, expired, used = [await made(shared, clip) for _ in range(4)]
    stray = maker.folder / f"making-{uuid4()}.{uuid4()}"
    stray.mkdir()
    ticket = (await shared.ask("POST", used["url"])).headers["Location"]
    await ask(shared, "POST", f"/v1/clips/{clip}/links/{revoked['link']}/revocation", {"reason": "撤回"})
    await maker.tidy()
    lying = {path.name.partition(".")[0] for path in maker.folder.iterdir()}
    # Used up, but whoever has it open may see it to the end.
    assert lying >= {kept["link"], expired["link"], used["link"]}
    assert revoked["link"] not in lying
    assert not stray.exists()
    assert (await shared.ask("GET", f"{ticket}/copy")).status == 200
    later = replace(maker, clock=at(utc_now() + timedelta(hours=4)))
    await later.tidy()
    assert used["link"] not in {path.name.partition(".")[0] for path in maker.folder.iterdir()}
    await replace(maker, clock=at(utc_now() + timedelta(days=4))).tidy()
    assert list(maker.folder.iterdir()) == []
    assert (await item_of(shared, clip, kept["link"]))["state"] == "removed"
    assert (await shared.ask("POST", kept["url"])).code == "share.not_ready"


async def test_a_redacted_copy_is_what_is_marked(shared: RunningService, tmp_path: Path) -> None:
    film = write(tmp_path / "a.mp4", film=Film(size=SIZE, times_ms=range(0, 400, 40)), sound=Sound())
    clip = await shared.clip(film.read_bytes() + uuid4().bytes, path=f"{uuid4()}.mp4")
    missing = await ask(shared, "POST", f"/v1/clips/{clip}/links", wish(rendition="redacted"))
    assert missing.code == "view.rendition_missing"
    copy = await done(shared, await redact(shared, clip, MUTE))
    link = await made(shared, clip, rendition="redacted")
    assert (await payload_of(shared, clip, "clip.marked", link["link"]))["parent"] == copy["sha256"]
    sound = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    await shared.derive(sound, b"sound", media_type="audio/mp4")
    assert (await ask(shared, "POST", f"/v1/clips/{sound}/links", wish())).code == "share.invalid"


async def test_a_copy_that_is_not_there_is_no_use(shared: RunningService, clip: UUID) -> None:
    link = await made(shared, clip)
    (path,) = [one for one in marker_of(shared.services).folder.iterdir() if one.name.startswith(link["link"])]
    path.unlink()
    assert (await shared.ask("POST", link["url"])).code == "share.not_ready"
    assert (await item_of(shared, clip, link["link"]))["uses"] == 0


async def test_the_picture_of_a_text_is_what_is_burnt(tmp_path: Path) -> None:
    # The family is one that typst brings along, so that this runs without fonts installed.
    lines = ("Counsel 1A2B3C4D", "2026-11-23")
    picture = tmp_path / "mark.png"
    picture.write_bytes(texts.picture_of(lines, "Libertinus Serif"))
    from ingest.media.watermark import shape_of_picture

    shape = shape_of_picture(picture)
    assert shape.shape[1] > 3 * shape.shape[0]
    assert 0.05 < (shape > 127).mean() < 0.6


async def test_without_a_font_the_mark_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    link, at_noon = UUID("0195a000-0000-7000-8000-0000deadbeef"), datetime.fromisoformat("2026-11-23T20:00:00+00:00")
    monkeypatch.setattr(texts, "font_family", lambda: None)
    plain = texts.mark_text("李律师", link, at=at_noon)
    assert (plain.lines, plain.picture) == (("COPY DEADBEEF", "NOT ORIGINAL 2026-11-24"), None)
    monkeypatch.setattr(texts, "font_family", lambda: "Libertinus Serif")
    assert texts.mark_text("\U00030000律师", link, at=at_noon).picture is None, "no font holds every character"
    drawn = texts.mark_text("L" * 40, link, at=at_noon)
    assert drawn.picture is not None
    assert drawn.lines[0] == "L" * 15 + "… DEADBEEF"


async def payload_of(service: RunningService, clip: UUID, type_: str, link: str) -> Any:
    history = (await service.ask("GET", f"/v1/clips/{clip}/history", role=Role.AUDITOR)).json()["items"]
    lines: Sequence[Any] = [line["payload"] for line in history if line["type"] == type_]
    return next(payload for payload in lines if payload["link"] == link)


def at(moment: datetime) -> Any:
    return lambda: moment
