"""Replays: the station against recorders of a script, as plain folders, and as file systems where permitted."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from dockstation import replay
from dockstation.agent import Options
from dockstation.errors import ReplayDiffers
from dockstation.replay.media import Backing, Media, content, loops_permitted
from dockstation.replay.player import Done, Player
from dockstation.replay.script import parse_script
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation

EXAMPLE = Path(replay.__file__).with_name("example.toml").read_text(encoding="utf-8")
BACKINGS = [
    pytest.param(Backing.FOLDER, id="folders"),
    pytest.param(
        Backing.LOOP,
        id="loop devices",
        marks=pytest.mark.skipif(not loops_permitted(), reason="this machine does not permit loop devices"),
    ),
]
CLIP = "DCIM/DCAM_D200001_100001_20260302_090000.mp4"
CARD = f'[cards.a]\nserial = "D2000017"\nmark = "1A2B-3C4D"\nfiles = [{{path = "{CLIP}", size = 3000000}}]\n'


async def play(
    station: TestStation, text: str, folder: Path, backing: Backing, *, clear: bool = False
) -> Sequence[Done]:
    """Play a script against a station."""
    folder.mkdir()
    player = Player(parse_script(text), folder, backing)
    taken: list[Done] = []
    options = Options(places=player, pread=player.media.pread)
    async with station.watching(options=options, clear=clear, interval_seconds=0.05) as watch:
        watch._station.tell.listen(player.heard)  # type: ignore[attr-defined]  # the bus
        running = asyncio.create_task(watch.forever())
        try:
            await player.play(views=watch.showcase.views, tell=taken.append)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    return taken


def steps(*lines: str) -> str:
    """Write steps, one per line of `key = value; key = value`."""
    return 'title = "t"\n' + CARD + "".join("[[steps]]\n" + line.replace("; ", "\n") + "\n" for line in lines)


@pytest.mark.parametrize("backing", BACKINGS)
async def test_the_shipped_example_goes_as_it_says(
    service: FakeService, station: TestStation, tmp_path: Path, backing: Backing
) -> None:
    script = parse_script(EXAMPLE)
    taken = await play(station, EXAMPLE, tmp_path / "replay", backing)
    assert [done.number for done in taken] == list(range(1, len(script.steps) + 1))
    sealed = [item.payload for item in service.log.logged if item.entry.type == "clip.sealed"]
    sizes = {path: size for plan in script.cards.values() for path, size in plan.files}
    assert set(service.sealed_entries().values()) == {1}
    assert {payload["path"]: payload["sha256"] for payload in sealed} == {
        path: hashlib.sha256(content(path, size)).hexdigest() for path, size in sizes.items()
    }
    assert ("AC0099128 92A3-B4C5", "DCIM/100MEDIA/IMG_0001.JPG") in service.sealed_entries()
    assert not list((tmp_path / "replay" / "slots").iterdir())


@pytest.mark.parametrize("backing", BACKINGS)
async def test_a_replayed_recorder_is_cleared(
    service: FakeService, station: TestStation, tmp_path: Path, backing: Backing
) -> None:
    text = steps(
        "do = 'dock'; slot = '1'; card = 'a'",
        "after = {event = 'cleared', slot = '1'}; do = 'mend'; card = 'a'",
        "do = 'expect'; slot = '1'; phase = 'done'; safe = true; within = 20.0",
        "do = 'pull'; slot = '1'",
    )
    await play(station, text, tmp_path / "replay", backing, clear=True)
    assert station.states() == {CLIP: "cleared"}


async def test_an_expectation_that_does_not_come_true_names_the_step_and_what_was_shown(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    text = steps(
        "do = 'fail'; card = 'a'; path = 'DCIM/DCAM_D200001_100001_20260302_090000.mp4'; from_byte = 0",
        "do = 'dock'; slot = '1'; card = 'a'",
        "do = 'expect'; slot = '1'; phase = 'done'; safe = true; within = 0.5",
    )
    with pytest.raises(ReplayDiffers, match=r"step 3: slot 1 shows .*, not \('done', True\)"):
        await play(station, text, tmp_path / "replay", Backing.FOLDER)
    assert service.sealed_entries() == {}


async def test_a_growing_a_rewritten_and_a_deleted_file_are_scripts_too(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    text = steps(
        "do = 'dock'; slot = '1'; card = 'a'",
        "do = 'expect'; slot = '1'; phase = 'done'; safe = true; within = 20.0",
        f"do = 'append'; card = 'a'; path = '{CLIP}'; size = 1000",
        "after = {event = 'done', slot = '1'}; do = 'write'; card = 'a'; path = 'DCIM/b.mp4'; size = 10",
        "after = {event = 'done', slot = '1'}; do = 'delete'; card = 'a'; path = 'DCIM/b.mp4'",
    )
    await play(station, text, tmp_path / "replay", Backing.FOLDER)
    assert sum(service.sealed_entries().values()) == 3
    with pytest.raises(ReplayDiffers, match="slot 2 is empty"):
        await play(station, steps("do = 'pull'; slot = '2'"), tmp_path / "again", Backing.FOLDER)


@pytest.mark.parametrize("backing", BACKINGS)
def test_a_pulled_card_answers_with_eio_and_one_that_is_docked_again_with_its_bytes(
    tmp_path: Path, backing: Backing
) -> None:
    media = Media(tmp_path, backing)
    media.make("a", parse_script(steps("do = 'mend'; card = 'a'")).cards["a"])
    for _ in range(2):
        media.dock("1", "a")
        with (media.root("1") / CLIP).open("rb") as file:
            assert media.pread(file.fileno(), 100, 7) == content(CLIP, 3_000_000)[7:107]
            media.fail("a", CLIP, 50)
            assert len(media.pread(file.fileno(), 100, 0)) == 50
            with pytest.raises(OSError, match="bad sector"):
                media.pread(file.fileno(), 1, 50)
            media.mend("a")
            media.pull("1")
            with pytest.raises(OSError, match="pulled"):
                media.pread(file.fileno(), 100, 0)
    media.close()
