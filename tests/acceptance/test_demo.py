"""The main job, end to end, by the real programs: what a newcomer sees when they run `make demo`."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from typing import Any

import pytest

from api.cli.exits import Exit
from ledger.note import Verifier
from tests.support.demo import DemoProcess
from tests.support.shared import shared_folder

_SECONDS = 300
# Originals that are whole, and the state their derivation must reach; the damaged ones follow below.
_INTACT = {
    "corridor-139s-10fps-silent.mp4",
    "dashcam-vfr-5s.mp4",
    "gopro-karma.mp4",
    "h263-nonutf8-tags.3gp",
    "h264-1080p50-pcm.mov",
    "h264-aac.ts",
    "iphone-hevc-hlg-rot90-editlist.mp4",
    "mpeg4-mp3.avi",
    "nasa-speech-2v2a2s.mp4",
}


@pytest.mark.timeout(_SECONDS + 60)
def test_demo_twice_in_one_folder(data_folder: Path) -> None:
    data = data_folder / "演示 demo"
    first_code, first = _run(data)
    assert first_code == 0
    assert first["verified"]
    assert {clip["state"] for clip in first["clips"]} == {"reviewable", "still", "audio"}
    assert all(clip["verified"] for clip in first["clips"])
    assert Verifier.parse(first["log"]["vkey"]).name == first["log"]["origin"]
    for clip in first["clips"]:
        original = data / "recorders" / clip["file"]
        assert hashlib.sha256(original.read_bytes()).hexdigest() == clip["sha256"]
        assert original.stat().st_size == clip["size"]
    # As after a power cut, and with the port taken by somebody else meanwhile.
    (data / "run" / "service.json").write_text('{"url": "http://127.0.0.1:9", "origin": "x", "vkey": "x"}')
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int((data / "run" / "port").read_text())))
        taken.listen()
        second_code, second = _run(data)
    assert second_code == 0
    assert second["verified"]
    assert [clip["id"] for clip in second["clips"]] == [clip["id"] for clip in first["clips"]]
    assert second["log"]["size"] > first["log"]["size"]


@pytest.mark.slow
def test_demo_that_takes_too_long_says_so_and_leaves_nothing_running(data_folder: Path) -> None:
    data = data_folder / "demo"
    demo = DemoProcess(data, "--patience", "0.05")
    code, result = demo.finish(seconds=_SECONDS)
    assert code == Exit.UNAVAILABLE, demo.story()
    assert result == {}
    assert "demo.timeout" in demo.story()
    assert _processes_about(data) == []


@pytest.mark.timeout(2 * _SECONDS)
def test_demo_on_real_camera_files(data_folder: Path) -> None:
    files = sorted(path for path in shared_folder("footage").rglob("*") if path.is_file() and path.suffix != ".md")
    code, result = _run(data_folder / "demo", *map(str, files))
    states = {Path(clip["file"]).name: clip["state"] for clip in result["clips"]}
    assert code == 0
    assert result["verified"]
    assert set(states) == {file.name for file in files}
    assert {name for name in _INTACT if states[name] != "reviewable"} == set()
    assert all(clip["verified"] for clip in result["clips"])


def _run(data: Path, *words: str) -> tuple[int, dict[str, Any]]:
    demo = DemoProcess(data, *words)
    code, result = demo.finish(seconds=_SECONDS)
    assert result, demo.story()
    return code, result


def _processes_about(folder: Path) -> list[str]:
    """Return the command lines of running programs that name a folder; PostgreSQL's own names none."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command:
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found
