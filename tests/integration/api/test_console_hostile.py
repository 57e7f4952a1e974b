"""Every page of the console over a house whose every text is hostile: scripts, turned and unseen characters, formulas,
words without an end. Nothing of it may run, ask for anything, open a dialog, or push the page out of its frame."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import pytest
import pytest_asyncio
from av.video.codeccontext import VideoCodecContext

from api.console.assets import assets
from evidence.parties.roles import Role
from ingest.media.rendition import make_renditions
from tests.support import media
from tests.support.browser import Tab
from tests.support.console import House, chosen_purpose, clicked, shot, typed
from tests.support.media import Film
from tests.support.people import PASSWORD, make_account, make_code
from tests.support.publicity import BRIEF
from tests.support.service import RunningService
from tests.support.wishes_of_cases import review

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = (
    "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>",
    "\"'></td></table><svg onload=window.hacked=1>{{7*7}}${7*7}",
    "javascript:window.hacked=1//",
    "报告\u202efdp.exe\u2066\u200b\u200d\ufeff",
    '=HYPERLINK("http://evil.example/x","点此")',
    "无尽" * 45,
    "W" * 90,
)
LABELS = ("title", "comment", "artist", "make", "model", "location", "description", "copyright", "encoder")
SAID: dict[str, Any] = {
    "agent": HOSTILE[0],
    "profiles": {HOSTILE[1]: HOSTILE[2]},
    "disk_free_bytes": 1,
    "slots": [{"name": text, "recorder": text, "phase": text, "safe": False} for text in HOSTILE],
    "journal": {HOSTILE[0]: 5},
    "waiting_notes": 0,
    "clock": None,
}


async def labelled(service: RunningService, folder: Path) -> UUID:
    """A film whose own labels are hostile: title, device, place and whatever else its container takes."""
    tags = dict(zip(LABELS, (*HOSTILE, *HOSTILE), strict=False))
    film = Film(times_ms=tuple(range(0, 1000, 40)), options={"preset": "ultrafast", "profile": "baseline"})
    muxer = {"movflags": "use_metadata_tags"}
    source = media.write(folder / "film.mp4", film=film, tags=tags, muxer=muxer)
    assert all(text.encode() in source.read_bytes() for text in (HOSTILE[0], HOSTILE[3])), "the labels are in the file"
    (folder / "made").mkdir()
    result = make_renditions(source, folder / "made", threads=1, report=lambda _: None, tell=lambda _: None)
    made: dict[str, tuple[bytes, str]] = {one.kind: (one.path.read_bytes(), one.media_type) for one in result.objects}
    clip = await service.clip(source.read_bytes(), path="DCIM/20261122_093000.mp4")
    proxy, _ = made.pop("proxy")
    await service.derive(clip, proxy, beside=made, probe=result.probe)
    return clip


def exif(*texts: str) -> bytes:
    """Return the Exif segment of a JPEG with texts as what is shown, maker, model, software, artist and copyright."""
    tags = (0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x8298)
    fields, data, place = b"", b"", 8 + 2 + 12 * len(tags) + 4
    for tag, told in zip(tags, texts, strict=True):
        value = told.encode() + b"\0"
        fields += struct.pack(">HHII", tag, 2, len(value), place + len(data))
        data += value
    body = b"Exif\0\0" + struct.pack(">2sHIH", b"MM", 42, 8, len(tags)) + fields + bytes(4) + data
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


async def photographed(service: RunningService, folder: Path) -> UUID:
    """A photograph whose Exif and whose comment are hostile."""
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "yuvj420p", Fraction(1)
    frame = av.VideoFrame(64, 48, "yuvj420p")
    frame.pts = 0
    plain = b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
    comment = HOSTILE[1].encode()
    source = folder / "photo.jpg"
    source.write_bytes(
        plain[:2] + exif(*HOSTILE[:6]) + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + plain[2:]
    )
    (folder / "photo").mkdir()
    result = make_renditions(source, folder / "photo", threads=1, report=lambda _: None, tell=lambda _: None)
    clip = await service.clip(source.read_bytes(), path="DCIM/20261122_094000.jpg")
    (poster,) = [made.path.read_bytes() for made in result.objects if made.kind == "poster"]
    await service.derive(clip, poster, kind="poster", media_type="image/jpeg", probe=result.probe)
    return clip


async def reviewed(service: RunningService) -> str:
    """A case whose review is hostile in every word: declaration, notes and problems, answers, a disagreement."""
    text, other = HOSTILE[0], HOSTILE[3]
    async with review(service) as busy:
        await busy.step(Role.INVESTIGATOR, "submissions", await busy.submission(declares=text))
        said = (await busy.opinion("problem"))["statement"]
        rows = [{**row, "note": f"{text}{number}"} for number, row in enumerate(said["rows"])]
        problems = [{**problem, "text": f"{other}{text}"} for problem in said["problems"]]
        await busy.step(Role.REVIEWER, "opinions", await busy.opinion("problem", rows=rows, problems=problems))
        answers = [{"problem": 1, "answer": f"{text}{other}"}]
        await busy.step(Role.INVESTIGATOR, "submissions", await busy.submission(answers=answers))
        await busy.opine("problem")
        position = {"position": f"{text}{other}", "coordinator": str(busy.people[Role.ARCHIVIST].staff)}
        await busy.step(Role.INVESTIGATOR, "disagreements", position)
    return busy.case


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def planted(shared: RunningService, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A house whose texts are hostile wherever it takes them; ids of what pages can be opened for, blanks between."""
    taken: dict[str, int] = {}
    folder = tmp_path_factory.mktemp("hostile")
    clip = await labelled(shared, folder)
    for number, name in enumerate(HOSTILE):
        await shared.clip(f"film {number + 1}".encode(), path=f"DCIM/{name.replace('/', '_')}{number}.mp4")

    async def tried(what: str, method: str, path: str, body: dict[str, Any], role: Role, **headers: str) -> Any:
        reply = await shared.ask(method, path, role=role, json=body, headers=headers)
        taken[what] = taken.get(what, 0) + (reply.status in (200, 201))
        return reply.json() if reply.status in (200, 201) else {}

    case = ""
    for number, text in enumerate(HOSTILE):
        opened = {"number": f"敌〔2026〕{number}号{text[:20]}", "title": text, "handlers": [text]}
        case = (await tried("case", "POST", "/v1/cases", opened, Role.ARCHIVIST)).get("case", case)
        speakers = [{"key": "a", "name": text, "role": "officer"}]
        dialogue = [{"from_ms": 0, "to_ms": 900, "text": text, "speaker": "a"}]
        annotated = {"remark": text, "reason": text, "place": text, "speakers": speakers, "dialogue": dialogue}
        match = {"If-Match": f'"{taken.get("annotation", 0)}"'}
        path = f"/v1/clips/{clip}/annotations"
        await tried("annotation", "POST", path, annotated, Role.ARCHIVIST, **match)
        await tried("unit", "POST", "/v1/units", {"name": text}, Role.ADMINISTRATOR)
        officer = {"number": f"{number}{text[:9]}", "name": text, "unit": text, "duty": text, "certificate": text}
        await tried("officer", "POST", "/v1/officers", officer, Role.ADMINISTRATOR)
        recorder = {"recorder": text[:60], "serial": text, "model": text}
        await tried(
            "recorder", "POST", "/v1/recorders/registrations", recorder, Role.ADMINISTRATOR, **{"If-Match": '"0"'}
        )
        hold = {"clip": str(clip), "basis": text}
        await tried("hold", "POST", "/v1/holds", hold, Role.ARCHIVIST)
        await tried("search", "POST", "/v1/searches", {"name": text, "q": "x"}, Role.ARCHIVIST)
        sample = {"commitment": f"{number:064x}", "draw": 1, "purpose": text}
        await tried("sample", "POST", "/v1/samples", sample, Role.ARCHIVIST)
        wish = {"form": "brief", "kind": "penalty", "fields": {**BRIEF, "subject": text, "conclusion": text}}
        await tried("publication", "POST", "/v1/publications", wish, Role.ARCHIVIST)
    await tried("link", "POST", f"/v1/cases/{case}/clips", {"clip": str(clip)}, Role.ARCHIVIST)
    photo, judged = await photographed(shared, folder), await reviewed(shared)
    for text in HOSTILE:
        spared = {"kind": "exemption", "item": "visit", "ground": "text_record"}
        said = {**spared, "reason": text, "approver": text[:40], "reference": text}
        await tried("statement", "POST", f"/v1/cases/{judged}/statements", {"statement": said}, Role.ARCHIVIST)
    dock = await shared.dock()
    beat = await shared.ask("POST", f"/v1/docks/{dock.dock}/heartbeat", dock=dock, json=SAID)
    assert beat.status == 200, beat.body
    missing = {what for what, number in taken.items() if not number}
    assert not missing, f"nothing hostile was taken as {missing}: {taken}"
    return {
        "clips": f"{clip} {photo}",
        "cases": f"{case} {judged}",
        "case": case,
        "review": f"{case} {judged}",
        "publicity": case,
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(shared: RunningService) -> House:
    """People with accounts, named as nobody is."""
    for login, role in (("dang.an", Role.ARCHIVIST), ("guan.li", Role.ADMINISTRATOR), ("shen.cha", Role.REVIEWER)):
        staff = await make_account(shared, login, role, name=HOSTILE[0][:100])
        body = {"login": login, "code": await make_code(shared, staff), "password": PASSWORD}
        assert (await shared.ask("POST", "/v1/session/activate", json=body)).status == 204
    return House(shared, UUID(int=0), "dang.an")


def places(planted: dict[str, str], role: str) -> Iterator[str]:
    """Every address behind #, by what pages.js lists, and those of what can be opened."""
    listed = dict(
        re.findall(r"^  (\w+): \{ load: .*?(?:roles: (\[.*?\]))? \},$", assets()["pages.js"].body.decode(), re.M)
    )
    assert {"operations", "statistics", "registers"} <= set(listed)
    own = [] if role == "administrator" else ["search", "search?q=findings:open", "clips", "cases", "verify"]
    for name in [*own, *(name for name, roles in listed.items() if not roles or role in roles or roles == "[]")]:
        if name not in ("clips", "case"):
            yield f"#/{name}"
        if name in planted and role != "administrator":
            yield from (f"#/{name}/{one}" for one in planted[name].split())
    if role == "administrator":
        yield from (f"#/registers/{name}" for name in ("units", "recorders", "docks"))
        yield from (f"#/statistics?by={name}" for name in ("officer", "recorder", "item", "month"))


SETTLED = """(() => { const main = document.querySelector('main');
  return !!main && main.innerText.trim().length > 0 && !/正在读取…|Reading…/.test(main.innerText); })()"""
TURNED = "/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.querySelector('#app').innerText)"


async def watched(tab: Tab) -> None:
    """Say what for, and go through everything beside the film or the photograph."""
    await tab.until("!!document.querySelector('.screen.closed')")
    await chosen_purpose(tab, ".screen.closed")
    await clicked(tab, ".screen.closed button.primary")
    await tab.until(
        "document.querySelector('video')?.readyState >= 1 || document.querySelector('.stage img')?.complete"
    )
    for name in ("continuity", "history", "verify", "case", "share", "annotation"):
        await clicked(tab, f"#tab-{name}")
        await tab.until(SETTLED, seconds=10)


@pytest.mark.parametrize(
    ("login", "role"), [("dang.an", "archivist"), ("guan.li", "administrator"), ("shen.cha", "reviewer")]
)
async def test_no_page_lets_a_hostile_text_do_anything(
    tab: Tab, house: House, planted: dict[str, str], login: str, role: str
) -> None:
    await tab.call("Network.clearBrowserCookies")
    await tab.go(f"{house.service.url}/console/")
    await typed(tab, "input[name=login]", login)
    await typed(tab, "input[name=password]", PASSWORD)
    await clicked(tab, ".sign-in button.primary")
    await tab.until("!!document.querySelector('.bar')")
    wrong: list[str] = []
    for number, place in zip(count(), places(planted, role), strict=False):
        await tab.evaluate(f"location.hash = {json.dumps(place)}; undefined")
        for width in (1366, 768):
            await tab.call(
                "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
            )
            await tab.until(SETTLED, seconds=10)
            if await tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{place} is wider than {width}")
            if await tab.evaluate(TURNED):
                wrong.append(f"{place} shows characters that turn the text around")
            await tab.evaluate("[...document.querySelectorAll('.bar button')].find(one => one.lang).click()")
        if "clips/" in place:
            await watched(tab)
        await shot(tab, f"hostile-{role}-{number:02}")
    assert await tab.evaluate("window.hacked") is None
    ours = (house.service.url, "blob:", "data:")
    assert [address for address in tab.requests if not address.startswith(ours)] == []
    assert not wrong, "\n".join(wrong)
    # A browser notes every refusal that a page is given and shows, such as that nothing was derived of this clip.
    assert [text for text in tab.complaints if not text.startswith("Failed to load resource")] == []
    await tab.evaluate("localStorage.clear()")
