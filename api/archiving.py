"""Archiving a case over HTTP in steps that end: whoever asks again goes on where the request before had come to.

    a file is read and verified -> what came of it is remembered -> the next one, until the step's time is over
    everything was read -> the case is looked at under its locks and archived, in one transaction

    killed while a file is read        that file is read again by whoever asks next; nothing else is
    killed before the archive commits  everything is remembered: asked again, it is archived at once
    killed after it                    the case is archived, and says so when it is asked again

A step ends behind the file in which its time is over, so it takes at most that long and the reading of one file. Why
so, and no job: ADR 39.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from api.services import Services
from api.tasks import verify_clips
from evidence.cases.archive import Archived, archive_case, files_to_verify
from evidence.cases.cases import require_open
from evidence.cases.check_store import checks_of, forget_checks, keep_check
from ledger.findings import Severity

STEP_SECONDS = 20.0
"""For how long one request reads; proxies give up on an answer after thirty and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveStep:
    """How far an archive is: files of the case, those verified, and what was archived once it is."""

    files: int
    verified: int
    archived: Archived | None


async def archive_step(
    services: Services,
    case: UUID,
    *,
    actor: str,
    seconds: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> ArchiveStep:
    """Verify files of a case for a while, and archive it when all of them are.

    Args:
        seconds: For how long to begin with another file; one is read in any case.

    Raises:
        CaseUnknown, CaseIsArchived, ArchiveRefused: See `evidence.cases.archive.archive_case`.
    """
    ends = monotonic() + seconds
    async with services.pool.acquire() as conn:
        files = await files_to_verify(conn, case)
        await require_open(conn, case)
        known = await checks_of(conn, case, now=services.clock())
    known = {clip: codes for clip, codes in known.items() if clip in files}
    async with aclosing(verify_clips(services, [one for one in files if one not in known], advance=_silent)) as found:
        async for one in found:
            codes = [finding.code for finding in one.findings if finding.severity is Severity.ERROR]
            known[one.clip] = codes
            async with services.pool.acquire() as conn:
                await keep_check(conn, case, clip=one.clip, codes=codes, now=services.clock())
            if monotonic() >= ends:
                break
    if len(known) < len(files):
        return ArchiveStep(files=len(files), verified=len(known), archived=None)
    async with services.pool.acquire() as conn, conn.transaction():
        done = await archive_case(
            conn, case_id=case, verified=known, actor=actor, clock=services.clock, entropy=services.entropy
        )
        await forget_checks(conn, case)
    return ArchiveStep(files=len(files), verified=len(files), archived=done)


def _silent(_name: str, _done: int, _total: int) -> None:
    """Nobody watches."""
