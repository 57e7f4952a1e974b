"""Keys that follow each other, judged by `verify.html` in a real browser and by `shilu-verify`: the same each time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.canonical import JsonValue, canonical_json
from ledger.checkpoint import parse_checkpoint
from ledger.note import Note, Signer, format_note, parse_note
from ledger.proof import parse_proof
from tests.support.browser import Tab
from tests.support.evidence_folder import EvidenceFolder, content_of, make_evidence_folder
from tests.support.log_keys import HISTORY, retirement, succession
from tests.support.paper_log import ORIGIN, seeded_signer
from tests.support.verify_page import comparable, judge, judge_here


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    return make_evidence_folder(tmp_path / "证据 evidence", content_of())


SUCCESSOR = seeded_signer(ORIGIN, "successor")
THIRD = seeded_signer(ORIGIN, "third")


def _followed(folder: EvidenceFolder, *, above: int = 0, up_to: int | None = None, **more: Any) -> list[bytes]:
    """Lay statements beside the evidence: the log's key ends `up_to` entries beyond the receipt's checkpoint."""
    size, old = _size(folder), folder.log.signer
    made = [succession(1, size=size + above, old=old, new=SUCCESSOR)]
    if up_to is not None:
        made.append(retirement(1, size=size + up_to, retired=old, by=SUCCESSOR))
    _statements(folder, made)
    if more.get("signed_by_successor"):
        folder.log.signer = SUCCESSOR
        folder.write_receipt(replace(folder.receipt, proof=folder.log.prove(parse_proof(folder.receipt.proof).index)))
        folder.log.signer = old
    folder.policy_file.write_text(f"log {SUCCESSOR.verifier.vkey}\nquorum none\n")
    return made


def _size(folder: EvidenceFolder) -> int:
    return parse_checkpoint(parse_note(parse_proof(folder.receipt.proof).checkpoint).text).size


def _statements(folder: EvidenceFolder, made: Sequence[bytes | str], *, version: str = "shilu/log-keys/v1") -> None:
    texts: list[JsonValue] = [one.decode() if isinstance(one, bytes) else one for one in made]
    body = canonical_json({"statements": texts}).decode()
    (folder.folder / "log.keys").write_text(f"{version}\n{body}\n", encoding="utf-8")


def _one_signature(folder: EvidenceFolder, *, keep: int) -> None:
    note = parse_note(_followed(folder)[0])
    _statements(folder, [format_note(Note(note.text, (note.signatures[keep],)))])


def _third(folder: EvidenceFolder, *, number: int = 2, origin_of: Signer = SUCCESSOR) -> bytes:
    return succession(number, size=_size(folder) + 9, old=origin_of, new=THIRD)


def _stranger_statements(folder: EvidenceFolder) -> None:
    _statements(folder, HISTORY.statements)


def _edited(old: str, new: str) -> Callable[[EvidenceFolder], object]:
    """Edit the file of honest statements as a text."""

    def edit(folder: EvidenceFolder) -> None:
        _followed(folder, up_to=3)
        path = folder.folder / "log.keys"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


def _cut(folder: EvidenceFolder) -> None:
    _followed(folder)
    os.truncate(folder.folder / "log.keys", 300)


KEY_CASES: dict[str, Callable[[EvidenceFolder], object]] = {
    "both keys sign": lambda folder: _followed(folder, above=-1, signed_by_successor=True),
    "an old receipt under the old key": lambda folder: _followed(folder, up_to=3),
    "an old receipt of the old key's last size": lambda folder: _followed(folder, up_to=0),
    "a new receipt under the new key": lambda folder: _followed(folder, above=-1, up_to=-1, signed_by_successor=True),
    "signed by a retired key": lambda folder: _followed(folder, above=-1, up_to=-1),
    "signed by a key that had not begun": lambda folder: _followed(folder, signed_by_successor=True),
    "by the old key only": lambda folder: _one_signature(folder, keep=0),
    "by the new key only": lambda folder: _one_signature(folder, keep=1),
    "a gap": lambda folder: _statements(folder, [*_followed(folder, up_to=3), _third(folder, number=3)]),
    "no retirement between": lambda folder: _statements(folder, [*_followed(folder), _third(folder)]),
    "a fork": lambda folder: _statements(
        folder, [*_followed(folder, up_to=3), _third(folder, origin_of=folder.log.signer)]
    ),
    "a whole longer chain": lambda folder: _statements(folder, [*_followed(folder, up_to=3), _third(folder)]),
    "reordered": lambda folder: _statements(folder, _followed(folder, up_to=3)[::-1]),
    "told twice": lambda folder: _statements(folder, _followed(folder) * 2),
    "of another log": _stranger_statements,
    "no statements": lambda folder: _statements(folder, []),
    "no statement": lambda folder: _statements(folder, ["__proto__\n{}\n"]),
    "another version": lambda folder: _statements(folder, _followed(folder), version="shilu/log-keys/v2"),
    "another size": _edited('\\"size\\":', '\\"size\\":1'),
    "a swapped origin": _edited(f'origin\\":\\"{ORIGIN}', 'origin\\":\\"shilu.example/gol'),
    "a size that is no number": _edited('\\"number\\":1', '\\"number\\":true'),
    "no dash": _edited("— ", "- "),
    "no file of statements": lambda folder: (folder.folder / "log.keys").write_bytes(b"\xff\xfe"),
    "an empty file of statements": lambda folder: (folder.folder / "log.keys").write_bytes(b""),
    "a cut file of statements": _cut,
}

VERIFIED_UNDER_BOTH_KEYS = frozenset(
    {
        "both keys sign",
        "an old receipt under the old key",
        "an old receipt of the old key's last size",
        "a new receipt under the new key",
        "a whole longer chain",
    }
)


@pytest.mark.parametrize("case", KEY_CASES)
async def test_the_page_and_shilu_verify_follow_the_same_keys(
    tab: Tab, folder: EvidenceFolder, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    KEY_CASES[case](folder)
    verdicts = []
    for log_key in ("", folder.vkey, SUCCESSOR.verifier.vkey):
        here = judge_here(capsys, folder.folder, log_key=log_key)
        there = await judge(tab, folder.folder, log_key=log_key)
        assert comparable(there, above=folder.folder.parent) == comparable(here, above=folder.folder.parent)
        verdicts.append(here["verified"])
    assert all(verdicts[1:]) is (case in VERIFIED_UNDER_BOTH_KEYS), verdicts
