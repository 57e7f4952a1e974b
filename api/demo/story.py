"""The demonstration, step by step: from footage on a recorder to evidence that a stranger has verified.

Everything is done by the real programs through their real interfaces, in one data folder. The steps can be interrupted
anywhere, by Ctrl-C or by `kill -9` of any of the programs; started again on the same folder, the story goes on.
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from api.client import ServiceClient, open_client
from api.demo.case import SEARCH_WORDS, make_case
from api.demo.docked import DockedFile, read_docked
from api.demo.errors import DemoTimeout
from api.demo.footage import lay_out
from api.demo.programs import DOCK, SHILU, VERIFY, ask_program
from api.demo.result import DemoClip, DemoLog, DemoResult
from api.demo.show import Show
from api.demo.stage import Stage, open_stage

T = TypeVar("T")

_POLL_SECONDS = 0.3
_READY_SECONDS = 120.0
_SHORT_SECONDS = 40.0
"""What a program that writes one row may take; one that met a database in its fall may wait for it much longer."""
_DOCK_PATIENCE_SECONDS = 90

_DOCK_INCOMPLETE = 1
_DOCK_SERVICE_AWAY = 5
_CHECK_FAILED = 1
_KILLED = -9


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the demonstration is to do.

    Attributes:
        data: The data folder, kept afterwards.
        files: The caller's files; empty for the sample set.
        patience_seconds: How long footage may take to be docked, and again to be derived.
    """

    data: Path
    files: Sequence[Path]
    patience_seconds: float


@asynccontextmanager
async def perform(plan: DemoPlan, show: Show) -> AsyncIterator[DemoResult]:
    """Play the demonstration and yield what came out while the service is still up; leaving the block stops it."""
    began = time.monotonic()
    data = plan.data.resolve()
    recorders = data / "recorders"
    with show.step("make footage", "准备录像"):
        count = await asyncio.to_thread(lay_out, recorders, plan.files)
    port = _port(data)
    environment = {"SHILU_DATA": str(data), "SHILU_DISK_RESERVE_BYTES": "0", "SHILU_ACCESS": "units"}
    async with open_stage(data, environment=environment) as stage:
        with show.step("start PostgreSQL, service and worker", "启动数据库、服务与工作进程"):
            # What a killed service left behind may name an address that is not its own any more.
            (data / "run" / "service.json").unlink(missing_ok=True)
            stage.start("service", SHILU, "serve", "--listen", f"127.0.0.1:{port}", "--no-worker", "--json")
            service = await _guarded(stage, _service(data))
            stage.start("worker", SHILU, "work", "--json")
            investigator = await _guarded(stage, _token(data, "演示办案人员"))
        with show.step("enrol the dock, pin the log key", "采集站入网，固定日志公钥"):
            await _guarded(stage, _enrol(data, service))
        async with open_client(service["url"], investigator, patience_seconds=_READY_SECONDS) as client:
            docked = await _guarded(stage, _dock(data, recorders, client, show, count=count, plan=plan))
            clips = await _guarded(stage, _derived(client, docked, show, plan=plan))
            with show.step("annotate, open a case, search", "标注、立案、检索"):
                await _guarded(stage, make_case(client, _exhibits(clips)))
                found = await client.get("/v1/clips", q=SEARCH_WORDS)
                show.say(f"{SEARCH_WORDS} → {len(found['items'])}")
            verified = await _guarded(stage, _verify(data, service, docked, show))
            fault_named = await _tamper(data, service, verified, show)
            with show.step("audit tree, tiles, rows and objects", "审计：树、瓦片、行、对象"):
                audit = await ask_program(SHILU, "audit", "--data", str(data), accept=(0, _CHECK_FAILED))
            yield DemoResult(
                verified=audit["clean"] and fault_named and all(_rows_verified(docked, verified)),
                clips=tuple(_clip_row(file, clips, verified) for file in docked),
                log=DemoLog(service["origin"], service["vkey"], audit["size"], audit["root"]),
                url=service["url"],
                data=str(data),
                seconds=math.ceil(time.monotonic() - began),
            )


async def _guarded(stage: Stage, step: Awaitable[T]) -> T:
    """Wait for a step, but no longer than the programs it needs can be kept running."""
    task = asyncio.ensure_future(step)
    either: set[asyncio.Future[Any]] = {task, stage.failed}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise stage.failed.result()
        return task.result()
    finally:
        # Whatever ends the wait ends the step, and with it the program that the step may be running.
        await _end(task)


async def _end(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})


@asynccontextmanager
async def _within(seconds: float, what: str) -> AsyncIterator[None]:
    """Give a block so much time, and say in the demonstration's own words that it took longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise DemoTimeout(f"{what} took more than {seconds:.0f} s; the logs say where it stands") from error


async def _service(data: Path) -> dict[str, Any]:
    """Wait for the service to say where it is."""
    place = data / "run" / "service.json"
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if place.exists():
            state: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
            return state
        await asyncio.sleep(_POLL_SECONDS)
    raise DemoTimeout(f"the service did not start within {_READY_SECONDS:.0f} s; see {data / 'logs' / 'service.log'}")


async def _token(data: Path, name: str) -> str:
    words = ("--role", "investigator", "--name", name, "--days", "1", "--all-units", "--data", str(data))
    issued = await ask_program(SHILU, "keys", "token", *words, limit_seconds=_SHORT_SECONDS)
    return str(issued["token"])


async def _enrol(data: Path, service: dict[str, Any]) -> None:
    state = data / "dock"
    known = await ask_program(DOCK, "status", "--state", str(state), accept=(0, 3), again=()) if state.exists() else {}
    if known.get("url") == service["url"]:
        return
    asked = ("keys", "dock-code", "--hours", "1", "--data", str(data))
    code = (await ask_program(SHILU, *asked, limit_seconds=_SHORT_SECONDS))["code"]
    words = ("enrol", service["url"], code, "--state", str(state), "--name", "演示采集站")
    await ask_program(DOCK, *words, again=(_DOCK_SERVICE_AWAY,))


async def _dock(
    data: Path, recorders: Path, client: ServiceClient, show: Show, *, count: int, plan: DemoPlan
) -> tuple[DockedFile, ...]:
    """Run the dock until everything on the recorders is receipted, and show how far it is."""
    words = ["run", "--once", "--watch", str(recorders), "--state", str(data / "dock"), "--interval", "0.2"]
    words += ["--patience", str(_DOCK_PATIENCE_SECONDS)]
    accept = (0, _DOCK_INCOMPLETE)
    pid_file = data / "run" / "dock.pid"
    run = asyncio.create_task(
        ask_program(DOCK, *words, accept=accept, again=(_DOCK_SERVICE_AWAY, _KILLED), pid_file=pid_file)
    )
    try:
        with show.counting("dock: hash, upload, seal, receipt", "采集：摘要、上传、封存、回执", count) as advance:
            async with _within(plan.patience_seconds, "docking"):
                while not run.done():
                    advance(len(await client.pages("/v1/clips")))
                    await asyncio.wait({run}, timeout=_POLL_SECONDS)
            docked = read_docked(run.result())
            advance(sum(file.is_receipted for file in docked))
    finally:
        await _end(run)
    return docked


async def _derived(
    client: ServiceClient, docked: Sequence[DockedFile], show: Show, *, plan: DemoPlan
) -> dict[str, dict[str, Any]]:
    """Wait until every sealed clip has an outcome; return the clip listing by id."""
    wanted = {file.clip for file in docked if file.clip is not None}
    with show.counting("derive review copies in child processes", "在子进程中生成审看副本", len(wanted)) as advance:
        async with _within(plan.patience_seconds, "deriving"):
            while True:
                clips = {item["clip"]: item for item in await client.pages("/v1/clips")}
                ready = sum(clips[clip]["state"] != "sealed" for clip in wanted if clip in clips)
                advance(ready)
                if ready == len(wanted):
                    return clips
                await asyncio.sleep(_POLL_SECONDS)


async def _verify(
    data: Path, service: dict[str, Any], docked: Sequence[DockedFile], show: Show
) -> dict[str, dict[str, Any]]:
    """Export every clip and verify it offline; return the verifier's words about each clip."""
    evidence = data / "evidence"
    wanted = sorted({file.clip for file in docked if file.clip is not None})
    with show.step("export evidence folders", "导出证据文件夹"):
        shutil.rmtree(evidence, ignore_errors=True)
        words = ("export", *wanted, "--data", str(data), "--to", str(evidence), "--purpose", "litigation")
        exported = (await ask_program(SHILU, *words))["clips"] if wanted else []
    judged = {}
    with show.counting("verify offline with shilu-verify", "用 shilu-verify 离线核验", len(wanted)) as advance:
        for number, clip in enumerate(exported, start=1):
            words = (clip["folder"], "--log-key", service["vkey"])
            report = await ask_program(VERIFY, *words, accept=(0, _CHECK_FAILED))
            judged[clip["id"]] = {**clip, "report": report}
            advance(number)
    return judged


async def _tamper(data: Path, service: dict[str, Any], verified: dict[str, dict[str, Any]], show: Show) -> bool:
    """Flip one byte in a copy of one exported original; tell whether the verifier names the fault."""
    if not verified:
        return False
    with show.step("flip one byte in a copy", "在副本中改动一个字节"):
        clip = max(verified.values(), key=lambda one: Path(one["file"]).stat().st_size)
        copy = data / "tampered"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(clip["folder"], copy)
        file = copy / Path(clip["file"]).name
        _flip_middle_byte(file)
        report = await ask_program(VERIFY, str(copy), "--log-key", service["vkey"], accept=(_CHECK_FAILED,))
    failed = [found for item in report["items"] for found in item["findings"] if found["severity"] == "error"]
    show.findings(failed)
    return any(found["code"] == "clip.chunks_differ" for found in failed)


def _flip_middle_byte(file: Path) -> None:
    file.chmod(0o600)
    with file.open("r+b") as handle:
        handle.seek(file.stat().st_size // 2)
        byte = handle.read(1)
        handle.seek(-1, 1)
        handle.write(bytes([byte[0] ^ 0x01]))


def _exhibits(clips: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        (clip for clip in clips.values() if clip["state"] == "reviewable"),
        key=lambda clip: (clip["recorded_at"] or "", clip["name"], clip["clip"]),
    )


def _rows_verified(docked: Sequence[DockedFile], verified: dict[str, dict[str, Any]]) -> list[bool]:
    return [_is_verified(file, verified) for file in docked]


def _is_verified(file: DockedFile, verified: dict[str, dict[str, Any]]) -> bool:
    judged = verified.get(file.clip or "")
    return judged is not None and bool(judged["report"]["verified"])


def _clip_row(file: DockedFile, clips: dict[str, dict[str, Any]], verified: dict[str, dict[str, Any]]) -> DemoClip:
    clip = clips.get(file.clip or "")
    return DemoClip(
        id=file.clip,
        file=file.name,
        size=file.size,
        sha256=file.sha256,
        index=None if file.clip not in verified else verified[file.clip]["index"],
        state=f"refused: {file.trouble}" if clip is None else clip["state"],
        verified=_is_verified(file, verified),
    )


def _port(data: Path) -> int:
    """Return the port of the last run if it is free, else another one; the dock remembers the address."""
    place = data / "run" / "port"
    place.parent.mkdir(parents=True, exist_ok=True)
    kept = int(place.read_text(encoding="ascii")) if place.exists() else 0
    for wanted in (kept, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            port = int(probe.getsockname()[1])
            place.write_text(str(port), encoding="ascii")
            return port
    raise DemoTimeout("no free port on 127.0.0.1")
