"""By what an audit of this house judges times: its tolerance, its witnesses, the roots of its authorities."""

from __future__ import annotations

from collections.abc import Sequence

from api.config import ServiceConfig
from evidence.audit.timestamps import StampRules
from evidence.core.clock import Clock
from ledger.audit_times import TimeRules
from ledger.policy import Policy
from ledger.timestamp.stamp import Authority


def time_rules(config: ServiceConfig, witnesses: Policy, clock: Clock) -> TimeRules:
    """Return the rules for times in log and rows, as of now."""
    return TimeRules(tolerance_seconds=config.clock_tolerance_seconds, policy=witnesses, now=clock())


def stamp_rules(config: ServiceConfig, authorities: Sequence[Authority]) -> StampRules:
    """Return the rules for time stamps on record."""
    roots = {authority.name: authority.roots for authority in authorities} or None
    return StampRules(roots=roots, tolerance_seconds=config.clock_tolerance_seconds)
