"""Periodic reports: the monthly summary (S0: by the 25th) and the year's figures (S1: by 31 January), frozen.

A report names the checkpoint it was counted at; counted again there it gives the same numbers, whatever was recorded
since (`recounted`). What the log knows is counted:

    published.<kind>, corrected.<kind>, withdrawn.<cause>     publications, in the period
    cases.opened, cases.archived, clips.sealed                in the period
    officers.certified, officers.uncertified                  on the period's last day; licence-holding rate (持证率):
                                                              certified / (certified + uncertified)

What it does not know (applications for permits, coercion, inspections without a record) the agency states, under the
names of `STATED`; such figures stand apart and are never added to counted ones.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from uuid import UUID

from evidence.calendar.workdays import CHINA
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.pool import Connection
from evidence.publicity.errors import ReportInvalid, ReportUnknown
from evidence.publicity.report_store import Report, counts_at, find_report
from evidence.statistics.errors import CheckpointUnknown
from evidence.statistics.sample_store import checkpoint_at
from ledger.canonical import INTEGER_MAX

RULES = "shilu-publicity-1"

STATED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "penalties.warning": ("警告、通报批评", "warnings"),
        "penalties.fine": ("罚款", "fines"),
        "penalties.confiscation": ("没收违法所得、没收非法财物", "confiscations"),
        "penalties.licence": ("暂扣、吊销许可证件", "licences suspended or revoked"),
        "penalties.suspension": ("责令停产停业", "orders to stop business"),
        "penalties.detention": ("行政拘留", "detentions"),
        "penalties.other": ("其他行政处罚", "other penalties"),
        "permits.applied": ("许可申请", "permits applied for"),
        "permits.accepted": ("许可受理", "applications accepted"),
        "permits.granted": ("予以许可", "permits granted"),
        "permits.refused": ("不予许可", "permits refused"),
        "permits.revoked": ("撤销许可", "permits revoked"),
        "coercion.measures": ("行政强制措施", "coercive measures"),
        "coercion.execution": ("行政强制执行", "coercive execution"),
        "inspections": ("行政检查", "inspections"),
    }
)
"""Figures of S1's year table that people state, with their titles in Chinese and English."""

_PERIOD = re.compile(r"(20[0-9]{2})(?:-(0[1-9]|1[0-2]))?")


def days_of(period: str) -> tuple[date, date]:
    """Return the first and the last day of a year (`2026`) or a month (`2026-03`).

    Raises:
        ReportInvalid: It is neither.
    """
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise ReportInvalid("a period is a year such as 2026 or a month such as 2026-03")
    year, month = int(found[1]), found[2]
    if month is None:
        return date(year, 1, 1), date(year, 12, 31)
    return date(year, int(month), 1), date(year, int(month), monthrange(year, int(month))[1])


async def report_period(
    conn: Connection,
    *,
    period: str,
    stated: Mapping[str, int],
    size: int | None = None,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Report:
    """Put a report on record, in the caller's transaction; of several of one period all stay, the newest counts.

    Args:
        period: A year or a month that has begun; the monthly summary is due before its month is over.
        stated: Figures by names of `STATED`.
        size: Of which published checkpoint; None for the newest.

    Raises:
        ReportInvalid: No period, one that has not begun, or an unknown figure.
        CheckpointUnknown: Nothing was published at this size.
    """
    first, _ = days_of(period)
    if clock().astimezone(CHINA).date() < first:
        raise ReportInvalid(f"{period} has not begun")
    if unknown := sorted(set(stated) - set(STATED)):
        raise ReportInvalid(f"nobody states {unknown[0][:40]!r}", figures=sorted(STATED))
    if any(not 0 <= number <= INTEGER_MAX for number in stated.values()):
        raise ReportInvalid("a figure is a number from 0")
    checkpoint = await checkpoint_at(conn, size)
    if checkpoint is None:
        raise CheckpointUnknown("the log has published no checkpoint of this size")
    report = uuid7(clock=clock, entropy=entropy)
    await record(
        conn,
        type="publicity.reported",
        actor=actor,
        subject=f"report:{report}",
        payload={
            "report": str(report),
            "period": period,
            "rules": RULES,
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "figures": await figures_at(conn, period=period, size=checkpoint.size),
            "stated": dict(sorted(stated.items())),
        },
        clock=clock,
        entropy=entropy,
    )
    return await get_report(conn, report)


async def figures_at(conn: Connection, *, period: str, size: int) -> dict[str, int]:
    """Count a period at a checkpoint: the same numbers ever after.

    Raises:
        ReportInvalid: It is no period.
    """
    first, last = days_of(period)
    return dict(await counts_at(conn, size=size, first=first, last=last, zone=CHINA.key))


async def recounted(conn: Connection, report: UUID) -> tuple[Report, dict[str, int]]:
    """Return a report, and its figures counted again at its checkpoint; they differ only where rows were changed.

    Raises:
        ReportUnknown: There is none.
    """
    known = await get_report(conn, report)
    return known, await figures_at(conn, period=known.period, size=known.size)


async def get_report(conn: Connection, report: UUID) -> Report:
    """Return a report.

    Raises:
        ReportUnknown: There is none with this id.
    """
    known = await find_report(conn, report)
    if known is None:
        raise ReportUnknown(f"there is no report {report}")
    return known
