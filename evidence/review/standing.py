"""How a case stands in its review: everything that the gate and the steps judge by, read in one go.

`held_still` takes every lock that lets a case's evidence change, in the order in which archiving does: the case's, then
those of its exhibits' annotations in order of the clips. Whoever changes the evidence holds one of them until the
commit, so what is read behind it stays so until the own transaction ends. Read without it, it is a snapshot for show.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.cases.archive import case_manifest, hold_evidence
from evidence.cases.facts import CaseFacts
from evidence.cases.file import CaseFile, open_file
from evidence.cases.items import day_of
from evidence.core.wire.case_manifest import manifest_root
from evidence.db.pool import Connection
from evidence.review.adopting import rules_for
from evidence.review.facts import Correction, StatedFacts, facts_that_count
from evidence.review.gate import Verdict, judge
from evidence.review.machine import Review, fold_review
from evidence.review.rules import Facts, Row, Scope, in_scope
from evidence.review.store import (
    CovertExhibit,
    RulesRow,
    covert_among,
    keys_of,
    stated_facts_of,
    steps_of,
)
from ledger.canonical import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A case in its review.

    Attributes:
        rules: The rules in force for it.
        facts: Every value of each fact that counts.
        manifest, root: Its evidence as it stands.
        verdict: Whether it may be decided now.
    """

    file: CaseFile
    rules: RulesRow
    facts: Facts
    scope: Scope
    review: Review
    covert: list[CovertExhibit]
    manifest: JsonObject
    root: bytes
    verdict: Verdict

    @property
    def rows(self) -> list[Row]:
        """The points that an opinion has to judge."""
        return self.rules.content.rows(covert=bool(self.covert))


async def hold_still(conn: Connection, case_id: UUID, at: datetime) -> Standing:
    """Return how a case stands, and let nothing of it change until the transaction ends.

    Raises:
        CaseUnknown: There is no such case.
        RulesUnknown: No rules are in force for it.
    """
    await hold_evidence(conn, case_id)
    return await standing_of(conn, case_id, at)


async def standing_of(conn: Connection, case_id: UUID, at: datetime) -> Standing:
    """Return how a case stands.

    Args:
        at: Which day's rules count.

    Raises:
        CaseUnknown: There is no such case.
        RulesUnknown: No rules are in force for it.
    """
    file = await open_file(conn, case_id)
    rules = await rules_for(conn, file, day_of(at))
    review = fold_review(await steps_of(conn, case_id))
    stated = [
        StatedFacts(version=version, facts=CaseFacts.model_validate(facts))
        for version, facts in await stated_facts_of(conn, case_id)
    ]
    corrections = [
        Correction(fact=step.content["fact"], upto=step.content["upto"], value=step.content["value"])
        for step in review.corrections
    ]
    facts = facts_that_count(stated, corrections)
    scope = in_scope(rules.content, facts, action=file.case.kind)
    manifest = await case_manifest(conn, file)
    root = manifest_root(manifest)
    signers = {
        step.stated_by
        for one in review.rounds
        for step in (one.submission, one.opinion)
        if step is not None and step.stated_by.startswith("staff:")
    }
    keys = {who: await keys_of(conn, UUID(who.removeprefix("staff:"))) for who in sorted(signers)}
    return Standing(
        file=file,
        rules=rules,
        facts=facts,
        scope=scope,
        review=review,
        covert=await covert_among(conn, case_id),
        manifest=manifest,
        root=root,
        verdict=judge(scope=scope, review=review, manifest=manifest, root=root, keys=keys),
    )
