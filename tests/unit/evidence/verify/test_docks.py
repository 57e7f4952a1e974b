"""Obligation 8: the dock's signature holds from the log, and every way to spoil it gets its own code."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence.core.wire.receipt import format_receipt
from evidence.errors import WireError, WireLimit
from evidence.verify.clip import Verification, verify_clip
from evidence.verify.docks import DOCK_BYTES_MAX, DOCK_ENTRIES_MAX, format_chain, parse_chain
from evidence.verify.findings import FINDINGS, obligation_of
from ledger.findings import Finding, Severity
from ledger.policy import Policy
from tests.support.dock_chains import CONTENT, SPOILERS
from tests.support.evidence_folder import DOCK, DockedFolder, make_docked_folder, make_evidence_folder


@pytest.fixture
def folder(tmp_path: Path) -> DockedFolder:
    return make_docked_folder(tmp_path / "evidence", CONTENT)


def verify(folder: DockedFolder) -> Verification:
    return verify_clip(
        folder.file,
        folder.receipt_file.read_bytes(),
        policy=Policy.parse(folder.policy_file.read_bytes()),
        dock=folder.dock_file.read_bytes() if folder.dock_file.exists() else None,
    )


def about_the_dock(verification: Verification) -> list[Finding]:
    return [found for found in verification.findings if obligation_of(found) == 8]


@pytest.mark.parametrize("name", SPOILERS)
def test_what_is_spoilt_gets_its_code_and_no_other(folder: DockedFolder, name: str) -> None:
    spoil, expected = SPOILERS[name]
    spoil(folder)
    found = about_the_dock(verify(folder))
    assert [one.code for one in found if one.severity is not Severity.OK] == expected
    assert expected or [one.code for one in found] == ["met.dock"]
    others = [one.code for one in verify(folder).findings if obligation_of(one) != 8 and one.severity is Severity.ERROR]
    assert others == []


@pytest.mark.parametrize("changes", [0, 1, 5])
def test_the_number_of_the_key_is_told(tmp_path: Path, changes: int) -> None:
    [found] = about_the_dock(verify(make_docked_folder(tmp_path / "x", CONTENT, changes=changes)))
    assert (found.code, found.details["sequence"], found.details["dock"]) == ("met.dock", changes, str(DOCK))


def test_what_no_dock_sent_is_said_to_be_so(tmp_path: Path) -> None:
    folder = make_evidence_folder(tmp_path / "x", CONTENT)
    verification = verify_clip(
        folder.file, folder.receipt_file.read_bytes(), policy=Policy.parse(folder.policy_file.read_bytes())
    )
    assert verification.holds
    assert [found.code for found in about_the_dock(verification)] == ["dock.not_applicable"]


def test_every_code_about_the_dock_has_its_spoiler() -> None:
    codes = {code for _, found in SPOILERS.values() for code in found}
    assert codes == {code for code, meaning in FINDINGS.items() if meaning.obligation == 8} - {
        "met.dock",
        "dock.not_applicable",
        "prefix.no_manifest",
    }


def test_a_chain_is_read_as_it_was_written(folder: DockedFolder) -> None:
    raw = format_chain(folder.chain)
    assert raw == folder.dock_file.read_bytes()
    assert parse_chain(raw) == folder.chain


def test_a_chain_that_nobody_would_read_is_not_written(folder: DockedFolder) -> None:
    one = format_receipt(folder.chain[0])
    for count in (DOCK_ENTRIES_MAX + 1, DOCK_BYTES_MAX // len(one) + 1):
        with pytest.raises(WireLimit):
            format_chain(folder.chain[:1] * count)


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_is_an_error_and_never_a_crash(folder: DockedFolder, seed: int) -> None:
    raw = bytearray(folder.dock_file.read_bytes())
    place = seed * 7919 % len(raw)
    raw[place] ^= 1 << seed % 8
    folder.dock_file.write_bytes(raw)
    assert not verify(folder).holds


def test_nothing_but_receipts_is_a_chain() -> None:
    for raw in (b"", b"\n", b"\n\n", b"shilu/receipt/v1\n", b"shilu/receipt/v1\n{}", b"x\n{}\n"):
        with pytest.raises(WireError):
            parse_chain(raw)
