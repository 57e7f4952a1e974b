"""Running audits in tests, and reading what they found."""

from __future__ import annotations

from collections.abc import Sequence

from evidence.audit.house import Check, Progress, audit_house
from evidence.audit.timestamps import StampRules
from evidence.db.pool import connect
from ledger.audit_times import TimeRules
from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.findings import Finding, Severity
from tests.support.small_house import SmallHouse


async def audited(
    house: SmallHouse,
    *,
    since: Checkpoint | None = None,
    read_objects: bool = True,
    checks: Sequence[Check] = (),
    times: TimeRules | None = None,
    stamps: StampRules | None = None,
    progress: Progress = lambda _part, _done, _all: None,
) -> list[Finding]:
    """Audit a small house and return everything found."""
    conn = await connect(house.dsn)
    try:
        return [
            finding
            async for finding in audit_house(
                conn,
                storage=house.storage,
                objects=house.objects,
                log=house.signer.verifier,
                since=since,
                read_objects=read_objects,
                checks=checks,
                times=times,
                stamps=stamps,
                progress=progress,
            )
        ]
    finally:
        await conn.close()


async def differences(house: SmallHouse, *, since: Checkpoint | None = None) -> list[str]:
    """Audit a small house and return the sorted codes of everything that is not in order, each once."""
    found = await audited(house, since=since)
    return sorted({finding.code for finding in found if finding.severity is not Severity.OK})


async def present_checkpoint(house: SmallHouse) -> Checkpoint:
    """Return the published checkpoint, as somebody would keep it to compare with later."""
    return open_checkpoint(await house.reader.checkpoint(), house.signer.verifier)
