"""Makers of excerpts, redacted and marked copies die at every arrow of their docstrings: nothing twice, no half.

The fast tests raise out of the step; the slow ones have a process killed there by SIGKILL, and nothing is tidied up.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from _pytest.mark import ParameterSet

from evidence.clips.redaction import read_redaction
from evidence.core.clock import utc_now
from evidence.core.durable import TEMPORARY_PREFIX
from evidence.db.pool import Pool
from evidence.export.clip import Exporter
from evidence.export.watch_store import find_watch_link
from evidence.export.watching import share_clip
from evidence.verify.cli import main as verify
from evidence.verify.report import Exit
from ingest.excerpts import Wish, make_excerpt
from ingest.redactions import Redactor, find_redaction, order_redaction
from ingest.settings import WorkerSettings
from tests.faults.ingest.maker import marker
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.crash import Crash, When, crash_at
from tests.support.media import Film, Sound, write
from tests.support.small_house import SmallHouse, open_small_house

ROOT = Path(__file__).resolve().parents[3]
MUTE = {"reason": "公开前处理", "mute": [{"from_ms": 100, "to_ms": 900, "why": "身份证号"}]}

REDACTING = (
    ("ingest.redaction_store", "take"),
    ("ingest.redactions", "make_piece"),
    ("objects", "adopt"),
    ("ingest.redactions", "record"),
    ("ingest.redaction_store", "finish"),
)
"""Every step of a redacted copy with an effect, in order: who does it, its name."""

EXCERPTING = (
    ("ingest.excerpts", "make_piece"),
    ("evidence.export.excerpt", "record"),
    ("evidence.export.excerpt", "_write"),
    ("evidence.export.folder", "write_file"),
    ("evidence.export.folder", "sync_folder"),
)
"""The same of an excerpt; the folder is renamed between two calls of the last."""

MARKING = (
    ("ingest.marked_copies", "take_next_mark"),
    ("ingest.marked_copies", "make_piece"),
    ("ingest.marked_copies", "_put"),
    ("ingest.marked_copies", "record"),
)
"""The same of a marked copy; the record commits with the end of the job."""

SIDES = (When.AFTER, pytest.param(When.BEFORE, marks=pytest.mark.slow))
"""Before a step is after the one before it, but for the work between them."""


def quick(steps: Sequence[tuple[str, str]], *names: str) -> list[ParameterSet]:
    """Return steps as parameters, those that are not named for the slow tier."""
    marks = {name: () if name in names else (pytest.mark.slow,) for _, name in steps}
    return [pytest.param(victim, name, marks=marks[name], id=name) for victim, name in steps]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of film with a tone."""
    film = Film(size=(160, 120), times_ms=range(0, 1000, 40))
    return write(tmp_path_factory.mktemp("film") / "a.mp4", film=film, sound=Sound(pieces_ms=((0, 1000),)))


@pytest.fixture
async def house(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[SmallHouse]:
    async with open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as opened:
        (tmp_path / "out").mkdir()
        yield opened


class Maker:
    """What a fresh process has: nothing but the folders and the database."""

    def __init__(self, house: SmallHouse) -> None:
        self.house = house
        entropy = SeededEntropy(99)
        self.redactor = Redactor(
            pool=house.pool,
            objects=house.objects,
            workspace=house.root / "work",
            clock=utc_now,
            entropy=entropy,
            settings=WorkerSettings(),
        )
        self.exporter = Exporter(house.pool, house.reader, house.objects, house.policy, utc_now, entropy)

    async def excerpt(self, clip: UUID) -> None:
        """Make an excerpt."""
        wish = Wish(clip=clip, from_ms=200, to_ms=900, purpose="litigation", actor="service")
        target = self.house.root / "out" / "excerpt"
        await make_excerpt(self.exporter, wish, target=target, workspace=self.house.root / "work")

    async def recorded(self, event_type: str) -> int:
        """Return how many entries of a type there are."""
        query = "SELECT count(*) FROM custody_payload WHERE type = $1"
        count: int = await self.house.pool.fetchval(query, event_type)
        return count


async def ordered(house: SmallHouse, film: Path) -> tuple[UUID, UUID]:
    """Seal the film and ask for a redacted copy; return the clip and the job."""
    clip = await house.seal("a.mp4", film.read_bytes())
    async with house.pool.acquire() as conn, conn.transaction():
        content = read_redaction(MUTE)
        job = await order_redaction(
            conn, clip=clip, content=content, actor="service", clock=house.clock, entropy=house.entropy
        )
    return clip, job.redaction


async def taken_over(house: SmallHouse, clip: UUID, job: UUID) -> None:
    """Let another worker go on once the hold has run out, and see that there is one copy, whole and on record."""
    maker = Maker(house)
    objects = set((house.root / "objects").rglob("*"))
    late = "UPDATE redaction_job SET lease_until = now() - interval '1 second' WHERE lease IS NOT NULL"
    await house.pool.execute(late)
    assert await maker.redactor.attempt(job) is None
    done = await find_redaction(house.pool, clip=clip, redaction=job)
    assert done.made is not None
    assert await maker.recorded("clip.redacted") == 1
    assert list((house.root / "work").iterdir()) == []
    # The same original, the same changes: another process that made it again made the same bytes, or new ones.
    made = house.objects.open_path(done.made.sha256.hex())
    assert made.stat().st_size == done.made.size
    assert {path for path in (house.root / "objects").rglob("*") if path.is_file()} - objects <= {made}


async def told_again(house: SmallHouse, clip: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    """See that no half excerpt is to be found, that none is without its trace, and that it can be asked for again."""
    maker, target = Maker(house), house.root / "out" / "excerpt"
    left = [path.name for path in target.parent.iterdir()]
    assert all(name == target.name or name.startswith(TEMPORARY_PREFIX) for name in left)
    if target.exists():
        assert await maker.recorded("clip.excerpted") == 1
    else:
        before = await maker.recorded("clip.excerpted")
        assert before <= 1
        await maker.excerpt(clip)
        assert await maker.recorded("clip.excerpted") == before + 1
    arguments = ["--json", "--quiet", "--log-key", house.signer.verifier.vkey, str(target)]
    assert verify(arguments) == Exit.VERIFIED, capsys.readouterr().out


@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize(("victim", "step"), quick(REDACTING, "make_piece", "record"))
async def test_a_redacted_copy_is_made_once_whatever_step_its_worker_fails_at(
    house: SmallHouse, film: Path, monkeypatch: pytest.MonkeyPatch, victim: str, step: str, when: When
) -> None:
    clip, job = await ordered(house, film)
    with monkeypatch.context() as patch:
        owner = house.objects if victim == "objects" else importlib.import_module(victim)
        assert_reached = crash_at(patch, owner, step, when)
        with pytest.raises(Crash):
            await Maker(house).redactor.attempt(job)
        assert_reached()
    assert await Maker(house).recorded("clip.redacted") == 0
    await taken_over(house, clip, job)


@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize(("victim", "step"), quick(EXCERPTING, "record", "sync_folder"))
async def test_an_excerpt_is_on_record_before_it_is_there_whatever_step_fails(
    house: SmallHouse,
    film: Path,
    monkeypatch: pytest.MonkeyPatch,
    victim: str,
    step: str,
    when: When,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = await house.seal("a.mp4", film.read_bytes())
    await house.publish()
    with monkeypatch.context() as patch:
        assert_reached = crash_at(patch, importlib.import_module(victim), step, when)
        with pytest.raises(Crash):
            await Maker(house).excerpt(clip)
        assert_reached()
    assert list((house.root / "work").iterdir()) == []
    await told_again(house, clip, capsys)


async def killed(house: SmallHouse, *, kind: str, subject: UUID, victim: str, step: str, when: When) -> None:
    """Have a process do it and kill itself on the way."""
    told = {
        "dsn": house.dsn,
        "root": str(house.root),
        "vkey": house.signer.verifier.vkey,
        "kind": kind,
        "subject": str(subject),
        "victim": victim,
        "step": step,
        "when": when.value,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.ingest.maker", json.dumps(told), cwd=ROOT
    )
    assert await process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize(("victim", "step"), REDACTING, ids=[step for _, step in REDACTING])
async def test_a_redacted_copy_is_made_once_wherever_its_worker_is_killed(
    house: SmallHouse, film: Path, victim: str, step: str, when: When
) -> None:
    clip, job = await ordered(house, film)
    await killed(house, kind="redaction", subject=job, victim=victim, step=step, when=when)
    assert await Maker(house).recorded("clip.redacted") == 0
    await taken_over(house, clip, job)


@pytest.mark.slow
@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize(("victim", "step"), EXCERPTING, ids=[step for _, step in EXCERPTING])
async def test_an_excerpt_is_on_record_before_it_is_there_wherever_its_maker_is_killed(
    house: SmallHouse, film: Path, victim: str, step: str, when: When, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = await house.seal("a.mp4", film.read_bytes())
    await house.publish()
    await killed(house, kind="excerpt", subject=clip, victim=victim, step=step, when=when)
    await told_again(house, clip, capsys)


async def shared(house: SmallHouse, film: Path) -> UUID:
    """Seal the film, and make a link to watch it by."""
    clip = await house.seal("a.mp4", film.read_bytes())
    async with house.pool.acquire() as conn, conn.transaction():
        made = await share_clip(
            conn,
            clip=clip,
            rendition="proxy",
            parent=hashlib.sha256(film.read_bytes()).digest(),
            media_type="video/mp4",
            from_ms=None,
            to_ms=None,
            recipient="李律师",
            purpose="litigation",
            expires_at=house.clock() + timedelta(days=300),
            uses_max=1,
            actor="service",
            clock=house.clock,
            entropy=house.entropy,
        )
    return made.link


async def marked_once(house: SmallHouse, link: UUID) -> None:
    """Let another one go on: one copy, whole, on record once, and nothing else lies there."""
    maker = marker(house.pool, house.objects, house.root)
    await house.pool.execute(
        "UPDATE clip_link_job SET lease_until = now() - interval '1 second' WHERE lease IS NOT NULL"
    )
    await house.pool.execute("UPDATE clip_link_job SET due_at = now() WHERE state = 'waiting'")
    assert await maker.attempt()
    await replace(maker, clock=house.clock).tidy()
    row = await find_watch_link(house.pool, link)
    assert row is not None
    assert (row.state, await Maker(house).recorded("clip.marked")) == ("done", 1)
    assert row.copy_sha256 is not None
    (path,) = maker.folder.iterdir()
    assert path == maker.copy_of(link, row.copy_sha256)
    assert hashlib.sha256(path.read_bytes()).digest() == row.copy_sha256


@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize(("victim", "step"), quick(MARKING, "record"))
async def test_a_marked_copy_is_made_once_whatever_step_its_worker_fails_at(
    house: SmallHouse, film: Path, monkeypatch: pytest.MonkeyPatch, victim: str, step: str, when: When
) -> None:
    link = await shared(house, film)
    with monkeypatch.context() as patch:
        assert_reached = crash_at(patch, importlib.import_module(victim), step, when)
        with pytest.raises(Crash):
            await marker(house.pool, house.objects, house.root).attempt()
        assert_reached()
    await marked_once(house, link)


@pytest.mark.parametrize("when", [When.AFTER, pytest.param(When.BEFORE, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("victim", "step"), quick(MARKING, "make_piece"))
async def test_a_marked_copy_is_made_once_wherever_its_worker_is_killed(
    house: SmallHouse, film: Path, victim: str, step: str, when: When
) -> None:
    link = await shared(house, film)
    await killed(house, kind="marking", subject=link, victim=victim, step=step, when=when)
    maker = marker(house.pool, house.objects, house.root)
    assert not list(maker.folder.glob("*.mp4")) or step in {"_put", "record"}
    assert await Maker(house).recorded("clip.marked") == 0
    await marked_once(house, link)
