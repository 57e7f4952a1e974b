"""`shilu log mirror` and `shilu log monitor`: keeping an eye on a log that somebody else holds. Needs no database.

Exit codes, besides those of every command:

| command | code | meaning |
|---|---|---|
| both, --once | 0 | the newest checkpoint was verified and follows from the last one |
| both, --once | 1 | a finding: the log, or the copy, is not what was signed |
| mirror --once | 3 | the log cannot be read, or the copy not written (for `monitor` that is a finding, so 1) |
| both, without --once | 0 | stopped by SIGTERM or Ctrl-C; what was found stands on standard output |
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from api.cli.exits import Exit
from api.cli.output import print_findings, print_json
from api.cli.progress import showing_words
from api.cli.run import run
from api.log_source import open_source
from ledger.findings import Finding, Severity, is_clean
from ledger.mirror import findings as codes
from ledger.mirror.folder import FollowFolder
from ledger.mirror.mirror import Mirror
from ledger.mirror.monitor import Monitor, MonitorSettings
from ledger.pausing import happens
from ledger.policy import Policy

_POLICY_FILE = "log.policy"

app = typer.Typer(
    help="Follow a log: keep a verified copy, or watch over it. 跟踪日志：保存经核验的副本，或持续监视。",
    no_args_is_help=True,
    add_completion=False,
)

SourceArgument = Annotated[
    str,
    typer.Argument(metavar="URL", help="Address of the log (https://.../log), file://, or a folder. 日志地址或目录。"),
]
VkeyOption = Annotated[
    str | None,
    typer.Option("--vkey", help="The log's verifier key, got from elsewhere. 日志公钥。", show_default=False),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option("--policy", help="Trust policy (C2SP tlog-policy) with witnesses. 信任策略文件。", show_default=False),
]
OnceOption = Annotated[bool, typer.Option("--once", help="One round, then exit: 0, or 1 on a finding. 只执行一轮。")]
IntervalOption = Annotated[float, typer.Option("--interval", min=0.05, help="Seconds between rounds. 每轮间隔秒数。")]
LinesOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line. 每行输出一个 JSON 对象。")]


@app.command("mirror")
def mirror(
    source: SourceArgument,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the copy. 副本目录。")],
    vkey: VkeyOption = None,
    policy: PolicyOption = None,
    once: OnceOption = False,
    interval: IntervalOption = 10.0,
    as_json: LinesOption = False,
) -> None:
    """Follow a log, verify every byte, keep a full copy. 跟踪日志，逐字节核验后保存完整副本。

    The copy is a log that any web server can serve. It never goes back: when the log shows fewer entries or another
    history, both signed checkpoints are kept in DIR/evidence. Killed at any point it goes on where it was. The key or
    policy is needed the first time and then kept in DIR.
    日志回退或分叉时，两份已签名的检查点都保存在 DIR/evidence。可随时中断，再次运行即继续。
    """
    kept = FollowFolder(folder)
    with kept.opened(), showing_words("mirroring") as say:
        trust = _trust(vkey, policy, kept)

        async def follow() -> bool:
            async with open_source(source) as opened:
                follower = Mirror(opened, kept, trust)

                async def round_() -> list[Finding]:
                    step = await follower.step(lambda done, of: say(f"{done} of {of}"))
                    return step.findings

                return await _rounds(round_, once=once, interval=interval, as_json=as_json)

        well = run(follow())
    if not well:
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("monitor")
def monitor(
    source: SourceArgument,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="Folder to remember in between runs. 状态目录。", show_default=False),
    ] = None,
    vkey: VkeyOption = None,
    policy: PolicyOption = None,
    once: OnceOption = False,
    interval: IntervalOption = 60.0,
    stalled_after: Annotated[
        float,
        typer.Option(
            "--stalled-after",
            min=0,
            help="Seconds without news that are a finding; 0: never. 停滞秒数。",
        ),
    ] = 0.0,
    clock_leeway: Annotated[
        float, typer.Option("--clock-leeway", min=0, help="Seconds clocks may be apart. 时钟允许的偏差秒数。")
    ] = 300.0,
    bundles: Annotated[
        int, typer.Option("--bundles", min=0, help="Bundles of entries checked per round. 每轮核验的条目包数。")
    ] = 64,
    every: Annotated[bool, typer.Option("--all", help="Check all entries each round. 每轮核验全部条目。")] = False,
    as_json: LinesOption = False,
) -> None:
    """Watch a log, and say what is wrong with it. 监视日志，发现异常即报告。

    Named are: a way back, a fork, missing cosignatures, clocks that disagree, a standstill, changed tiles and entries,
    entries dated back or ahead, a log that cannot be read. With --state, what was believed is remembered between runs,
    and so are contradictions.
    报告内容：回退、分叉、缺少见证签名、时钟不符、停滞、数据块或条目被改、条目时间倒签或超前、无法访问。
    """
    settings = MonitorSettings(
        stalled_seconds=stalled_after, clock_seconds=clock_leeway, bundles=None if every else bundles
    )
    with ExitStack() as stack:
        kept = FollowFolder(state) if state else None
        if kept:
            stack.enter_context(kept.opened())
        trust = _trust(vkey, policy, kept)

        async def watch() -> bool:
            async with open_source(source) as opened:
                watcher = Monitor(opened, trust, settings=settings, folder=kept)

                async def round_() -> list[Finding]:
                    return [finding async for finding in watcher.look(now=time.time())]

                return await _rounds(round_, once=once, interval=interval, as_json=as_json, away_is_a_finding=True)

        well = run(watch())
    if not well:
        raise typer.Exit(Exit.CHECK_FAILED)


async def _rounds(
    round_: Callable[[], Awaitable[list[Finding]]],
    *,
    once: bool,
    interval: float,
    as_json: bool,
    away_is_a_finding: bool = False,
) -> bool:
    """Run rounds until stopped; tell whether the only one was well. What has not changed since is not said again."""
    said: list[dict[str, object]] = []
    stop = asyncio.Event()
    if not once:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        findings = await round_()
        news = [finding.as_json() for finding in findings]
        if news != said:
            _say(findings, as_json=as_json)
            said = news
        if once:
            errors = {finding.code for finding in findings if finding.severity is Severity.ERROR}
            if errors and errors <= {codes.UNREACHABLE, codes.COPY_UNWRITABLE} and not away_is_a_finding:
                raise typer.Exit(Exit.UNAVAILABLE)
            return is_clean(findings)
        await happens(stop, interval)
    return True


def _say(findings: Iterable[Finding], *, as_json: bool) -> None:
    if not as_json:
        print_findings(findings)
        return
    for finding in findings:
        print_json(finding.as_json())
    sys.stdout.flush()


def _trust(vkey: str | None, policy: Path | None, folder: FollowFolder | None) -> Policy:
    """Return whom to believe: as said now, else as said when the folder was begun."""
    if vkey and policy:
        raise typer.BadParameter("give --vkey or --policy, not both")
    try:
        given = policy.read_bytes() if policy else f"log {vkey}\nquorum none\n".encode() if vkey else None
    except OSError as error:
        raise typer.BadParameter(f"{policy} cannot be read: {error.strerror}") from error
    raw = given or (folder.read(_POLICY_FILE) if folder else None)
    if raw is None:
        raise typer.BadParameter("give the log's key with --vkey, or a policy with --policy")
    parsed = Policy.parse(raw)
    if given and folder and folder.read(_POLICY_FILE) != given:
        folder.write(_POLICY_FILE, given)
    return parsed
