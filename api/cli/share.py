"""`shilu share`: links by which somebody outside, such as counsel, watches a watermarked copy of one clip."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from api.cli import remote
from api.cli.context import parse_uuid
from api.cli.excerpt import milliseconds
from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json, print_table
from evidence.core.clock import format_time, utc_now
from evidence.parties.purposes import PURPOSES

app = typer.Typer(no_args_is_help=True, help="观看链接 · Links to watch one clip by, watermarked for their recipient.")

_URL = "http://127.0.0.1:8440"
_PURPOSES_HELP = "Why: " + ", ".join(f"{key} ({chinese})" for key, (chinese, _) in PURPOSES.items()) + "."
_TIME_HELP = "seconds or [hours:]minutes:seconds, as the player shows them."

ClipArgument = Annotated[str, typer.Argument(metavar="CLIP", help="Id of a clip.")]


@app.command("clip")
def clip_command(
    clip: ClipArgument,
    recipient: Annotated[str, typer.Option("--to", help="Who it is for, by name; the watermark says it.")],
    token: TokenOption,
    purpose: Annotated[str, typer.Option("--purpose", help=_PURPOSES_HELP)] = "litigation",
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="How long it works.")] = 7,
    uses: Annotated[int, typer.Option("--uses", min=1, max=100, help="How often it may be used.")] = 1,
    redacted: Annotated[
        bool, typer.Option("--redacted", help="The newest redacted copy, not the review copy.")
    ] = False,
    begin: Annotated[str | None, typer.Option("--from", help=f"Where it begins: {_TIME_HELP}")] = None,
    end: Annotated[str | None, typer.Option("--until", help=f"Where it ends: {_TIME_HELP}")] = None,
    url: UrlOption = _URL,
    as_json: JsonOption = False,
) -> None:
    """生成观看链接 · Make a link. Its address is shown this once; the copy is made meanwhile, and every use logged."""
    if purpose not in PURPOSES:
        raise typer.BadParameter(f"{purpose!r} is not one of: {', '.join(PURPOSES)}")
    made = remote.post(
        url,
        token,
        f"/v1/clips/{parse_uuid(clip)}/links",
        {
            "recipient": recipient,
            "purpose": purpose,
            "expires_at": format_time(utc_now() + timedelta(days=days)),
            "uses": uses,
            "rendition": "redacted" if redacted else "proxy",
            "from_ms": None if begin is None else milliseconds(begin),
            "to_ms": None if end is None else milliseconds(end),
        },
    )
    address = made["url"] if "://" in made["url"] else url.rstrip("/") + made["url"]
    if as_json:
        print_json({**made, "url": address})
    else:
        typer.echo(f"{address}\nlink {made['link']}, entry {made['entry']}")


@app.command("list")
def list_command(clip: ClipArgument, token: TokenOption, url: UrlOption = _URL, as_json: JsonOption = False) -> None:
    """列出观看链接 · Links to a clip, how often each was used, and how far its copy is."""
    items = remote.pages(url, token, f"/v1/clips/{parse_uuid(clip)}/links")
    if as_json:
        print_json({"items": items})
        return
    names = ("link", "mark", "recipient", "expires_at", "uses", "uses_max", "state", "revoked_at")
    print_table(names, remote.rows(items, *names))


@app.command("revoke")
def revoke_command(
    clip: ClipArgument,
    link: Annotated[str, typer.Argument(metavar="LINK", help="Id of the link.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    token: TokenOption,
    url: UrlOption = _URL,
    as_json: JsonOption = False,
) -> None:
    """撤回观看链接 · End a link; what is being watched stops with the next bytes, and the copy is removed."""
    where = f"/v1/clips/{parse_uuid(clip)}/links/{parse_uuid(link)}/revocation"
    ended = remote.post(url, token, where, {"reason": reason})
    if as_json:
        print_json(ended)
    else:
        typer.echo(f"link {ended['link']} was ended before" if ended["entry"] is None else f"entry {ended['entry']}")
