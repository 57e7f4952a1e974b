"""`shilu publish`: what is told the public (公示), through the service, in one's own name.

Drafting runs the privacy scan; a person judges every span it finds, another one approves, and only then is it issued.
Each step names the version it is about, so nothing is approved that was changed meanwhile. Exit codes are those of
every command; `scan` exits with 1 while a span is undecided.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from api.cli.context import parse_uuid
from api.cli.exits import Exit
from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json, print_table
from api.cli.remote import get, post, rows

app = typer.Typer(
    help="What is told the public: draft, scan, judge, approve, issue, correct, withdraw. 公示。",
    no_args_is_help=True,
    add_completion=False,
)

_URL = "http://127.0.0.1:8440"
_PUBLICATIONS = "/v1/publications"
_SPAN = re.compile(r"(.+):(\d{1,9})-(\d{1,9})")

IdArgument = Annotated[str, typer.Argument(metavar="PUBLICATION", help="Id of a publication.")]
VersionOption = Annotated[int, typer.Option("--version", min=1, help="The newest version, that this is about.")]
FieldOption = Annotated[
    list[str] | None, typer.Option("--field", metavar="NAME=TEXT", help="A text; the form demands some.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="DAY", help="Last day it is public; else the term of its kind.")
]


@app.command("list")
def list_command(
    url: UrlOption = _URL,
    token: TokenOption = "",
    must_go: Annotated[
        bool, typer.Option("--must-go", help="Only what is public though its decision was revoked or changed.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="Most publications to show.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List publications, the newest first."""
    page = get(url, token, _PUBLICATIONS, must_go=str(must_go).lower(), limit=str(limit))
    if as_json:
        print_json(page)
        return
    columns = ("publication", "form", "kind", "version", "drafted_at", "drafted_by", "must_go")
    print_table(columns, rows(page["items"], *columns))
    if page.get("next"):
        typer.echo("there are more; raise --limit")


@app.command("draft")
def draft_command(
    form: Annotated[str, typer.Option("--form", help="brief, summary, document or register.")],
    kind: Annotated[str, typer.Option("--kind", help="Kind of the decision, or of the register.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    field: FieldOption = None,
    case: Annotated[str | None, typer.Option("--case", help="Id of the case that it tells of.")] = None,
    until: UntilOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft what the public shall read; the privacy scan runs at once, nobody outside sees it."""
    body = {
        "form": form,
        "kind": kind,
        "fields": _fields(field),
        "case": None if case is None else str(parse_uuid(case)),
        "until": until,
    }
    _shown(post(url, token, _PUBLICATIONS, body), as_json=as_json)


@app.command("scan")
def scan_command(
    publication: IdArgument, url: UrlOption = _URL, token: TokenOption = "", as_json: JsonOption = False
) -> None:
    """Show a publication as it stands and what the scan found; exit 1 while a span is undecided."""
    item = get(url, token, _path(publication))
    _shown(item, as_json=as_json)
    if any(not span["decided"] for span in item["spans"]):
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("judge")
def judge_command(
    publication: IdArgument,
    version: VersionOption,
    verdict: Annotated[str, typer.Option("--verdict", help="mask, keep (with a reason) or not_one.")],
    span: Annotated[list[str], typer.Option("--span", metavar="FIELD:START-END", help="As `scan` shows it.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Decide what becomes of spans of the newest version."""
    decisions = [{**_span(one), "verdict": verdict, "reason": reason} for one in span]
    _step(url, token, publication, "decisions", {"version": version, "decisions": decisions}, as_json=as_json)


@app.command("approve")
def approve_command(
    publication: IdArgument,
    version: VersionOption,
    url: UrlOption = _URL,
    token: TokenOption = "",
    note: Annotated[str, typer.Option("--note", help="A note on record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Agree, as another person, that it be published (审核)."""
    _step(url, token, publication, "approval", {"version": version, "note": note}, as_json=as_json)


@app.command("issue")
def issue_command(
    publication: IdArgument,
    version: VersionOption,
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make public what was approved, in place of the version before."""
    _step(url, token, publication, "issue", {"version": version}, as_json=as_json)


@app.command("correct")
def correct_command(
    publication: IdArgument,
    version: VersionOption,
    reason: Annotated[str, typer.Option("--reason", help="Why it is corrected (更正).")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    field: FieldOption = None,
    until: UntilOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft the next version: the fields given, all others as they stand; the public one stays until `issue`."""
    item = get(url, token, _path(publication))
    fields = item["fields"] | _fields(field)
    body = {"version": version, "fields": fields, "reason": reason, "until": until or item["until"]}
    _shown(post(url, token, f"{_path(publication)}/versions", body), as_json=as_json)


@app.command("withdraw")
def withdraw_command(
    publication: IdArgument,
    cause: Annotated[str, typer.Option("--cause", help="revoked, changed, unlawful, invalid, redone or erroneous.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; the public reads it.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """End a publication (撤下); a tombstone with both times and the reason stays."""
    _step(url, token, publication, "withdrawal", {"cause": cause, "reason": reason}, as_json=as_json)


def _path(publication: str) -> str:
    return f"{_PUBLICATIONS}/{parse_uuid(publication)}"


def _step(url: str, token: str, publication: str, name: str, body: dict[str, object], *, as_json: bool) -> None:
    made = post(url, token, f"{_path(publication)}/{name}", body)
    if as_json:
        print_json(made)
    else:
        typer.echo(f"on record, entry {made['entry']}")


def _fields(given: list[str] | None) -> dict[str, str]:
    pairs = [one.partition("=") for one in given or ()]
    if not all(name and separator for name, separator, _ in pairs):
        raise typer.BadParameter("a text is given as NAME=TEXT", param_hint="--field")
    return {name: text for name, _, text in pairs}


def _span(text: str) -> dict[str, object]:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not FIELD:START-END", param_hint="--span")
    return {"field": found[1], "start": int(found[2]), "end": int(found[3])}


def _shown(item: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(item)
        return
    typer.echo(f"{item['publication']} version {item['version']}, {item['state']}, until {item['until'] or '-'}")
    print_table(("field", "text"), list(item["fields"].items()))
    spans = [
        {
            "span": f"{one['field']}:{one['start']}-{one['end']}",
            "text": item["fields"][one["field"]][one["start"] : one["end"]],
            "kind": one["kind"],
            "verdict": one["verdict"] if one["decided"] else "UNDECIDED",
        }
        for one in item["spans"]
    ]
    columns = ("span", "text", "kind", "verdict")
    print_table(columns, rows(spans, *columns))
