"""How fast the console is in a real browser: until one can search, until a film shows a picture, while one scrolls.

    python benchmarks/bench_console.py [--clips 1000]

A service with a real PostgreSQL and headless Chromium over DevTools, on one machine. The clips are sealed one by
one; all share the derivatives of one film, whose first still, storyboard and review copy are real. The processor of a
machine that draws pages without a graphics card does its work too, so frames are slower here than on a desk.

| Line | What is measured | Target |
|---|---|---|
| search page | ms from opening the address, signed in, until the results stand there and a key reaches them | <= 1500 |
| first frame | ms from asking to watch until the first picture is on the screen | <= 1000 |
| pictures | ms from turning to pictures until the first one is drawn, its entry written | |
| scrolling | ms between two frames, grid of all clips from top to bottom: median, 95th percentile, worst | p95 <= 33 |
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.db.embedded import EmbeddedPostgres
from tests.support.browser import Tab, chromium, open_tab
from tests.support.console import House, at, chosen_purpose, clicked, console_house, signed_in
from tests.support.database import fresh_database, make_template
from tests.support.service import RunningService, config_for, running_service

PURPOSE = "sessionStorage.setItem('shilu.purpose', 'legal_review'); undefined"
SHOWN = "!!document.querySelector('[data-row]') && document.readyState === 'complete'"
SCROLL = """new Promise((done) => {
  const frames = [];
  let last = performance.now();
  const step = (now) => {
    frames.push(now - last);
    last = now;
    scrollBy(0, 60);
    if (scrollY + innerHeight < document.documentElement.scrollHeight - 2) requestAnimationFrame(step);
    else done(frames.slice(1));
  };
  scrollTo(0, 0);
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(step); });
})"""


async def plant(service: RunningService, house: House, *, clips: int) -> None:
    """Seal clips and let all of them share what was made of the film."""
    async with service.services.pool.acquire() as conn:
        rows = await conn.fetch("SELECT kind, sha256, media_type FROM clip_object WHERE clip = $1", house.clip)
    made = {row["kind"]: (service.services.objects.open_path(row["sha256"].hex()).read_bytes(), row) for row in rows}
    proxy, _ = made.pop("proxy")
    beside = {kind: (data, row["media_type"]) for kind, (data, row) in made.items() if kind != "frames"}
    for number in range(clips):
        clip = await service.clip(b"clip %d" % number, path=f"DCIM/20261122_{number:06}.mp4")
        await service.derive(clip, proxy, beside=beside)


async def until_shown(tab: Tab, expression: str, begun: float) -> float:
    """Return the milliseconds until an expression is true and the next frame is drawn."""
    await tab.until(expression, seconds=30)
    await tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => 1)")
    return (time.perf_counter() - begun) * 1000


async def measure(tab: Tab, house: House) -> None:
    """Print the figures."""
    await signed_in(tab, house)
    await tab.evaluate(PURPOSE)
    opened = []
    for _ in range(5):
        await tab.go("about:blank#")
        begun = time.perf_counter()
        await tab.call("Page.navigate", url=f"{house.service.url}/console/")
        opened.append(await until_shown(tab, SHOWN, begun))
    print(f"search page    median {statistics.median(opened):6.0f} ms   worst {max(opened):6.0f} ms", flush=True)
    begun = time.perf_counter()
    await clicked(tab, ".tools [aria-pressed]:last-child")
    drawn = "[...document.querySelectorAll('.shot img')].some((one) => one.naturalWidth > 0)"
    print(f"pictures       {await until_shown(tab, drawn, begun):6.0f} ms", flush=True)
    listed = "document.querySelectorAll('[data-row]').length"
    while await tab.evaluate("!!document.querySelector('button.more')"):
        before = await tab.evaluate(listed)
        await clicked(tab, "button.more")
        await tab.until(f"{listed} > {before}")
    for way in ("scrolling", "scrolling again"):
        frames: list[float] = await tab.evaluate(SCROLL)
        worst = statistics.quantiles(frames, n=20)[-1]
        print(
            f"{way:<15}median {statistics.median(frames):6.1f} ms   p95 {worst:6.1f} ms   worst {max(frames):6.1f} ms"
            f"   ({len(frames)} frames, {await tab.evaluate(listed)} clips)",
            flush=True,
        )
    first = []
    for _ in range(5):
        await at(tab, house, f"#/clips/{house.clip}")
        await chosen_purpose(tab, ".screen")
        begun = time.perf_counter()
        await clicked(tab, ".screen button.primary")
        first.append(await until_shown(tab, "document.querySelector('video')?.readyState >= 2", begun))
        await at(tab, house, "#/cases")
        await tab.until("!document.querySelector('video')")
    print(f"first frame    median {statistics.median(first):6.0f} ms   worst {max(first):6.0f} ms", flush=True)


async def main(*, clips: int) -> None:
    """Build the house, measure, and remove it."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {clips} clips")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="shilu-bench-") as passing, chromium() as browser:
        folder = Path(passing)
        folder.chmod(0o711)
        with EmbeddedPostgres(folder / "postgres") as server:
            await make_template(server)
            async with (
                fresh_database(server) as database,
                running_service(config_for(database, folder / "data", access="roles")) as service,
            ):
                (folder / "film").mkdir()
                house = await console_house(service, folder / "film")
                await plant(service, house, clips=clips)
                async with open_tab(browser) as tab:
                    await tab.call(
                        "Emulation.setDeviceMetricsOverride", width=1366, height=900, deviceScaleFactor=1, mobile=False
                    )
                    await measure(tab, house)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--clips", type=int, default=1000, help="clips in the house")
    asyncio.run(main(clips=parser.parse_args().clips))
