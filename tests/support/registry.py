"""A register for tests: officers, units and assignments in a few words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Connection
from evidence.recorders.register import assign_recorder
from evidence.registers.officers import OfficerWords, register_officer
from evidence.registers.units import UnitOnRecord, UnitWords, register_unit
from evidence.registers.validity import Validity

ADMINISTRATOR = "staff:0195a000-0000-7000-8000-0000000000ad"


@dataclass(kw_only=True)
class Registry:
    """Registers on a connection of its own, each thing in a transaction of its own."""

    conn: Connection
    clock: Clock
    entropy: Entropy

    async def unit(
        self,
        name: str,
        *,
        code: str | None = None,
        parent: UUID | None = None,
        since: date | None = None,
        until: date | None = None,
        unit: UUID | None = None,
        version: int = 0,
    ) -> UnitOnRecord:
        """Register a unit, or another version of one."""
        words = UnitWords(name=name, code=code, parent=parent, validity=Validity(first=since, last=until))
        async with self.conn.transaction():
            return await register_unit(
                self.conn,
                words,
                actor=ADMINISTRATOR,
                clock=self.clock,
                entropy=self.entropy,
                unit=unit,
                expected_version=version,
            )

    async def officer(
        self, number: str, *, unit: str = "一中队", since: date | None = None, until: date | None = None
    ) -> UUID:
        """Register an officer, or another version of one."""
        words = OfficerWords(number=number, name="王五", unit=unit, validity=Validity(first=since, last=until))
        async with self.conn.transaction():
            done = await register_officer(self.conn, words, actor=ADMINISTRATOR, clock=self.clock, entropy=self.entropy)
        return done.officer

    async def assign(self, recorder: str, number: str | None, since: datetime) -> UUID:
        """Give a recorder to an officer."""
        async with self.conn.transaction():
            return await assign_recorder(
                self.conn,
                recorder=recorder,
                number=number,
                since=since,
                actor=ADMINISTRATOR,
                clock=self.clock,
                entropy=self.entropy,
            )
