"""The 518 Merkle cases of transparency-dev/merkle: what naive verifiers get wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import ProofError
from ledger.tree import check_consistency, check_inclusion, check_subtree_consistency, check_subtree_inclusion
from tests.support.shared import shared_folder

Case = dict[str, Any]


def _inclusion(case: Case) -> None:
    check_inclusion(
        leaf=_bytes(case["leafHash"]),
        index=case["leafIdx"],
        size=case["treeSize"],
        proof=_proof(case),
        root=_bytes(case["root"]),
    )


def _consistency(case: Case) -> None:
    check_consistency(
        old_size=case["size1"],
        old_root=_bytes(case["root1"]),
        new_size=case["size2"],
        new_root=_bytes(case["root2"]),
        proof=_proof(case),
    )


def _subtree_inclusion(case: Case) -> None:
    check_subtree_inclusion(
        leaf=_bytes(case["leafHash"]),
        index=case["leafIdx"],
        start=case["start"],
        end=case["end"],
        proof=_proof(case),
        root=_bytes(case["root"]),
    )


def _subtree_consistency(case: Case) -> None:
    check_subtree_consistency(
        start=case["start"],
        end=case["end"],
        size=case["size"],
        subtree_root=_bytes(case["root1"]),
        root=_bytes(case["root2"]),
        proof=_proof(case),
    )


CHECKS: dict[str, Callable[[Case], None]] = {
    "inclusion": _inclusion,
    "consistency": _consistency,
    "subtreeinclusion": _subtree_inclusion,
    "subtreeconsistency": _subtree_consistency,
}


@pytest.mark.parametrize("kind", CHECKS)
def test_every_case_is_judged_as_it_says(kind: str) -> None:
    paths = sorted(shared_folder("vectors", "merkle", kind).rglob("*.json"))
    assert paths
    wrong = [str(path) for path in paths if _is_refused(kind, path) is not _case(path)["wantErr"]]
    assert not wrong


def test_all_518_cases_are_there() -> None:
    assert len(list(shared_folder("vectors", "merkle").rglob("*.json"))) == 518


def _is_refused(kind: str, path: Path) -> bool:
    try:
        CHECKS[kind](_case(path))
    except ProofError:
        return True
    return False


def _case(path: Path) -> Case:
    case: Case = json.loads(path.read_text(encoding="utf-8"))
    return case


def _proof(case: Case) -> list[bytes]:
    return [_bytes(value) for value in case["proof"] or []]


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
