"""`shilu search`: asking in the query language, and keeping questions under a name."""

from __future__ import annotations

from datetime import timedelta
from textwrap import shorten
from typing import Annotated, Any

import typer

from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.client import ServiceClient, open_client
from evidence.clips.language import parse
from evidence.clips.question_text import write

_PATIENCE_SECONDS = 5.0
_HIT_CHARS = 80
_FILE_CHARS = 48


def search_command(
    text: Annotated[
        str, typer.Argument(help="Words and conditions, such as: 查封 -marker:亮证 recorded:2026-03 (docs/search.md).")
    ] = "",
    url: UrlOption = "http://127.0.0.1:8440",
    token: TokenOption = "",
    case: Annotated[str | None, typer.Option("--case", help="Id of a case.")] = None,
    recorder: Annotated[str | None, typer.Option("--recorder", help="Serial of a recorder.")] = None,
    officer: Annotated[str | None, typer.Option("--officer", help="Number of an officer.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="sealed, reviewable, still, audio or undecodable.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="Most clips to show.")] = 50,
    save: Annotated[str | None, typer.Option("--save", metavar="NAME", help="Keep the question under a name.")] = None,
    saved: Annotated[
        str | None, typer.Option("--saved", metavar="NAME", help="Ask a question that is kept, yours or your units'.")
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="With --saved: only what was received since you asked it last.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Only say how the words are read, in the plainest spelling; ask nobody.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Search clips in the query language, through the service, with your own rights; hits name their moment."""
    if explain:
        typer.echo(run(_explained(text)))
        return
    if saved is not None and (text or save is not None):
        raise typer.BadParameter("--saved asks a question that is kept; leave the words and --save out")
    if new and saved is None:
        raise typer.BadParameter("--new goes with --saved")
    facets = {"q": text or None, "case": case, "recorder": recorder, "officer": officer, "state": state}
    query = {name: value for name, value in facets.items() if value is not None} | {"limit": str(limit)}
    page = run(_search(url, token, query, save=save, saved=saved, only_new=new))
    if as_json:
        print_json(page)
        return
    columns = ("clip", "recorder", "recorded", "state", "file")
    print_table(columns, [_search_row(item) for item in page["items"]])
    hits = [_hit_row(item["clip"], hit) for item in page["items"] for hit in item["hits"]]
    if hits:
        print_table(("clip", "at", "where", "text"), hits)
    if page.get("next"):
        typer.echo("there are more; narrow the search or raise --limit")


async def _explained(text: str) -> str:
    return write(parse(text))


async def _search(
    url: str, token: str, query: dict[str, str], *, save: str | None, saved: str | None, only_new: bool
) -> dict[str, Any]:
    async with open_client(url, token, patience_seconds=_PATIENCE_SECONDS) as client:
        if save is not None:
            await client.post("/v1/searches", {"name": save, "q": query.get("q", "")})
        if saved is not None:
            asked = await client.post(f"/v1/searches/{await _kept(client, saved)}/runs", {})
            query = query | {"q": asked["q"]}
            if only_new and asked["since"] is not None:
                query = query | {"received_after": asked["since"]}
        return await client.get("/v1/clips", **query)


async def _kept(client: ServiceClient, name: str) -> str:
    """Return the id of a search by its name; one's own goes before those that others share."""
    kept = await client.pages("/v1/searches")
    found = sorted((item for item in kept if item["name"] == name), key=lambda item: not item["own"])
    if not found:
        names = ", ".join(item["name"] for item in kept) or "none"
        raise typer.BadParameter(f"no search is kept under {name!r}; there are: {names}")
    return str(found[0]["search"])


def _search_row(item: dict[str, Any]) -> list[str]:
    return [
        item["clip"],
        item["recorder"] or "",
        item["recorded_at"] or "",
        item["state"],
        shorten(item["name"], _FILE_CHARS, placeholder="…"),
    ]


def _hit_row(clip: str, hit: dict[str, Any]) -> list[str]:
    moment = "" if hit["at_ms"] is None else str(timedelta(milliseconds=hit["at_ms"]))
    return [clip, moment, hit["field"], shorten(hit["text"], _HIT_CHARS, placeholder="…")]
