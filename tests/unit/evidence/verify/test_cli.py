"""`shilu-verify` as people and programs meet it: folders, files, keys, exit codes, languages, a light install."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evidence.verify.cli import main
from evidence.verify.clip import verify_clip
from evidence.verify.findings import OBLIGATIONS
from evidence.verify.page.page import page_bytes
from evidence.verify.readme import readme_text
from evidence.verify.report import Exit, printable
from ledger.policy import Policy
from tests.support.evidence_folder import NAME, EvidenceFolder, content_of, make_evidence_folder
from tests.support.paper_log import ORIGIN, PaperLog, sealed_payload, seeded_signer

ROOT = Path(__file__).parents[4]
CONTENT = content_of(chunks=1)
HEAVY = ["asyncpg", "av", "numpy", "aiohttp", "pydantic", "typer", "rich", "structlog", "sqlalchemy", "pgqueuer"]


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    return make_evidence_folder(tmp_path / "证据 evidence", CONTENT)


def run_json(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> tuple[int, dict[str, Any]]:
    code = main(["--json", *map(str, argv)])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, answer


def remarks(answer: dict[str, Any]) -> list[str]:
    return [remark["code"] for remark in answer["remarks"]]


def test_a_trusted_key_verifies(folder: EvidenceFolder, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run_json(capsys, folder.folder, "--log-key", folder.vkey)
    assert (code, answer["verified"], answer["consistent"]) == (Exit.VERIFIED, True, True)
    assert (answer["log_keys"], answer["log_keys_from"]) == ([folder.vkey], "caller")
    [item] = answer["items"]
    assert (item["name"], item["size"], item["index"], item["holds"]) == (NAME, len(CONTENT), 3, True)
    assert remarks(answer) == []


def test_a_key_that_came_along_is_no_trust(folder: EvidenceFolder, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run_json(capsys, folder.folder)
    assert (code, answer["verified"], answer["consistent"]) == (Exit.TRUST_OWED, False, True)
    assert remarks(answer) == ["trust.key_from_package"]


def test_a_whole_package_of_a_forger_does_not_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    honest = PaperLog()
    forged = make_evidence_folder(tmp_path / "x", b"forged", log=PaperLog(seeded_signer(ORIGIN, "forger")))
    code, answer = run_json(capsys, forged.folder, "--log-key", honest.signer.verifier.vkey)
    assert (code, answer["verified"]) == (Exit.FAILED, False)
    assert run_json(capsys, forged.folder)[0] == Exit.TRUST_OWED


@pytest.mark.parametrize("content", ["{vkey}", "{vkey}\n", "# trusted\nlog {vkey}\nquorum none\n"])
def test_a_key_may_stand_in_a_file(
    folder: EvidenceFolder, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trusted").write_text(content.format(vkey=folder.vkey))
    assert run_json(capsys, folder.folder, "--log-key", tmp_path / "trusted")[0] == Exit.VERIFIED


@pytest.mark.parametrize("pointed", ["file", "receipt_file"])
def test_a_single_original_is_enough(folder: EvidenceFolder, pointed: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run_json(capsys, getattr(folder, pointed), "--log-key", folder.vkey)
    assert code == Exit.VERIFIED
    assert [item["file"] for item in answer["items"]] == [str(folder.file)]


def test_the_tree_alone_covers_every_byte_and_says_what_was_not_compared(
    folder: EvidenceFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (folder.folder, "--log-key", folder.vkey, "--tree")
    code, answer = run_json(capsys, *words)
    codes = {found["code"] for found in answer["items"][0]["findings"]}
    assert code == Exit.VERIFIED
    assert {"met.tree", "clip.whole_not_checked"} <= codes
    assert "met.sha256" not in codes
    # A statement with the right tree and another whole-file digest is what this way cannot see, and says so.
    liar = make_evidence_folder(tmp_path / "liar", CONTENT)
    liar.write_receipt(liar.log.record({**sealed_payload(CONTENT, name=NAME), "sha256": "00" * 32}))
    assert run_json(capsys, liar.folder, "--log-key", liar.vkey, "--tree")[0] == Exit.VERIFIED
    assert run_json(capsys, liar.folder, "--log-key", liar.vkey)[0] == Exit.FAILED
    changed = bytearray(CONTENT)
    changed[-1] ^= 1
    folder.file.write_bytes(changed)
    code, answer = run_json(capsys, *words)
    assert code == Exit.FAILED
    assert "clip.chunks_differ" in {found["code"] for found in answer["items"][0]["findings"]}


def test_a_failure_is_one_exit_code_for_many_folders(
    folder: EvidenceFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_evidence_folder(tmp_path / "other", b"other", log=folder.log)
    other.file.write_bytes(b"0ther")
    code, answer = run_json(capsys, folder.folder, other.folder)
    assert code == Exit.FAILED
    assert [item["holds"] for item in answer["items"]] == [True, False]


def test_a_file_nobody_speaks_for_is_named(folder: EvidenceFolder, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.folder / "more").mkdir()
    (folder.folder / "more" / "extra.mp4").write_bytes(b"slipped in")
    (folder.folder / "README.txt").write_text("how to verify")
    (folder.folder / "verify.html").write_text("the page")
    code, answer = run_json(capsys, folder.folder, "--log-key", folder.vkey)
    assert code == Exit.VERIFIED
    assert remarks(answer) == ["package.uncovered", "package.page_differs", "package.readme_differs"]
    assert answer["remarks"][0]["subject"].endswith("extra.mp4")


def test_what_this_version_writes_for_people_is_not_foreign(
    folder: EvidenceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = verify_clip(
        folder.file, folder.receipt_file.read_bytes(), policy=Policy.parse(folder.policy_file.read_bytes())
    ).clip
    assert sealed
    readme, page = folder.folder / "README.txt", folder.folder / "verify.html"
    readme.write_bytes(readme_text(sealed, file_name=folder.file.name))
    page.write_bytes(page_bytes())
    assert remarks(run_json(capsys, folder.folder, "--log-key", folder.vkey)[1]) == []
    for path, code in ((readme, "package.readme_differs"), (page, "package.page_differs")):
        honest = path.read_bytes()
        for forged in (honest + b" ", honest[:-1], b"", honest.replace(b"verif", b"verjf", 1)):
            path.write_bytes(forged)
            exit_code, answer = run_json(capsys, folder.folder, "--log-key", folder.vkey)
            assert (exit_code, remarks(answer)) == (Exit.VERIFIED, [code])
            assert answer["remarks"][0]["details"]["version"] in answer["remarks"][0]["message"]
        path.write_bytes(honest)


def test_a_folder_of_evidence_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = PaperLog()
    for name in ("a", "b"):
        made = make_evidence_folder(tmp_path / "all" / name, name.encode(), log=log)
    code, answer = run_json(capsys, tmp_path / "all", "--log-key", log.signer.verifier.vkey)
    assert (code, remarks(answer), len(answer["items"])) == (Exit.VERIFIED, [], 2)
    code, answer = run_json(capsys, tmp_path / "all")
    assert (code, remarks(answer)) == (Exit.TRUST_OWED, ["trust.key_from_package"] * 2)
    made.policy_file.rename(tmp_path / "all" / "log.policy")
    assert run_json(capsys, tmp_path / "all")[0] == Exit.TRUST_OWED


def test_each_folder_is_judged_by_its_own_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = make_evidence_folder(tmp_path / "all" / "mine", b"mine")
    other = make_evidence_folder(tmp_path / "all" / "other", b"other", log=PaperLog(seeded_signer("other.example")))
    code, answer = run_json(capsys, tmp_path / "all")
    assert (code, sorted(answer["log_keys"])) == (Exit.TRUST_OWED, sorted([mine.vkey, other.vkey]))
    code, answer = run_json(capsys, tmp_path / "all", "--log-key", mine.vkey)
    assert (code, [item["holds"] for item in answer["items"]]) == (Exit.FAILED, [True, False])


def test_an_original_without_a_receipt_fails(folder: EvidenceFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.receipt_file.unlink()
    code, answer = run_json(capsys, folder.file)
    assert code == Exit.FAILED
    assert answer["items"][0]["findings"][3]["code"] == "receipt.missing"


def test_a_receipt_without_its_original_fails(folder: EvidenceFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.file.unlink()
    code, answer = run_json(capsys, folder.folder)
    assert code == Exit.FAILED
    assert answer["items"][0]["findings"][0]["code"] == "file.missing"


def test_an_original_that_is_called_receipt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_evidence_folder(tmp_path / "x", b"scan")
    for path in (made.file, made.receipt_file, made.leaves_file):
        path.rename(path.with_name(path.name.replace(NAME, "photo.receipt")))
    assert run_json(capsys, made.folder, "--log-key", made.vkey)[0] == Exit.VERIFIED
    assert run_json(capsys, made.folder / "photo.receipt", "--log-key", made.vkey)[0] == Exit.VERIFIED


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["missing"],
        ["empty"],
        ["--lang", "fr", "good"],
        ["good", "--log-key", "missing"],
        ["good", "--log-key", "empty"],
        ["good", "--log-key", "noise"],
        ["good", "--log-key", "x" * 5000],
        ["good", "--log-key", "a\0b"],
        ["good", "--log-key", "shilu.example/log+00000000+AAAA"],
        ["good", "--log-key", "nolog"],
        ["keyless"],
    ],
)
def test_what_cannot_be_checked_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("noise").write_bytes(b"\xff" * 100)
    Path("nolog").write_text("quorum none\n")
    make_evidence_folder(Path("good"), b"good")
    make_evidence_folder(Path("keyless"), b"good").policy_file.unlink()
    code: object
    try:
        code = main(argv)
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    assert code == Exit.USAGE
    assert captured.out == ""
    assert "shilu-verify" in captured.err


def test_both_languages_stand_side_by_side(folder: EvidenceFolder, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(folder.folder)])
    both = capsys.readouterr().out
    main([str(folder.folder), "--lang", "en"])
    english = capsys.readouterr().out
    main([str(folder.folder), "--lang", "zh"])
    chinese = capsys.readouterr().out
    assert "SHA-256 of the whole file is as stated" in both
    assert "整个文件的 SHA-256 与记载一致" in both
    assert "整个文件" not in english
    assert "as stated" not in chinese
    for text in (both, english, chinese):
        assert folder.vkey in text
        assert all(f"  {number} ✓" in text for number in OBLIGATIONS if number != 9)


def test_a_hostile_name_moves_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = PaperLog()
    name = "x\x1b[2J\u202e\n  7 ✓ signed"
    made = make_evidence_folder(tmp_path / "x", b"scan", log=log)
    made.write_receipt(log.record(sealed_payload(b"scan", name=name)))
    main([str(made.folder)])
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n  7 ✓ signed" not in text


def test_printable_keeps_what_people_write() -> None:
    assert printable("现场　检查\n𠮷 é") == "现场　检查\n𠮷 é"
    assert printable("\x7f\x9b\u200b\u2028") == "\\u007f\\u009b\\u200b\\u2028"


def test_it_runs_in_a_light_install_and_under_a_plain_locale(folder: EvidenceFolder) -> None:
    code = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None
from evidence.verify.cli import main
sys.exit(main(sys.argv[1:]))
"""
    run = subprocess.run(
        [sys.executable, "-c", code, str(folder.folder), "--log-key", folder.vkey],
        cwd=ROOT,
        env={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert run.returncode == Exit.VERIFIED, run.stderr
    assert run.stderr == b""
    assert b"verified" in run.stdout


def test_it_is_a_module_to_run(folder: EvidenceFolder) -> None:
    command = [sys.executable, "-m", "evidence.verify", str(folder.folder), "--lang", "en"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=30)
    assert run.returncode == Exit.TRUST_OWED, run.stderr


def test_help_tells_the_obligations_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(f"\n  {number} " in text for number in OBLIGATIONS)
    assert all(f"\n  {code.value} " in text for code in Exit)
