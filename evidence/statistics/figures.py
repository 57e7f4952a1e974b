"""Figures about recordings at a checkpoint of the log: per unit, officer, item, recorder, dock or month.

A statement names the checkpoint (size and root) and the rules it was computed by, and computes identically there ever
after: it looks at nothing that came behind the checkpoint. Each clip is in exactly one group, so the groups add up to
the total, in every figure; what is not known of a clip is a group of its own, with an empty key.

    clips, seconds, bytes    originals that are there (disposed of are not)
    made_bytes               what was made of them
    on_time                  came within two working days after the day on which the recording ended (R20)
    late                     came later; `provisional` of both: nobody has announced those days yet
    undated                  nobody knows when they were recorded
    uncovered                no case has them as evidence
    key_marked               a recorder marked them
    verified                 an audit of the whole log that found nothing covers their seal
    cost                     of bytes and made_bytes in a month, at the price in force; exact, as decimal text
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cache
from uuid import UUID

from evidence.calendar.loading import calendar_in_force
from evidence.calendar.workdays import Due, WorkCalendar
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import Recorded, record
from evidence.db.pool import Connection
from evidence.deadlines.rules import RuleBook
from evidence.deadlines.store import rule_book
from evidence.deadlines.storing import BASE_BOOK, store_by
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.statistics.errors import CheckpointUnknown
from evidence.statistics.figures_store import GROUPS, Bundle, Price, bundles_at, price_at
from evidence.statistics.sample_store import checkpoint_at

RULES = "shilu-statistics-v2"

_TERABYTE_DIGITS = 12
_HUNDREDTHS_DIGITS = 2
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class Figures:
    """Figures of one group, or of all."""

    clips: int = 0
    milliseconds: int = 0
    bytes: int = 0
    made_bytes: int = 0
    on_time: int = 0
    late: int = 0
    provisional: int = 0
    undated: int = 0
    uncovered: int = 0
    key_marked: int = 0
    verified: int = 0

    def add(self, bundle: Bundle, due: Due | None) -> None:
        """Count a bundle of clips that were to come by a day."""
        for name in ("clips", "milliseconds", "bytes", "made_bytes", "key_marked", "verified"):
            setattr(self, name, getattr(self, name) + getattr(bundle, name))
        self.uncovered += bundle.clips - bundle.with_case
        if due is None:
            self.undated += bundle.clips
        elif bundle.received_on <= due.day:
            self.on_time += bundle.clips
        else:
            self.late += bundle.clips
        self.provisional += bundle.clips if due is not None and due.provisional else 0

    def cost(self, price: Price | None) -> str | None:
        """Return what keeping this costs in a month, exactly; None without a price."""
        if price is None:
            return None
        exact = Decimal((self.bytes + self.made_bytes) * price.hundredths)
        return format(exact.scaleb(-_TERABYTE_DIGITS - _HUNDREDTHS_DIGITS), "f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Figures at a checkpoint.

    Attributes:
        size, root: The checkpoint.
        calendar: Version of the calendar by which days were counted.
        groups: Figures by key, in order of keys.
        units: The units whose clips are counted; None when all are.
    """

    by: str
    size: int
    root: bytes
    rules: str
    calendar: str
    zone: str
    price: Price | None
    groups: dict[str, Figures]
    total: Figures
    units: tuple[UUID, ...] | None = None


async def statement_at(
    conn: Connection, *, by: str, size: int | None = None, units: Collection[UUID] | None = None
) -> Statement:
    """Compute the figures at a checkpoint.

    Args:
        by: A key of `GROUPS`.
        size: Of which published checkpoint; None for the newest.
        units: Only of these units; None for everything. They stand in the statement, so that it computes again.

    Raises:
        CheckpointUnknown: Nothing was published at this size.
    """
    checkpoint = await checkpoint_at(conn, size)
    if checkpoint is None:
        raise CheckpointUnknown("the log has published no checkpoint of this size")
    calendar = await calendar_in_force(conn, entries=checkpoint.size)
    bundles = await bundles_at(conn, by=by, size=checkpoint.size, zone=calendar.zone.key, units=units)
    book = await rule_book(conn, entries=checkpoint.size)
    groups = figures_of(bundles, calendar, book)
    return Statement(
        by=by,
        size=checkpoint.size,
        root=checkpoint.root,
        rules=RULES if not book.versions else f"{RULES}, {book.name}",
        calendar=calendar.version,
        zone=calendar.zone.key,
        price=await price_at(conn, size=checkpoint.size),
        groups=groups,
        total=total_of(groups.values()),
        units=None if units is None else tuple(sorted(units)),
    )


def figures_of(bundles: Iterable[Bundle], calendar: WorkCalendar, book: RuleBook = BASE_BOOK) -> dict[str, Figures]:
    """Count bundles by their keys; `book` says how long storing may take."""

    @cache
    def due(day: date) -> Due:
        return store_by(day, calendar, book)

    groups: dict[str, Figures] = {}
    for bundle in bundles:
        by_day = None if bundle.ended_on is None else due(bundle.ended_on)
        groups.setdefault(bundle.key, Figures()).add(bundle, by_day)
    return dict(sorted(groups.items()))


def total_of(groups: Iterable[Figures]) -> Figures:
    """Add groups up."""
    total = Figures()
    for group in groups:
        for one in fields(Figures):
            setattr(total, one.name, getattr(total, one.name) + getattr(group, one.name))
    return total


def as_csv(statement: Statement) -> str:
    """Return a statement as a table (RFC 4180), its checkpoint and rules in every row; `total` is the last.

    No cell begins as a formula does: whoever opens it in a spreadsheet runs nothing that a file name asks for.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    names = [one.name for one in fields(Figures)]
    writer.writerow([statement.by, *names, "cost", "size", "root", "rules", "calendar", "units"])
    units = "all" if statement.units is None else " ".join(map(str, statement.units))
    of = (statement.size, statement.root.hex(), statement.rules, statement.calendar, units)
    for key, group in (*statement.groups.items(), ("total", statement.total)):
        cell = f"'{key}" if key.startswith(_FORMULA) else key
        writer.writerow([cell, *asdict(group).values(), group.cost(statement.price) or "", *of])
    return table.getvalue()


async def state_price(
    conn: Connection, *, hundredths: int, currency: str, citation: str, actor: str, clock: Clock, entropy: Entropy
) -> tuple[UUID, Recorded]:
    """Put on record what a terabyte costs in a month, in the caller's transaction.

    Raises:
        NameInvalid: A word is empty, too long, or has control characters.
    """
    for word in (currency, citation):
        check_name(word, characters_max=REASON_CHARACTERS_MAX)
    price = uuid7(clock=clock, entropy=entropy)
    recorded = await record(
        conn,
        type="storage.priced",
        actor=actor,
        subject=f"price:{price}",
        payload={"price": str(price), "hundredths": hundredths, "currency": currency, "citation": citation},
        clock=clock,
        entropy=entropy,
    )
    return price, recorded


__all__ = ["GROUPS", "Figures", "Statement", "as_csv", "figures_of", "state_price", "statement_at", "total_of"]
