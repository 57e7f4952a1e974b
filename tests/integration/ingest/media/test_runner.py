"""The service's side of derivation, against the real child and against children that misbehave in every way."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
import textwrap
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.media import runner
from ingest.media.errors import ChildBroken, ChildLost, NoSpace, SourceUnreadable
from ingest.media.limits import MEBIBYTE, Limits
from ingest.media.result import LINE_BYTES_MAX, EarlyStill
from ingest.media.runner import derive_media
from ingest.media.sample import make_clip, make_recorders
from ledger.canonical import canonical_json
from tests.support.media import Film, repeated, see, write

QUICK = Limits(idle_seconds=1, wall_seconds=30, cpu_seconds=20)
RESULT: dict[str, object] = {
    "said": "result",
    "outcome": "audio",
    "reason": None,
    "probe": {},
    "objects": [{"kind": "proxy", "media_type": "audio/mp4"}],
    "tools": {},
    "parameters": {},
}

Misbehave = Callable[[str], None]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    make_clip(tmp_path / "clip.mp4", seconds=1)
    return tmp_path / "clip.mp4"


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def misbehave(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Misbehave:
    """Put another program in the child's place; it finds `request`, `say(object)` and `threads`."""

    def replace(code: str) -> None:
        program = tmp_path / "misbehaving.py"
        preamble = """
            import json, os, signal, sys, time
            request = json.loads(sys.argv[1])
            threads = request["threads"]
            def say(body):
                os.write(1, json.dumps(body, separators=(",", ":"), sort_keys=True).encode() + b"\\n")
            """
        program.write_text(textwrap.dedent(preamble) + f"RESULT = {RESULT!r}\n" + textwrap.dedent(code))
        monkeypatch.setattr(runner, "_COMMAND", (sys.executable, "-I", str(program)))

    return replace


def processes_about(word: str) -> list[int]:
    """Return the processes whose command line holds a word."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if word.encode() in command and state != "Z":
                found.append(int(entry.name))
    return found


def misbehaving(workdir: Path) -> list[int]:
    """Return the processes that run this test's own misbehaving program; other tests may run beside it."""
    return processes_about(str(workdir.parent / "misbehaving.py"))


async def test_the_demo_footage_from_end_to_end(tmp_path: Path) -> None:
    outcomes = {}
    for recorder in make_recorders(tmp_path / "recorders", seconds=3):
        for path in recorder.files:
            work = tmp_path / path.stem
            work.mkdir()
            before = hashlib.sha256(path.read_bytes()).digest()
            result = await derive_media(path, work, Limits.for_size(path.stat().st_size))
            canonical_json({"probe": result.probe, "tools": result.tools, "parameters": result.parameters})
            assert result.reason is None
            assert hashlib.sha256(path.read_bytes()).digest() == before
            assert {item.path.parent for item in result.objects} == {work}
            assert sorted(work.iterdir()) == sorted(item.path for item in result.objects)
            outcomes[path.name[13:]] = (result.outcome, result.parameters["action"])
    assert sorted(outcomes.values()) == [
        ("audio", "remux"),
        ("reviewable", "full"),
        ("reviewable", "full"),
        ("reviewable", "remux"),
        ("reviewable", "remux"),
        ("reviewable", "remux"),
        ("still", "still"),
    ]


async def test_versions_and_settings_are_stated(clip: Path, workdir: Path) -> None:
    result = await derive_media(clip, workdir)
    assert {"pyav", "ffmpeg", "libavcodec"} <= set(result.tools)
    assert {"action", "why", "picture", "sound", "threads"} <= set(result.parameters)


async def test_progress_is_told_up_to_the_whole_file(large: Path, workdir: Path) -> None:
    told: list[int] = []
    await derive_media(large, workdir, on_progress=told.append)
    assert len(told) >= 2
    assert large.stat().st_size // 2 < max(told) <= large.stat().st_size


async def test_many_at_once(clip: Path, tmp_path: Path) -> None:
    folders = [tmp_path / f"work{number}" for number in range(4)]
    for folder in folders:
        folder.mkdir()
    results = await asyncio.gather(*(derive_media(clip, folder) for folder in folders))
    assert [result.outcome for result in results] == ["reviewable"] * 4
    assert all(see(result.objects[0].path).codec == "h264" for result in results)


async def test_what_an_earlier_attempt_left_is_removed(clip: Path, workdir: Path) -> None:
    (workdir / "proxy.mp4").write_bytes(b"half of a film")
    result = await derive_media(clip, workdir)
    assert see(result.objects[0].path).codec == "h264"


async def test_the_child_does_not_know_the_files_name_nor_the_services_secrets(
    clip: Path, workdir: Path, misbehave: Misbehave, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHILU_DATABASE_PASSWORD", "hunter2")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    misbehave("""
        handles = "/proc/self/fd/"
        links = [os.readlink(handles + name) for name in os.listdir(handles) if os.path.exists(handles + name)]
        open("proxy.mp4", "wb").write(json.dumps([dict(os.environ), sys.argv, links]).encode())
        try:
            os.write(request["source"], b"x")
        except OSError:
            say(RESULT)
    """)
    result = await derive_media(clip, workdir)
    environment, arguments, links = json.loads(result.objects[0].path.read_bytes())
    assert set(environment) <= {"LANG", "LC_CTYPE", "MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}
    assert clip.name not in json.dumps(arguments)
    strangers = [link for link in links if not link.startswith("pipe:") and not link.endswith("/misbehaving.py")]
    assert sorted(strangers) == ["/dev/null", str(clip)]


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"])
async def test_a_crash_makes_the_file_undecodable_after_a_careful_try(
    clip: Path, workdir: Path, misbehave: Misbehave, name: str
) -> None:
    misbehave(f"""
        open("tries", "a").write(str(threads) + " ")
        say({{"said": "facts", "probe": {{"known": 1}}, "tools": {{"t": "1"}}, "parameters": {{}}}})
        signal.signal(signal.{name}, signal.SIG_DFL)
        os.kill(os.getpid(), signal.{name})
    """)
    result = await derive_media(clip, workdir, QUICK)
    assert (result.outcome, result.objects) == ("undecodable", ())
    assert result.reason == f"media.decoder_crashed: the decoder crashed ({name})"
    assert (result.probe, result.tools) == ({"known": 1}, {"t": "1"})
    assert (workdir / "tries").read_text() == "2 1 "


async def test_a_crash_of_many_threads_is_survived_by_one(clip: Path, workdir: Path, misbehave: Misbehave) -> None:
    misbehave("""
        if threads > 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        open("proxy.mp4", "wb").write(b"x")
        say(RESULT)
    """)
    assert (await derive_media(clip, workdir, QUICK)).outcome == "audio"


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "time.sleep(60)",
        "say({'said': 'progress', 'read': 1, 'steps': 1}); time.sleep(60)",
        "os.write(1, b'half a line'); time.sleep(60)",
        "os.write(1, b' '); time.sleep(60)",
    ],
)
async def test_no_progress_is_ended(clip: Path, workdir: Path, misbehave: Misbehave, code: str) -> None:
    misbehave(code)
    begun = time.monotonic()
    result = await derive_media(clip, workdir, QUICK)
    assert result.reason == "media.stalled: no progress for 1 s"
    assert time.monotonic() - begun < 15
    assert not misbehaving(workdir)


async def test_endless_progress_is_ended_by_the_clock(clip: Path, workdir: Path, misbehave: Misbehave) -> None:
    misbehave("""
        for step in range(10**9):
            say({"said": "progress", "read": step, "steps": step})
            time.sleep(0.05)
    """)
    result = await derive_media(clip, workdir, Limits(idle_seconds=5, wall_seconds=2))
    assert result.reason == "media.time_limit: not finished after 2 s"
    assert not misbehaving(workdir)


async def test_a_child_that_closes_its_mouth_and_lives_on_is_ended(
    clip: Path, workdir: Path, misbehave: Misbehave
) -> None:
    misbehave("os.close(1); os.close(2); time.sleep(60)")
    result = await derive_media(clip, workdir, QUICK)
    assert result.reason == "media.stalled: the decoding process fell silent and did not end"
    assert not misbehaving(workdir)


async def test_what_a_child_leaves_behind_is_ended_too(clip: Path, workdir: Path, misbehave: Misbehave) -> None:
    misbehave("""
        open("proxy.mp4", "wb").write(b"x")
        if os.fork() == 0:
            time.sleep(60)
        say(RESULT)
    """)
    result = await derive_media(clip, workdir, QUICK)
    assert result.outcome == "audio"
    # It is not our child, so nobody tells when the kernel is done with it.
    for _ in range(100):
        if not misbehaving(workdir):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the grandchild lives on")


@pytest.mark.parametrize(
    "code",
    [
        "",
        "sys.exit(3)",
        "raise RuntimeError('our bug')",
        "say(RESULT)",  # names an object that is not there
        "open('proxy.mp4', 'wb').write(b'x'); say(RESULT); sys.exit(1)",
        "open('proxy.mp4', 'wb').write(b'x'); say({**RESULT, 'outcome': 'splendid'})",
        "os.symlink('/etc/hostname', 'proxy.mp4'); say(RESULT)",
        "print('hello')",
        "os.write(1, b'\\xff' * 100 + b'\\n')",
        f"os.write(1, b'x' * {LINE_BYTES_MAX // 2}); os.write(1, b'x' * {LINE_BYTES_MAX})",
        "say({'said': 'failure', 'code': 'media.invented', 'message': ''})",
    ],
)
async def test_nonsense_is_our_bug_and_no_judgement_on_the_file(
    clip: Path, workdir: Path, misbehave: Misbehave, code: str
) -> None:
    misbehave(code)
    with pytest.raises(ChildBroken):
        await derive_media(clip, workdir, QUICK)
    assert not misbehaving(workdir)


async def test_a_bug_tells_where_it_happened(clip: Path, workdir: Path, misbehave: Misbehave) -> None:
    misbehave("sys.stderr.write('x' * 10**6); raise RuntimeError('our bug')")
    with pytest.raises(ChildBroken) as caught:
        await derive_media(clip, workdir, QUICK)
    assert "our bug" in str(caught.value.details["complaint"])
    assert len(str(caught.value.details["complaint"])) < 5000


async def test_a_full_disk_and_a_kill_from_outside_are_worth_another_try(
    clip: Path, workdir: Path, misbehave: Misbehave
) -> None:
    misbehave("say({'said': 'failure', 'code': 'media.no_space', 'message': 'full'})")
    with pytest.raises(NoSpace, match="full"):
        await derive_media(clip, workdir, QUICK)
    for name in ("SIGKILL", "SIGTERM"):
        misbehave(f"os.kill(os.getpid(), signal.{name}); time.sleep(60)")
        with pytest.raises(ChildLost, match=name):
            await derive_media(clip, workdir, QUICK)


async def test_an_original_that_cannot_be_opened_is_worth_another_try(tmp_path: Path, workdir: Path) -> None:
    with pytest.raises(SourceUnreadable):
        await derive_media(tmp_path / "gone.mp4", workdir)


async def test_a_program_that_cannot_be_started_is_worth_another_try(
    clip: Path, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_COMMAND", ("/nonexistent/python",))
    with pytest.raises(ChildLost):
        await derive_media(clip, workdir)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Footage that takes a while: 15 s of 1080p, made of one second."""
    folder = tmp_path_factory.mktemp("large")
    options = {"preset": "ultrafast", "qp": "20"}
    film = Film(size=(1920, 1080), times_ms=range(0, 1000, 40), options=options)
    return repeated(write(folder / "second.mp4", film=film), folder / "large.mp4", 15)


@pytest.mark.parametrize(
    ("limits", "code"), [(Limits(cpu_seconds=1), "media.cpu_limit"), (Limits(output_bytes=9000), "media.output_limit")]
)
async def test_the_real_child_keeps_its_limits(large: Path, workdir: Path, limits: Limits, code: str) -> None:
    result = await derive_media(large, workdir, limits)
    assert result.outcome == "undecodable"
    assert (result.reason or "").startswith(code), result.reason
    # What its structure tells can be told without decoding.
    assert {path.name for path in workdir.iterdir()} <= {"continuity.json"}


async def test_a_bomb_is_defused(tmp_path: Path, workdir: Path) -> None:
    """A PNG of 200 kB that unpacks into 196 MB."""
    side = 14_000
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    pieces = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes((side + 1) * side), 9)), (b"IEND", b"")]
    raw = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in pieces)
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + raw)
    result = await derive_media(tmp_path / "bomb.png", workdir, Limits(memory_bytes=360 * MEBIBYTE))
    assert result.outcome == "undecodable"
    assert (result.reason or "").startswith("media.memory_limit"), result.reason
    assert (await derive_media(tmp_path / "bomb.png", workdir)).outcome == "still"


async def test_cancelling_leaves_no_process(clip: Path, workdir: Path, misbehave: Misbehave) -> None:
    misbehave("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)")
    task = asyncio.create_task(derive_media(clip, workdir, Limits(idle_seconds=60)))
    while not misbehaving(workdir):
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not misbehaving(workdir)


async def test_the_child_dies_with_a_killed_service(large: Path, tmp_path: Path) -> None:
    (tmp_path / "work-of-a-killed-service").mkdir()
    program = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from ingest.media.runner import derive_media
        asyncio.run(derive_media(Path(sys.argv[1]), Path(sys.argv[2])))
    """)
    service = subprocess.Popen([sys.executable, "-I", "-c", program, large, tmp_path / "work-of-a-killed-service"])
    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / "work-of-a-killed-service" / "proxy.mp4").exists():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert processes_about("ingest.media.child")
        service.send_signal(signal.SIGKILL)
        service.wait()
        deadline = time.monotonic() + 5
        while set(processes_about("work-of-a-killed-service")):
            assert time.monotonic() < deadline, "the child outlives its parent"
            await asyncio.sleep(0.05)
    finally:
        service.kill()
        service.wait()


def test_it_works_in_the_loop_that_the_service_uses(clip: Path, workdir: Path) -> None:
    uvloop = pytest.importorskip("uvloop")
    result = uvloop.run(derive_media(clip, workdir))
    assert result.outcome == "reviewable"


async def test_a_first_still_comes_while_the_child_goes_on(tmp_path: Path, workdir: Path) -> None:
    source = write(tmp_path / "in.mp4", film=Film(codec="mpeg4", times_ms=tuple(range(0, 3000, 40))))
    stills: list[bytes] = []

    async def look(still: EarlyStill) -> None:
        assert not (workdir / "frames.bin").exists()
        stills.append(still.data)

    result = await derive_media(source, workdir, on_early=look)
    poster = next(made for made in result.objects if made.kind == "poster")
    assert stills == [poster.path.read_bytes()]
