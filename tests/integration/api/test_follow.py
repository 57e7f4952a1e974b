"""Following a log over HTTP and from folders, by the commands themselves: growing, killed, slow, gone back."""

from __future__ import annotations

import asyncio
import functools
import http.server
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.cli.exits import Exit
from api.log_source import open_source
from ledger.findings import is_clean
from ledger.mirror import findings as codes
from ledger.mirror.errors import SourceUnreachable
from ledger.mirror.folder import FollowFolder
from ledger.mirror.mirror import Mirror
from ledger.mirror.source import FILE_BYTES_MAX
from tests.support.commands import shilu_here
from tests.support.house import ROOT
from tests.support.published_log import PublishedLog, files_of
from tests.support.service import RunningService


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder as any plain web server does; yield its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "log", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
    )


def run(*words: str) -> tuple[int, list[dict[str, object]]]:
    ran = shilu_here("log", *words, "--once", "--json")
    assert ran.out or ran.code, ran.err
    return ran.code, [json.loads(line) for line in ran.out.splitlines()]


@pytest.fixture
def log(tmp_path: Path) -> PublishedLog:
    return PublishedLog(tmp_path / "log")


@pytest.mark.timeout(240)
def test_the_commands_follow_and_say_what_they_find(log: PublishedLog, tmp_path: Path) -> None:
    key, copy, state = ("--vkey", log.signer.verifier.vkey), str(tmp_path / "copy"), ("--state", str(tmp_path / "s"))
    early = log.grow(600)
    with served(log.root) as url:
        code, lines = run("mirror", url, copy, *key)
        assert (code, [line["code"] for line in lines]) == (Exit.OK, [codes.FOLLOWED])
        assert files_of(Path(copy)) == files_of(log.root)
        log.grow(300)
        code, lines = run("mirror", url + "/", copy)
        assert (code, lines[-1]["details"]["added"]) == (Exit.OK, 300)  # type: ignore[index]  # JSON
        assert run("monitor", url, *state, *key)[0] == Exit.OK
        log.write("checkpoint", early)
        code, lines = run("mirror", url, copy)
        assert (code, [line["code"] for line in lines]) == (Exit.CHECK_FAILED, [codes.ROLLED_BACK])
        code, lines = run("monitor", url, *state)
        assert (code, [line["code"] for line in lines]) == (Exit.CHECK_FAILED, [codes.ROLLED_BACK])
    assert run("mirror", url, copy)[0] == Exit.UNAVAILABLE
    code, lines = run("monitor", url, *state)
    assert (code, [line["code"] for line in lines]) == (Exit.CHECK_FAILED, [codes.UNREACHABLE])
    for place in (copy, f"file://{copy}"):
        assert run("monitor", place, *key, "--all")[0] == Exit.OK


def test_a_key_is_asked_for_and_kept(log: PublishedLog, tmp_path: Path) -> None:
    log.grow(1)
    copy = str(tmp_path / "copy")
    assert run("mirror", str(log.root), copy)[0] == Exit.USAGE
    assert run("mirror", str(log.root), copy, "--vkey", "nonsense")[0] == Exit.USAGE
    policy = tmp_path / "policy"
    policy.write_bytes(log.policy.format())
    assert run("mirror", str(log.root), copy, "--policy", str(policy))[0] == Exit.OK
    assert run("mirror", str(log.root), copy)[0] == Exit.OK


@pytest.mark.timeout(240)
@pytest.mark.slow
def test_a_mirror_killed_at_random_points_goes_on_while_the_log_grows(log: PublishedLog, tmp_path: Path) -> None:
    chance, copy = random.Random(5), tmp_path / "copy"
    log.grow(256 * 40)
    with served(log.root) as url:
        words = ("mirror", url, str(copy), "--vkey", log.signer.verifier.vkey, "--interval", "0.05", "--json")
        for files in (0, 3, 20, 50, 81):
            process = start(*words)
            deadline = time.monotonic() + 30
            while sum(path.is_file() for path in copy.rglob("*")) < files and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(chance.random() * 0.05)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
            kept = files_of(copy) if (copy / "checkpoint").exists() else {}
            assert kept.items() <= (files_of(log.root) | {"checkpoint": kept.get("checkpoint", b"")}).items()
            log.grow(chance.randrange(1, 700))
        assert run(*words[:5])[0] == Exit.OK
    assert (copy / "checkpoint").read_bytes() == log.notes[-1]
    assert run("monitor", str(copy), "--vkey", log.signer.verifier.vkey, "--all")[0] == Exit.OK


async def test_our_own_log_is_mirrored_from_its_routes_while_it_grows(service: RunningService, tmp_path: Path) -> None:
    policy = await service.services.policy()
    with (folder := FollowFolder(tmp_path / "copy")).opened():
        async with open_source(f"{service.url}/log") as source:
            mirror = Mirror(source, folder, policy)
            for number in range(3):
                await service.seal(b"footage %d" % number, path=f"DCIM/{number}.mp4")
                step = await mirror.step()
                assert is_clean(step.findings), step.findings
                assert step.added > 0
    assert folder.kept() == await service.services.reader.checkpoint()


async def test_a_server_that_is_slow_endless_or_wrong_is_unreachable() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(FILE_BYTES_MAX // 65_536 + 2):
            await answer.write(bytes(65_536))
        return answer

    async def broken(_: web.Request) -> web.Response:
        return web.Response(status=500)

    app = web.Application()
    app.add_routes([web.get("/slow", slow), web.get("/endless", endless), web.get("/broken", broken)])
    server = TestServer(app)
    await server.start_server()
    try:
        async with open_source(str(server.make_url("/")), silence_seconds_max=0.2) as source:
            for path in ("slow", "endless", "broken"):
                with pytest.raises(SourceUnreachable):
                    await source.get(path)
            assert await source.get("nothing") is None
    finally:
        await server.close()
