"""Every error class of the house, and the page that lists them."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import api
import dockstation
import evidence
import ingest
import ledger
from api.problems import PROBLEMS, Retry
from ledger.errors import Blame, CodedError, error_classes

PROGRAMS = (
    "api.cli",
    "api.client",
    "api.package_download",
    "api.demo",
    "api.tasks",
    "dockstation",
    "evidence.verify",
    "ingest.media",
    "ledger.mirror",
    "ledger.timestamp",
    "ledger.witness",
)
"""Modules whose errors end a program or a job, and answer a request only where `PROBLEMS` says how."""

_APART = ("__main__", "migrations")


@cache
def errors_of_the_house() -> tuple[type[CodedError], ...]:
    """Import every module and return all error classes with a code of their own, sorted by code."""
    for package in (ledger, evidence, ingest, api, dockstation):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not any(part in module.name for part in _APART):
                importlib.import_module(module.name)
    ours = {error for error in error_classes() if not error.__module__.startswith("tests.")}
    return tuple(sorted(ours, key=lambda error: (error.code, error.__module__)))


def crosses_http(error: type[CodedError]) -> bool:
    """Tell whether an error may answer a request."""
    return error.code in PROBLEMS or not error.__module__.startswith(PROGRAMS)


def errors_page() -> str:
    """Return docs/errors.md."""
    lines = [
        "# Errors",
        "",
        "Every error has a stable code. Over HTTP it leaves as `application/problem+json` (RFC 9457) with its code,",
        "the status below, and whether sending the same request again can help: `never`; `later`, by itself; or once",
        "something is `fixed` (the clock, the token, the offset, the version). Programs and jobs have no status.",
        "",
        "| Code | Status | Retry | Meaning |",
        "|---|---|---|---|",
    ]
    for error in errors_of_the_house():
        treatment = PROBLEMS.get(error.code) if crosses_http(error) else None
        status = "" if treatment is None else str(treatment.status)
        retry = _BY_BLAME[error.blame] if treatment is None else treatment.retry
        meaning = " ".join((error.__doc__ or "").split("\n\n")[0].split()).replace("|", "\\|")
        lines.append(f"| `{error.code}` | {status} | {retry.value} | {meaning} |")
    return "\n".join(lines) + "\n"


_BY_BLAME = {Blame.INPUT: Retry.FIXED, Blame.WAY: Retry.LATER, Blame.BUG: Retry.NEVER}
