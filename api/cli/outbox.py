"""`shilu outbox`: who is told of entries, how far each is, and what to do where it does not go on.

Sending again and going on are done by a running `serve`; the test message goes out from here. Exit codes are those of
every command; 1 when a test message is not taken, 2 for a subscription that there is not.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer

from api.cli.context import ask
from api.cli.exits import Exit
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.outbox import open_sender, targets_of
from api.services import Services
from evidence.core.clock import format_time
from evidence.outbox.by_hand import go_on, pause, send_again, try_out
from evidence.outbox.delivery import Told
from evidence.outbox.store import DeadLetter, Subscription, dead_letters, list_subscriptions
from evidence.outbox.subscriptions import subscription_of
from ledger.store import published_size

_LISTED_MAX = 1000

app = typer.Typer(
    help="Other platforms that are told of entries: lag, dead letters, pausing. 向其他平台推送。",
    no_args_is_help=True,
    add_completion=False,
)

SubscriptionArgument = Annotated[UUID, typer.Argument(metavar="SUBSCRIPTION", help="Id of the subscription.")]


@app.command("list")
def list_command(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List subscriptions: entries of the log still to be looked at, failed attempts, dead letters."""

    async def read(services: Services) -> list[dict[str, Any]]:
        async with services.pool.acquire() as conn:
            size = await published_size(conn)
            return [
                {
                    **asdict(one),
                    "state": _state(one),
                    "lag": 0 if one.ended_at is not None else max(size - one.next_index, 0),
                }
                for one in await list_subscriptions(conn, after=None, limit=_LISTED_MAX)
            ]

    found = run(ask(config_from(data, database), read))
    if as_json:
        print_json({"subscriptions": found})
        return
    columns = ("subscription", "name", "state", "lag", "failed", "dead", "problem")
    print_table(
        columns,
        (
            [
                *(str(one[name]) for name in ("subscription", "name", "state", "lag", "attempts", "dead")),
                one["problem"] or "-",
            ]
            for one in found
        ),
    )


@app.command("dead")
def dead_command(
    subscription: SubscriptionArgument,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List messages that were given up, with the reason, in the order of the log."""

    async def read(services: Services) -> list[DeadLetter]:
        async with services.pool.acquire() as conn:
            await subscription_of(conn, subscription)
            return list(await dead_letters(conn, subscription, after=-1, limit=_LISTED_MAX))

    found = run(ask(config_from(data, database), read))
    if as_json:
        print_json({"subscription": subscription, "dead": [asdict(one) for one in found]})
        return
    columns = ("entry", "index", "given up", "sent again", "problem")
    print_table(
        columns,
        (
            [
                *(str(one.entry_id), str(one.log_index), format_time(one.given_up_at)),
                *("-" if one.again_at is None else format_time(one.again_at), one.problem),
            ]
            for one in found
        ),
    )


@app.command("resend")
def resend_command(
    subscription: SubscriptionArgument,
    entry: Annotated[list[UUID] | None, typer.Option("--entry", help="Entry it is about; again for more.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send messages again that were given up, under the ids they always had, so that they have one effect."""
    if bool(entry) == everything:
        raise typer.BadParameter("either --entry or --all")

    async def resend(services: Services) -> int:
        async with services.pool.acquire() as conn, conn.transaction():
            return await send_again(conn, subscription, entry or None, clock=services.clock)

    count = run(ask(config_from(data, database), resend))
    if as_json:
        print_json({"subscription": subscription, "waiting": count})
    else:
        typer.echo(f"{count} waiting to be sent again")


@app.command("pause")
def pause_command(
    subscription: SubscriptionArgument,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell a platform nothing for now."""

    async def change(services: Services) -> Subscription:
        async with services.pool.acquire() as conn, conn.transaction():
            return await pause(conn, subscription, clock=services.clock)

    _show(run(ask(config_from(data, database), change)), as_json=as_json)


@app.command("resume")
def resume_command(
    subscription: SubscriptionArgument,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell a paused platform again, from where it stood."""

    async def change(services: Services) -> Subscription:
        async with services.pool.acquire() as conn, conn.transaction():
            return await go_on(conn, subscription)

    _show(run(ask(config_from(data, database), change)), as_json=as_json)


@app.command("test")
def try_command(
    subscription: SubscriptionArgument,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a signed message that is about nothing, at once, and say what the platform answers."""
    config = config_from(data, database)

    async def send(services: Services) -> Told:
        async with open_sender() as sender:
            return await try_out(
                services.pool,
                sender,
                subscription,
                targets=targets_of(config.outbox_targets),
                clock=services.clock,
                entropy=services.entropy,
            )

    told = run(ask(config, send))
    if as_json:
        print_json({"subscription": subscription, "taken": told.is_taken, "said": told.reason})
    else:
        typer.echo(f"taken: {told.reason}" if told.is_taken else f"not taken: {told.reason}")
    if not told.is_taken:
        raise typer.Exit(Exit.CHECK_FAILED)


def _show(one: Subscription, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(one))
    else:
        typer.echo(f"{one.name}: {_state(one)}")


def _state(one: Subscription) -> str:
    if one.ended_at is not None:
        return "ended"
    if one.paused_at is not None:
        return f"paused since {format_time(one.paused_at)}"
    return "told" if one.has_secret else "no secret yet"
