"""`shilu axis`: controllers of Axis body worn systems that deliver here; docs/axis.md tells the rest.

Every connection and revocation is an entry of the ledger under the actor `service`. Exit codes are those of every
command; 2 for a file that cannot be read or is no certificate or key, and for a target that is there already.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from api.cli.context import ask, parse_uuid
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.services import Services
from evidence.core.clock import format_time
from evidence.parties.controller_store import Controller, list_controllers
from evidence.parties.controllers import ConnectedController, connect_controller, revoke_controller
from evidence.parties.names import check_name
from ingest.swift.connection import Connection, format_connection

_ACTOR = "service"
_LISTED_MAX = 1000
_NO_KEY = "0" * 43

app = typer.Typer(
    help="Controllers of Axis body worn systems that deliver here. 安讯士执法记录仪系统控制器的接入。",
    no_args_is_help=True,
    add_completion=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What the command line says about a connection file."""

    name: str
    urls: list[str]
    certificates: list[bytes]
    media: str
    public_key: tuple[str, bytes] | None

    def file(self, controller: UUID, key: str) -> bytes:
        """Return the connection file of a controller, as its system reads it; `key` is the only copy of its secret."""
        return format_connection(
            Connection(
                controller=controller,
                key=key,
                site=self.name,
                version=_version(),
                urls=self.urls,
                certificates=self.certificates,
                media=self.media,
                public_key=self.public_key,
            )
        )


@app.command("connect")
def connect(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Connection file to write; it holds the key, mode 0600.")],
    name: Annotated[str, typer.Option("--name", help="What the system is called, as the ledger keeps it.")],
    url: Annotated[
        list[str], typer.Option("--url", help="Address of this service as the controller reaches it; up to ten times.")
    ],
    certificate: Annotated[
        list[Path] | None,
        typer.Option("--certificate", help="Certificate (PEM) that the controller is to trust; up to ten times."),
    ] = None,
    mp4: Annotated[bool, typer.Option("--mp4", help="Have clips sent as MP4 instead of Matroska.")] = False,
    encrypt_for: Annotated[
        Path | None,
        typer.Option(
            "--encrypt-for",
            help="RSA public key (PEM) that recordings are encrypted for; its file's name is the key's. Cannot be"
            " undone on the controller, and encrypted footage is sealed but not to be seen here.",
            show_default=False,
        ),
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a controller in, and write the connection file for AXIS Body Worn Manager.

    The key is in that file and nowhere else: bring it over a safe way and delete it here. Needs
    SHILU_AXIS_DESTINATION=true where `shilu serve` runs.
    """
    wanted = _Wanted(
        name=check_name(name),
        urls=[one.rstrip("/") for one in url],
        certificates=[_certificate(path) for path in certificate or []],
        media="mp4" if mp4 else "mkv",
        public_key=None if encrypt_for is None else (encrypt_for.stem, _public_key(encrypt_for)),
    )
    wanted.file(UUID(int=0), _NO_KEY)  # what cannot be written is refused before anybody is let in
    if out.exists():
        raise typer.BadParameter(f"{out} is there already")

    async def let_in(services: Services) -> ConnectedController:
        async with services.pool.acquire() as conn, conn.transaction():
            connected = await connect_controller(
                conn, name=name, actor=_ACTOR, clock=services.clock, entropy=services.entropy
            )
            # Before the commit: nobody is let in whose key was lost.
            _write(out, wanted.file(connected.controller, connected.key))
            return connected

    connected = run(ask(config_from(data, database), let_in, create=True))
    if as_json:
        print_json({"controller": connected.controller, "entry": connected.entry_id, "file": str(out)})
    else:
        typer.echo(f"controller {connected.controller}; its connection file is {out}")


@app.command("list")
def list_all(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List controllers, revoked ones included."""

    async def read(services: Services) -> list[Controller]:
        async with services.pool.acquire() as conn:
            return list(await list_controllers(conn, limit=_LISTED_MAX))

    rows = [
        {
            "id": one.controller,
            "name": one.name,
            "connected_at": format_time(one.connected_at),
            "state": "valid" if one.revoked_at is None else f"revoked {format_time(one.revoked_at)}",
        }
        for one in run(ask(config_from(data, database), read))
    ]
    if as_json:
        print_json({"controllers": rows})
    else:
        print_table(
            ("controller", "name", "connected", "state"), ([str(cell) for cell in one.values()] for one in rows)
        )


@app.command("revoke")
def revoke(
    controller: Annotated[str, typer.Argument(metavar="UUID", help="Id of a controller, see `shilu axis list`.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in words that stay in the ledger.")],
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Revoke a controller for good; what it brought stays, and a recording that was called complete is still sealed."""
    number = parse_uuid(controller)

    async def end(services: Services) -> UUID:
        async with services.pool.acquire() as conn, conn.transaction():
            return await revoke_controller(
                conn,
                controller=number,
                reason=reason,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    entry = run(ask(config_from(data, database), end))
    if as_json:
        print_json({"revoked": number, "entry": entry})
    else:
        typer.echo(f"revoked; ledger entry {entry}")


def _write(path: Path, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _certificate(path: Path) -> bytes:
    raw = _read(path)
    try:
        x509.load_pem_x509_certificate(raw)
    except ValueError:
        raise typer.BadParameter(f"{path} is no certificate in PEM") from None
    return raw


def _public_key(path: Path) -> bytes:
    raw = _read(path)
    try:
        key = load_pem_public_key(raw)
    except ValueError:
        raise typer.BadParameter(f"{path} is no public key in PEM") from None
    if not isinstance(key, RSAPublicKey):
        raise typer.BadParameter(f"{path} is no RSA key")
    return raw


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from None


def _version() -> str:
    try:
        return version("shilu")
    except PackageNotFoundError:
        return "0"
