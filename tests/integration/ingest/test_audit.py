"""The audit of uploads: an honest intake has no finding, and every way of breaking it has its own."""

from __future__ import annotations

from uuid import UUID

import pytest

from ingest.audit import (
    FINDINGS,
    PREFIX_ABANDONED,
    PREFIX_CONTRADICTED,
    PREFIX_UNJUDGED,
    REFUSAL_MISSING,
    SOURCE_DIFFERS,
    SOURCE_MISSING,
    STATE_DIFFERS,
    audit_uploads,
)
from ledger.errors import CodedError
from tests.support.intake import Intake
from tests.support.parties import PaperDock

OTHER = UUID("0195a000-0000-7000-8000-0000000000ff")

BREAKS = {
    "source deleted": ("DELETE FROM clip_source WHERE upload = $1", "sealed", {SOURCE_MISSING}),
    "row names another clip": (f"UPDATE upload SET clip = '{OTHER}' WHERE id = $1", "sealed", {SOURCE_DIFFERS}),
    "row names no entry on record": (f"UPDATE upload SET entry = '{OTHER}' WHERE id = $1", "sealed", {SOURCE_MISSING}),
    "row names another's entry": (
        """UPDATE upload SET (clip, entry, repeated) =
           (SELECT clip, entry_id, repeated FROM clip_source WHERE path = 'DCIM/B.mp4') WHERE id = $1""",
        "sealed",
        {SOURCE_DIFFERS},
    ),
    "row says repeated": ("UPDATE upload SET repeated = NOT repeated WHERE id = $1", "sealed", {SOURCE_DIFFERS}),
    "sealed set back": ("UPDATE upload SET state = 'complete' WHERE id = $1", "sealed", {STATE_DIFFERS}),
    "refusal deleted": ("DELETE FROM custody_payload WHERE subject = 'upload:' || $1", "held", {REFUSAL_MISSING}),
    "refusal set back": ("UPDATE upload SET state = 'terminated' WHERE id = $1", "held", {STATE_DIFFERS}),
}


async def _furnish(intake: Intake, dock: PaperDock) -> dict[str, UUID]:
    """Bring four files: sealed, sealed from elsewhere, the same again from the same place, and one refused."""
    sealed, _ = await intake.dock_sealed(dock, b"first", path="DCIM/A.mp4")
    await intake.dock_sealed(dock, b"second", path="DCIM/B.mp4")
    await intake.dock_sealed(dock, b"first", path="DCIM/C.mp4")
    await intake.dock_sealed(dock, b"first", path="DCIM/A.mp4")
    held = await intake.dock_upload(dock, b"third", path="DCIM/D.mp4")
    await intake.send(held, b"third")
    with pytest.raises(CodedError):
        await intake.seal(dock, held, intake.manifest(dock, held, b"another"))
    await intake.dock_upload(dock, b"unfinished", path="DCIM/E.mp4")
    return {"sealed": sealed.id, "held": held.id}


async def _found(intake: Intake) -> list[tuple[str, str]]:
    async with intake.pool.acquire() as conn:
        return [(finding.code, finding.subject) async for finding in audit_uploads(conn)]


async def test_an_honest_intake_has_no_finding(intake: Intake, dock: PaperDock) -> None:
    await _furnish(intake, dock)
    assert await _found(intake) == []


@pytest.mark.parametrize("what", BREAKS)
async def test_every_break_is_named(what: str, intake: Intake, dock: PaperDock) -> None:
    uploads = await _furnish(intake, dock)
    statement, victim, expected = BREAKS[what]
    async with intake.pool.acquire() as conn, conn.transaction():
        # What a superuser can do: the triggers that forbid changes are switched off.
        await conn.execute("SET LOCAL session_replication_role = replica")
        argument = str(uploads[victim]) if "custody_payload" in statement else uploads[victim]
        await conn.execute(statement, argument)
    found = await _found(intake)
    assert {code for code, _ in found} == expected
    assert f"upload:{uploads[victim]}" in {subject for _, subject in found}


def test_every_code_has_a_break() -> None:
    here = {code for _, _, codes in BREAKS.values() for code in codes}
    # Beginnings of files have their breaks in test_prefixes.
    assert here | {PREFIX_ABANDONED, PREFIX_CONTRADICTED, PREFIX_UNJUDGED} == FINDINGS.keys()
