"""The victims' checks: each looks at everything that the victim has and returns the codes of all that is not in order.

None is told what was done or where. An honest house gives no code with any of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from evidence.audit.copies import audit_copies
from evidence.audit.restored import audit_restored
from evidence.core.wire.receipt import check_receipt, parse_receipt
from evidence.db.pool import connect
from evidence.verify import cli
from evidence.verify.report import Exit
from ledger.audit import audit_ledger
from ledger.checkpoint import Checkpoint
from ledger.errors import CodedError, ProofImpossible
from ledger.findings import Severity
from ledger.reader import LogReader
from ledger.witness.judge import Answer, Seen, judge_author, judge_history
from ledger.witness.request import format_request, parse_request
from tests.drill.house import DrillHouse
from tests.drill.kinds import Victim
from tests.support.auditing import differences

Check = Callable[[DrillHouse], Awaitable[list[str]]]
"""Looks at what a victim has; returns sorted codes, none for nothing wrong."""


async def audit_the_house(house: DrillHouse) -> list[str]:
    """The agency's own audit, with the log's key and nothing else."""
    return await differences(house)


async def audit_the_copies(house: DrillHouse) -> list[str]:
    """The parts of the agency's audit that look at the second store, and at what repairs kept."""
    conn = await connect(house.dsn)
    try:
        restored = audit_restored(conn, local=house.objects, second=house.second)
        found = [one async for one in audit_copies(conn, second=house.second)] + [one async for one in restored]
        return sorted({finding.code for finding in found if finding.severity is not Severity.OK})
    finally:
        await conn.close()


async def audit_the_log(house: DrillHouse) -> list[str]:
    """The audit of the log alone, with its key and nothing else."""
    return await _audited(house, since=None)


async def audit_since(house: DrillHouse) -> list[str]:
    """The audit of the log by somebody who wrote a checkpoint down when it was younger."""
    return await _audited(house, since=house.since)


async def ask_the_witness(house: DrillHouse) -> list[str]:
    """What another office's witness says to the published checkpoint; it has only its memory, and no access."""
    reader = LogReader(house.storage)
    try:
        note = await reader.checkpoint()
        try:
            proof = await reader.consistency(old_size=house.since.size)
        except ProofImpossible:
            proof = ()
        request = parse_request(format_request(old_size=house.since.size, proof=proof, note=note))
    except CodedError as error:
        return [error.code]
    seen = Seen(house.since.size, house.since.root)
    refused: Answer | None = judge_author(request, [house.signer.verifier]) or judge_history(request, seen)
    return [f"witness.{refused.status}"] if refused else []


async def read_the_checkpoint(house: DrillHouse) -> list[str]:
    """What whoever follows the log does first: the published checkpoint is signed and witnessed as a policy asks."""
    try:
        house.witnessed_policy.open_checkpoint(await LogReader(house.storage).checkpoint())
    except CodedError as error:
        return [error.code]
    return []


async def check_the_receipts(house: DrillHouse) -> list[str]:
    """What a dock does before it clears a recorder: each receipt is for that clip, and proved by the log's key."""
    return await asyncio.to_thread(_check_receipts, house)


async def verify_as_a_court(house: DrillHouse) -> list[str]:
    """`shilu-verify` over all evidence, with a policy that did not come with it."""
    return await asyncio.to_thread(_verify, house.evidence_folder, ["--log-key", str(house.policy_file)])


async def verify_parts(house: DrillHouse) -> list[str]:
    """`shilu-verify` over an excerpt and a beginning, with a policy that did not come with them."""
    codes = await asyncio.to_thread(_verify, house.parts_folder, ["--log-key", str(house.policy_file)])
    # Of honest parts it is said as well that they are parts, and that nobody vouches for what is beyond.
    return sorted(set(codes) - _OF_PARTS)


async def verify_as_a_stranger(house: DrillHouse) -> list[str]:
    """`shilu-verify` over all evidence by somebody who has nothing but the evidence."""
    return await asyncio.to_thread(_verify, house.evidence_folder, [])


_OF_PARTS = {"excerpt.left_out", "excerpt.cut", "excerpt.no_sha256"} | {
    f"prefix.{what}" for what in ("no_sha256", "no_manifest", "rest_unproven")
}

CHECKS: Mapping[Victim, Check] = {
    Victim.HOUSE: audit_the_house,
    Victim.COPIES: audit_the_copies,
    Victim.LOG: audit_the_log,
    Victim.KEEPER: audit_since,
    Victim.WITNESS: ask_the_witness,
    Victim.READER: read_the_checkpoint,
    Victim.DOCK: check_the_receipts,
    Victim.COURT: verify_as_a_court,
    Victim.PARTS: verify_parts,
    Victim.STRANGER: verify_as_a_stranger,
}


async def _audited(house: DrillHouse, *, since: Checkpoint | None) -> list[str]:
    conn = await connect(house.dsn)
    try:
        audit = audit_ledger(conn, house.storage, log=house.signer.verifier, since=since)
        return sorted({finding.code async for finding in audit if finding.severity is not Severity.OK})
    finally:
        await conn.close()


def _check_receipts(house: DrillHouse) -> list[str]:
    codes = set()
    for path in house.receipts_folder.iterdir():
        try:
            checked = check_receipt(parse_receipt(path.read_bytes()), log=house.signer.verifier)
            if checked.payload.get("clip") != path.stem:
                codes.add("receipt.of_another_clip")
        except CodedError as error:
            codes.add(error.code)
    return sorted(codes)


def _verify(folder: Path, options: list[str]) -> list[str]:
    output, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(told):
        code = cli.main([str(folder), "--json", "--quiet", *options])
    if code == Exit.USAGE:
        return ["exit.2"]
    report = json.loads(output.getvalue())
    found = [*report["remarks"], *(finding for item in report["items"] for finding in item["findings"])]
    codes = {finding["code"] for finding in found if finding["severity"] != Severity.OK.value}
    if len(report["items"]) != len(list(folder.iterdir())):
        codes.add("item.missing")
    # That nobody vouches for the key is said of honest evidence as well.
    return sorted(codes - {"step.skipped", "time.none", "trust.key_from_package"})
