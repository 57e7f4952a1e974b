"""Duties: begun again when the way failed, ended when they must not go on, stopped when told to."""

from __future__ import annotations

import asyncio

import pytest

from api import duties as module
from api.duties import Duties
from ledger.errors import Blame, CodedError


class DiskAway(CodedError):
    """A test's disk is away."""

    code = "test.disk_away"
    blame = Blame.WAY


class TreeBroken(CodedError):
    """A test's tree is broken."""

    code = "test.tree_broken"
    blame = Blame.BUG


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)


async def test_a_duty_is_told_to_stop_and_waited_for() -> None:
    ended = False

    async def work(stop: asyncio.Event) -> None:
        nonlocal ended
        await stop.wait()
        await asyncio.sleep(0.02)
        ended = True

    async with Duties() as duties:
        duties.begin("work", work)
        await asyncio.sleep(0)
        assert duties.complaints() == {"work": None}
    assert ended


async def test_a_duty_that_does_not_stop_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS_MAX", 0.05)

    async def deaf(_: asyncio.Event) -> None:
        await asyncio.sleep(3600)

    async with asyncio.timeout(5), Duties() as duties:
        duties.begin("deaf", deaf)
        await asyncio.sleep(0)


@pytest.mark.parametrize("error", [DiskAway("away"), OSError("away"), ValueError("unforeseen")])
async def test_a_duty_that_failed_begins_again_and_complains_for_a_while(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = 0
    again = asyncio.Event()

    async def work(stop: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise error
        again.set()
        await stop.wait()

    async with Duties() as duties:
        duties.begin("work", work)
        await asyncio.wait_for(again.wait(), 5)
        assert duties.complaints()["work"] is not None
        monkeypatch.setattr(module, "UNWELL_SECONDS", 0.0)
        await asyncio.sleep(0.001)
        assert duties.complaints()["work"] is None


async def test_a_duty_that_must_not_go_on_ends_and_complains_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = 0

    async def work(_: asyncio.Event) -> None:
        nonlocal runs
        runs += 1
        raise TreeBroken("the tree is broken")

    monkeypatch.setattr(module, "UNWELL_SECONDS", 0.0)
    async with Duties() as duties:
        duties.begin("work", work)
        await asyncio.sleep(0.1)
        assert runs == 1
        assert "the tree is broken" in (duties.complaints()["work"] or "")
