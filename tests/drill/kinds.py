"""What a kind of tampering is: who does it, how it is done, and which victim's check has to notice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.drill.house import DrillHouse

Attack = Callable[[DrillHouse, Random], Awaitable[None]]
"""Tampers with a house, at a place and in a way that the random numbers decide."""


class Adversary(StrEnum):
    """Who tampers, by what they hold."""

    STORAGE = "storage admin"
    SECOND = "second store's admin"
    DATABASE = "database superuser"
    KEY = "key holder"
    DOCK = "dock"
    NETWORK = "network, insider"


class Victim(StrEnum):
    """Who checks, by what they do; see `tests.drill.checks`. None of them is told where to look."""

    HOUSE = "audit of the house"
    COPIES = "audit of the copies"
    LOG = "audit of the log"
    KEEPER = "audit since a kept checkpoint"
    WITNESS = "witness that remembers"
    READER = "reader with a policy"
    DOCK = "dock checks its receipts"
    COURT = "shilu-verify, own policy"
    PARTS = "shilu-verify of parts"
    STRANGER = "shilu-verify, no key"


@dataclass(frozen=True, slots=True)
class Kind:
    """One named kind of tampering.

    Attributes:
        rows: Whether it touches the database, so that rows are to be set back.
    """

    adversary: Adversary
    name: str
    attack: Attack
    victim: Victim
    rows: bool = False
