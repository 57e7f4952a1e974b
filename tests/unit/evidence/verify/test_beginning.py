"""A file whose recorder never came back: its sealed beginning is verified, and what follows is said to be unproven."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.receipt import check_receipt
from evidence.core.wire.sealed import read_sealed
from evidence.errors import ReceiptMismatch
from evidence.verify.cli import main
from evidence.verify.report import Exit
from tests.support.beginnings import CONTENT, SPOILERS, make

SOUND = {"honest", "nothing behind it", "a byte behind it changed"}


def judged(capsys: pytest.CaptureFixture[str], path: Path, *, key: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["--json", "--quiet", "--log-key", key, str(path)])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_everything_that_is_wrong_with_a_beginning_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoiler: str
) -> None:
    folder = make(tmp_path / "x")
    spoil, wanted = SPOILERS[spoiler]
    spoil(folder)
    code, report = judged(capsys, folder.folder, key=folder.vkey)
    item = report["items"][0]
    assert {found["code"] for found in item["findings"] if found["severity"] != "ok"} - {"time.none"} == wanted
    assert item["holds"] is (spoiler in SOUND)
    assert report["consistent"] is (spoiler in SOUND)
    partly = "prefix.rest_unproven" in wanted
    assert code == (Exit.FAILED if spoiler not in SOUND else Exit.PARTLY if partly else Exit.VERIFIED)


def test_the_bytes_that_are_not_proven_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path / "x")
    _, report = judged(capsys, folder.folder, key=folder.vkey)
    rest = next(found for found in report["items"][0]["findings"] if found["code"] == "prefix.rest_unproven")
    assert (rest["details"]["first_byte"], rest["details"]["last_byte"]) == (2 * CHUNK_BYTES, len(CONTENT) - 1)
    assert (report["verified"], report["items"][0]["size"]) == (False, 2 * CHUNK_BYTES)
    assert main(["--log-key", folder.vkey, str(folder.folder)]) == Exit.PARTLY
    assert "未经证明" in capsys.readouterr().out


def test_a_differing_chunk_is_located_and_what_follows_is_not_blamed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path / "x")
    spoilt = bytearray(CONTENT)
    spoilt[CHUNK_BYTES + 5] ^= 1
    spoilt[2 * CHUNK_BYTES + 5] ^= 1
    folder.file.write_bytes(spoilt)
    _, report = judged(capsys, folder.folder, key=folder.vkey)
    found = next(one for one in report["items"][0]["findings"] if one["code"] == "prefix.chunks_differ")
    assert found["details"]["ranges"] == [
        {"first_byte": CHUNK_BYTES, "last_byte": 2 * CHUNK_BYTES - 1, "first_chunk": 1, "last_chunk": 1}
    ]


def test_without_a_key_of_ones_own_trust_is_owed(tmp_path: Path) -> None:
    assert main(["--quiet", str(make(tmp_path / "x").folder)]) == Exit.TRUST_OWED


def test_no_dock_may_clear_a_file_for_its_beginning(tmp_path: Path) -> None:
    folder = make(tmp_path / "x")
    checked = check_receipt(folder.receipt, log=folder.log.signer.verifier)
    with pytest.raises(ReceiptMismatch):
        read_sealed(checked.entry, checked.payload)
