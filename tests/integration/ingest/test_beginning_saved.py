"""A recorder that never came back: what an operator takes out of quarantine can be checked by a stranger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence.core.digest import CHUNK_BYTES
from evidence.db.pool import Pool, connect
from evidence.errors import EvidenceDamaged
from evidence.export.showing import Showing
from evidence.verify.cli import main
from evidence.verify.report import Exit
from ingest.set_aside import QuarantineRoom
from ingest.upload import UploadView
from ledger.note import Signer
from ledger.policy import Policy
from ledger.publish import LogFolder
from ledger.reader import LogReader
from ledger.sequencer import Sequencer
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.intake import IMPATIENT, STAFF, Intake, footage, open_intake, pieces

SETTINGS = replace(IMPATIENT, prefix_seconds=10.0, expiry_seconds=86_400.0)
DATA = footage(3 * CHUNK_BYTES + 500)


class House:
    """An intake, the log its entries go to, and the quarantine behind it."""

    def __init__(self, intake: Intake, dsn: str, folder: Path, clock: SteppingClock) -> None:
        self.intake, self.clock = intake, clock
        self.signer = Signer.generate("shilu.test/log", intake.entropy)
        storage = LogFolder(folder / "log")
        self.sequencer = Sequencer(lambda: connect(dsn), storage, self.signer, clock)
        policy = Policy.parse(f"log {self.signer.verifier.vkey}\nquorum none\n")
        self.room = QuarantineRoom(
            pool=intake.pool,
            spool=intake.spool,
            clock=clock,
            entropy=intake.entropy,
            showing=Showing(LogReader(storage), policy),
        )

    async def grow(self, *ends: int) -> UploadView:
        """Let a file grow to each of these sizes, seal its beginning each time, and give it up."""
        service = self.intake.service
        view = await service.create(actor=STAFF, length=None, metadata={"filename": "直播.mp4".encode()})
        offset = 0
        for end in ends:
            offset = await service.append(actor=STAFF, upload=view.id, offset=offset, stream=pieces(DATA[offset:end]))
            self.clock.advance(timedelta(seconds=11))
            await service._prefixes.sweep()
        return view

    async def lose(self, view: UploadView) -> None:
        """Let the recorder never come back."""
        self.clock.advance(timedelta(days=2))
        await self.intake.service._expiry.sweep()

    def judge(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
        """Have `shilu-verify` look at a folder with the log's key."""
        capsys.readouterr()
        code = main(["--json", "--quiet", "--log-key", self.signer.verifier.vkey, str(folder)])
        return code, json.loads(capsys.readouterr().out)


@pytest.fixture
async def house(
    pool: Pool, database: str, tmp_path: Path, entropy: SeededEntropy, clock: SteppingClock
) -> AsyncIterator[House]:
    async with open_intake(pool, tmp_path, clock=clock, entropy=entropy, settings=SETTINGS) as intake:
        made = House(intake, database, tmp_path, clock)
        await made.sequencer.recover()
        yield made
        await made.sequencer.close()


async def test_a_stranger_learns_which_bytes_are_proven(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = await house.grow(CHUNK_BYTES, len(DATA))
    await house.lose(view)
    await house.sequencer.step()
    done = await house.room.copy_out(view.id, target=tmp_path / "out", actor="service", purpose="litigation")
    assert done.sealed_bytes == 3 * CHUNK_BYTES
    code, report = house.judge(tmp_path / "out", capsys)
    assert (code, report["items"][0]["upload"], report["items"][0]["size"]) == (
        Exit.PARTLY,
        str(view.id),
        3 * CHUNK_BYTES,
    )
    rest = next(one for one in report["items"][0]["findings"] if one["code"] == "prefix.rest_unproven")
    assert (rest["details"]["first_byte"], rest["details"]["bytes"]) == (3 * CHUNK_BYTES, 500)
    # The reason is for people: nobody vouches for it, and that is said.
    assert [remark["code"] for remark in report["remarks"]] == ["package.uncovered"]


async def test_a_beginning_that_is_not_published_yet_is_left_to_the_one_before(house: House, tmp_path: Path) -> None:
    view = await house.grow(CHUNK_BYTES)
    await house.sequencer.step()
    offset = CHUNK_BYTES
    await house.intake.service.append(actor=STAFF, upload=view.id, offset=offset, stream=pieces(DATA[offset:]))
    house.clock.advance(timedelta(seconds=11))
    assert await house.intake.service._prefixes.sweep() == 1
    await house.lose(view)
    first = await house.room.copy_out(view.id, target=tmp_path / "1", actor="service", purpose="litigation")
    await house.sequencer.step()
    second = await house.room.copy_out(view.id, target=tmp_path / "2", actor="service", purpose="litigation")
    assert (first.sealed_bytes, second.sealed_bytes) == (CHUNK_BYTES, 3 * CHUNK_BYTES)


async def test_what_was_never_sealed_comes_without_a_receipt(house: House, tmp_path: Path) -> None:
    view = await house.grow(1000)
    await house.lose(view)
    done = await house.room.copy_out(view.id, target=tmp_path / "out", actor="service", purpose="litigation")
    assert done.sealed_bytes == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["reason.json", "直播.mp4"]


async def test_bytes_that_changed_in_quarantine_are_shown_and_convicted(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    view = await house.grow(len(DATA))
    await house.lose(view)
    await house.sequencer.step()
    kept = house.intake.spool.quarantined_path(view.id)
    kept.chmod(0o644)
    kept.write_bytes(b"x" + DATA[1:])
    await house.room.copy_out(view.id, target=tmp_path / "out", actor="service", purpose="litigation")
    code, report = house.judge(tmp_path / "out", capsys)
    assert code == Exit.FAILED
    assert "prefix.root_differs" in {one["code"] for one in report["items"][0]["findings"]}


async def test_a_damaged_record_is_no_reason_for_silence(house: House, tmp_path: Path) -> None:
    view = await house.grow(len(DATA))
    await house.lose(view)
    await house.sequencer.step()
    async with house.intake.pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute("DELETE FROM custody_payload WHERE type = 'clip.prefix'")
    with pytest.raises(EvidenceDamaged):
        await house.room.copy_out(view.id, target=tmp_path / "out", actor="service", purpose="litigation")
    assert "upload.copied_out" not in await house.intake.events()
    assert not (tmp_path / "out").exists()
