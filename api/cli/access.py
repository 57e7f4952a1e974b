"""`shilu access`: who may see what, on the database itself: grant, withdraw, list, and put access classes on clips.

Every one of them is an entry of the ledger under the actor `service`. Exit codes are those of every command.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from api.cli.context import ask, parse_uuid
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.services import Services
from evidence.access.grant_store import Grant, grants_after
from evidence.access.grants import GrantedAccess, Wanted, classify_clip, grant_access, withdraw_access
from evidence.core.clock import format_time, parse_time

_ACTOR = "service"
_LISTED_MAX = 1000

app = typer.Typer(
    help="Who may see what: grants of units, cases and access classes. 授权：单位、案件、涉密类别。",
    no_args_is_help=True,
    add_completion=False,
)

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; goes on record.")]
ClassOption = Annotated[
    list[str] | None, typer.Option("--class", help="Access class: covert, minors or secrets; again for more.")
]


@app.command("grant")
def grant(
    staff: Annotated[str, typer.Argument(metavar="STAFF", help="Id of a person, as `shilu keys list` shows it.")],
    reason: ReasonOption,
    units: Annotated[
        list[str] | None, typer.Option("--unit", help="Id of a unit, with all below it; again for more.")
    ] = None,
    all_units: Annotated[
        bool, typer.Option("--all-units", help="Every unit, and footage that belongs to none.")
    ] = False,
    cases: Annotated[list[str] | None, typer.Option("--case", help="Id of a case of any unit; again for more.")] = None,
    classes: ClassOption = None,
    until: Annotated[
        str | None, typer.Option("--until", help="When it ends by itself, such as 2027-01-01T00:00:00.000Z.")
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a person reach units, cases or access classes; grants add up, and each is withdrawn by itself."""
    wanted = Wanted(
        staff=parse_uuid(staff),
        units=[parse_uuid(unit) for unit in units or ()],
        all_units=all_units,
        cases=[parse_uuid(case) for case in cases or ()],
        classes=classes or (),
        until=None if until is None else parse_time(until),
        reason=reason,
    )

    async def work(services: Services) -> GrantedAccess:
        async with services.pool.acquire() as conn, conn.transaction():
            return await grant_access(conn, wanted, actor=_ACTOR, clock=services.clock, entropy=services.entropy)

    made = run(ask(config_from(data, database), work))
    _told({"grant": str(made.grant), "entry": str(made.entry_id)}, as_json=as_json)


@app.command("withdraw")
def withdraw(
    grant: Annotated[str, typer.Argument(metavar="GRANT", help="Id of a grant, as `shilu access list` shows it.")],
    reason: ReasonOption,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw a grant, for good; what it opened is closed from the next request on."""
    wanted = parse_uuid(grant)

    async def work(services: Services) -> UUID:
        async with services.pool.acquire() as conn, conn.transaction():
            return await withdraw_access(
                conn, wanted, reason=reason, actor=_ACTOR, clock=services.clock, entropy=services.entropy
            )

    _told({"grant": str(wanted), "entry": str(run(ask(config_from(data, database), work)))}, as_json=as_json)


@app.command("list")
def list_all(
    staff: Annotated[str | None, typer.Argument(metavar="[STAFF]", help="Of one person only.")] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List grants in the order they were made in, also those that have ended."""
    person = None if staff is None else parse_uuid(staff)

    async def question(services: Services) -> tuple[list[Grant], datetime]:
        async with services.pool.acquire() as conn:
            return await grants_after(conn, staff=person, after=None, limit=_LISTED_MAX), services.clock()

    grants, now = run(ask(config_from(data, database), question))
    rows = [_row(one, now) for one in grants]
    if as_json:
        print_json({"grants": rows})
        return
    columns = ("grant", "staff", "units", "cases", "classes", "until", "state", "reason")
    print_table(columns, ([_cell(row[name]) for name in columns] for row in rows))


@app.command("classify")
def classify(
    clip: Annotated[str, typer.Argument(metavar="CLIP", help="Id of a clip.")],
    reason: ReasonOption,
    classes: ClassOption = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """State which access classes a clip bears from now on, the whole set; without any, none."""
    wanted = parse_uuid(clip)

    async def work(services: Services) -> UUID:
        async with services.pool.acquire() as conn, conn.transaction():
            return await classify_clip(
                conn,
                wanted,
                classes=classes or (),
                reason=reason,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    _told({"clip": str(wanted), "entry": str(run(ask(config_from(data, database), work)))}, as_json=as_json)


def _row(grant: Grant, now: datetime) -> dict[str, object]:
    state = "withdrawn" if grant.withdrawn_at is not None else "counts" if grant.counts_at(now) else "ended"
    return {
        "grant": str(grant.grant),
        "staff": str(grant.staff),
        "units": ["all"] if grant.all_units else sorted(map(str, grant.units)),
        "cases": sorted(map(str, grant.cases)),
        "classes": sorted(grant.classes),
        "until": None if grant.until is None else format_time(grant.until),
        "state": state,
        "reason": grant.reason,
    }


def _cell(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")


def _told(facts: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        typer.echo("  ".join(f"{name} {value}" for name, value in facts.items()))
