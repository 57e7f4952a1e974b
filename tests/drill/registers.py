"""Entries that no program of the house records, well committed to: circles in registers, a session of nobody."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from evidence.core.clock import format_time
from ledger.canonical import JsonObject, JsonValue
from tests.drill.house import DrillHouse
from tests.drill.kinds import Adversary, Kind, Victim

_OFFICER: JsonObject = {"number": "013579", "name": "王玉", "unit": "一中队"}
"""The number is that of the officer of the house."""


async def units_in_a_circle(house: DrillHouse, chance: Random) -> None:
    """Register one to four units, each below the next."""
    units = [str(house.new_id()) for _ in range(chance.randrange(1, 5))]
    for place, unit in enumerate(units):
        said: dict[str, JsonValue] = {"unit": unit, "version": 1, "code": None, "name": f"队{place}"}
        said |= {"parent": units[place - 1], "valid_from": None, "valid_until": None}
        await house.write("unit.registered", f"unit:{unit}", said)
    await house.sequence()


async def number_given_twice(house: DrillHouse, _chance: Random) -> None:
    """Register another officer under a number that somebody bears."""
    officer = str(house.new_id())
    await house.write("officer.registered", f"officer:{officer}", {"officer": officer, **_OFFICER})
    await house.sequence()


async def recorder_of_two(house: DrillHouse, chance: Random) -> None:
    """Give a recorder to two people from one moment on."""
    recorder = f"X{chance.randrange(1000)}"
    for _ in range(2):
        assignment = str(house.new_id())
        said: dict[str, JsonValue] = {"assignment": assignment, "recorder": recorder}
        said |= {"officer": str(house.new_id()), "since": "2026-01-05T01:00:00.000Z"}
        await house.write("recorder.assigned", f"assignment:{assignment}", said)
    await house.sequence()


async def session_without_a_link(house: DrillHouse, chance: Random) -> None:
    """Begin a session by the agency's provider for somebody whom nobody linked."""
    session = str(house.new_id())
    said: dict[str, JsonValue] = {"session": session, "staff": str(house.new_id()), "role": "archivist", "scopes": None}
    said |= {"expires_at": format_time(house.clock() + timedelta(hours=8)), "token_sha256": chance.randbytes(32).hex()}
    said |= {"method": "oidc", "recovery_sha256": None, "failed_before": 0}
    await house.write("session.begun", f"session:{session}", said)
    await house.sequence()


KINDS: tuple[Kind, ...] = tuple(
    Kind(Adversary.DATABASE, name, attack, Victim.HOUSE, rows=True)
    for name, attack in (
        ("units recorded in a circle", units_in_a_circle),
        ("number of an officer recorded twice", number_given_twice),
        ("recorder given to two at once", recorder_of_two),
        ("provider's session without a link", session_without_a_link),
    )
)
