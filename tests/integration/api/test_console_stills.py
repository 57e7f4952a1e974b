"""The console's still: the picture that is on the screen, from the original, with its statement and on record (R42)."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from evidence.parties.roles import Role
from ingest.media.rendition import make_renditions
from tests.support.browser import Tab
from tests.support.console import House, at, chosen_purpose, clicked, shot
from tests.support.media import Film, write
from tests.support.numbered import BARS, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBER = f"""
(picture => {{
  const canvas = document.createElement('canvas');
  const width = canvas.width = picture.videoWidth || picture.naturalWidth;
  const height = canvas.height = picture.videoHeight || picture.naturalHeight;
  const drawing = canvas.getContext('2d');
  drawing.drawImage(picture, 0, 0);
  let number = 0;
  for (let bar = 0; bar < {BARS}; bar += 1) {{
    const across = Math.floor((2 * bar + 1) * width / {2 * BARS});
    const [grey] = drawing.getImageData(across, Math.floor(height / 3), 1, 1).data;
    number = number * 2 + (grey > 128);
  }}
  return number;
}})
"""
"""Reads the number of a picture out of its pixels."""

UNEVEN = tuple(40 * number + 7 * (number % 5) for number in range(75))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def numbers(house: House, tmp_path_factory: pytest.TempPathFactory) -> UUID:
    """A clip whose every picture carries its number; its copy is encoded anew, since B-frames are far between keys."""
    folder = tmp_path_factory.mktemp("numbers")
    options = {"preset": "ultrafast", "bf": "3", "b_strategy": "0", "qp": "12"}
    film = Film(size=(640, 360), times_ms=UNEVEN, options=options, keyframe_every=75)
    source = write(folder / "film.mp4", film=film, draw=numbered)
    (folder / "made").mkdir()
    result = make_renditions(source, folder / "made", threads=1, report=lambda _: None, tell=lambda _: None)
    made: dict[str, tuple[bytes, str]] = {one.kind: (one.path.read_bytes(), one.media_type) for one in result.objects}
    clip = await house.service.clip(source.read_bytes(), path=f"{uuid4()}.mp4")
    proxy, _ = made.pop("proxy")
    await house.service.derive(clip, proxy, beside=made, probe=result.probe)
    return clip


async def watching(tab: Tab, house: House, clip: UUID) -> None:
    """Open a clip and its film."""
    await at(tab, house, f"#/clips/{clip}")
    await tab.until("!!document.querySelector('.screen.closed')")
    await chosen_purpose(tab, ".screen")
    await clicked(tab, ".screen button.primary")
    await tab.until("document.querySelector('video')?.readyState >= 2")


async def shown(tab: Tab, way: str) -> tuple[int, int]:
    """Ask for the still by a key or the button; return the numbers of the player's picture and of the still."""
    await tab.evaluate("document.activeElement.blur()")
    if way == "key":
        await tab.press("o")
    else:
        await clicked(tab, "button.of-original")
    await tab.until(
        "document.querySelector('.still img')?.naturalWidth === 640 && !!document.querySelector('.still dl')"
    )
    player = await tab.evaluate(f"{NUMBER}(document.querySelector('video'))")
    return player, await tab.evaluate(f"{NUMBER}(document.querySelector('.still img'))")


@pytest.mark.parametrize(("way", "seconds"), [("key", 0.0), ("button", 1.01), ("key", 1.9999), ("key", 2.95)])
async def test_the_still_is_the_picture_on_the_screen(
    tab: Tab, house: House, numbers: UUID, way: str, seconds: float
) -> None:
    await watching(tab, house, numbers)
    await tab.evaluate(
        f"new Promise(done => {{ const film = document.querySelector('video'); film.onseeked = () => done(1);"
        f" film.currentTime = {seconds}; }})"
    )
    player, still = await shown(tab, way)
    assert still == player
    assert UNEVEN[still] <= seconds * 1000 + 1
    assert f"第 {still} 帧" in await tab.evaluate("document.querySelector('.still dl').textContent")


async def test_r42_stepping_gives_the_next_and_each_is_on_record(tab: Tab, house: House, numbers: UUID) -> None:
    await watching(tab, house, numbers)
    found = []
    for _ in range(3):
        found.append(await shown(tab, "key"))
        await shot(tab, "still")
        await clicked(tab, ".still button")
        await tab.until("!document.querySelector('.still')")
        await tab.evaluate("document.querySelector('video').currentTime += 0.25")
    assert all(player == still for player, still in found)
    assert len({still for _, still in found}) == 3
    history = await house.service.ask("GET", f"/v1/clips/{numbers}/history", role=Role.AUDITOR)
    entries = [item["payload"] for item in history.json()["items"] if item["type"] == "clip.exported"]
    assert [entry["still"]["frame"] for entry in entries[-3:]] == [still for _, still in found]
    assert {entry["purpose"] for entry in entries} == {"case_file_review"}
    assert [text for text in tab.complaints if "401" not in text] == []


async def test_what_is_saved_is_the_picture_and_its_statement(tab: Tab, house: House, numbers: UUID) -> None:
    await watching(tab, house, numbers)
    await shown(tab, "button")
    names = await tab.evaluate("[...document.querySelectorAll('.still a[download]')].map(link => link.download)")
    assert names == [f"{numbers}-0.png", f"{numbers}-0.json"]
    links = await tab.evaluate("[...document.querySelectorAll('.still a[download]')].map(link => link.protocol)")
    assert links == ["blob:", "blob:"]


async def test_a_still_that_cannot_be_made_says_why(tab: Tab, house: House, tmp_path: Path) -> None:
    source = write(tmp_path / "film.mp4", film=Film(options={"preset": "ultrafast", "profile": "baseline"}))
    clip = await house.service.clip(source.read_bytes() + uuid4().bytes, path=f"{uuid4()}.mp4")
    await house.service.derive(clip, source.read_bytes())
    await watching(tab, house, clip)
    await clicked(tab, "button.of-original")
    await tab.until("document.querySelector('.still .failure')?.textContent.includes('still.no_index')")
    await shot(tab, "still-refused")
