"""Exit codes of every command, and the one place where an error becomes one.

| code | meaning |
|---|---|
| 0 | done, and whatever was checked holds |
| 1 | done, and a check failed: the findings are printed |
| 2 | the command line is wrong, or the input cannot be used |
| 3 | something on the way is not available: database, network, disk; trying again may help |
| 4 | an internal error: please report it with the printed text |
| 130 | interrupted |
"""

from __future__ import annotations

import json
import sys
from enum import IntEnum

from ledger.errors import Blame, CodedError


class Exit(IntEnum):
    """See the module's table."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    INTERNAL = 4
    INTERRUPTED = 130


_BY_BLAME = {Blame.INPUT: Exit.USAGE, Blame.WAY: Exit.UNAVAILABLE, Blame.BUG: Exit.INTERNAL}


def exit_for(error: CodedError) -> Exit:
    """Return the exit code that fits an error."""
    return _BY_BLAME[error.blame]


def report_error(error: CodedError, *, as_json: bool) -> None:
    """Write an error to standard error, as one line or as one JSON object."""
    if as_json:
        body = {"error": {"code": error.code, "message": error.message, "details": error.details}}
        sys.stderr.write(json.dumps(body, ensure_ascii=False, default=str) + "\n")
    else:
        sys.stderr.write(f"shilu: {error}\n")
