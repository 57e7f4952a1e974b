"""Annotating many clips at once: in short transactions, each for itself or all or nothing, and once for each key."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.bulk import AnnotateMany, BulkAnswer, BulkItem, BulkItems
from api.preconditions import once_in_parts
from api.route import NoQuery
from evidence.clips.bulk import ATOMIC_MAX, BATCH, Outcome, Target, annotate_batch, require_all
from evidence.db.pool import Connection


async def annotate_many(call: Call[AnnotateMany, NoQuery]) -> web.Response:
    """Add to many clips; the answer tells what became of each."""
    body, services = call.body, call.services

    async def work(conn: Connection, targets: Sequence[Target]) -> BulkItems:
        outcomes = await annotate_batch(
            conn,
            targets,
            body.add,
            actor=call.actor,
            reason=body.reason,
            clock=services.clock,
            entropy=services.entropy,
        )
        if body.all_or_nothing:
            require_all(outcomes)
        return BulkItems(items=[_item(outcome) for outcome in outcomes])

    size, targets = (ATOMIC_MAX if body.all_or_nothing else BATCH), body.targets()
    batches = [targets[start : start + size] for start in range(0, len(targets), size)]
    parts = await once_in_parts(call, route="annotate_many", parts=batches, work=work, model=BulkItems)
    items = [item for part in parts for item in part.items]
    counts = {kind: sum(item.outcome == kind for item in items) for kind in ("written", "unchanged", "refused")}
    return json_answer(BulkAnswer(items=items, **counts))


def _item(outcome: Outcome) -> BulkItem:
    refusal = outcome.refusal
    return BulkItem(
        clip=outcome.clip,
        outcome=outcome.outcome,
        version=outcome.version,
        entry=outcome.entry_id,
        kept=list(outcome.kept),
        code=None if refusal is None else refusal.code,
        detail=None if refusal is None else refusal.message,
    )
