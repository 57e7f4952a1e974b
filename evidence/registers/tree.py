"""Units as a tree in memory, for whoever registers many in one transaction: read once, kept up with each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from evidence.registers.unit_store import Unit
from evidence.registers.validity import Validity, counting


@dataclass(slots=True)
class UnitTree:
    """Every version of every unit, found by unit, by code and by what it is called now."""

    _versions: dict[UUID, list[Unit]] = field(default_factory=dict)
    _codes: dict[str, set[UUID]] = field(default_factory=dict)
    _called: dict[str, set[UUID]] = field(default_factory=dict)

    @classmethod
    def of(cls, versions: Iterable[Unit]) -> UnitTree:
        """Collect versions, those of a unit in the order they were put on record."""
        tree = cls()
        for one in versions:
            tree.add(one)
        return tree

    def __bool__(self) -> bool:
        """Tell whether any unit is registered."""
        return bool(self._versions)

    def add(self, version: Unit) -> None:
        """Take a newer version in."""
        known = self._versions.setdefault(version.unit, [])
        for text in {known[-1].name, known[-1].code} - {None} if known else ():
            self._called[str(text)].discard(version.unit)
        known.append(version)
        self._called.setdefault(version.name, set()).add(version.unit)
        if version.code is not None:
            self._called.setdefault(version.code, set()).add(version.unit)
            self._codes.setdefault(version.code, set()).add(version.unit)

    def versions_of(self, unit: UUID | None) -> Sequence[Unit]:
        """Return the versions of a unit, the newest last; none of one that nobody registered."""
        return [] if unit is None else self._versions.get(unit, [])

    def called(self, text: str) -> Sequence[Unit]:
        """Return the units whose code or present name is this, as registered last."""
        return [self._versions[unit][-1] for unit in sorted(self._called.get(text, ()))]

    def with_code(self, code: str | None, *, but: UUID) -> Unit | None:
        """Return another unit that has, or once had, a code."""
        others = self._codes.get(code, set()) - {but} if code is not None else set()
        return self._versions[min(others)][-1] if others else None

    def chains(self, parent: UUID, validity: Validity) -> Iterable[tuple[date, list[UUID]]]:
        """Tell what stands above a unit, its parent first, on the first day and on each on which that changes."""
        day: date | None = validity.first or date.min + timedelta(days=1)
        while day is not None:
            chain = self._chain(parent, day)
            yield day, chain
            begins = (one.valid_from for unit in chain for one in self.versions_of(unit))
            day = min((begin for begin in begins if begin is not None and begin > day), default=None)

    def _chain(self, unit: UUID, day: date) -> list[UUID]:
        chain, above = list[UUID](), unit
        while above not in chain:
            chain.append(above)
            version = counting(self.versions_of(above), day)
            if version is None or version.parent is None:
                break
            above = version.parent
        return chain
