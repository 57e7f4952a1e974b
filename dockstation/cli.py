"""Command line of the docking station: `shilu-dock`.

Exit codes, the same for every command:

| code | meaning |
|---|---|
| 0 | done; for `run --once`: everything on every recorder is receipted |
| 1 | done as far as possible, but something is not receipted; the table or the JSON names it |
| 2 | the command was not understood |
| 3 | not enrolled, a wrong enrolment, configuration or profile |
| 4 | another agent works with the state folder, or its journal or disk cannot be used |
| 5 | the service cannot be reached, answers wrongly, or does not accept the station |
| 70 | a defect of this program |
| 130 | stopped by Ctrl-C or SIGTERM before `--once` was done |

A `run` without `--once` ends by Ctrl-C or SIGTERM with code 0. Wherever it stops, the next run goes on from there.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from dockstation import console
from dockstation.agent import Options, key_changer
from dockstation.card import Card
from dockstation.config import Settings, StateFolder, default_state, trust
from dockstation.enrol import enrol as enrol_station
from dockstation.errors import (
    CardLost,
    ConfigInvalid,
    DetectionMissing,
    DockNotAccepted,
    JournalUnusable,
    LinkLost,
    NotEnrolled,
    OtherLog,
    ProfileInvalid,
    ReplayInvalid,
    ServiceBusy,
    ServiceMalformed,
    ServiceObjects,
    ServiceRefused,
    StateTaken,
    StateUnwritable,
)
from dockstation.explaining import explain
from dockstation.identity import Enrolment
from dockstation.layout import AUTOMATIC, load_profiles
from dockstation.link import Link
from dockstation.replay.media import Backing, loops_permitted
from dockstation.replay.script import parse_script
from dockstation.reporting import error_json, report_json
from dockstation.running import run_forever, run_once, run_replay, spare_memory
from dockstation.status import read_status
from dockstation.watch import Job
from evidence.core.clock import utc_now
from ledger.errors import Blame, CodedError

INCOMPLETE, WRONG_SETUP, STATE_BUSY, SERVICE_AWAY, DEFECT, INTERRUPTED = 1, 3, 4, 5, 70, 130

REPLAY_INTERVAL_SECONDS = 0.2
"""Pause between two looks in a replay; nobody wants to watch a station wait."""

_SETUP_ERRORS = (NotEnrolled, ConfigInvalid, ProfileInvalid, OtherLog, DetectionMissing, ReplayInvalid)
_STATE_ERRORS = (StateTaken, JournalUnusable, StateUnwritable)
_SERVICE_ERRORS = (LinkLost, ServiceBusy, ServiceMalformed, ServiceObjects, ServiceRefused, DockNotAccepted)

app = typer.Typer(
    name="shilu-dock",
    help="采集站 · Docking station of Shilu: reads recorders, sends what it finds, clears nothing unreceipted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
profile_app = typer.Typer(help="布局配置 · Layout profiles: how recorders name their files.", no_args_is_help=True)
app.add_typer(profile_app, name="profile")

StateOption = Annotated[Path | None, typer.Option("--state", metavar="DIR", help="State folder of this station.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else there.")]
WatchOption = Annotated[
    list[Path] | None,
    typer.Option("--watch", metavar="FOLDER", help="Each sub-folder is a mounted recorder. May be repeated."),
]
RecorderOption = Annotated[
    list[Path] | None, typer.Option("--recorder", metavar="FOLDER", help="A mounted recorder. May be repeated.")
]
UsbOption = Annotated[bool, typer.Option("--usb", help="Find recorders on USB ports, mount them read-only.")]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="Layout profile; `auto` lets the files choose.")]


@app.command()
def run(
    state: StateOption = None,
    watch: WatchOption = None,
    recorder: RecorderOption = None,
    usb: UsbOption = False,
    profile: ProfileOption = None,
    once: Annotated[bool, typer.Option("--once", help="End when everything is receipted.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Remove receipted files, but for marked ones.")] = False,
    retry_refused: Annotated[
        bool, typer.Option("--retry-refused", help="Try files again that the service refused.")
    ] = False,
    interval: Annotated[float | None, typer.Option(help="Seconds between two looks.")] = None,
    parallel: Annotated[int | None, typer.Option(help="Recorders read at the same time.")] = None,
    patience: Annotated[float | None, typer.Option(help="Seconds that failures are borne without progress.")] = None,
    page: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve the status page there, for the screen at the dock.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Read recorders: inventory first, then every file once, then its receipt.

    Without --watch and --recorder the folders of config.toml are used; --usb looks at USB ports besides. Ctrl-C and
    SIGTERM end it at any point; the next run goes on from there.
    """
    folder = StateFolder(state or default_state())
    changes: dict[str, object] = {
        "usb": usb or None,
        "profile": profile,
        "interval_seconds": interval,
        "parallel": parallel,
        "patience_seconds": patience,
        "page_listen": page,
        "clear": clear or None,
    }
    settings = _settings(folder, changes)
    job = _job(settings, watch, recorder, send=True, clear=settings.clear, once=once)
    options = Options(retry_refused=retry_refused, patient=not once, hints=settings.hot and not once)
    if once:
        _look_once(folder, settings, job, options, json_output=json_output)
    else:
        with console.showing_events(json_lines=json_output) as tell:
            run_forever(folder, settings, job, options, tell)


@app.command()
def clear(
    state: StateOption = None,
    watch: WatchOption = None,
    recorder: RecorderOption = None,
    usb: UsbOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be removed, and why the rest stays.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Remove from recorders what has a verified receipt and is not marked; read nothing, send no footage."""
    folder = StateFolder(state or default_state())
    settings = _settings(folder, {"usb": usb or None})
    job = _job(settings, watch, recorder, send=False, clear=True, once=True)
    _look_once(folder, settings, job, Options(dry_run=dry_run), json_output=json_output)


@app.command()
def enrol(
    url: Annotated[str, typer.Argument(help="Address of the service, for example https://shilu.example.gov.cn")],
    code: Annotated[str, typer.Argument(help="One-time code from the service's administrator.")],
    state: StateOption = None,
    name: Annotated[str | None, typer.Option(help="What people call this station.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go over to another log; the old one's state is kept.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Register this station with a service and pin the log that it keeps."""
    folder = StateFolder(state or default_state())
    settings = _settings(folder, {})

    async def work() -> Enrolment:
        folder.create()
        with folder.owned():
            async with Link(url, tokens=None, trust=trust(settings)) as link:
                return await enrol_station(
                    folder,
                    link,
                    url=url,
                    code=code,
                    name=name or socket.gethostname()[:64] or "dock",
                    force=force,
                    clock=utc_now,
                    entropy=secrets.token_bytes,
                )

    enrolment = asyncio.run(work())
    if json_output:
        facts = {"dock": str(enrolment.dock), "origin": enrolment.origin, "log_vkey": enrolment.log.vkey}
        console.print_json({**facts, "url": enrolment.url, "name": enrolment.name, "state": str(folder.path)})
    else:
        typer.echo(f"已登记 enrolled  {enrolment.name}  dock {enrolment.dock}")
        typer.echo(f"日志 log        {enrolment.log.vkey}")


@app.command("rotate-key")
def rotate_key(state: StateOption = None, json_output: JsonOption = False) -> None:
    """Change this station's signing key; stop the agent first, it goes on with the new key by itself.

    The new key is made here and vouched for by the old one. Interrupted at any point, this command or the next `run`
    goes on: the station asks the service which of its two keys counts. The old key is gone afterwards.
    """
    folder = StateFolder(state or default_state())
    settings = _settings(folder, {})

    async def work() -> dict[str, object]:
        enrolment = folder.load_enrolment()
        with folder.owned():
            changer = key_changer(folder, settings, enrolment, clock=utc_now)
            counts = await changer.begin(entropy=secrets.token_bytes)
        return {"dock": str(enrolment.dock), "sequence": counts.sequence, "vkey": counts.vkey}

    changed = asyncio.run(work())
    if json_output:
        console.print_json(changed)
    else:
        typer.echo(f"已更换密钥 key changed  dock {changed['dock']}  第 {changed['sequence']} 次 change")
        typer.echo(f"新公钥 new key         {changed['vkey']}")


@app.command()
def status(state: StateOption = None, json_output: JsonOption = False) -> None:
    """Show slots and files from the journal; works while an agent runs, and without a network."""
    found = read_status(StateFolder(state or default_state()), clock=utc_now)
    if json_output:
        console.print_json(found.as_json())
    else:
        console.print_status(found)


@app.command()
def replay(
    script: Annotated[Path, typer.Argument(help="What happens at the dock, TOML; see dockstation/replay/script.py.")],
    state: StateOption = None,
    media: Annotated[str, typer.Option(help="`loop`: real file systems, as root; `folder`; `auto`.")] = "auto",
    clear: Annotated[bool, typer.Option("--clear", help="Remove receipted files.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Play recorders that are not there: docked, pulled, swapped, slow and failing, as a script says.

    The station is the real one and sends what it reads, so use the state folder of a station for trials. Exit code 0:
    every step was taken and every expectation came true; 1: one did not, and the step is named.
    """
    folder = StateFolder(state or default_state())
    settings = _settings(folder, {"clear": clear or None, "interval_seconds": REPLAY_INTERVAL_SECONDS})
    if media not in {"auto", *(item.value for item in Backing)}:
        raise typer.BadParameter("media is none of auto, loop, folder")
    try:
        plan = parse_script(script.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReplayInvalid(f"{script}: {error}") from error
    best = Backing.LOOP if loops_permitted() else Backing.FOLDER
    with console.showing_events(json_lines=json_output) as tell:
        show = console.print_step_json if json_output else console.print_step
        backing = best if media == "auto" else Backing(media)
        ended = run_replay(folder, settings, plan, backing, tell=tell, on_step=show)
    if not ended:
        sys.exit(INTERRUPTED)


@profile_app.command("test")
def profile_test(
    folder: Annotated[Path, typer.Argument(help="A mounted recorder, or a folder that looks like one.")],
    profile: Annotated[str, typer.Option(help="Layout profile; `auto` lets the files choose.")] = AUTOMATIC,
    state: StateOption = None,
    json_output: JsonOption = False,
) -> None:
    """Explain what would be read in a folder and why; no file is opened, nothing is sent or changed.

    For every file: which list and glob of the profile say what it is, which name rule fits, and what it takes from the
    name. For the folder: how many files each profile claims. Own profiles lie in the state folder, in profiles/.
    """
    profiles = load_profiles(_own_profiles(state), only=profile)
    with Card(folder.absolute()) as card:
        sighting = card.look()
    explanation = explain(profiles, [file.path for file in sighting.files])
    if not json_output:
        console.print_explanation(explanation, [(item.path, item.reason) for item in sighting.remarks])
        return
    never = [{"path": item.path, "code": item.code, "reason": item.reason} for item in sighting.remarks]
    console.print_json({**explanation.as_json(), "not_read": never})


@profile_app.command("list")
def profile_list(state: StateOption = None, json_output: JsonOption = False) -> None:
    """Show the profiles in the order in which they are asked: the station's own, then the shipped ones."""
    profiles = load_profiles(_own_profiles(state))
    if not json_output:
        console.print_profiles(profiles)
        return
    shown = [
        {
            "name": profile.name,
            "title": profile.title,
            "claims": [glob.text for glob in profile.claims],
            "time_zone": str(profile.zone),
            "source": profile.source,
        }
        for profile in profiles
    ]
    console.print_json({"profiles": shown})


def main() -> None:
    """Run the program; errors become one line for people, JSON where asked for, and an exit code."""
    spare_memory()
    try:
        app()
    # broad: whatever nobody foresaw ends with an exit code of its own, never as "incomplete".
    except Exception as error:  # noqa: BLE001
        sys.exit(_fail(_coded_cause(error)))


def exit_code(error: CodedError) -> int:
    """Return the exit code that an error ends the program with."""
    if isinstance(error, _SETUP_ERRORS):
        return WRONG_SETUP
    if isinstance(error, _STATE_ERRORS):
        return STATE_BUSY
    if isinstance(error, _SERVICE_ERRORS):
        return SERVICE_AWAY
    return DEFECT if error.blame is Blame.BUG else INCOMPLETE


def _own_profiles(state: Path | None) -> Path | None:
    own = StateFolder(state or default_state()).profiles
    return own if own.is_dir() else None


def _settings(folder: StateFolder, changes: dict[str, object]) -> Settings:
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    return replace(folder.load_settings(), **given)


def _job(
    settings: Settings, watch: list[Path] | None, recorder: list[Path] | None, *, send: bool, clear: bool, once: bool
) -> Job:
    if not watch and not recorder:
        watch, recorder = [Path(item) for item in settings.watch], [Path(item) for item in settings.recorders]
    if not watch and not recorder and not settings.usb:
        raise typer.BadParameter("name a folder with --watch or --recorder, or in config.toml, or use --usb")
    for path in (*(watch or ()), *(recorder or ())):
        # A station that runs for ever waits for its recorders; one look at nothing is a mistake.
        if once and not path.is_dir():
            raise CardLost(f"{path} is not a folder")
    return Job(watch=tuple(watch or ()), recorders=tuple(recorder or ()), send=send, clear=clear, usb=settings.usb)


def _look_once(folder: StateFolder, settings: Settings, job: Job, options: Options, *, json_output: bool) -> None:
    """Dock once, say what it came to, and end with the exit code for it."""
    begin = time.monotonic()
    with console.showing_events(json_lines=False) as tell:
        report = run_once(folder, settings, job, options, tell)
    if report is None:
        console.print_error("stopped", "已停止，下次继续 stopped; the next run goes on from here")
        sys.exit(INTERRUPTED)
    if json_output:
        seconds = time.monotonic() - begin
        console.print_json(report_json(report, enrolment=folder.load_enrolment(), seconds=seconds))
    elif options.dry_run:
        console.print_clearing(report)
    else:
        console.print_report(report)
    if report.error is not None:
        console.print_error(report.error.code, report.error.message)
        sys.exit(exit_code(report.error))
    sys.exit(0 if (report.complete if job.send else report.undisturbed) else INCOMPLETE)


def _coded_cause(error: Exception) -> CodedError:
    """Return the coded error inside a group that holds nothing else; a defect for everything that was not foreseen."""
    if isinstance(error, CodedError):
        return error
    if isinstance(error, ExceptionGroup):
        causes = [_coded_cause(inner) for inner in error.exceptions]
        return next((cause for cause in causes if exit_code(cause) == DEFECT), causes[0])
    traceback.print_exception(error)
    return CodedError(f"{type(error).__name__}: {error}")


def _fail(error: CodedError) -> int:
    if "--json" in sys.argv[1:]:
        console.print_json({"ok": False, "error": error_json(error)})
    console.print_error(error.code, error.message)
    return exit_code(error)


if __name__ == "__main__":
    main()
