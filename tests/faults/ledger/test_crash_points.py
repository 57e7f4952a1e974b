"""A fault at every call of the sequencer: the next term publishes what the broken one would have, and nothing else.

Calls go to the database, to the published folder and to a witness. Each test drives one log: a term is broken off at
its first call, the following one recovers, the next is broken off at the second call, and so on until a term gets
through. Every term begins with objects made anew, the witness's included. At the end nothing was lost, doubled or
contradicted. The table of all faults stands in ledger/DESIGN.md.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from ledger import store
from ledger.checkpoint import Checkpoint
from ledger.cosigning import Cosigning
from ledger.errors import CodedError
from tests.support.ledger import EAGER, TestLog
from tests.support.ledger_faults import Faults, FaultyFolder, Form, faulty_connection
from tests.support.office import Office

BATCHES = replace(EAGER, batch_entries_max=100)


@pytest.fixture
def office(log: TestLog, tmp_path: Path) -> Office:
    """A witness whose cosignature is needed."""
    return Office(tmp_path, log)


async def interrupted_term(log: TestLog, faults: Faults, cosign: Cosigning | None = None) -> None:
    """Run a term that publishes all that waits, unless the fault strikes."""

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(log.dsn, connection_class=faulty_connection(faults))

    sequencer = log.sequencer(BATCHES, connect=connect, storage=FaultyFolder(log.folder, faults), cosign=cosign)
    await log.vacant()
    try:
        await sequencer.recover()
        while await sequencer.step():
            pass
    except (CodedError, *store.DATABASE_ERRORS):
        assert faults.struck, "nothing fails by itself"
    finally:
        await sequencer.close()


async def shown(log: TestLog) -> Checkpoint | None:
    """Return what the world sees."""
    return await log.checkpoint() if await log.folder.get("checkpoint") else None


@pytest.mark.parametrize(
    ("form", "grows_meanwhile"),
    [
        pytest.param(Form.NOT_DONE, False, id="not done, same again"),
        pytest.param(Form.UNREPORTED, True, id="unreported, more meanwhile"),
        pytest.param(Form.NOT_DONE, True, id="not done, more meanwhile", marks=pytest.mark.slow),
        pytest.param(Form.UNREPORTED, False, id="unreported, same again", marks=pytest.mark.slow),
        pytest.param(Form.HALF, False, id="half done, same again", marks=pytest.mark.slow),
        pytest.param(Form.HALF, True, id="half done, more meanwhile", marks=pytest.mark.slow),
    ],
)
async def test_a_crash_at_any_call_changes_nothing(
    log: TestLog, office: Office, form: Form, *, grows_meanwhile: bool
) -> None:
    seen: list[Checkpoint] = []
    called: set[str] = set()
    at, appended = 0, 0
    while True:
        appended += len(await log.append(130))
        faults = Faults(at=at, form=form)
        async with office.cosigning(faults) as cosigning:
            await interrupted_term(log, faults, cosigning)
        called |= set(faults.calls)
        seen += [checkpoint] if (checkpoint := await shown(log)) else []
        if grows_meanwhile:
            appended += len(await log.append(7))
        async with office.cosigning() as cosigning:
            await log.sequence(BATCHES, cosign=cosigning)
        seen.append(await log.checkpoint())
        assert seen[-1].size == appended, f"after {faults.calls[-1]}"
        if not faults.struck:
            break
        at += 1
    assert at > 30, "the term has many calls"
    assert called >= {"put_immutable", "put_checkpoint", "get", "remove_unfinished", "add_checkpoint", "COMMIT;"}
    office.assert_one_history()
    model = await log.model()
    assert len(set(model.ids)) == model.size == appended
    assert [checkpoint.size for checkpoint in seen] == sorted(checkpoint.size for checkpoint in seen)
    for checkpoint in seen:
        assert checkpoint.root == model.root(checkpoint.size)
    assert await log.audit(since=seen[0]) == []


async def test_two_crashes_in_a_row_while_recovering(log: TestLog) -> None:
    await log.append(130)
    calls = 0
    for first in (12, 18, 22, 26, 30):
        await log.append(130)
        await interrupted_term(log, Faults(at=first, form=Form.UNREPORTED))
        for second in range(0, 16, 3):
            faults = Faults(at=second, form=Form.NOT_DONE)
            await interrupted_term(log, faults)
            calls += len(faults.calls)
        await log.sequence(BATCHES)
    assert calls
    assert (await log.checkpoint()).size == 6 * 130
    assert await log.audit() == []


async def test_the_order_of_effects(log: TestLog) -> None:
    await log.append(300)
    undisturbed = Faults()
    await interrupted_term(log, undisturbed)
    assert (await log.checkpoint()).root == (await log.model()).root()
    calls = undisturbed.calls[undisturbed.calls.index("UPDATE ledger_head SET size") :]
    telling = [name for name in calls if name.startswith(("COPY", "DELETE", "put", "INSERT", "WITH", "COMMIT"))]
    assert telling[:8] == [
        "COPY ledger_leaf",
        "DELETE FROM ledger_pending p",
        "COMMIT;",  # the head has moved
        "put_immutable",  # the files are durable before anything is signed
        "INSERT INTO ledger_checkpoint (size,",  # the signature is on record before it is shown
        "COMMIT;",  # in one transaction with the look at the log's keys
        "put_checkpoint",
        "WITH done AS (",  # and callers are told last
    ]
