"""`shilu statistics` and `shilu sample`: figures at a checkpoint, and random samples of cases (案卷评查).

Both work through the service. `sample commit` makes the seed, keeps it in a file that only its owner reads, and shows
the service no more than its SHA-256; `sample draw` reveals it. Exit codes are those of every command.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import remote
from api.cli.context import parse_uuid
from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json, print_table
from api.cli.retention import print_done
from api.cli.score_sheet import read_score_sheet, total_of

_URL = "http://127.0.0.1:8440"
_SEED_BYTES = 32


class By(StrEnum):
    """What figures are grouped by: the keys of `evidence.statistics.figures_store.GROUPS`."""

    UNIT = "unit"
    OFFICER = "officer"
    ITEM = "item"
    RECORDER = "recorder"
    DOCK = "dock"
    MONTH = "month"


app = typer.Typer(
    help="Random samples of cases whose seed is committed to before drawing. 随机抽取案卷（先公布种子摘要，后抽取）。",
    no_args_is_help=True,
    add_completion=False,
)

SampleArgument = Annotated[str, typer.Argument(metavar="SAMPLE", help="Id of a sample.")]
SeedOption = Annotated[Path, typer.Option("--seed", metavar="FILE", help="Where the seed is kept.", dir_okay=False)]


def statistics_command(
    by: Annotated[By, typer.Option("--by", help="Grouped by what.")] = By.UNIT,
    size: Annotated[int | None, typer.Option("--size", min=1, help="At the checkpoint of this size.")] = None,
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show figures per unit, officer, item, recorder, dock or month at a checkpoint of the log.

    They compute identically there ever after; the groups add up to the total.
    """
    query = {} if size is None else {"size": str(size)}
    told = remote.get(url, token, "/v1/statistics", by=by.value, **query)
    if as_json:
        print_json(told)
        return
    names = ("key", "clips", "milliseconds", "on_time", "late", "undated", "uncovered", "verified", "bytes", "cost")
    total = {**told["total"], "key": "total"}
    columns = (by.value, *names[1:-1], f"{told['currency'] or 'cost'} a month")
    print_table(columns, remote.rows([*told["groups"], total], *names))
    typer.echo(f"checkpoint {told['size']} {told['root']}, {told['rules']}, {told['calendar']}")


@app.command("commit")
def commit(
    draw: Annotated[int, typer.Option("--draw", min=1, help="How many cases.")],
    seed: SeedOption,
    purpose: Annotated[str, typer.Option("--purpose", help="What for; goes on record.")] = "案卷评查",
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Choose a seed, keep it in a new file, and bind yourself to it on record."""
    chosen = _new_seed(seed)
    body: dict[str, object] = {"commitment": hashlib.sha256(chosen).hexdigest(), "draw": draw, "purpose": purpose}
    done = remote.post(url, token, "/v1/samples", body)
    print_done(done, f"sample {done['sample']}", as_json=as_json)


@app.command("draw")
def draw_cases(
    sample: SampleArgument,
    seed: SeedOption,
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Reveal the seed and draw; with the same seed again, the same sample."""
    try:
        known = bytes.fromhex(seed.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{seed} holds no seed: {error}") from error
    _print_sample(remote.post(url, token, f"{_path(sample)}/draw", {"seed": known.hex()}), as_json=as_json)


@app.command("show")
def show(sample: SampleArgument, url: UrlOption = _URL, token: TokenOption = "", as_json: JsonOption = False) -> None:
    """Show a sample with what is needed to draw it again, and its assessments."""
    _print_sample(remote.get(url, token, _path(sample)), as_json=as_json)


@app.command("list")
def list_all(url: UrlOption = _URL, token: TokenOption = "", as_json: JsonOption = False) -> None:
    """List samples, the newest first."""
    items = remote.pages(url, token, "/v1/samples")
    if as_json:
        print_json({"items": items})
        return
    names = ("sample", "purpose", "draw", "population", "committed_by", "drawn_at")
    print_table(names, remote.rows(items, *names))


@app.command("score")
def score(
    sample: SampleArgument,
    case: Annotated[str, typer.Argument(metavar="CASE", help="Id of a case that was drawn.")],
    note: Annotated[str, typer.Option("--note", help="What was found; goes on record.")],
    points: Annotated[
        int | None, typer.Option("--points", min=0, max=100, help="Out of a hundred; left out, the sheet's sum.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", metavar="FILE", help="Score sheet, CSV: item, points, of, note.", dir_okay=False),
    ] = None,
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Say what was found in one case of a sample, perhaps row by row; the newest counts.

    The sheet is a CSV file with the headings item, points, of and note, or 评查项目, 得分, 满分 and 说明.
    """
    rows = None if sheet is None else read_score_sheet(sheet)
    if rows is not None:
        points = total_of(rows) if points is None else points
    if points is None:
        raise typer.BadParameter("say --points, or --sheet")
    body: dict[str, object] = {"case": str(parse_uuid(case)), "points": points, "note": note}
    body |= {} if rows is None else {"sheet": rows}
    print_done(remote.post(url, token, f"{_path(sample)}/scores", body), "scored", as_json=as_json)


def _path(sample: str) -> str:
    return f"/v1/samples/{parse_uuid(sample)}"


def _new_seed(file: Path) -> bytes:
    chosen = secrets.token_bytes(_SEED_BYTES)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as target:
            target.write(f"{chosen.hex()}\n")
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}") from error
    return chosen


def _print_sample(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    typer.echo(f"{told['draw']} of {told['population']} cases at checkpoint {told['size']}, {told['purpose']}")
    typer.echo(f"commitment {told['commitment']}, seed {told['seed'] or 'not revealed'}")
    print_table(("case", "points", "note", "by"), remote.rows(told["cases"], "case", "points", "note", "scored_by"))
