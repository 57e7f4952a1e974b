"""Errors of the domain, one class per stable code; see docs/errors.md for the table with HTTP status and retry meaning."""

from __future__ import annotations

from typing import ClassVar

from ledger.errors import Blame, CodedError


class EvidenceError(CodedError):
    """Base of the domain's errors."""

    blame: ClassVar[Blame] = Blame.INPUT


class TimeInvalid(EvidenceError):
    """A time is not RFC 3339 in UTC with exactly milliseconds and a final `Z`."""

    code = "time.invalid"
