"""The console as its tests find it: a service with footage, a person with an account, and hands for its controls.

SHOTS names a folder for pictures of every page, for a person to look at.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from evidence.parties.roles import Role
from ingest.media.rendition import make_renditions
from tests.support import media
from tests.support.browser import Tab
from tests.support.media import Film, Sound
from tests.support.people import PASSWORD, person
from tests.support.service import RunningService

SHOTS = os.environ.get("SHOTS")
HOSTILE = "<img src=x onerror=alert(1)>\u202eevil</script>.mp4"


@dataclass(frozen=True)
class House:
    """A service with two clips, one of them with a hostile name, and somebody with an account."""

    service: RunningService
    clip: UUID
    login: str


async def console_house(shared: RunningService, folder: Path) -> House:
    """A film of six seconds with everything derived from it, a clip with a hostile name, a person, a case."""
    film = Film(
        size=(320, 240), times_ms=tuple(range(0, 6000, 40)), options={"preset": "ultrafast", "profile": "baseline"}
    )
    source = media.write(folder / "film.mp4", film=film, sound=Sound(pieces_ms=((0, 6000),)))
    (folder / "made").mkdir()
    result = make_renditions(source, folder / "made", threads=2, report=lambda _: None, tell=lambda _: None)
    made: dict[str, tuple[bytes, str]] = {one.kind: (one.path.read_bytes(), one.media_type) for one in result.objects}
    clip = await shared.clip(source.read_bytes(), path="DCIM/20261122_093000.mp4")
    proxy, _ = made.pop("proxy")
    await shared.derive(clip, proxy, beside=made, probe=result.probe)
    await shared.clip(b"other footage", path=f"DCIM/{HOSTILE.replace('/', '_')}")
    await person(shared, "wang.fang", Role.ARCHIVIST)
    case = {"number": "朔环罚〔2026〕9号", "title": "废水直排案"}
    assert (await shared.ask("POST", "/v1/cases", role=Role.ARCHIVIST, json=case)).status == 201
    return House(shared, clip, "wang.fang")


async def shot(tab: Tab, name: str) -> None:
    """Write a picture of the page for a person to look at, where SHOTS names a folder."""
    if SHOTS:
        await tab.screenshot(Path(SHOTS) / f"{name}.png")


async def typed(tab: Tab, selector: str, text: str) -> None:
    """Put the focus on a field and type."""
    await tab.until(f"!!document.querySelector({json.dumps(selector)})")
    await tab.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
    await tab.call("Input.insertText", text=text)


async def clicked(tab: Tab, selector: str) -> None:
    """Press what a selector names, once it is there and can be pressed."""
    chosen = f"document.querySelector({json.dumps(selector)})"
    await tab.until(f"!!{chosen} && !{chosen}.disabled")
    await tab.evaluate(f"{chosen}.click()")


async def pressed(tab: Tab, selector: str, words: str) -> None:
    """Press the button that bears these words."""
    buttons = f"[...document.querySelectorAll({json.dumps(selector)})]"
    await tab.evaluate(f"{buttons}.find(button => button.textContent === {json.dumps(words)}).click()")


async def signed_in(tab: Tab, house: House) -> None:
    """Open the console; sign in unless somebody is."""
    await tab.go(f"{house.service.url}/console/")
    await tab.until("!!document.querySelector('.sign-in input, .bar')")
    if await tab.evaluate("!!document.querySelector('.bar')"):
        return
    await typed(tab, "input[name=login]", house.login)
    await typed(tab, "input[name=password]", PASSWORD)
    await shot(tab, "sign-in")
    await clicked(tab, ".sign-in button.primary")
    await tab.until("!!document.querySelector('.bar')")


async def at(tab: Tab, house: House, place: str) -> None:
    """Go to an address behind #."""
    await signed_in(tab, house)
    await tab.evaluate(f"location.hash = {json.dumps(place)}; undefined")


async def chosen_purpose(tab: Tab, scope: str) -> None:
    """Choose case file review as purpose of looking, in the form below a selector."""
    await tab.until(f"!!document.querySelector('{scope} select option[value=case_file_review]')")
    await tab.evaluate(
        f"(s => {{ s.value = 'case_file_review'; s.dispatchEvent(new Event('change', {{bubbles: true}})); }})"
        f"(document.querySelector('{scope} .purpose select'))"
    )
