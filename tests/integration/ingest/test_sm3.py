"""SM3 where the house computes it: of bytes as they come, after a restart, in what is sealed; no trace elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence.core.clock import utc_now
from evidence.core.digest import CHUNK_BYTES
from evidence.db.pool import Pool
from tests.support.clock import SeededEntropy
from tests.support.intake import IMPATIENT, Intake, breaking, enrolled, footage, open_intake
from tests.support.parties import paper_dock

WITH_SM3 = replace(IMPATIENT, sm3=True)
DATA = footage(2 * CHUNK_BYTES + 4321)


@pytest.fixture
async def intake(pool: Pool, tmp_path: Path, entropy: SeededEntropy) -> AsyncIterator[Intake]:
    """An intake that computes SM3."""
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy, settings=WITH_SM3) as opened:
        yield opened


class Crash(Exception):
    """The process ends here."""


async def payloads(intake: Intake) -> list[dict[str, Any]]:
    rows = await intake.pool.fetch("SELECT payload FROM custody_payload WHERE type LIKE 'clip.%' ORDER BY entry_id")
    return [json.loads(row["payload"]) for row in rows]


def sm3(data: bytes) -> str:
    return hashlib.new("sm3", data).hexdigest()


async def test_it_is_sealed_and_shown_with_every_source(intake: Intake) -> None:
    dock = await enrolled(intake, paper_dock())
    for path in ("DCIM/A.mp4", "DCIM/B.mp4"):
        await intake.dock_sealed(dock, DATA, path=path)
    assert [(one["sm3"], one["sha256"]) for one in await payloads(intake)] == [
        (sm3(DATA), hashlib.sha256(DATA).hexdigest())
    ] * 2
    assert await intake.pool.fetchval("SELECT encode(sm3, 'hex') FROM clip") == sm3(DATA)


@pytest.mark.parametrize("break_at", [1, CHUNK_BYTES, 2 * CHUNK_BYTES + 5])
async def test_requests_that_break_off_and_a_restart_in_between_change_nothing(
    pool: Pool, tmp_path: Path, entropy: SeededEntropy, break_at: int
) -> None:
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy, settings=WITH_SM3) as first:
        view = await first.staff_upload(DATA)
        with pytest.raises(ConnectionResetError):
            await first.service.append(
                actor=view.actor, upload=view.id, offset=0, stream=breaking(DATA[:break_at], piece=70_001)
            )
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy, settings=WITH_SM3) as second:
        assert (await second.state(view)).offset == break_at
        await second.send(view, DATA, offset=break_at)
        assert [one["sm3"] for one in await payloads(second)] == [sm3(DATA)]


async def test_without_it_a_payload_is_what_it_always_was(pool: Pool, tmp_path: Path, entropy: SeededEntropy) -> None:
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy) as plain:
        view = await plain.staff_upload(DATA)
        await plain.send(view, DATA)
        (payload,) = await payloads(plain)
        assert not {"sm3", "second_store"} & payload.keys()
        assert await pool.fetchval("SELECT sm3 FROM clip") is None


async def test_what_was_intended_with_it_is_sealed_with_it_by_a_house_that_does_without_now(
    pool: Pool, tmp_path: Path, entropy: SeededEntropy, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy, settings=WITH_SM3) as first:
        view = await first.staff_upload(DATA)

        async def crash(*_: object) -> None:
            raise Crash

        monkeypatch.setattr(first.service._sealer, "_adopt", crash)
        with pytest.raises(Crash):
            await first.send(view, DATA)
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy) as second:
        report = await second.service.recover()
        assert report.sealed == [view.id]
        assert [one["sm3"] for one in await payloads(second)] == [sm3(DATA)]
