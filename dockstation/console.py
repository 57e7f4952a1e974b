"""Console: events and tables for people and programs.

Standard error is for people: a live picture on a terminal, one line per event elsewhere. Standard output is for what
was asked: with `--json` nothing but JSON. Labels are Chinese and English side by side; names from recorders are shown
escaped where they hold what a terminal would act upon.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Column, Table
from rich.text import Text

from dockstation.events import LABELS, PROGRESS, Event, Kind, Tell
from dockstation.explaining import Explanation, rule_of, taken_from_name
from dockstation.journal import RECEIPTED, State
from dockstation.layout import Kind as FileKind
from dockstation.layout import Profile
from dockstation.replay.player import Done
from dockstation.status import StationStatus
from dockstation.watch import Report

_STYLES = {
    Kind.RECEIPTED: "green",
    Kind.DONE: "bold green",
    Kind.CLEARED: "cyan",
    Kind.KEPT: "yellow",
    Kind.WAITING: "yellow",
    Kind.LEFT_ALONE: "yellow",
    Kind.REFUSED: "bold red",
    Kind.TROUBLE: "bold red",
}
_PHASES = {
    "reading": ("读取中", "reading", "yellow"),
    "waiting": ("等待", "waiting", "yellow"),
    "copied": ("已存", "stored here", "green"),
    "done": ("完成", "done", "green"),
    "trouble": ("异常", "trouble", "bold red"),
    "gone": ("已取下", "taken out", "dim"),
}
STATES = {
    State.SEEN: ("发现", "seen"),
    State.INVENTORIED: ("已列", "listed"),
    State.COPIED: ("已存", "stored here"),
    State.UPLOADING: ("上传", "sending"),
    State.UPLOADED: ("已传", "sent"),
    State.SEALED: ("封存", "sealed"),
    State.RECEIPT_VERIFIED: ("回执", "receipted"),
    State.CLEARABLE: ("可清", "clearable"),
    State.CLEARED: ("已清", "cleared"),
    State.REFUSED: ("拒收", "refused"),
    State.ABANDONED: ("重来", "begun anew"),
}
"""How the states are called where people read."""

_LABEL_CELLS = 16
_NUMBERS = {"回执 Receipted", "已清 Cleared", "大小 Size"}
_UNITS = ("B", "kB", "MB", "GB", "TB")


@contextmanager
def showing_events(*, json_lines: bool) -> Iterator[Tell]:
    """Show events as long as the block runs: JSON lines on standard output, else for people on standard error."""
    if json_lines:
        yield _tell_json
    elif sys.stderr.isatty():
        with _Live() as live:
            yield live.tell
    else:
        yield _tell_plain


def print_json(value: object) -> None:
    """Write one JSON value on a line of standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_error(code: str, message: str) -> None:
    """Write an error for people."""
    Console(stderr=True, highlight=False).print(Text(f"✗ {visible(message)}", style="bold red"), Text(f"[{code}]"))


def print_step(done: Done) -> None:
    """Write a step of a replay for people."""
    step = done.step
    words = [step.do, step.slot, step.card, step.path, step.phase]
    text = "  ".join(visible(word) for word in words if word)
    Console(stderr=True, highlight=False).print(Text(f"▶ {done.number}  {text}", style="bold cyan"))


def print_step_json(done: Done) -> None:
    """Write a step of a replay as a line of JSON."""
    step = done.step
    words = {"slot": step.slot, "card": step.card, "path": step.path}
    print_json({"step": done.number, "do": step.do, **{key: word for key, word in words.items() if word}})


def print_report(report: Report) -> None:
    """Write what a run came to, one row per slot."""
    table = _table("插槽 Slot", "记录仪 Recorder", "回执 Receipted", "已清 Cleared", "大小 Size", "可取下 Safe")
    for outcome in report.outcomes:
        rows = [row for slot, row in report.rows if slot == outcome.slot]
        receipted = sum(row.state in RECEIPTED for row in rows)
        cleared = sum(row.state is State.CLEARED for row in rows)
        size = human_bytes(sum(row.seen.size for row in rows))
        recorders = ", ".join(outcome.recorders) or "-"
        counts = (f"{receipted}/{len(rows)}", str(cleared), size)
        table.add_row(visible(outcome.slot.name), visible(recorders), *counts, _safe(outcome.safe))
    Console().print(table)


def print_status(status: StationStatus) -> None:
    """Write a station's status; whether a recorder may be taken out stands out."""
    console = Console(highlight=False)
    enrolment = status.enrolment
    running = Text("运行中 running", style="green") if status.running else Text("未运行 not running", style="yellow")
    head = Text(f"{visible(enrolment.name)} · {enrolment.url} · {enrolment.origin} · ", style="bold")
    console.print(head.append(running))
    slots = _table("插槽 Slot", "记录仪 Recorder", "状态 State", "可取下 Safe")
    for view in status.slots:
        chinese, english, style = _PHASES[view.phase]
        state = Text(f"{chinese} {english}", style=style)
        slots.add_row(visible(view.name), visible(view.recorder or "-"), state, _safe(view.safe))
    console.print(slots)
    for recorder in dict.fromkeys(who for who, _, _, _ in status.counts):
        known = {state: (files, size) for who, state, files, size in status.counts if who == recorder}
        parts = [f"{' '.join(STATES[state])} {known[state][0]}" for state in STATES if state in known]
        total = human_bytes(sum(size for state, (_, size) in known.items() if state is not State.ABANDONED))
        console.print(
            Text(f" {visible(recorder)}  {total}  ", style="bold").append(" · ".join(parts), style="not bold")
        )
    for view in status.slots:
        if view.message:
            console.print(Text(f" ! {visible(view.name)}  {visible(view.message)}", style="yellow"))
    for recorder, path, reason in status.troubles:
        console.print(Text(f" ✗ {visible(recorder)}  {visible(path)}  {visible(reason)}", style="red"))


def print_clearing(report: Report) -> None:
    """Write what a dry run would remove, and why the rest would stay."""
    console = Console(highlight=False)
    for outcome in report.outcomes:
        for row in outcome.would_clear:
            what = f"{visible(row.recorder)}  {visible(row.path)}  {human_bytes(row.seen.size)}"
            console.print(Text(f"将清除 would clear  {what}"))
        for path, reason in outcome.would_stay:
            what = f"{visible(', '.join(outcome.recorders))}  {visible(path)}  {visible(reason)}"
            console.print(Text(f"将保留 would stay   {what}", style="yellow"))
    console.print(f"共 total {sum(len(outcome.would_clear) for outcome in report.outcomes)}")


def print_explanation(explanation: Explanation, remarks: list[tuple[str, str]]) -> None:
    """Write what a profile makes of a folder: whether every file is read, what it is, and by which rules."""
    console = Console(highlight=False)
    profile = explanation.profile
    console.print(Text(f"{profile.name} · {profile.title}", style="bold"))
    claims = ", ".join(f"{name} {count}" for name, count in explanation.claims)
    console.print(Text(f"{explanation.why} ({claims})\n", style="dim"))
    for item in explanation.files:
        reading = item.reading
        ignored = reading.kind is FileKind.IGNORED
        verdict = Text("否 no     ", style="yellow") if ignored else Text("是 yes    ", style="green")
        console.print(verdict.append(visible(item.path), style="default"))
        facts = [
            f"记录仪 recorder {reading.recorder}" if reading.recorder else "",
            f"警号 officer {reading.officer}" if reading.officer else "",
            f"{reading.recorded_at:%Y-%m-%d %H:%M:%S} UTC" if reading.recorded_at else "",
            "★ 重点 marked" if reading.key_mark else "",
            reading.why,
        ]
        console.print(Text("          " + " · ".join(visible(fact) for fact in facts if fact), style="dim"))
        rules = [rule_of(item), *taken_from_name(profile, item)]
        console.print(Text("          规则 rule " + " · ".join(visible(rule) for rule in rules), style="dim"))
    for path, reason in remarks:
        console.print(Text("拒 never  ", style="bold red").append(visible(path), style="default"))
        console.print(Text(f"          {visible(reason)}", style="dim"))


def print_profiles(profiles: Sequence[Profile]) -> None:
    """Write the profiles in the order in which they are asked."""
    table = _table("配置 Profile", "名称 Title", "认领 Claims", "时区 Zone", "来源 Source")
    for profile in profiles:
        claims = "\n".join(glob.text for glob in profile.claims) or "备用 fallback"
        table.add_row(profile.name, visible(profile.title), visible(claims), str(profile.zone), visible(profile.source))
    Console().print(table)


def visible(text: str) -> str:
    """Return text with everything escaped that a terminal would act upon or a person could not see."""
    return "".join(
        char if char.isprintable() or unicodedata.category(char) == "Zs" else repr(char)[1:-1] for char in text
    )


def human_bytes(count: int) -> str:
    """Return a number of bytes with three digits and a unit of a thousand."""
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if value >= 99.5 else f"{value:.3g} {_UNITS[unit]}"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in _NUMBERS else "left")
    return table


def _safe(safe: bool) -> Text:  # noqa: FBT001 - the word to be shown
    return Text("✓ 可以 YES", style="bold green") if safe else Text("✗ 请勿 NO", style="bold red")


def _tell_json(event: Event) -> None:
    if event.kind not in PROGRESS:
        print_json(event.as_json())


def _tell_plain(event: Event) -> None:
    if event.kind not in PROGRESS:
        sys.stderr.write(f"{event.at.astimezone():%H:%M:%S}  {_line(event)}\n")
        sys.stderr.flush()


def _line(event: Event) -> str:
    chinese, english = LABELS[event.kind]
    label = f"{chinese} {english}"
    parts = [event.slot, event.recorder if event.recorder != event.slot else "", event.path]
    if event.size_bytes:
        parts.append(human_bytes(event.size_bytes))
    parts.append(event.text)
    return label + " " * max(1, _LABEL_CELLS - _cells(label)) + "  ".join(visible(part) for part in parts if part)


def _cells(text: str) -> int:
    """Return how many columns a text takes; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


class _Live:
    """A terminal: finished events scroll by, above one bar per file that is being sent."""

    def __init__(self) -> None:
        name = Column(no_wrap=True, overflow="ellipsis", max_width=44)
        self._progress = Progress(
            TextColumn("{task.description}", table_column=name),
            BarColumn(bar_width=12),
            DownloadColumn(table_column=Column(no_wrap=True)),
            TransferSpeedColumn(table_column=Column(no_wrap=True)),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self._bars: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> _Live:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, event: Event) -> None:
        """Show an event."""
        key = (event.slot, event.path)
        if event.kind in PROGRESS:
            if key not in self._bars:
                text = f"[bold]{_escape(event.slot)}[/bold]  {_escape(event.path.rpartition('/')[2])}"
                self._bars[key] = self._progress.add_task(text, total=event.size_bytes)
            self._progress.update(self._bars[key], completed=event.done_bytes)
            return
        if key in self._bars:
            self._progress.remove_task(self._bars.pop(key))
        short = replace(event, path=event.path.rpartition("/")[2])
        time = (f"{event.at.astimezone():%H:%M:%S}  ", "dim")
        self._progress.console.print(Text.assemble(time, (_line(short), _STYLES.get(event.kind, ""))))


def _escape(text: str) -> str:
    return visible(text).replace("[", r"\[")
