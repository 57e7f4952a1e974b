"""The `shilu` command as an administrator uses it: a real service, one data folder, documented exit codes and JSON.

Each exit code is shown once by a process of its own (`started`); the other commands run beside the service in this one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import typer
from typer.testing import CliRunner

from api.cli.exits import Exit
from api.cli.main import app
from tests.support.commands import Ran
from tests.support.commands import shilu_here as shilu
from tests.support.house import ROOT

COMMANDS = sorted(typer.main.get_group(app).commands)
_START_SECONDS = 60.0
_VERIFY = "import sys; from evidence.verify.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class Site:
    """A data folder with a service running on it, and one clip sealed through an investigator's upload."""

    data: Path
    url: str
    vkey: str
    token: str
    clip: str
    process: subprocess.Popen[bytes]


def started(*words: str, **environment: str) -> Ran:
    """Run `shilu` to its end in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "api.cli.main", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "COLUMNS": "120", **environment},
    )
    return Ran(run.returncode, run.stdout, run.stderr)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start `shilu serve` with everything of its own, and upload one file."""
    # Below the system's temporary folder: the database's own account must reach it.
    with tempfile.TemporaryDirectory(prefix="shilu 站点 ") as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        with (Path(folder) / "serve.log").open("wb") as log:
            words = ("serve", "--data", str(data), "--listen", "127.0.0.1:0", "--no-worker", "--json")
            process = subprocess.Popen(
                [sys.executable, "-m", "api.cli.main", *words],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, "SHILU_UPLOAD_EXPIRY_SECONDS": "2"},
            )
        try:
            state = _await_service(data, process, Path(folder) / "serve.log")
            words = ("--role", "investigator", "--name", "张三", "--data", str(data), "--json")
            token = shilu("keys", "token", *words).json["token"]
            clip = _upload(state["url"], token, b"not a film, but evidence all the same\n" * 1000)
            yield Site(data, state["url"], state["vkey"], token, clip, process)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_worth_reading(command: str) -> None:
    # In this process: a start of the program takes a second, and that it starts is shown by all the others.
    ran = CliRunner().invoke(app, [command, "--help"], prog_name="shilu")
    assert ran.exit_code == Exit.OK
    assert len(ran.stdout) > 300


def test_help_tells_the_exit_codes() -> None:
    assert "130 interrupted" in started("--help").out


@pytest.mark.parametrize(
    "words", [("no-such-command",), ("verify",), ("verify", "not-a-uuid"), ("serve", "--listen", "nonsense")]
)
def test_a_wrong_command_line_ends_with_two(words: tuple[str, ...]) -> None:
    ran = shilu(*words)
    assert ran.code == Exit.USAGE
    assert ran.out == ""
    assert ran.err


def test_a_database_that_is_away_ends_with_three_and_a_code(tmp_path: Path) -> None:
    dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    ran = started("audit", "--data", str(tmp_path), "--database", dsn, "--json")
    assert ran.code == Exit.UNAVAILABLE
    assert json.loads(ran.err)["error"]["code"] == "database.unreachable"
    assert ran.out == ""


def test_a_setting_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    ran = started("audit", "--data", str(tmp_path), SHILU_DATABSE="postgresql://x")
    assert ran.code == Exit.USAGE
    assert "SHILU_DATABSE" in ran.err


def test_search_finds_by_the_holders_rights(site: Site) -> None:
    words = ("search", "证物", "--url", site.url, "--json")
    found = shilu(*words, SHILU_TOKEN=site.token)
    assert found.code == Exit.OK
    assert [item["clip"] for item in found.json["items"]] == [site.clip]
    assert shilu("search", "没有这个词", "--url", site.url, "--json", SHILU_TOKEN=site.token).json["items"] == []
    refused = shilu(*words, SHILU_TOKEN="shilu_" + "0" * 32 + "_" + "A" * 43)
    assert refused.code == Exit.USAGE
    assert "auth.unknown_token" in refused.err


def test_verify_export_and_offline_verification_agree(site: Site, tmp_path: Path) -> None:
    verified = shilu("verify", site.clip, "--data", str(site.data), "--json")
    assert verified.code == Exit.OK
    assert verified.json["verified"]
    target = tmp_path / "证据 evidence"
    exported = shilu("export", site.clip, "--data", str(site.data), "--to", str(target), "--json")
    assert exported.code == Exit.OK
    offline = subprocess.run(
        [sys.executable, "-c", _VERIFY, exported.json["clips"][0]["folder"], "--log-key", site.vkey, "--json"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert offline.returncode == 0
    assert json.loads(offline.stdout)["verified"]


def test_an_unknown_clip_is_named(site: Site) -> None:
    ran = shilu("verify", "01a200a7-b5ae-773f-b87b-a92caed0db05", "--data", str(site.data), "--json")
    assert ran.code == Exit.USAGE
    assert json.loads(ran.err)["error"]["code"] == "clip.unknown"


def test_audit_is_clean_then_names_the_altered_byte(site: Site) -> None:
    clean = started("audit", "--data", str(site.data), "--json")
    assert clean.code == Exit.OK
    assert clean.json["clean"]
    stored = next(path for path in (site.data / "objects").rglob("*") if path.is_file() and path.stat().st_size > 1000)
    original = stored.read_bytes()
    stored.chmod(0o644)
    stored.write_bytes(bytes([original[0] ^ 1]) + original[1:])
    try:
        audited = shilu("audit", "--data", str(site.data), "--no-record", "--json")
        verified = started("verify", "--all", "--data", str(site.data), "--json")
    finally:
        stored.write_bytes(original)
        stored.chmod(0o444)
    assert audited.code == Exit.CHECK_FAILED
    assert not audited.json["clean"]
    assert [one["code"] for one in audited.json["findings"] if one["severity"] == "error"] == ["object.altered"]
    assert verified.code == Exit.CHECK_FAILED
    failed = {one["code"] for one in verified.json["clips"][0]["findings"] if one["severity"] == "error"}
    assert failed == {"clip.chunks_differ", "clip.sha256_differs"}
    assert shilu("audit", "--data", str(site.data), "--json").code == Exit.OK


def test_audit_since_a_checkpoint_of_another_log_is_refused(site: Site, tmp_path: Path) -> None:
    foreign = tmp_path / "checkpoint"
    foreign.write_text(
        "another.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— another.example/log AAAA\n"
    )
    ran = shilu("audit", "--data", str(site.data), "--since", str(foreign), "--json")
    assert ran.code == Exit.USAGE


def test_keys_are_listed_and_revoked(site: Site) -> None:
    words = ("--role", "auditor", "--name", "李四", "--data", str(site.data), "--json")
    issued = shilu("keys", "token", *words).json
    assert {"李四", "张三"} <= {
        one["name"] for one in shilu("keys", "list", "--data", str(site.data), "--json").json["tokens"]
    }
    assert shilu("search", "--url", site.url, "--token", issued["token"], "--json").code == Exit.OK
    revoked = shilu("keys", "revoke", issued["id"], "--reason", "离职", "--data", str(site.data), "--json")
    assert revoked.code == Exit.OK
    refused = shilu("search", "--url", site.url, "--token", issued["token"], "--json")
    assert refused.code == Exit.USAGE
    assert "auth.revoked" in refused.err


def test_what_was_set_aside_is_listed_shown_and_saved(site: Site, tmp_path: Path) -> None:
    data = ("--data", str(site.data), "--json")
    begun = _begin(site.url, site.token, b"the beginning of something", of=1000)
    deadline = time.monotonic() + 30
    while not (listed := shilu("quarantine", "list", *data).json["uploads"]):
        assert time.monotonic() < deadline, "an upload that nobody goes on with is not closed"
    assert [(one["upload"], one["code"], one["kept_bytes"]) for one in listed] == [(begun, "upload.expired", 26)]
    assert shilu("quarantine", "show", begun, *data).json == listed[0]
    saved = shilu("quarantine", "save", begun, "--to", str(tmp_path / "查看"), "--purpose", "litigation", *data)
    assert saved.code == Exit.OK, saved.err
    assert Path(saved.json["file"]).read_bytes() == b"the beginning of something"
    again = shilu("quarantine", "save", begun, "--to", str(tmp_path / "查看"), "--purpose", "litigation", *data)
    assert "export.target_taken" in again.err
    unknown = shilu("quarantine", "show", site.clip, *data)
    assert (unknown.code, json.loads(unknown.err)["error"]["code"]) == (Exit.USAGE, "upload.not_quarantined")
    assert shilu("quarantine", "save", begun, "--to", "x", "--purpose", "curiosity", *data).code == Exit.USAGE
    people = shilu("quarantine", "list", "--data", str(site.data))
    assert "upload.expired" in people.out


def test_migrate_twice_does_nothing_the_second_time(site: Site) -> None:
    first, second = (shilu("migrate", "--data", str(site.data), "--json") for _ in range(2))
    assert first.code == second.code == Exit.OK
    assert first.json == second.json


def _begin(url: str, token: str, content: bytes, *, of: int) -> str:
    """Send the beginning of a file and nothing more; return the upload's id."""

    async def work() -> str:
        headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0", "Upload-Length": str(of)}
        headers |= {"Content-Type": "application/offset+octet-stream", "Upload-Metadata": "filename YS5tcDQ="}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{url}/uploads", data=content) as answer,
        ):
            assert answer.status == 201, await answer.text()
            return answer.headers["Location"].rpartition("/")[2]

    return asyncio.run(work())


def _await_service(data: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    place = data / "run" / "service.json"
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if place.exists():
            state: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
            return state
        assert process.poll() is None, log.read_text(errors="replace")
        time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))


def _upload(url: str, token: str, content: bytes) -> str:
    """Upload a file as an investigator with any tus client would, and return the clip's id once it is provable."""

    async def work() -> str:
        name = base64.b64encode("证物 一.txt".encode()).decode()
        headers = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
        async with aiohttp.ClientSession(headers=headers) as session:
            created = {"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {name}"}
            async with session.post(f"{url}/uploads", headers=created) as answer:
                assert answer.status == 201, await answer.text()
                location = answer.headers["Location"]
            patch = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
            target = location if location.startswith("http") else url + location
            async with session.patch(target, data=content, headers=patch) as answer:
                assert answer.status == 204, await answer.text()
            async with session.get(f"{url}/v1/clips") as answer:
                clip = str((await answer.json())["items"][0]["clip"])
            for _ in range(100):
                async with session.get(f"{url}/v1/clips/{clip}/receipt") as answer:
                    if answer.status == 200:
                        return clip
                await asyncio.sleep(0.1)
        raise AssertionError("the clip did not become provable")

    return asyncio.run(work())
