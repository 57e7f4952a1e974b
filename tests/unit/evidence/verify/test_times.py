"""Obligation 9: time stamps that came along, with roots and without, honest and hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evidence.verify.cli import main
from evidence.verify.package import STAMPS_MAX
from evidence.verify.report import Exit
from tests.support.stamped_folder import STAMP_CASES, StampedFolder, make_stamped_folder
from tests.support.time_authority import Stamper, make_stamper


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> Stamper:
    """An honest authority."""
    return make_stamper(tmp_path_factory.mktemp("tsa"))


@pytest.fixture
def stamped(tmp_path: Path, stamper: Stamper) -> StampedFolder:
    """An honest folder."""
    return make_stamped_folder(tmp_path / "evidence", stamper)


def judged(
    stamped: StampedFolder, capsys: pytest.CaptureFixture[str], *, roots: Path | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Run `shilu-verify` and return its exit code and what it says of obligation 9."""
    words = ["--json", "--quiet", "--log-key", stamped.evidence.vkey, str(stamped.evidence.folder)]
    code = main([*words, *(["--tsa-roots", str(roots)] if roots else [])])
    report = json.loads(capsys.readouterr().out)
    (item,) = report["items"]
    return code, [found for found in item["findings"] if found["details"].get("obligation") == 9]


@pytest.mark.parametrize("case", STAMP_CASES)
def test_stamps_are_judged_by_the_readers_roots(
    stamped: StampedFolder, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, expected = STAMP_CASES[case]
    spoil(stamped)
    code, found = judged(stamped, capsys, roots=stamped.stamper.roots)
    assert [one["code"] for one in found] == expected
    is_good = set(expected) <= {"met.time", "time.none"}
    assert code == (Exit.VERIFIED if is_good else Exit.FAILED)
    for authority in ("ntsc", "zwei-2"):
        if is_good and (file := stamped.stamp_file(authority)).exists():
            assert stamped.stamper.second_opinion(file.read_bytes(), stamped.checkpoint)


def test_without_roots_belief_is_owed(stamped: StampedFolder, capsys: pytest.CaptureFixture[str]) -> None:
    code, (found,) = judged(stamped, capsys)
    assert (code, found["code"], found["severity"]) == (Exit.VERIFIED, "time.trust_owed", "warning")
    stranger = make_stamper(stamped.stamper.folder / "stranger 2")
    stamped.stamp(stranger)
    assert judged(stamped, capsys)[1][0]["code"] == "time.trust_owed"
    assert judged(stamped, capsys, roots=stranger.roots)[1][0]["code"] == "met.time"


def test_what_is_false_is_false_without_roots_too(stamped: StampedFolder, capsys: pytest.CaptureFixture[str]) -> None:
    stamped.stamp(data=b"x")
    code, (found,) = judged(stamped, capsys)
    assert (code, found["code"]) == (Exit.FAILED, "time.of_other_data")


@pytest.mark.parametrize("roots", [None, b"", b"no certificate"])
def test_roots_that_are_none_end_the_run(
    stamped: StampedFolder, tmp_path: Path, roots: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "roots.pem"
    if roots is not None:
        file.write_bytes(roots)
    assert main([str(stamped.evidence.folder), "--tsa-roots", str(file)]) == Exit.USAGE
    assert "verify.tsa_roots" in capsys.readouterr().err


def test_files_that_only_look_like_stamps_are_named(stamped: StampedFolder, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("UPPER", "a b", "", "x" * 33):
        stamped.stamp_file(name).write_bytes(b"x")
    for number in range(STAMPS_MAX + 3):
        stamped.stamp_file(f"a{number:02}").write_bytes(b"x")
    main(["--json", "--quiet", "--log-key", stamped.evidence.vkey, str(stamped.evidence.folder)])
    report = json.loads(capsys.readouterr().out)
    assert len([one for one in report["remarks"] if one["code"] == "package.uncovered"]) == 4 + 4
    (item,) = report["items"]
    assert len([one for one in item["findings"] if one["code"] == "time.malformed"]) == STAMPS_MAX
