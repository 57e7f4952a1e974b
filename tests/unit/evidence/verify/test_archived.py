"""Archived cases judged as values: what only a log that says false things could make."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from evidence.core.wire.case_manifest import FORMAT, manifest_root
from evidence.core.wire.receipt import format_receipt
from evidence.verify.archived import judge_archived
from ledger.findings import Finding
from ledger.policy import Policy
from tests.support.paper_log import PaperLog

CASE = str(UUID(int=9))
MANIFEST: dict[str, Any] = {
    "format": FORMAT,
    "case": CASE,
    "number": "1号",
    "exhibits": [],
    "unlinked": [],
    "documents": [],
    "statements": [],
    "sections": [],
}


def judged(said: dict[str, Any], *, stated: str | None = CASE, subject: str = f"case:{CASE}") -> list[Finding]:
    log = PaperLog()
    receipt = log.record(said, kind="case.archived", subject=subject)
    policy = Policy.parse(f"log {log.signer.verifier.vkey}\nquorum none\n")
    return judge_archived(format_receipt(receipt), [], policy=policy, subject="package:p", stated_case=stated)


def archived(**changes: Any) -> dict[str, Any]:
    manifest = MANIFEST | changes
    return {"case": CASE, "root": manifest_root(manifest).hex(), "manifest": manifest}


def test_an_empty_case_is_complete() -> None:
    assert [one.code for one in judged(archived())] == ["archive.proved", "archive.complete"]


def test_a_root_that_is_not_of_the_manifest() -> None:
    said = archived() | {"root": "0" * 64}
    assert [one.code for one in judged(said)] == ["archive.proved", "archive.root_differs"]


@pytest.mark.parametrize(
    ("said", "stated", "subject"),
    [
        (archived(), None, f"case:{CASE}"),
        (archived(), str(UUID(int=8)), f"case:{CASE}"),
        (archived(), CASE, f"case:{UUID(int=8)}"),
        (archived(case=str(UUID(int=8))), CASE, f"case:{CASE}"),
        (archived() | {"case": str(UUID(int=8))}, CASE, f"case:{CASE}"),
    ],
)
def test_all_that_name_the_case_name_the_same(said: dict[str, Any], stated: str | None, subject: str) -> None:
    found = judged(said, stated=stated, subject=subject)
    assert [one.code for one in found] == ["archive.proved", "archive.other_case"]


@pytest.mark.parametrize(
    "said",
    [
        {},
        archived() | {"manifest": None},
        archived() | {"manifest": MANIFEST | {"format": "shilu-case-manifest/2"}},
        archived() | {"manifest": {name: value for name, value in MANIFEST.items() if name != "sections"}},
        archived() | {"manifest": MANIFEST | {"exhibits": "all"}},
        archived(exhibits=["one"]),
        archived(exhibits=[{"exhibit": "1", "sha256": "00"}]),
        archived(exhibits=[{"exhibit": 1}]),
        archived(documents=[{"sha256": 5}]),
    ],
)
def test_a_payload_of_another_form(said: dict[str, Any]) -> None:
    assert [one.code for one in judged(said)] == ["archive.malformed"]
