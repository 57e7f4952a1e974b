"""What an audit of this house adds and judges by: its rooms' own parts, its tolerance, witnesses and authorities."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from api.config import ServiceConfig
from evidence.audit.copies import audit_copies
from evidence.audit.house import Check
from evidence.audit.restored import audit_restored
from evidence.audit.timestamps import StampRules
from evidence.core.clock import Clock
from evidence.objects.local import LocalObjects
from ingest.audit import audit_uploads
from ledger.audit_times import TimeRules
from ledger.policy import Policy
from ledger.timestamp.stamp import Authority

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects


def further_checks(local: LocalObjects, second: S3Objects | None, clock: Clock) -> list[Check]:
    """Return the parts of an audit that are not in every house, or another room's: uploads, repairs, copies."""
    checks: list[Check] = [audit_uploads, partial(audit_restored, local=local, second=second)]
    return checks if second is None else [*checks, partial(audit_copies, second=second, now=clock())]


def time_rules(config: ServiceConfig, witnesses: Policy, clock: Clock) -> TimeRules:
    """Return the rules for times in log and rows, as of now."""
    return TimeRules(tolerance_seconds=config.clock_tolerance_seconds, policy=witnesses, now=clock())


def stamp_rules(config: ServiceConfig, authorities: Sequence[Authority]) -> StampRules:
    """Return the rules for time stamps on record."""
    roots = {authority.name: authority.roots for authority in authorities} or None
    return StampRules(roots=roots, tolerance_seconds=config.clock_tolerance_seconds)
