"""Options that several commands share, and the configuration made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.config import ServiceConfig, load_config

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder (SHILU_DATA); shilu-data here unless given.", show_default=False),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="DSN",
        help="PostgreSQL >= 15 to use (SHILU_DATABASE). Default: the embedded server in the data folder.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output and nothing else.")]
UrlOption = Annotated[str, typer.Option("--url", envvar="SHILU_URL", help="Address of the service.", show_default=True)]
TokenOption = Annotated[
    str, typer.Option("--token", envvar="SHILU_TOKEN", help="Your API token (better as SHILU_TOKEN).", prompt=False)
]


def config_from(data: Path | None, database: str | None, **overrides: object) -> ServiceConfig:
    """Return the configuration of the environment with the command line's words on top."""
    return load_config(data=data, database=database, **overrides)
