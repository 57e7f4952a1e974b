"""A log with three real witness processes and a quorum of two: who dies, lies, comes back, and what is published."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.witnesses import open_transport
from ledger import store
from ledger.canonical import Entry
from ledger.cosignature import Cosigner
from ledger.cosigning import Cosigning, CosigningSettings, WitnessReply
from ledger.errors import CheckpointWithheld
from ledger.note import parse_note
from ledger.policy import Policy
from ledger.publish import CHECKPOINT_PATH, LogFolder
from ledger.reader import LogReader
from ledger.sequencer import Sequencer
from ledger.shelf import FolderShelf
from ledger.witness.request import format_request
from tests.support.ledger import EAGER, TestLog, running, until
from tests.support.witness_process import WitnessProcess, run_witness

QUICK = CosigningSettings(request_seconds=10.0, grace_seconds=3.0)
NAMES = ("fazhi", "shangji", "sifa")


@pytest.fixture
def witnesses(log: TestLog, tmp_path: Path) -> Iterator[list[WitnessProcess]]:
    """Three offices that witness this log, running."""
    vkey = log.signer.verifier.vkey
    made = [WitnessProcess(tmp_path / name, name=f"witness.example/{name}", log_vkey=vkey) for name in NAMES]
    for witness in made:
        witness.start()
    yield made
    for witness in made:
        witness.kill()


def policy_of(log: TestLog, witnesses: list[WitnessProcess], *, quorum: int = 2) -> Policy:
    """Return the policy that names them all."""
    lines = [f"log {log.signer.verifier.vkey}"]
    lines += [f"witness {name} {one.vkey} {one.url}" for name, one in zip(NAMES, witnesses, strict=True)]
    lines += [f"group offices {quorum} {' '.join(NAMES)}", "quorum offices"]
    return Policy.parse("".join(f"{line}\n" for line in lines))


@asynccontextmanager
async def cosigning_for(
    log: TestLog, policy: Policy, *, shelf: FolderShelf | None = None, storage: LogFolder | None = None
) -> AsyncIterator[Cosigning]:
    """Give the log's side."""
    async with open_transport() as transport:
        reader = LogReader(storage or log.folder)
        yield Cosigning(policy, transport, reader, clock=log.clock, settings=QUICK, shelf=shelf)


async def published(log: TestLog) -> bytes:
    """Return the published checkpoint."""
    note = await log.folder.get(CHECKPOINT_PATH)
    assert note is not None
    return note


async def step(log: TestLog, sequencer: Sequencer, count: int) -> list[Entry]:
    """Append entries and take them to their publication."""
    entries = await log.append(count)
    await sequencer.step()
    return entries


@pytest.mark.timeout(300)
async def test_one_dead_goes_on_two_dead_is_withheld_and_resumes(log: TestLog, witnesses: list[WitnessProcess]) -> None:
    policy = policy_of(log, witnesses)
    async with cosigning_for(log, policy) as cosigning:
        sequencer = log.sequencer(cosign=cosigning)
        await sequencer.recover()
        await step(log, sequencer, 300)
        accepted = policy.open_checkpoint(await published(log))
        assert (accepted.checkpoint.size, len(accepted.verdict.cosigned)) == (300, 3)
        assert [report.error for report in cosigning.reports] == [None, None, None]

        witnesses[2].kill()
        await step(log, sequencer, 5)
        accepted = policy.open_checkpoint(await published(log))
        assert (accepted.checkpoint.size, accepted.verdict.missing) == (305, ("sifa",))

        witnesses[1].kill()
        with pytest.raises(CheckpointWithheld, match="1 of 3 witnesses cosigned 306"):
            await step(log, sequencer, 1)
        assert "shangji: does not answer" in (sequencer.status.withheld or "")
        assert (await log.checkpoint()).size == 305
        with pytest.raises(CheckpointWithheld):
            await step(log, sequencer, 260)
        assert (sequencer.status.size, sequencer.status.published_size) == (566, 305)

        witnesses[1].start()
        await sequencer.step()
        accepted = policy.open_checkpoint(await published(log))
        assert (accepted.checkpoint.size, sequencer.status.withheld) == (566, None)
        assert await store.published_size(log.conn) == 566

        witnesses[2].start()
        await step(log, sequencer, 1)
        assert len(policy.open_checkpoint(await published(log)).verdict.cosigned) == 3
        await sequencer.close()
    assert await log.audit() == []


@pytest.mark.timeout(300)
async def test_a_running_sequencer_resumes_by_itself(log: TestLog, witnesses: list[WitnessProcess]) -> None:
    async with cosigning_for(log, policy_of(log, witnesses)) as cosigning:
        sequencer = log.sequencer(cosign=cosigning)
        async with running(sequencer):
            await log.append(3)
            await until(lambda: sequencer.status.published_size == 3, seconds=30)
            for witness in witnesses[:2]:
                witness.kill()
            await log.append(3)
            await until(lambda: sequencer.status.withheld, seconds=30)
            assert sequencer.status.published_size == 3
            witnesses[0].start()
            await until(lambda: sequencer.status.published_size == 6, seconds=30)
            assert sequencer.status.withheld is None


@pytest.mark.timeout(300)
async def test_a_log_that_forgot_what_was_cosigned_is_told(log: TestLog, witnesses: list[WitnessProcess]) -> None:
    policy = policy_of(log, witnesses, quorum=3)
    await log.append(10)
    for count in (0, 300):  # each with a client that remembers nothing of the one before
        async with cosigning_for(log, policy) as cosigning:
            sequencer = log.sequencer(cosign=cosigning)
            await sequencer.recover()
            await step(log, sequencer, count)
            witnesses[0].kill()
            with pytest.raises(CheckpointWithheld):
                await step(log, sequencer, 2)
            await sequencer.close()
        witnesses[0].start()
    # Two of them have cosigned more than was published; a new client is told so by them, and not by the third.
    async with cosigning_for(log, policy) as cosigning:
        sequencer = log.sequencer(cosign=cosigning)
        await sequencer.recover()
        await sequencer.close()
    assert policy.open_checkpoint(await published(log)).checkpoint.size == 314


@pytest.mark.timeout(300)
async def test_a_copy_of_the_log_with_another_history_is_refused(
    log: TestLog, witnesses: list[WitnessProcess], tmp_path: Path
) -> None:
    policy = policy_of(log, witnesses)
    async with cosigning_for(log, policy) as cosigning:
        sequencer = log.sequencer(cosign=cosigning)
        await sequencer.recover()
        await step(log, sequencer, 20)
        await sequencer.close()
    # The key holder starts over: same key, same name, another database state and folder.
    await log.conn.execute(
        """SET session_replication_role = replica;
           DELETE FROM ledger_publication; DELETE FROM ledger_checkpoint; DELETE FROM ledger_leaf;
           DELETE FROM ledger_tile_root; UPDATE ledger_head SET size = 0, root = sha256('');
           DELETE FROM ledger_entry; DELETE FROM ledger_pending; RESET session_replication_role"""
    )
    copy = LogFolder(tmp_path / "copy")
    async with cosigning_for(log, policy, storage=copy) as cosigning:
        sequencer = log.sequencer(cosign=cosigning, storage=copy)
        with pytest.raises(CheckpointWithheld, match="the log went back"):
            await sequencer.recover()
        for count in (20, 5):
            await log.append(count)
            with pytest.raises(CheckpointWithheld, match=r"0 of 3 .* another history"):
                await sequencer.step()
        await sequencer.close()
    assert await copy.get(CHECKPOINT_PATH) is None


@pytest.mark.timeout(300)
async def test_a_log_that_went_back_is_told_so(log: TestLog, witnesses: list[WitnessProcess], tmp_path: Path) -> None:
    policy = policy_of(log, witnesses)
    async with cosigning_for(log, policy) as cosigning:
        sequencer = log.sequencer(cosign=cosigning)
        await sequencer.recover()
        await step(log, sequencer, 20)
        row = await store.newest_checkpoint(log.conn)
        assert row is not None
        await step(log, sequencer, 20)
        await sequencer.close()
    async with cosigning_for(log, policy) as cosigning:
        with pytest.raises(CheckpointWithheld, match="more than the log has: the log went back"):
            await cosigning(row.note, old_size=20, new_size=20)


@pytest.mark.timeout(300)
async def test_a_log_that_stands_still_is_cosigned_anew(log: TestLog, witnesses: list[WitnessProcess]) -> None:
    policy = policy_of(log, witnesses)
    async with cosigning_for(log, policy) as cosigning:
        sequencer = log.sequencer(replace(EAGER, recosign_seconds=3600.0), cosign=cosigning)
        await sequencer.recover()
        await step(log, sequencer, 20)
        first = await published(log)
        await sequencer.step()
        assert await published(log) == first
        await asyncio.sleep(1.1)  # cosignatures are dated in whole seconds
        log.clock.advance(timedelta(hours=2))
        await sequencer.step()
        renewed = await published(log)
        assert parse_note(renewed).text == parse_note(first).text
        for was, now in zip(*(policy.open_checkpoint(note).verdict.cosigned for note in (first, renewed)), strict=True):
            assert now.at > was.at
        assert await store.published_note(log.conn, 20) == first

        for witness in witnesses:
            witness.kill()
        log.clock.advance(timedelta(hours=2))
        await sequencer.step()
        assert await published(log) == renewed
        assert all(report.error for report in cosigning.reports)
        await sequencer.close()
    assert await log.audit() == []


@pytest.mark.timeout(300)
async def test_an_office_without_a_network_cosigns_by_file(log: TestLog, tmp_path: Path) -> None:
    office = WitnessProcess(tmp_path / "office", name="witness.example/office", log_vkey=log.signer.verifier.vkey)
    policy = Policy.parse(f"log {log.signer.verifier.vkey}\nwitness office {office.vkey}\nquorum office\n")
    shelf = FolderShelf(tmp_path / "cosigned")
    async with cosigning_for(log, policy, shelf=shelf) as cosigning:
        sequencer = log.sequencer(cosign=cosigning)
        with pytest.raises(CheckpointWithheld):
            await sequencer.recover()
        for size in (10, 300):
            await log.append(size - sequencer.status.size)
            with pytest.raises(CheckpointWithheld, match="no cosignature of it came"):
                await sequencer.step()
            row = await store.newest_checkpoint(log.conn)
            assert row is not None
            old = shelf.newest_size(policy.witnesses[0])
            proof: tuple[bytes, ...] = ()
            if old:
                checkpoint = replace(await log.checkpoint(), size=row.size, root=row.root)
                proof = await LogReader(log.folder).consistency(old_size=old, new=checkpoint)
            request, answer = tmp_path / "request", tmp_path / "cosigned.note"
            request.write_bytes(format_request(old_size=old, proof=proof, note=row.note))
            assert office.told("sign", request, "--out", answer)["size"] == size
            assert shelf.keep(answer.read_bytes(), policy=policy, origin=log.signer.name)[0].size == size
            await sequencer.step()
            assert policy.open_checkpoint(await published(log)).checkpoint.size == size
            assert run_witness("sign", tmp_path / "gone", "--out", answer, "--folder", office.folder).returncode == 3
        stale = run_witness("sign", request, "--out", answer, "--folder", office.folder, "--json")
        assert stale.returncode == 1
        assert '"status": 409' in stale.stderr
        await sequencer.close()


class Impostor:
    """Answers in the place of every witness."""

    def __init__(self, reply: WitnessReply) -> None:
        self.reply = reply

    async def add_checkpoint(self, url: str, body: bytes) -> WitnessReply:
        """Return the same answer to everything."""
        return self.reply


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (WitnessReply(200, "text/plain", b""), "not a signature"),
        (WitnessReply(200, "text/plain", b"\xff\n"), "not a signature"),
        (WitnessReply(200, "text/plain", "— witness.example/fazhi AAAAAAAA\n".encode()), "not its own"),
        (WitnessReply(404, "text/plain", b""), "does not know this log"),
        (WitnessReply(403, "text/plain", b""), "does not know this log"),
        (WitnessReply(422, "text/plain", b""), "another history"),
        (WitnessReply(409, "text/plain", b"nothing"), "another history"),
        (WitnessReply(409, "text/x.tlog.size", b"0"), "another history"),
        (WitnessReply(409, "text/x.tlog.size", b"99\n"), "the log went back"),
        (WitnessReply(302, "text/plain", b""), "status 302"),
        (WitnessReply(503, "text/plain", b""), "status 503"),
    ],
)
async def test_whatever_a_witness_says_only_its_true_cosignature_counts(
    log: TestLog, reply: WitnessReply, complaint: str
) -> None:
    vkey = Cosigner.generate("witness.example/fazhi").verifier.vkey
    policy = Policy.parse(f"witness fazhi {vkey} http://127.0.0.1:1\nquorum fazhi\n")
    cosigning = Cosigning(policy, Impostor(reply), LogReader(log.folder), clock=log.clock)
    await log.sequence()
    row = await store.newest_checkpoint(log.conn)
    assert row is not None
    with pytest.raises(CheckpointWithheld, match=complaint):
        await cosigning(row.note, old_size=0, new_size=0)
