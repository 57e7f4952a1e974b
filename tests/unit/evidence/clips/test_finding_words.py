"""Words and codes of `findings:`: the lists of other rooms are known whole, and nothing else is."""

from __future__ import annotations

import pytest

from evidence.audit.findings import FINDINGS
from evidence.clips.finding_words import CONTINUITY_CODES, asked_of, read_findings
from evidence.clips.query_tree import Audited, Facets, Node, Noticed, Some
from evidence.errors import SearchInvalid
from evidence.recorders.meanings import MEANINGS
from ingest.media.continuity.codes import CODES
from ingest.media.continuity.meaning import Severity
from ledger.audit_findings import FINDINGS as LOG_FINDINGS

SEQUENCE = "sequence."
"""Observations between clips are computed when asked for, and stand on no clip's record."""


def test_the_codes_of_observations_are_those_of_the_room_that_makes_them() -> None:
    weighing = {code for code, meaning in CODES.items() if meaning.severity is not Severity.INFO}
    assert {code for code in weighing if not code.startswith(SEQUENCE)} == CONTINUITY_CODES


@pytest.mark.parametrize("code", [*FINDINGS, *LOG_FINDINGS, *MEANINGS, *sorted(CONTINUITY_CODES)])
def test_every_code_can_be_asked_for(code: str) -> None:
    asked = asked_of(read_findings([code.upper()]).one_of)
    assert asked in (Audited(code=code), Noticed(code=code), Facets((f"finding:{code}",)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["damaged", "损坏"], Facets(("finding:damaged",))),
        (["damaged", "continuity"], Facets(("finding:damaged", "finding:continuity"))),
        (["high"], Some((Facets(("finding:high",)), Noticed(weight="high")))),
        (["已决"], Some((Noticed(settled=True), Audited(settled=True)))),
        (["recorder", "记录仪", "audit"], Some((Noticed(), Audited()))),
        (["未决", "error"], Some((Facets(("finding:damaged", "finding:continuity")), Noticed(), Audited(),
                                 Audited(weight="error")))),
    ],
)  # fmt: skip
def test_values_are_joined(values: list[str], expected: Node) -> None:
    assert asked_of(read_findings(values).one_of) == expected


@pytest.mark.parametrize("value", ["", "guilty", "container", "container.", "sequence.gap", "row.altered,x"])
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(SearchInvalid):
        read_findings([value])
