"""EIO and ENOSPC at every file system call of a term: what was told stays true, and the next term ends the work.

The call is not made, or made and its answer lost. In between, the next term is one of objects made anew; every other
time more entries have come meanwhile. SIGKILL at the same calls is in `test_leadership`, at those of S3 in
`integration/ledger/test_publish_s3`.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from ledger import store
from ledger.errors import CodedError
from ledger.publish import LogFolder
from tests.support.file_faults import FileFault, failing_files
from tests.support.ledger import EAGER, TestLog
from tests.support.office import Office

BATCHES = replace(EAGER, batch_entries_max=300)


async def term(log: TestLog, office: Office, fault: FileFault) -> bool:
    """Run a term that publishes all that waits; tell whether the fault ended it."""
    async with office.cosigning() as cosigning:
        sequencer = log.sequencer(BATCHES, storage=LogFolder(log.folder.root), cosign=cosigning)
        await log.vacant()
        try:
            with failing_files(fault):
                await sequencer.recover()
                while await sequencer.step():
                    pass
        except (CodedError, *store.DATABASE_ERRORS):
            assert fault.struck, "nothing fails by itself"
            return True
        finally:
            await sequencer.close()
    return False


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("error", "is_done", "stride"),
    [
        pytest.param(errno.ENOSPC, False, 7, id="ENOSPC, some calls"),
        pytest.param(errno.EIO, True, 7, id="EIO after the call, some calls"),
        pytest.param(errno.ENOSPC, False, 1, id="ENOSPC", marks=pytest.mark.slow),
        pytest.param(errno.EIO, False, 1, id="EIO", marks=pytest.mark.slow),
        pytest.param(errno.EIO, True, 1, id="EIO after the call", marks=pytest.mark.slow),
    ],
)
async def test_a_fault_at_any_file_operation_changes_nothing(
    log: TestLog, tmp_path: Path, error: int, is_done: bool, stride: int
) -> None:
    office = Office(tmp_path, log)
    appended, at, called = len(await log.append(230)), 0, set()
    told, ended = 0, 0
    while True:
        appended += len(await log.append(29))
        fault = FileFault(at, error, is_done)
        ended += await term(log, office, fault)
        called |= set(fault.calls)
        # Whoever was told that an entry is provable finds it, after each fault.
        told = max(told, await store.published_size(log.conn))
        if told:
            assert (await log.checkpoint()).size >= told, fault.calls[-1]
        if at % 2:
            appended += len(await log.append(3))
        async with office.cosigning() as cosigning:
            await log.sequence(BATCHES, cosign=cosigning)
        checkpoint = await log.checkpoint()
        assert (checkpoint.size, checkpoint.root) == (appended, (await log.model()).root()), fault.calls[-1]
        assert not list(log.folder.root.glob(".tmp-*")), f"left by {fault.calls[-1]}"
        if not fault.struck:
            break
        at += stride
    assert at > 40, "a term has many file operations"
    assert ended * stride > at / 2, "most faults end a term"
    assert called >= {"open", "write", "fsync", "close", "link", "unlink", "rename", "flock", "mkdir", "stat"}, called
    office.assert_one_history()
    assert await log.audit() == []
