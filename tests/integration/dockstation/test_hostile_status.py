"""Hostile content through a whole docking: the honest clip is sealed; `status` shows what was left alone, and why."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dockstation.errors import FileUnsafe
from dockstation.journal import RECEIPTED
from dockstation.status import read_status
from evidence.core.clock import utc_now
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, write_clip
from tests.support.hostile_cards import HOSTILE


async def test_what_was_left_alone_is_shown_with_its_reason(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = tmp_path / "media" / "hostile"
    write_clip(card, "honest.mp4", size=10)
    contents = [content for name, content in HOSTILE.items() if name != "a closed folder"]
    for content in contents:
        content.make(card)
    async with station.watching(card) as watch:
        report = await watch.once()
        await asyncio.sleep(0)
    (outcome,) = report.outcomes
    listed = {path for content in contents for path in content.listed}
    refused = {path for content in contents for path in content.stuck}
    assert {row.path for row in outcome.rows} == {"honest.mp4", *listed}
    assert {row.path for row in outcome.rows if row.state in RECEIPTED} == {"honest.mp4", *listed} - refused
    assert not outcome.safe
    status = read_status(station.state, clock=utc_now)
    (view,) = status.slots
    shown = {path: (code, reason) for path, code, reason in view.remarks}
    for content in contents:
        for path, word in content.remarks:
            assert shown[path][0] == FileUnsafe.code
            assert word in shown[path][1]
    assert view.phase == "trouble"
    assert [path for _, path, reason in status.troubles if "whole card" in reason] == ["giant.mp4"]
    assert not [body for upload in service.uploads.values() for body in [upload.data] if b"root:" in body]
