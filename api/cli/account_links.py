"""`shilu accounts link` and `strangers`: which person of the OpenID provider an account belongs to.

A link is an entry of the ledger under the actor `service` and stays for good. Exit codes are those of every command; 2
for an account, issuer or subject that cannot be linked.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from api.cli.accounts import LoginArgument, find_account_of
from api.cli.context import ask
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.services import Services
from evidence.core.clock import format_time
from evidence.federated.links import link_account
from evidence.federated.store import Stranger, strangers

_LISTED_MAX = 1000


def link_command(
    login: LoginArgument,
    subject: Annotated[str, typer.Option("--subject", help="The provider's name for the person (`sub`).")],
    issuer: Annotated[
        str | None, typer.Option("--issuer", help="The provider; SHILU_OIDC_ISSUER unless given.", show_default=False)
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Link an account with a person of the OpenID provider, who may sign in with it there; for good."""
    config = config_from(data, database)
    asked = config.oidc_issuer or issuer

    async def link(services: Services) -> object:
        async with services.pool.acquire() as conn, conn.transaction():
            account = await find_account_of(conn, login)
            return await link_account(
                conn,
                account.staff,
                issuer=issuer or asked or "",
                subject=subject,
                asked=asked,
                actor="service",
                clock=services.clock,
                entropy=services.entropy,
            )

    entry = run(ask(config, link))
    if as_json:
        print_json({"login": login, "subject": subject, "entry": entry})
    else:
        typer.echo(f"linked {login} with {subject}; ledger entry {entry}")


def strangers_command(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List people whom the OpenID provider let in within 30 days, and no account is linked with."""

    async def read(services: Services) -> list[Stranger]:
        async with services.pool.acquire() as conn:
            return list(await strangers(conn, after=None, limit=_LISTED_MAX))

    found = run(ask(config_from(data, database), read))
    if as_json:
        print_json({"strangers": [asdict(one) for one in found]})
    else:
        columns = ("subject", "called", "times", "last", "issuer")
        print_table(
            columns,
            ([one.subject, one.hint or "-", str(one.times), format_time(one.last_at), one.issuer] for one in found),
        )
