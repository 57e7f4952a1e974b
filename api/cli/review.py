"""`shilu review`: legal review of cases (法制审核) through the service, in one's own name.

Declarations and opinions are signed with a person's own key (ADR 32): here, with a file (`--key`), or elsewhere:
`--prepare` writes the very bytes to sign, `send` sends them with their signature. Exit codes are those of every
command; `show --check` exits with 1 while a case may not be decided.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.context import parse_uuid
from api.cli.exits import Exit
from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json, print_table
from api.cli.personal_key import read_key, signature_of
from api.cli.remote import get, post, rows
from evidence.review.statements import DECLARATION, OPINION, person_key_text
from ledger.canonical import canonical_json
from ledger.durable import write_file
from ledger.lexemes import format_base64

app = typer.Typer(
    help="Legal review of cases: what waits, submissions, opinions, decisions. 法制审核。",
    no_args_is_help=True,
    add_completion=False,
)

_URL = "http://127.0.0.1:8440"
_ROUTES = {DECLARATION: "submissions", OPINION: "opinions"}

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Id of a case.")]
KeyOption = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="Your private key, PKCS#8 in PEM.")]
PrepareOption = Annotated[
    Path | None, typer.Option("--prepare", metavar="FILE", help="Send nothing; write what is to be signed elsewhere.")
]


@app.command("list")
def list_command(
    url: UrlOption = _URL,
    token: TokenOption = "",
    state: Annotated[str | None, typer.Option("--state", help="Only of this state, such as under_review.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Only cases of this unit, by its id.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only those whose next step is yours to take.")] = False,
    late: Annotated[bool, typer.Option("--late", help="Only those whose last day is over.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="Most cases to show.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List cases that wait for a step of their review, those due first on top, and whom each waits for."""
    asked = {"state": state, "unit": unit, "mine": "true" if mine else None, "late": "true" if late else None}
    query = {name: value for name, value in asked.items() if value is not None}
    page = get(url, token, "/v1/reviews", **query, limit=str(limit))
    if as_json:
        print_json(page)
        return
    shown = [
        {
            **item,
            "due": None if item["due"] is None else f"{item['due']['due_on']}{' LATE' if item['late'] else ''}",
            "waits": item["waits_for"]["person"] or item["waits_for"]["office"],
        }
        for item in page["items"]
    ]
    columns = ("due", "state", "waits", "number", "title", "case")
    print_table(columns, rows(shown, *columns))
    if page.get("next"):
        typer.echo("there are more; narrow the list or raise --limit")


@app.command("show")
def show_command(
    case: CaseArgument,
    url: UrlOption = _URL,
    token: TokenOption = "",
    place: Annotated[int | None, typer.Option("--round", min=1, help="One round, whole, as JSON.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 while it may not be decided.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a case in its review: its scope, what is asked and owed, its rounds, what stands against a decision."""
    path = _path(case, "review")
    if place is not None:
        print_json(get(url, token, f"{path}/rounds/{place}"))
        return
    page = get(url, token, path)
    if as_json:
        print_json(page)
    else:
        _print_review(page)
    if check and not page["may_be_decided"]:
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("key")
def key_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your private key, PKCS#8 in PEM.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """State the key that you sign with; the newest counts. Only its public half is sent."""
    key = read_key(file)
    public = key.public_key().public_bytes_raw()
    proof = signature_of(person_key_text(staff=_caller(url, token), key=public), key)
    _recorded(post(url, token, "/v1/review/keys", {"key": format_base64(public), "proof": proof}), as_json=as_json)


@app.command("submit")
def submit_command(
    case: CaseArgument,
    declares: Annotated[str, typer.Option("--declares", help="What you answer for, in your own words.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    material: Annotated[
        list[str] | None, typer.Option("--material", metavar="KEY=NOTE", help="Where a material is found.")
    ] = None,
    answer: Annotated[
        list[str] | None, typer.Option("--answer", metavar="N=TEXT", help="What was done about problem N.")
    ] = None,
    key: KeyOption = None,
    prepare: PrepareOption = None,
    as_json: JsonOption = False,
) -> None:
    """Submit a case as it stands, under your signed declaration over its evidence root."""
    _one_of(key, prepare)
    page = get(url, token, _path(case, "review"))
    answers = [_pair(one, "--answer", "N=TEXT") for one in answer or ()]
    if not all(number.isdecimal() for number, _ in answers):
        raise typer.BadParameter("a problem is named by its number", param_hint="--answer")
    statement: dict[str, Any] = {
        **_head(page, DECLARATION, _caller(url, token)),
        "round": page["next_round"],
        "root": page["root"],
        "rules": page["rules"],
        "materials": [
            {"key": name, "note": note} for name, note in (_pair(one, "--material") for one in material or ())
        ],
        "answers": [{"problem": int(number), "answer": text} for number, text in answers],
        "declares": declares,
    }
    _deliver(url, token, statement, key=key, prepare=prepare, as_json=as_json)


@app.command("opinion")
def opinion_command(
    case: CaseArgument,
    url: UrlOption = _URL,
    token: TokenOption = "",
    ok: Annotated[list[str] | None, typer.Option("--ok", metavar="ROW=NOTE", help="A point in order.")] = None,
    problem: Annotated[
        list[str] | None, typer.Option("--problem", metavar="ROW=TEXT", help="What has to be put right.")
    ] = None,
    beside: Annotated[
        list[str] | None, typer.Option("--not-applicable", metavar="ROW=WHY", help="A point that is not asked here.")
    ] = None,
    transfer: Annotated[
        list[str] | None, typer.Option("--transfer", metavar="ROW=WHY", help="It goes to the judiciary (移送).")
    ] = None,
    exhibit: Annotated[
        list[str] | None, typer.Option("--exhibit", metavar="ROW=NAME", help="What a judgement rests on.")
    ] = None,
    key: KeyOption = None,
    prepare: PrepareOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a signed opinion on the last submission: 同意, or 存在问题 with any --problem. Every point is judged."""
    _one_of(key, prepare)
    page = get(url, token, _path(case, "review"))
    if not page["rounds"]:
        raise typer.BadParameter("the case was never submitted")
    judged = {"ok": ok, "problem": problem, "not_applicable": beside, "transfer": transfer}
    said = [(*_pair(one, "--" + name.replace("_", "-")), name) for name, given in judged.items() for one in given or ()]
    rests_on = [_pair(one, "--exhibit") for one in exhibit or ()]
    problems = [(row, text) for row, text, verdict in said if verdict == "problem"]
    statement: dict[str, Any] = {
        **_head(page, OPINION, _caller(url, token)),
        "round": page["rounds"][-1]["round"],
        "root": page["rounds"][-1]["root"],
        "submission": page["rounds"][-1]["submission"],
        "conclusion": "problems" if problems else "approve",
        "rows": [
            {"row": row, "verdict": verdict, "note": note, "evidence": [name for at, name in rests_on if at == row]}
            for row, note, verdict in said
        ],
        "problems": [{"problem": number, "row": row, "text": text} for number, (row, text) in enumerate(problems, 1)],
    }
    _deliver(url, token, statement, key=key, prepare=prepare, as_json=as_json)


@app.command("send")
def send_command(
    statement: Annotated[Path, typer.Argument(metavar="STATEMENT", help="What --prepare wrote.")],
    signature: Annotated[Path, typer.Option("--signature", metavar="FILE", help="Ed25519 over it, 64 bytes.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Send a declaration or an opinion that was signed elsewhere; the service judges both."""
    try:
        stated = json.loads(statement.read_bytes())
        route, case = _ROUTES[stated["format"]], str(stated["case"])
        signed = signature.read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(f"no statement and its signature: {error}") from error
    _send(url, token, case, route, stated, format_base64(signed), as_json=as_json)


@app.command("decide")
def decide_command(
    case: CaseArgument,
    number: Annotated[str, typer.Option("--number", help="文号 of the decision.")],
    summary: Annotated[str, typer.Option("--summary", help="What is decided.")],
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Decide a case; refused unless it is out of scope or approved exactly as it stands now."""
    made = post(url, token, _path(case, "decision"), {"number": number, "summary": summary})
    _recorded(made, as_json=as_json)


def _path(case: str, what: str) -> str:
    return f"/v1/cases/{parse_uuid(case)}/{what}"


def _caller(url: str, token: str) -> str:
    return str(get(url, token, "/v1/session")["staff"])


def _head(page: dict[str, Any], name: str, by: str) -> dict[str, Any]:
    return {"format": name, "case": page["case"], "by": by}


def _pair(text: str, option: str, shape: str = "KEY=TEXT") -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name or not value:
        raise typer.BadParameter(f"{text!r} is not {shape}", param_hint=option)
    return name, value


def _one_of(key: Path | None, prepare: Path | None) -> None:
    if (key is None) == (prepare is None):
        raise typer.BadParameter("give --key to sign here, or --prepare to sign elsewhere")


def _deliver(
    url: str, token: str, statement: dict[str, Any], *, key: Path | None, prepare: Path | None, as_json: bool
) -> None:
    if prepare is not None:
        write_file(prepare, canonical_json(statement), mode=0o600)
        if as_json:
            print_json({"file": str(prepare), "statement": statement})
        else:
            typer.echo(f"{prepare}: sign these bytes, then `shilu review send`")
    elif key is not None:
        signature = signature_of(statement, read_key(key))
        _send(url, token, statement["case"], _ROUTES[statement["format"]], statement, signature, as_json=as_json)


def _send(
    url: str, token: str, case: str, route: str, statement: dict[str, Any], signature: str, *, as_json: bool
) -> None:
    body = {"statement": statement, "signature": signature}
    _recorded(post(url, token, _path(case, f"review/{route}"), body), as_json=as_json)


def _recorded(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
    else:
        number = f" {made['number']}" if "number" in made else ""
        typer.echo(f"on record{number}, entry {made['entry']}")


def _print_review(page: dict[str, Any]) -> None:
    scope = page["scope"]
    typer.echo(f"{page['state']}; {'in scope' if scope['in_scope'] else 'out of scope'}: {scope['because']}")
    rounds = [
        {
            **one,
            "opinion": (one["opinion"] or {}).get("number"),
            "conclusion": ((one["opinion"] or {}).get("statement") or {}).get("conclusion"),
        }
        for one in page["rounds"]
    ]
    columns = ("round", "submitted_at", "submitted_by", "opinion", "conclusion")
    print_table(columns, rows(rounds, *columns))
    print_table(("row", "title", "source"), rows(page["checklist"], "key", "title", "source"))
    for name, stands in (("decision", page["obstacles"]), ("submission", page["against_submission"])):
        for one in stands:
            typer.echo(f"against the {name}: {json.dumps(one, ensure_ascii=False)}")
    if page["owed"]:
        typer.echo(f"the next submission answers problems {', '.join(map(str, page['owed']))}")
