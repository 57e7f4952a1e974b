"""`shilu accounts`: people who sign in, on the database itself, for whoever runs the host.

This is how the first administrator comes in. Every change is an entry of the ledger under the actor `service`. Exit
codes are those of every command; 2 for a name, role or account that is not usable.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from api.cli.context import ask
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.services import Services
from evidence.accounts.accounts import IssuedCode, change_account, check_login, create_account, issue_code
from evidence.accounts.errors import AccountUnknown
from evidence.accounts.secrets import remove_totp
from evidence.accounts.store import Account, find_login, list_accounts
from evidence.core.clock import format_time
from evidence.db.pool import Connection
from evidence.parties.roles import Role

_ACTOR = "service"
_LISTED_MAX = 1000

app = typer.Typer(
    help="People who sign in: accounts, one-time codes, roles. 账户、激活码与角色。",
    no_args_is_help=True,
    add_completion=False,
)

LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN", help="Name the person signs in with.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in words that stay in the ledger.")]
HoursOption = Annotated[int, typer.Option("--hours", min=1, max=336, help="Life of the code in hours.")]
RolesOption = Annotated[
    list[Role], typer.Option("--role", help="What the person may act as, one at a time; again for more.")
]


@app.command("create")
def create_command(
    login: LoginArgument,
    name: Annotated[str, typer.Option("--name", help="The person's name, as the ledger keeps it.")],
    role: RolesOption,
    hours: HoursOption = 72,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create an account, and print a one-time code with which its person sets a password; nobody else knows that."""

    async def create(services: Services) -> IssuedCode:
        async with services.pool.acquire() as conn, conn.transaction():
            account = await create_account(
                conn,
                login=login,
                name=name,
                roles=role,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )
            return await _code(services, conn, account, hours)

    _show_code(run(ask(config_from(data, database), create, create=True)), login, as_json=as_json)


@app.command("code")
def code_command(
    login: LoginArgument,
    hours: HoursOption = 72,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a one-time code with which the person sets a password anew; ends an older code, not the password."""

    async def make(services: Services) -> IssuedCode:
        async with services.pool.acquire() as conn, conn.transaction():
            return await _code(services, conn, await find_account_of(conn, login), hours)

    _show_code(run(ask(config_from(data, database), make)), login, as_json=as_json)


@app.command("change")
def change_command(
    login: LoginArgument,
    reason: ReasonOption,
    role: Annotated[list[Role] | None, typer.Option("--role", help="Roles from now on; else as they are.")] = None,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Whether anybody can sign in; else as it is.")
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change roles or state of an account; its sessions end, and tokens of roles that are gone."""

    async def change(services: Services) -> Account:
        async with services.pool.acquire() as conn, conn.transaction():
            account = await find_account_of(conn, login)
            return await change_account(
                conn,
                account.staff,
                version=account.version,
                roles=role or account.roles,
                enabled=account.enabled if enabled is None else enabled,
                reason=reason,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    account = run(ask(config_from(data, database), change))
    if as_json:
        print_json(_row(account))
    else:
        typer.echo(f"{account.login}: {_roles(account)}, {_state(account)}")


@app.command("remove-totp")
def remove_totp_command(
    login: LoginArgument,
    reason: ReasonOption,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an account ask for no one-time codes any more, because the phone is lost."""

    async def remove(services: Services) -> object:
        async with services.pool.acquire() as conn, conn.transaction():
            account = await find_account_of(conn, login)
            return await remove_totp(
                conn, account.staff, reason=reason, actor=_ACTOR, clock=services.clock, entropy=services.entropy
            )

    entry = run(ask(config_from(data, database), remove))
    if as_json:
        print_json({"login": login, "entry": entry})
    else:
        typer.echo(f"removed; ledger entry {entry}")


@app.command("list")
def list_command(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List accounts with their roles and state; no secrets are stored that could be shown."""

    async def read(services: Services) -> list[dict[str, object]]:
        async with services.pool.acquire() as conn:
            return [_row(account) for account in await list_accounts(conn, after=None, limit=_LISTED_MAX)]

    listed = run(ask(config_from(data, database), read))
    if as_json:
        print_json({"accounts": listed})
    else:
        columns = ("login", "name", "roles", "state", "codes", "staff")
        print_table(columns, ([str(row[column]) for column in columns] for row in listed))


async def find_account_of(conn: Connection, login: str) -> Account:
    """Return the account of a name to sign in with.

    Raises:
        LoginInvalid, AccountUnknown: There is none.
    """
    account = await find_login(conn, check_login(login))
    if account is None:
        raise AccountUnknown(f"there is no account {login}")
    return account


async def _code(services: Services, conn: Connection, account: Account, hours: int) -> IssuedCode:
    return await issue_code(
        conn,
        account.staff,
        lifetime=timedelta(hours=hours),
        actor=_ACTOR,
        clock=services.clock,
        entropy=services.entropy,
    )


def _show_code(issued: IssuedCode, login: str, *, as_json: bool) -> None:
    expires = format_time(issued.expires_at)
    if as_json:
        print_json({"login": login, "staff": issued.staff, "code": issued.text, "expires_at": expires})
    else:
        typer.echo(f"one-time code of {login}, valid until {expires}; it is shown this once:", err=True)
        typer.echo(issued.text)


def _row(account: Account) -> dict[str, object]:
    return {
        "staff": account.staff,
        "login": account.login,
        "name": account.name,
        "roles": _roles(account),
        "state": _state(account),
        "codes": "totp" if account.has_totp else "-",
        "version": account.version,
    }


def _roles(account: Account) -> str:
    return ",".join(role.value for role in account.roles)


def _state(account: Account) -> str:
    if not account.enabled:
        return "disabled"
    return "enabled" if account.has_password else "no password yet"
