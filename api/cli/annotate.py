"""`shilu annotate`: saying what is on clips, through the service, in one's own name.

`add` only adds: it fills in what is empty and adds what is not there, for one clip or a thousand. `show` prints the
version that counts, or what a version changed. Exit codes are those of every command; 1 when a clip was refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer

from api.cli.context import parse_uuid
from api.cli.exits import Exit
from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.client import open_client
from evidence.clips.folding import fold
from evidence.clips.vocabulary import vocabulary

_PATIENCE_SECONDS = 5.0
_MOMENT = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,6})(?:\.(\d{1,3}))?")

app = typer.Typer(
    help="What people say about clips: add to one or many, show versions and what they changed. 标注。",
    no_args_is_help=True,
    add_completion=False,
)

_MARKERS = ", ".join(f"{key} ({word.zh})" for key, word in vocabulary().markers.items() if not word.retired)


@app.command("add")
def add(
    clips: Annotated[list[str], typer.Argument(metavar="CLIP...", help="Ids of clips, up to 1,000.")],
    url: UrlOption = "http://127.0.0.1:8440",
    token: TokenOption = "",
    remark: Annotated[str | None, typer.Option("--remark", help="摄录内容, where the clip has none.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="Recording item or 环节, in words.")] = None,
    item_key: Annotated[str | None, typer.Option("--item-key", help="Recording item, by its key on a list.")] = None,
    place: Annotated[str | None, typer.Option("--place", help="Where it was recorded, in words.")] = None,
    marker: Annotated[
        list[str] | None,
        typer.Option("--marker", help=f"KIND@MOMENT, such as 亮证@0:01:30. Kinds: {_MARKERS}.", show_default=False),
    ] = None,
    document: Annotated[
        list[str] | None,
        typer.Option("--document", help="KIND or KIND:NUMBER of a 文书 about the same act.", show_default=False),
    ] = None,
    not_needed: Annotated[
        str | None, typer.Option("--not-needed-because", help="Why no remark or dialogue is needed.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, on record with every new version.")] = None,
    whole: Annotated[
        bool, typer.Option("--all-or-nothing", help="Write nothing if one clip is refused; up to 200 clips.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Add to the annotations of clips: fill in what is empty, add what is not there, take nothing away.

    A repeat changes nothing. What a clip says already is kept and named. Exit code 1 when a clip was refused.
    """
    if item is not None and item_key is not None:
        raise typer.BadParameter("an item is given in words or by its key, not both")
    stated: dict[str, Any] = {"remark": remark, "item": item or item_key, "place": place}
    stated |= {"item_from": "list" if item_key is not None else None, "not_needed_because": not_needed}
    stated |= {
        "markers": [_marker(one) for one in marker or ()],
        "documents": [_document(one) for one in document or ()],
    }
    body = {
        "clips": [{"clip": str(parse_uuid(clip))} for clip in clips],
        "add": {name: value for name, value in stated.items() if value},
        "all_or_nothing": whole,
        **({} if reason is None else {"reason": reason}),
    }
    told = run(_post(url, token, "/v1/annotations", body))
    if as_json:
        print_json(told)
    else:
        columns = ("clip", "outcome", "version", "kept", "why")
        print_table(columns, [_outcome_row(item) for item in told["items"]])
        typer.echo(f"{told['written']} written, {told['unchanged']} unchanged, {told['refused']} refused")
    if told["refused"]:
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("show")
def show(
    clip: Annotated[str, typer.Argument(metavar="CLIP", help="Id of a clip.")],
    url: UrlOption = "http://127.0.0.1:8440",
    token: TokenOption = "",
    version: Annotated[int | None, typer.Option("--version", min=1, help="A version; the newest without it.")] = None,
    since: Annotated[
        int | None, typer.Option("--since", min=0, help="Show what changed since this version, 0 for all of it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a version of what people say about a clip, or what it changed since another one."""
    told = run(_show(url, token, f"/v1/clips/{parse_uuid(clip)}/annotations", version, since))
    if as_json:
        print_json(told)
        return
    if not told:
        typer.echo("nobody has annotated this clip")
        return
    why = f": {told['reason']}" if told["reason"] else ""
    typer.echo(f"version {told['version']}, {told['annotated_at']}, by {told['annotated_by']}{why}")
    if "changes" in told:
        print_table(("where", "change", "before", "after"), [_change_row(change) for change in told["changes"]])
    else:
        print_table(("field", "says"), [(name, _words(value)) for name, value in told["content"].items()])


async def _post(url: str, token: str, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    async with open_client(url, token, patience_seconds=_PATIENCE_SECONDS) as client:
        return await client.post(path, body)


async def _show(url: str, token: str, path: str, version: int | None, since: int | None) -> dict[str, Any]:
    async with open_client(url, token, patience_seconds=_PATIENCE_SECONDS) as client:
        if version is None:
            newest = (await client.get(path, limit="1"))["items"]
            if not newest or since is None:
                return newest[0] if newest else {}
            version = newest[0]["version"]
        if since is None:
            return await client.get(f"{path}/{version}")
        return await client.get(f"{path}/{version}/difference", since=str(since))


def _marker(text: str) -> dict[str, object]:
    kind, _, moment = text.rpartition("@")
    found = _MOMENT.fullmatch(moment)
    if not kind or found is None:
        raise typer.BadParameter(f"{text!r} is not KIND@MOMENT, such as 亮证@0:01:30")
    hours, minutes, seconds, fraction = found.groups()
    at = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds))
    at_ms = at // timedelta(milliseconds=1) + int((fraction or "0").ljust(3, "0"))
    return {"kind": _kind(kind), "at_ms": at_ms}


def _kind(text: str) -> str:
    asked = fold(text)
    for key, word in vocabulary().markers.items():
        if asked in (key, fold(word.zh), fold(word.en)):
            return key
    raise typer.BadParameter(f"there is no marker {text!r}; there are {_MARKERS}")


def _document(text: str) -> dict[str, object]:
    kind, _, number = text.partition(":")
    return {"kind": kind, **({"number": number} if number else {})}


def _outcome_row(item: Mapping[str, Any]) -> Sequence[str]:
    version = "" if item["version"] is None else str(item["version"])
    return item["clip"], item["outcome"], version, ", ".join(item["kept"]), item["detail"] or ""


def _change_row(change: Mapping[str, Any]) -> Sequence[str]:
    return change["where"], change["change"], _words(change["before"]), _words(change["after"])


def _words(value: object) -> str:
    match value:
        case None:
            return ""
        case list():
            return "\n".join(_words(part) for part in value)
        case dict():
            return ", ".join(f"{name}={_words(part)}" for name, part in value.items())
        case _:
            return str(value)
