"""Errors of following a log: what ends a step, apart from what the log itself is accused of (`findings`)."""

from __future__ import annotations

from typing import ClassVar

from ledger.errors import Blame, CodedError
from ledger.findings import Finding


class SourceUnreachable(CodedError):
    """The log cannot be read at the moment: no answer, an answer too late, too long, or an error. Try again later."""

    code = "mirror.unreachable"
    blame: ClassVar[Blame] = Blame.WAY


class MirrorBusy(CodedError):
    """Another process follows a log into this folder. One at a time; wait for it or choose another folder."""

    code = "mirror.busy"
    blame: ClassVar[Blame] = Blame.WAY


class Deviation(Exception):
    """What is there is not what the log's signature promises; the step ends with this finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.code}: {finding.message}")
        self.finding = finding
