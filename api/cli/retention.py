"""`shilu retention` and `shilu hold`: how long recordings are kept, and what keeps them longer, in one's own name.

Works through the service: schedules and holds stand on record under the person whose token it is, and another person
releases a hold. Exit codes are those of every command.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from api.cli import remote
from api.cli.context import parse_uuid
from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json, print_table

_URL = "http://127.0.0.1:8440"

retention = typer.Typer(
    help="How long recordings are kept: schedules, a clip's term, what is over. 保存期限：规定、到期。",
    no_args_is_help=True,
    add_completion=False,
)
hold = typer.Typer(
    help="Legal holds: placed by one person, released by another. 保全：一人设置，另一人解除。",
    no_args_is_help=True,
    add_completion=False,
)


@retention.command("schedules")
def schedules(url: UrlOption = _URL, token: TokenOption = "", as_json: JsonOption = False) -> None:
    """List every schedule, and which one is in force."""
    told = remote.get(url, token, "/v1/retention/schedules")
    if as_json:
        print_json(told)
        return
    items = [{**one, "rules": len(one["rules"])} for one in told["items"]]
    names = ("effective_from", "in_force", "months", "rules", "citation", "stated_by")
    print_table(names, remote.rows(items, *names))


@retention.command("state")
def state(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help='JSON: {"effective_from": "2027-01-01", "months": 6, "citation": "", "rules": []}; see /openapi.json.',
            dir_okay=False,
        ),
    ],
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """State how long recordings are kept from a day on; never less than six months."""
    done = remote.post(url, token, "/v1/retention/schedules", read_json(file))
    print_done(done, f"schedule {done['schedule']}", as_json=as_json)


@retention.command("clip")
def of_clip(
    clip: Annotated[str, typer.Argument(metavar="CLIP", help="Id of a clip.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say how long a clip is kept, and why."""
    told = remote.get(url, token, f"/v1/clips/{parse_uuid(clip)}/retention")
    if as_json:
        print_json(told)
        return
    typer.echo(f"{told['state']}, {'for ever' if told['kept_through'] is None else 'through ' + told['kept_through']}")
    for reason in told["because"]:
        typer.echo(f"  {reason}")


@retention.command("due")
def due(url: UrlOption = _URL, token: TokenOption = "", as_json: JsonOption = False) -> None:
    """List clips whose term is over and that nothing holds. Nothing happens to them before two people act."""
    items = remote.pages(url, token, "/v1/retention/due")
    if as_json:
        print_json({"items": items})
        return
    print_table(("clip", "expired on", "bytes", "because"), remote.rows(items, "clip", "expired_on", "size", "because"))


@hold.command("place")
def place(
    basis: Annotated[str, typer.Option("--basis", help="By what right, such as 行政复议 and its number.")],
    clip: Annotated[str | None, typer.Option("--clip", help="Id of a clip.", show_default=False)] = None,
    case: Annotated[str | None, typer.Option("--case", help="Id of a case: its clips.", show_default=False)] = None,
    recorder: Annotated[
        str | None, typer.Option("--recorder", help="Number of a recorder: its clips.", show_default=False)
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Of a recorder: from 2026-11-21T08:00:00.000Z.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Of a recorder: up to this time.")] = None,
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Hold a clip, the clips of a case, or those of a recorder: nothing of it is disposed of."""
    if sum(one is not None for one in (clip, case, recorder)) != 1:
        raise typer.BadParameter("exactly one of --clip, --case, --recorder")
    body: dict[str, object] = {"clip": clip, "case": case, "recorder": recorder, "since": since, "until": until}
    done = remote.post(url, token, "/v1/holds", {**body, "basis": basis})
    print_done(done, f"hold {done['hold']}", as_json=as_json)


@hold.command("list")
def list_all(
    everything: Annotated[bool, typer.Option("--all", help="Also those that were released.")] = False,
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """List holds, those placed first first."""
    items = remote.pages(url, token, "/v1/holds", standing="false" if everything else "true")
    if as_json:
        print_json({"items": items})
        return
    names = ("hold", "clip", "case", "recorder", "basis", "placed_by", "released_by")
    print_table(names, remote.rows(items, *names))


@hold.command("release")
def release(
    hold_id: Annotated[str, typer.Argument(metavar="HOLD", help="Id of a hold that another person placed.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; goes on record.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Release a hold that another person placed."""
    done = remote.post(url, token, f"/v1/holds/{parse_uuid(hold_id)}/release", {"reason": reason})
    print_done(done, "released", as_json=as_json)


def read_json(file: Path) -> dict[str, object]:
    """Return the object in a JSON file of the command line."""
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from error
    if not isinstance(body, dict):
        raise typer.BadParameter(f"{file} holds no JSON object")
    return body


def print_done(done: dict[str, object], what: str, *, as_json: bool) -> None:
    """Say what is on record now."""
    if as_json:
        print_json(done)
    else:
        typer.echo(f"{what}, on record as entry {done['entry']}")
