"""`shilu dispose`: disposal as a legal act of two people, through the service and in their own names.

One person proposes clips whose term is over, another decides; the service carries out what was approved, clip by clip,
and each leaves a tombstone. `propose` without `--apply` only shows what would go. Exit codes are those of every
command; `propose` exits with 1 when a named clip may not go: then nothing is proposed.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli import remote
from api.cli.context import parse_uuid
from api.cli.exits import Exit
from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json, print_table
from api.cli.retention import print_done
from evidence.retention.disposal import CLIPS_MAX

_URL = "http://127.0.0.1:8440"

app = typer.Typer(
    help="Disposal after the term: one person proposes, another decides. 到期销毁：一人鉴定提出，另一人批准。",
    no_args_is_help=True,
    add_completion=False,
)

AppraisalArgument = Annotated[str, typer.Argument(metavar="APPRAISAL", help="Id of an appraisal.")]


@app.command("propose")
def propose(
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP...]", help="Ids of clips; all that are due without them.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; goes on record.")] = "保存期满",
    apply: Annotated[
        bool, typer.Option("--apply/--dry-run", help="Propose; without it, only show what would go.")
    ] = False,
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Propose to dispose of clips whose term is over: a dry run shows what would go, --apply puts it on record.

    At most 1,000 at once. Nothing goes before another person has approved. Exit code 1 when a named clip may not go.
    """
    found = remote.pages(url, token, "/v1/retention/due")
    asked = None if not clips else {str(parse_uuid(clip)) for clip in clips}
    going = [one for one in found if asked is None or one["clip"] in asked][:CLIPS_MAX]
    staying = sorted((asked or set()) - {one["clip"] for one in going})
    done: dict[str, Any] = {}
    if apply and going and not staying:
        body = {"clips": [one["clip"] for one in going], "reason": reason}
        done = remote.post(url, token, "/v1/disposals", body)
    if as_json:
        print_json({"proposed": done or None, "clips": going, "may_not_go": staying})
    else:
        _print_proposal(going, staying, done)
    if staying:
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("list")
def list_all(url: UrlOption = _URL, token: TokenOption = "", as_json: JsonOption = False) -> None:
    """List appraisals, the newest first."""
    items = remote.pages(url, token, "/v1/disposals")
    if as_json:
        print_json({"items": items})
        return
    names = ("appraisal", "clips", "disposed", "appraised_by", "approved", "decided_by", "reason")
    print_table(names, remote.rows(items, *names))


@app.command("show")
def show(
    appraisal: AppraisalArgument, url: UrlOption = _URL, token: TokenOption = "", as_json: JsonOption = False
) -> None:
    """Show an appraisal with its list (鉴定清册), and what is disposed of by now."""
    told = remote.get(url, token, f"/v1/disposals/{parse_uuid(appraisal)}")
    if as_json:
        print_json(told)
        return
    decided = {None: "waits for another person", True: "approved", False: "refused"}[told["approved"]]
    typer.echo(f"{told['reason']}: {told['clips']} clips, {told['disposed']} disposed of; {decided}")
    names = ("clip", "expired_on", "size", "because", "disposed_at")
    print_table(names, remote.rows(told["items"], *names))


@app.command("decide")
def decide(
    appraisal: AppraisalArgument,
    approve: Annotated[bool, typer.Option("--approve/--refuse", help="As a whole.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="Why; goes on record.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Approve or refuse what another person proposed; what is approved goes, clip by clip, and leaves tombstones."""
    body: dict[str, object] = {"approve": approve, "reason": reason}
    done = remote.post(url, token, f"/v1/disposals/{parse_uuid(appraisal)}/decision", body)
    print_done(done, "approved" if approve else "refused", as_json=as_json)


def _print_proposal(going: list[dict[str, Any]], staying: list[str], done: dict[str, Any]) -> None:
    print_table(("clip", "expired on", "bytes", "because"), remote.rows(going, "clip", "expired_on", "size", "because"))
    for clip in staying:
        typer.echo(f"{clip} may not go: shilu retention clip {clip} says why")
    typer.echo(f"{len(going)} clips, {sum(one['size'] for one in going)} bytes")
    typer.echo(f"proposed as {done['appraisal']}; another person decides" if done else "nothing was proposed")
