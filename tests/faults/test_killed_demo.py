"""kill -9 at random points of the demonstration: what was acknowledged is there, the audit clean, the story ends well.

Every run is seeded: the seed decides who dies and when. Two or three programs die per run, in some runs the
demonstration itself, which is then started again on the same folder, as an administrator would after a power cut.
"""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from ingest.media.sample import make_recorders
from ledger.checkpoint import parse_checkpoint
from ledger.note import parse_note
from tests.support.demo import VICTIMS, DemoProcess
from tests.support.rounds import rounds

RUNS = rounds(everyday=20, soak=60)
_RUN_SECONDS = 240
_WINDOW_SECONDS = 9.0


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample recorders, made once, two seconds a clip."""
    folder = tmp_path_factory.mktemp("footage") / "recorders"
    make_recorders(folder, seconds=2)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(RUNS))
def test_demo_survives_kill_dash_nine(seed: int, footage: Path, data_folder: Path) -> None:
    chance = random.Random(seed)
    data = data_folder / "演示 demo"
    data.mkdir()
    shutil.copytree(footage, data / "recorders")
    demo = DemoProcess(data)
    seen: list[bytes] = []
    killed: list[str] = []
    for moment in sorted(chance.uniform(0.5, _WINDOW_SECONDS) for _ in range(chance.choice((2, 3)))):
        _watch(data, until=moment, demo=demo, seen=seen)
        victim = chance.choice((*VICTIMS, "demo") if seed % 5 == 0 else VICTIMS)
        if victim == "demo":
            demo.kill_all()
            demo = DemoProcess(data)
            killed.append(victim)
        elif demo.kill(victim):
            killed.append(victim)
    code, result = demo.finish(seconds=_RUN_SECONDS)
    context = f"seed {seed}, killed {killed}\n{demo.story()}"
    assert code == 0, context
    assert result["verified"], context
    assert len(result["clips"]) == sum(1 for path in footage.rglob("*") if path.is_file()), context
    # What was published once is contained for ever: sizes only grow, and the audit inside the demonstration was clean.
    sizes = [parse_checkpoint(parse_note(note).text).size for note in seen]
    assert sizes == sorted(sizes), context
    assert not sizes or sizes[-1] <= result["log"]["size"], context


def _watch(data: Path, *, until: float, demo: DemoProcess, seen: list[bytes]) -> None:
    """Keep every checkpoint that is published while time passes."""
    deadline = time.monotonic() + until / 2
    while time.monotonic() < deadline and demo.is_running():
        try:
            note = (data / "log" / "checkpoint").read_bytes()
        except FileNotFoundError:
            note = b""
        if note and (not seen or seen[-1] != note):
            seen.append(note)
        time.sleep(0.05)
