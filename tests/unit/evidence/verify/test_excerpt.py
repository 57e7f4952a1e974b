"""Excerpts: what lies there is proved to be part of the sealed original, and what does not is named."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evidence.core.digest import CHUNK_BYTES
from evidence.errors import WireError
from evidence.verify.cli import main
from evidence.verify.excerpt_statement import ExcerptStatement, Span, format_excerpt, parse_excerpt
from evidence.verify.report import Exit
from tests.support.evidence_folder import NAME
from tests.support.excerpts import CONTENT, CUT_NAME, RUNS, SPOILERS, ExcerptFolder, make, proved_runs
from tests.support.paper_log import CLIP

SOUND = {"honest", "several spans", "seconds unknown", "cut missing"}


@pytest.fixture
def made(tmp_path: Path) -> ExcerptFolder:
    return make(tmp_path / "excerpt")


def judged(capsys: pytest.CaptureFixture[str], made: ExcerptFolder, *more: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["--json", "--quiet", "--log-key", made.vkey, str(made.folder), *more])
    return code, json.loads(capsys.readouterr().out or "{}")


def found(report: dict[str, Any], code: str) -> dict[str, Any]:
    return next(one["details"] for one in report["items"][0]["findings"] if one["code"] == code)


@pytest.mark.parametrize("spoiler", SPOILERS)
def test_everything_that_is_wrong_with_an_excerpt_is_found(
    made: ExcerptFolder, capsys: pytest.CaptureFixture[str], spoiler: str
) -> None:
    spoil, wanted = SPOILERS[spoiler]
    spoil(made)
    code, report = judged(capsys, made)
    codes = {one["code"] for one in report["items"][0]["findings"] if one["severity"] != "ok"}
    assert codes - {"time.none"} == wanted
    assert code == (Exit.VERIFIED if spoiler in SOUND else Exit.FAILED)


def test_what_was_left_out_follows_from_what_is_there(made: ExcerptFolder, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = judged(capsys, made)
    assert [(place["first_chunk"], place["last_chunk"]) for place in found(report, "excerpt.left_out")["ranges"]] == [
        (1, 2),
        (6, 8),
    ]
    assert found(report, "excerpt.left_out")["bytes"] == 5 * CHUNK_BYTES
    assert found(report, "met.excerpt")["bytes"] == 4 * CHUNK_BYTES + 1234
    assert report["remarks"] == []
    assert main(["--quiet", "--log-key", made.vkey, str(made.folder)]) == Exit.VERIFIED
    said = capsys.readouterr().out
    assert "0:00:12.000" in said
    assert "derivative, not evidence" in said


def test_an_excerpt_of_everything_leaves_nothing_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make(tmp_path / "all", runs=[(0, 10)], cut=False)
    code, report = judged(capsys, made)
    assert code == Exit.VERIFIED
    assert "excerpt.whole" in {one["code"] for one in report["items"][0]["findings"]}


def test_a_file_under_the_originals_name_is_a_stranger(made: ExcerptFolder, capsys: pytest.CaptureFixture[str]) -> None:
    (made.folder / NAME).write_bytes(b"look at me instead")
    _, report = judged(capsys, made)
    assert [remark["code"] for remark in report["remarks"]] == ["package.uncovered"]


def test_a_file_is_rebuilt_with_holes(made: ExcerptFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "rebuilt.mp4"
    assert judged(capsys, made, "--rebuild", str(target))[0] == Exit.VERIFIED
    rebuilt = target.read_bytes()
    assert len(rebuilt) == len(CONTENT)
    there = {number for first, stop in RUNS for number in range(first, stop)}
    for number in range(10):
        piece = slice(number * CHUNK_BYTES, (number + 1) * CHUNK_BYTES)
        wanted = CONTENT[piece] if number in there else bytes(len(CONTENT[piece]))
        assert rebuilt[piece] == wanted
    assert target.stat().st_blocks * 512 < len(CONTENT)
    assert judged(capsys, made, "--rebuild", str(target))[0] == Exit.USAGE
    assert target.read_bytes() == rebuilt


@pytest.mark.parametrize("spoiler", ["chunks swapped", "proof cut", "forged by another log", "no runs", "cut changed"])
def test_nothing_is_rebuilt_of_what_is_not_proved(
    made: ExcerptFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoiler: str
) -> None:
    SPOILERS[spoiler][0](made)
    assert judged(capsys, made, "--rebuild", str(tmp_path / "out.mp4"))[0] == Exit.USAGE
    assert list(tmp_path.iterdir()) == [made.folder]


def test_a_place_that_cannot_be_written_is_named(
    made: ExcerptFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quiet", str(made.folder), "--rebuild", str(tmp_path / "no" / "out.mp4")]) == Exit.USAGE
    assert "out.mp4 cannot be written" in capsys.readouterr().err


def test_a_statement_is_read_as_it_was_written(made: ExcerptFolder) -> None:
    assert parse_excerpt(format_excerpt(made.statement)) == made.statement
    bare = ExcerptStatement(clip=CLIP, size=len(CONTENT), runs=proved_runs(CONTENT, [(2, 3)]), asked=Span(0, 1))
    assert parse_excerpt(format_excerpt(bare)) == bare


def test_random_damage_to_a_statement_is_an_error_or_harmless(made: ExcerptFolder) -> None:
    raw, chance = made.statement_file.read_bytes(), Random(7)
    for _ in range(300):
        spoilt = bytearray(raw)
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(spoilt))
            spoilt[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        try:
            parse_excerpt(bytes(spoilt))
        except WireError:
            continue


def test_the_cut_is_never_passed_off_as_evidence(made: ExcerptFolder, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = judged(capsys, made)
    assert found(report, "excerpt.cut")["cut"] == CUT_NAME
    assert "未经证明" in next(line for line in _text(made, capsys).splitlines() if "[excerpt.cut]" in line)


def _text(made: ExcerptFolder, capsys: pytest.CaptureFixture[str]) -> str:
    main(["--quiet", "--log-key", made.vkey, str(made.folder)])
    return capsys.readouterr().out
