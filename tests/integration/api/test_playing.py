"""The playlist of a review copy, played in a real browser, from the service and by a ticket.

A few lines of script do what a player of HLS does: read the playlist, fetch its head and pieces as byte ranges, hand
them to Media Source Extensions. Where TEST_HLS_JS names a file with the library hls.js, that plays it too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio

from api.console.assets import assets
from evidence.parties.roles import Role
from ingest.media.rendition import make_renditions
from ingest.media.result import MediaResult
from tests.support import media
from tests.support.browser import Tab, chromium, open_tab
from tests.support.media import Film, Sound
from tests.support.service import RunningService

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

HLS_JS = assets()["vendor/hls.light.min.js"].body.decode()
SECONDS = 9.0

PLAYER = """
async url => {
  const lines = (await (await fetch(url + '/playlist')).text()).split('\\n');
  const bytes = async (uri, range) => {
    const [size, at] = range.split('@').map(Number);
    const address = new URL(uri, url + '/playlist');
    const answer = await fetch(address, {headers: {Range: `bytes=${at}-${at + size - 1}`}});
    if (answer.status !== 206) throw new Error(`range: ${answer.status}`);
    return answer.arrayBuffer();
  };
  const parts = [];
  for (let number = 0; number < lines.length; number++) {
    const head = lines[number].match(/^#EXT-X-MAP:URI="(.*)",BYTERANGE="(.*)"$/);
    const piece = lines[number].match(/^#EXT-X-BYTERANGE:(.*)$/);
    if (head) parts.push([head[1], head[2]]);
    if (piece) parts.push([lines[number + 1], piece[1]]);
  }
  const film = document.createElement('video');
  film.muted = true;
  document.body.append(film);
  const media = new MediaSource();
  film.src = URL.createObjectURL(media);
  await new Promise(done => media.addEventListener('sourceopen', done, {once: true}));
  const buffer = media.addSourceBuffer('video/mp4; codecs="avc1.640028, mp4a.40.2"');
  for (const [uri, range] of parts) {
    buffer.appendBuffer(await bytes(uri, range));
    await new Promise((done, failed) => {
      buffer.onupdateend = done;
      buffer.onerror = () => failed(new Error('a piece was refused'));
    });
  }
  media.endOfStream();
  window.film = film;
  return parts.length;
}
"""

LIBRARY = """
async url => {
  const film = document.createElement('video');
  film.muted = true;
  document.body.append(film);
  const player = new Hls();
  player.loadSource(url + '/playlist');
  player.attachMedia(film);
  await new Promise((done, failed) => {
    player.on(Hls.Events.MANIFEST_PARSED, done);
    player.on(Hls.Events.ERROR, (_, what) => what.fatal && failed(new Error(what.details)));
  });
  window.film = film;
}
"""

PLAYED = """
async from => {
  film.currentTime = from;
  await film.play();
  const end = performance.now() + 20000;
  while (film.currentTime < from + 0.5 && performance.now() < end) await new Promise(done => setTimeout(done, 20));
  film.pause();
  return [film.currentTime - from, film.getVideoPlaybackQuality().totalVideoFrames, film.videoWidth, film.duration];
}
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> MediaResult:
    folder = tmp_path_factory.mktemp("film")
    film = Film(codec="mpeg4", size=(160, 120), times_ms=tuple(range(0, 9000, 40)), keyframe_every=50)
    source = media.write(folder / "film.mp4", film=film, sound=Sound(pieces_ms=((0, 9000),)))
    (folder / "made").mkdir()
    return make_renditions(source, folder / "made", threads=2, report=lambda _: None, tell=lambda _: None)


@pytest.fixture(scope="module")
def browser() -> Iterator[str]:
    with chromium() as address:
        yield address


@pytest_asyncio.fixture(loop_scope="module")
async def tab(browser: str) -> AsyncIterator[Tab]:
    async with open_tab(browser) as opened:
        yield opened


async def ticket(shared: RunningService, result: MediaResult) -> str:
    """Put a review copy and its playlist on record, ask for a view and return the address."""
    made = {one.kind: one.path.read_bytes() for one in result.objects}
    clip = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    playlist = (made["playlist"], "application/vnd.apple.mpegurl")
    await shared.derive(clip, made["proxy"], beside={"playlist": playlist})
    asked = await shared.ask("POST", f"/v1/clips/{clip}/views", role=Role.REVIEWER, json={"purpose": "legal_review"})
    return f"{shared.url}{asked.json()['url']}"


async def opened(tab: Tab, url: str) -> None:
    """Stand on the service's own origin, without the headers that forbid its pages to fetch and to play."""
    await tab.call("Page.setBypassCSP", enabled=True)
    await tab.go(url.partition("/media/")[0] + "/healthz")


async def test_the_playlist_plays_from_the_start_and_from_the_middle(
    shared: RunningService, result: MediaResult, tab: Tab
) -> None:
    url = await ticket(shared, result)
    await opened(tab, url)
    assert await tab.evaluate(f"({PLAYER})('{url}')") == 4, "the head and three pieces"
    for start in (0.0, 5.0):
        went, pictures, width, seconds = await tab.evaluate(f"({PLAYED})({start})")
        assert went >= 0.5
        assert pictures > 0
        assert width == 160
        assert seconds == pytest.approx(SECONDS, abs=0.1)
    assert await tab.evaluate("film.error") is None


async def test_the_library_plays_it(shared: RunningService, result: MediaResult, tab: Tab) -> None:
    url = await ticket(shared, result)
    await opened(tab, url)
    await tab.evaluate(HLS_JS + "; undefined")
    await tab.evaluate(f"({LIBRARY})('{url}')")
    for start in (0.0, 5.0):
        went, pictures, width, seconds = await tab.evaluate(f"({PLAYED})({start})")
        assert (went >= 0.5, pictures > 0, width) == (True, True, 160)
        assert seconds == pytest.approx(SECONDS, abs=0.1)
