"""`shilu keys`: the log's key, people's tokens, docks' codes, on the database itself, for whoever runs the host.

Every issue and every revocation is an entry of the ledger under the actor `service`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from api.cli import log_keys
from api.cli.context import ask, parse_uuid
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.scopes import check_scopes
from api.services import Services
from evidence.access.grants import Wanted, grant_access
from evidence.core.clock import format_time
from evidence.db.paging import FIRST_ID
from evidence.parties.docks import create_enrolment_code, revoke_dock
from evidence.parties.roles import Role
from evidence.parties.staff import IssuedToken, issue_token, revoke_token, rotate_token
from evidence.parties.store import list_docks, list_staff_tokens

_LISTED_MAX = 1000
_ACTOR = "service"

app = typer.Typer(
    help="The log's key, people's tokens and docks' one-time codes.", no_args_is_help=True, add_completion=False
)
app.command("protect")(log_keys.protect_command)
app.command("unprotect")(log_keys.unprotect_command)
app.command("rotate")(log_keys.rotate_command)
app.command("retire")(log_keys.retire_command)


@app.command("log")
def log_key(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Print the log's name and verifier key; begins the log if there is none yet.

    Publish the key where your reviewers get it without you: a printed gazette, another office's site.
    """

    async def state(services: Services) -> dict[str, object]:
        return {"origin": services.origin, "vkey": (await services.log_keys()).newest.vkey}

    answer = run(ask(config_from(data, database), state, create=True))
    if as_json:
        print_json(answer)
    else:
        typer.echo(answer["vkey"])


@app.command("token")
def token(
    role: Annotated[Role, typer.Option("--role", help="What the person may do.")],
    name: Annotated[str, typer.Option("--name", help="The person's name, as the ledger keeps it.")],
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Life in days.")] = 90,
    staff: Annotated[
        str | None, typer.Option("--staff", metavar="UUID", help="The person's id, if they had a token before.")
    ] = None,
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help="Group of routes that it opens, such as clips.read; again for more; else all."),
    ] = None,
    all_units: Annotated[
        bool, typer.Option("--all-units", help="Also grant every unit, on record; see `shilu access grant` for less.")
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Issue an API token to a person. It is printed once; only its digest is stored."""
    person = None if staff is None else parse_uuid(staff)
    check_scopes(scopes)

    async def issue(services: Services) -> IssuedToken:
        async with services.pool.acquire() as conn, conn.transaction():
            issued = await issue_token(
                conn,
                name=name,
                role=role,
                lifetime=timedelta(days=days),
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
                staff=person,
                scopes=scopes,
            )
            if all_units:
                wanted = Wanted(staff=issued.staff, all_units=True, reason="granted with a token")
                await grant_access(conn, wanted, actor=_ACTOR, clock=services.clock, entropy=services.entropy)
            return issued

    issued = run(ask(config_from(data, database), issue, create=True))
    if as_json:
        expires = format_time(issued.expires_at)
        print_json(
            {"token": issued.text, "id": issued.token, "staff": issued.staff, "role": role, "expires_at": expires}
        )
    else:
        typer.echo(f"token of {name}, {role}, valid for {days} days; it is shown this once:", err=True)
        typer.echo(issued.text)


@app.command("dock-code")
def dock_code(
    hours: Annotated[int, typer.Option("--hours", min=1, max=336, help="Life in hours.")] = 24,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a one-time code that enrols one dock: `shilu-dock enrol URL CODE`."""

    async def make(services: Services) -> str:
        async with services.pool.acquire() as conn, conn.transaction():
            return await create_enrolment_code(
                conn, lifetime=timedelta(hours=hours), actor=_ACTOR, clock=services.clock, entropy=services.entropy
            )

    code = run(ask(config_from(data, database), make, create=True))
    if as_json:
        print_json({"code": code, "valid_hours": hours})
    else:
        typer.echo(code)


@app.command("list")
def list_all(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List every key of the house: the log's with the sizes they sign, tokens and docks; ended ones included.

    Secrets are not stored, or stay in their files, and are not shown.
    """

    async def read(services: Services) -> dict[str, list[dict[str, object]]]:
        async with services.pool.acquire() as conn:
            tokens = await list_staff_tokens(conn, after=FIRST_ID, limit=_LISTED_MAX)
            docks = await list_docks(conn, after=FIRST_ID, limit=_LISTED_MAX)
        history = await services.log_keys()
        now = services.clock()
        return {
            "log": log_keys.key_rows(history),
            "tokens": [
                {
                    "id": one.token,
                    "name": one.name,
                    "role": one.role,
                    "expires_at": format_time(one.expires_at),
                    "state": _state(one.revoked_at, expired=one.expires_at <= now),
                }
                for one in tokens
            ],
            "docks": [
                {
                    "id": one.dock,
                    "name": one.name,
                    "key_changes": one.key_sequence,
                    "key_since": format_time(one.key_since),
                    "state": _state(one.revoked_at, expired=False),
                }
                for one in docks
            ],
        }

    listed = run(ask(config_from(data, database), read, create=False))
    if as_json:
        print_json(listed)
    else:
        print_table(
            ("log key", "above", "up to", "state"),
            (["-" if cell is None else str(cell) for cell in row.values()] for row in listed["log"]),
        )
        print_table(
            ("token", "name", "role", "expires", "state"),
            ([str(cell) for cell in row.values()] for row in listed["tokens"]),
        )
        print_table(
            ("dock", "name", "key changes", "key since", "state"),
            ([str(cell) for cell in row.values()] for row in listed["docks"]),
        )


@app.command("rotate-token")
def rotate(
    identifier: Annotated[str, typer.Argument(metavar="UUID", help="Id of a token, see `shilu keys list`.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in words that stay in the ledger.")],
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=366, help="Life of the new token in days; else the old one's.")
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a token by a new one of the same person and role; the old one is revoked in the same transaction."""
    number = parse_uuid(identifier)

    async def replace(services: Services) -> IssuedToken:
        async with services.pool.acquire() as conn, conn.transaction():
            return await rotate_token(
                conn,
                token=number,
                lifetime=None if days is None else timedelta(days=days),
                by_holder=False,
                reason=reason,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    issued = run(ask(config_from(data, database), replace, create=False))
    if as_json:
        expires = format_time(issued.expires_at)
        print_json({"token": issued.text, "id": issued.token, "staff": issued.staff, "expires_at": expires})
    else:
        until = format_time(issued.expires_at)
        typer.echo(f"token {number} is revoked; the new one is valid until {until} and shown this once:", err=True)
        typer.echo(issued.text)


@app.command("revoke")
def revoke(
    identifier: Annotated[
        str, typer.Argument(metavar="UUID", help="Id of a token or of a dock, see `shilu keys list`.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why, in words that stay in the ledger.")],
    dock: Annotated[bool, typer.Option("--dock", help="The id is a dock's.")] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke a token, or with --dock a dock, for good."""
    number = parse_uuid(identifier)

    async def end(services: Services) -> UUID:
        async with services.pool.acquire() as conn, conn.transaction():
            if dock:
                return await revoke_dock(
                    conn, dock=number, reason=reason, actor=_ACTOR, clock=services.clock, entropy=services.entropy
                )
            return await revoke_token(
                conn, token=number, reason=reason, actor=_ACTOR, clock=services.clock, entropy=services.entropy
            )

    entry = run(ask(config_from(data, database), end, create=False))
    if as_json:
        print_json({"revoked": number, "entry": entry})
    else:
        typer.echo(f"revoked; ledger entry {entry}")


def _state(revoked_at: datetime | None, *, expired: bool) -> str:
    if revoked_at is not None:
        return f"revoked {format_time(revoked_at)}"
    return "expired" if expired else "valid"
