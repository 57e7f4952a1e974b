"""A crash at a named step, without killing the test's own process: from that step on nothing of the victim runs."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from inspect import iscoroutinefunction
from typing import Any

import pytest


class Crash(BaseException):
    """The process is dead from here on; only the test catches this."""


class When(Enum):
    """On which side of the step the crash comes."""

    BEFORE = "before"
    AFTER = "after"


def crash_at(monkeypatch: pytest.MonkeyPatch, victim: object, step: str, when: When) -> Callable[[], None]:
    """Make a method crash before or after it has done its real work; return a function that asserts it was reached."""
    real = getattr(victim, step)
    reached: list[str] = []

    def crash() -> None:
        reached.append(step)
        raise Crash(f"{when.value} {step}")

    def crashing(*args: Any, **kwargs: Any) -> Any:
        if when is When.AFTER:
            real(*args, **kwargs)
        crash()

    async def crashing_async(*args: Any, **kwargs: Any) -> Any:
        if when is When.AFTER:
            await real(*args, **kwargs)
        crash()

    monkeypatch.setattr(victim, step, crashing_async if iscoroutinefunction(real) else crashing)

    def assert_reached() -> None:
        assert reached, f"{step} was never called: the test proves nothing"

    return assert_reached
