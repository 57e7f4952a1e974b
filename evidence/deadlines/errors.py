"""Errors of deadlines."""

from __future__ import annotations

from evidence.errors import EvidenceError


class RulesInvalid(EvidenceError):
    """A table of deadlines breaks a rule; the details name each place."""

    code = "deadline.rules_invalid"


class RulesUnknown(EvidenceError):
    """There is no such table of deadlines."""

    code = "deadline.rules_unknown"


class RulesBackdated(EvidenceError):
    """A table of deadlines would be in force before the one that it follows."""

    code = "deadline.rules_backdated"


class ClockUnknown(EvidenceError):
    """There is no such clock."""

    code = "deadline.unknown"


class ClockConflict(EvidenceError):
    """What is stated does not fit the clock as it stands: paused twice, resumed while it runs, over already."""

    code = "deadline.conflict"


class ClockStatementInvalid(EvidenceError):
    """What is stated about a clock lacks something, or its times contradict each other."""

    code = "deadline.statement_invalid"


class ExtensionRefused(EvidenceError):
    """An extension that the rule does not allow, or that whoever handles the case would grant themselves (R31)."""

    code = "deadline.extension_refused"
