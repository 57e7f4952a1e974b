"""Commands that need the house for one question: open it, ask, close it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import typer

from api.config import ServiceConfig
from api.services import Services, open_services

T = TypeVar("T")


async def ask(config: ServiceConfig, question: Callable[[Services], Awaitable[T]], *, create: bool = False) -> T:
    """Open the services without taking up duties, put the question, and close them.

    Args:
        create: Whether to begin a data folder and a log where there is none.
    """
    async with open_services(config, create=create) as services:
        return await question(services)


def parse_uuid(text: str) -> UUID:
    """Read a UUID from the command line."""
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a UUID") from None
