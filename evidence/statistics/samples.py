"""Samples of cases on record: committed, drawn, scored; see `evidence.statistics.sampling` for how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import Recorded, record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.statistics.errors import (
    CheckpointUnknown,
    SampleInvalid,
    SampleNotReady,
    SampleSeedWrong,
    SampleUnknown,
)
from evidence.statistics.sample_store import Sample, cases_at, checkpoint_at, find_sample, first_checkpoint_with
from evidence.statistics.sampling import DRAW_MAX, RULE, commitment_of, drawn, population_digest
from ledger.canonical import JsonValue


async def commit_sample(
    conn: Connection,
    *,
    commitment: bytes,
    draw: int,
    purpose: str,
    size: int | None = None,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> tuple[UUID, Recorded]:
    """Bind somebody to a seed, and freeze the population, in the caller's transaction.

    Args:
        commitment: SHA-256 of the seed, 32 bytes.
        draw: How many cases.
        size: The checkpoint that the population is of; None for the newest published one.

    Raises:
        NameInvalid: The purpose is empty, too long, or has control characters.
        CheckpointUnknown: Nothing was published at this size.
        SampleInvalid: There are fewer cases than are to be drawn.
    """
    check_name(purpose, characters_max=REASON_CHARACTERS_MAX)
    checkpoint = await checkpoint_at(conn, size)
    if checkpoint is None:
        raise CheckpointUnknown("the log has published no checkpoint of this size")
    cases = await cases_at(conn, checkpoint.size)
    if not 1 <= draw <= min(len(cases), DRAW_MAX):
        raise SampleInvalid(f"{draw} cannot be drawn of {len(cases)} cases, nor more than {DRAW_MAX}")
    sample = uuid7(clock=clock, entropy=entropy)
    recorded = await record(
        conn,
        type="sample.committed",
        actor=actor,
        subject=f"sample:{sample}",
        payload={
            "sample": str(sample),
            "commitment": commitment.hex(),
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "population": len(cases),
            "population_sha256": population_digest(cases).hex(),
            "draw": draw,
            "rule": RULE,
            "purpose": purpose,
        },
        clock=clock,
        entropy=entropy,
    )
    return sample, recorded


async def draw_sample(
    conn: Connection, *, sample: UUID, seed: bytes, actor: str, clock: Clock, entropy: Entropy
) -> list[UUID]:
    """Reveal the seed and draw, in the caller's transaction; with the same seed again, the same sample.

    Raises:
        SampleUnknown: There is none.
        SampleSeedWrong: It is not the seed that was committed to.
        SampleNotReady: The commitment is not published yet.
    """
    await lock_subject(conn, f"sample:{sample}")
    known = await get_sample(conn, sample)
    if commitment_of(seed) != known.commitment:
        raise SampleSeedWrong("SHA-256 of this seed is not what was committed to")
    if known.cases is not None:
        return [UUID(case) for case in known.cases]
    checkpoint = await first_checkpoint_with(conn, known.entry_id)
    if checkpoint is None:
        raise SampleNotReady("the commitment is not in a published checkpoint yet")
    cases = await cases_at(conn, known.size)
    chosen = drawn(cases, seed=seed, root=checkpoint.root, draw=known.draw)
    await record(
        conn,
        type="sample.drawn",
        actor=actor,
        subject=f"sample:{sample}",
        payload={
            "sample": str(sample),
            "seed": seed.hex(),
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "cases": [str(case) for case in chosen],
        },
        clock=clock,
        entropy=entropy,
    )
    return chosen


async def score(
    conn: Connection,
    *,
    sample: UUID,
    case: UUID,
    points: int,
    note: str,
    sheet: Sequence[Mapping[str, JsonValue]] | None = None,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    """Say what was found in one case of a sample, in the caller's transaction.

    Args:
        points: Out of a hundred.
        sheet: Rows of the score sheet (`item`, `points`, `of`, perhaps `note`), whose points add up to `points`.

    Raises:
        NameInvalid: The note is empty, too long, or has control characters.
        SampleUnknown: There is no such sample.
        SampleInvalid: The case was not drawn, or the sheet does not add up.
    """
    check_name(note, characters_max=REASON_CHARACTERS_MAX)
    known = await get_sample(conn, sample)
    if str(case) not in (known.cases or ()):
        raise SampleInvalid("this case is not in the sample")
    payload: dict[str, JsonValue] = {"sample": str(sample), "case": str(case), "points": points, "note": note}
    if sheet is not None:
        _check_sheet(sheet, points)
        payload["sheet"] = [dict(row) for row in sheet]
    return await record(
        conn,
        type="sample.scored",
        actor=actor,
        subject=f"sample:{sample}",
        payload=payload,
        clock=clock,
        entropy=entropy,
    )


async def get_sample(conn: Connection, sample: UUID) -> Sample:
    """Return a sample.

    Raises:
        SampleUnknown: There is none with this id.
    """
    known = await find_sample(conn, sample)
    if known is None:
        raise SampleUnknown(f"there is no sample {sample}")
    return known


def _check_sheet(sheet: Sequence[Mapping[str, JsonValue]], points: int) -> None:
    given = [(int(str(row["points"])), int(str(row["of"]))) for row in sheet]
    if any(got > most for got, most in given):
        raise SampleInvalid("a row of the sheet has more points than it can have")
    if sum(got for got, _ in given) != points:
        raise SampleInvalid(f"the rows of the sheet do not add up to {points} points")
