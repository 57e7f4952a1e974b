"""Errors of the demonstration."""

from __future__ import annotations

from typing import ClassVar

from ledger.errors import Blame, CodedError


class DemoError(CodedError):
    """Base of the demonstration's errors."""

    blame: ClassVar[Blame] = Blame.WAY


class DemoProgramFailed(DemoError):
    """One of the programs the demonstration starts keeps ending; its log says why."""

    code = "demo.program_failed"


class DemoTimeout(DemoError):
    """The footage was not sealed and derived in the time allowed; the logs say where it stands."""

    code = "demo.timeout"


class DemoFileUnusable(DemoError):
    """A file named on the command line is not a readable regular file."""

    code = "demo.file_unusable"
    blame: ClassVar[Blame] = Blame.INPUT
