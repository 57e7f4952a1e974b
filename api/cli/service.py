"""`shilu serve`, `shilu work`, `shilu migrate`: the programs that run for years."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json
from api.cli.run import run, until_stopped
from api.clip_links import marker_of
from api.config import ServiceConfig
from api.exports import maker_of
from api.logs import set_up_logs
from api.services import Duty, Services, open_services
from evidence.core.durable import make_folders, write_file
from evidence.db.embedded import EmbeddedPostgres
from evidence.db.migrate import migrate

ListenOption = Annotated[
    str | None,
    typer.Option(
        "--listen", metavar="HOST:PORT", help="Address to listen on; port 0 takes a free one.", show_default=False
    ),
]
WorkerOption = Annotated[
    bool | None,
    typer.Option("--worker/--no-worker", help="Run a worker in this process (SHILU_RUN_WORKER).", show_default=False),
]


def serve_command(
    data: DataOption = None,
    database: DatabaseOption = None,
    listen: ListenOption = None,
    public_url: Annotated[
        str | None, typer.Option("--public-url", help="Address seen from outside, if a proxy stands before.")
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--origin", help="The log's name, chosen once, for example evidence.example.cn/log.")
    ] = None,
    worker: WorkerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the service: intake, ledger, search, playback, and unless told otherwise a worker and PostgreSQL.

    The first start makes the data folder, the database and the log's key (keys/log.key: back it up). Stops cleanly on
    Ctrl-C or SIGTERM. With --json the only thing on standard output is one object when it is ready.
    """
    host, port = _address(listen)
    config = config_from(
        data, database, listen_host=host, listen_port=port, public_url=public_url, origin=origin, run_worker=worker
    )
    set_up_logs(config)
    run(_serve(config, as_json=as_json))


def work_command(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Run a worker: derives review copies, posters and technical data of sealed clips in child processes with limits.

    Any number of workers share one database; a job whose worker died is taken over by another.
    """
    config = config_from(data, database)
    set_up_logs(config)
    run(_work(config, as_json=as_json))


def migrate_command(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Bring a database to this program's schema; does nothing when it is there already. Safe to run twice at once."""
    config = config_from(data, database)
    revision = run(_migrate(config))
    if as_json:
        print_json({"revision": revision})
    else:
        typer.echo(f"the database is at revision {revision}")


async def _serve(config: ServiceConfig, *, as_json: bool) -> None:
    # Loaded here: the routes and their description take a while, and only this command answers requests.
    from api.app import serve

    duties = {Duty.INTAKE, Duty.SEQUENCE, Duty.AUDIT} | ({Duty.WORK} if config.run_worker else set())
    async with open_services(config, duties=frozenset(duties)) as services, serve(services) as url:
        # Packages and marked copies lie where they are made, so whoever serves them makes them.
        services.duties.begin("exports", maker_of(services).run)
        services.duties.begin("marked_copies", marker_of(services).run)
        state = {"url": url, "origin": services.origin, "vkey": services.log_verifier.vkey, "pid": os.getpid()}
        # Other programs on this host (a demonstration, a health check) find the service by this file.
        place = await asyncio.to_thread(_say_where, services, state)
        # What is here now stays: collecting garbage need not look at it again, request after request.
        gc.freeze()
        try:
            await until_stopped(lambda: _announce(state, as_json=as_json))
        finally:
            place.unlink(missing_ok=True)


async def _work(config: ServiceConfig, *, as_json: bool) -> None:
    async with open_services(config, duties=frozenset({Duty.WORK}), create=False):
        state = {"pid": os.getpid(), "concurrency": config.worker_concurrency}
        await until_stopped(lambda: print_json(state) if as_json else typer.echo("worker is ready; Ctrl-C stops it"))


async def _migrate(config: ServiceConfig) -> str:
    if config.database is not None:
        return await migrate(config.database.get_secret_value())
    server = EmbeddedPostgres(config.data.resolve() / "postgres")
    try:
        return await migrate(await asyncio.to_thread(server.start))
    finally:
        await asyncio.to_thread(server.stop)


def _say_where(services: Services, state: dict[str, object]) -> Path:
    place = services.folders.root / "run" / "service.json"
    make_folders(place.parent)
    write_file(place, json.dumps(state).encode(), mode=0o644)
    return place


def _announce(state: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(state)
    else:
        typer.echo(f"Shilu 实录 is ready at {state['url']}\n  log key  {state['vkey']}\n  Ctrl-C stops it")


def _address(listen: str | None) -> tuple[str | None, int | None]:
    if listen is None:
        return None, None
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal():
        raise typer.BadParameter(f"{listen!r} is not HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)
