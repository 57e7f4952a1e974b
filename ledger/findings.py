"""Findings: what a verification or an audit has to say, one fact at a time.

A verification never answers with a bare boolean. It yields findings; each carries a stable code that programs match on,
a severity, the thing it is about and a sentence for people. No finding at `ERROR` means: every obligation was met.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum


class Severity(Enum):
    """How much a finding weighs: a met obligation, something to know, or a broken promise."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation of a verification.

    Attributes:
        code: Stable, dotted, lower case, for example `log.entry_altered`.
        severity: See `Severity`.
        subject: What it is about, for example `clip:<uuid>`, `entry:17`, `tile/0/003`.
        message: One sentence for a person.
        details: JSON-ready facts (byte offsets, indices, hex digests).
    """

    code: str
    severity: Severity
    subject: str
    message: str
    details: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the finding as a JSON object with stable keys."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "subject": self.subject,
            "message": self.message,
            "details": dict(self.details),
        }


def is_clean(findings: Iterable[Finding]) -> bool:
    """Tell whether no finding is an error."""
    return all(finding.severity is not Severity.ERROR for finding in findings)
