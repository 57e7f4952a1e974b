"""The program `shilu-witness` itself: its files, its exit codes, and its HTTP face towards anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from ledger.key_history import KeyHistory
from ledger.key_statement import Succession, sign_succession
from ledger.note import Signer
from ledger.witness.request import REQUEST_BYTES_MAX
from tests.support.clock import SeededEntropy
from tests.support.paper_witness import SIGNER, PaperHistory
from tests.support.witness_process import WitnessProcess, run_witness

LOG = PaperHistory()


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessProcess]:
    made = WitnessProcess(tmp_path / "见证 方", name="witness.example/法制", log_vkey=SIGNER.verifier.vkey)
    yield made
    made.kill()


def test_key_and_memory_are_made_once_and_needed_both(witness: WitnessProcess) -> None:
    assert (witness.folder / "witness.key").stat().st_mode & 0o777 == 0o600
    again = run_witness("init", "witness.example/other", "--folder", witness.folder, "--json")
    assert (again.returncode, json.loads(again.stderr)["error"]["code"]) == (2, "witness.taken")
    known = run_witness("add-log", SIGNER.verifier.vkey, "--folder", witness.folder)
    assert (known.returncode, "witness.log_known" in known.stderr) == (2, True)
    assert run_witness("add-log", "nonsense", "--folder", witness.folder).returncode == 2
    assert run_witness("serve", "--listen", "nonsense", "--folder", witness.folder).returncode == 2
    shown = witness.told("show")
    assert (shown["vkey"], shown["logs"][0]["size"]) == (witness.vkey, None)
    (witness.folder / "witness.db").unlink()
    for words in (["show"], ["serve", "--listen", "127.0.0.1:0"], ["init", "witness.example/法制"]):
        forgotten = run_witness(*words, "--folder", witness.folder)
        assert forgotten.returncode == 2, words
        assert "witness." in forgotten.stderr
    assert not (witness.folder / "witness.db").exists()


def test_the_log_s_new_key_comes_as_a_file(witness: WitnessProcess, tmp_path: Path) -> None:
    successor = Signer.generate(SIGNER.name, SeededEntropy(5))
    statement = Succession(1, SIGNER.verifier, successor.verifier, 3)
    keys = KeyHistory.made(SIGNER.verifier, [sign_succession(statement, old=SIGNER, new=successor)])
    file = tmp_path / "log.keys"
    file.write_bytes(keys.format())
    assert set(witness.told("add-keys", file)["vkeys"]) == {SIGNER.verifier.vkey, successor.verifier.vkey}
    file.write_bytes(keys.format().replace(b'size\\":3', b'size\\":4'))
    forged = run_witness("add-keys", file, "--folder", witness.folder, "--json")
    assert (forged.returncode, json.loads(forged.stderr)["error"]["code"]) == (2, "log_key.false")
    assert len(witness.told("show")["logs"][0]["vkeys"]) == 2


async def test_what_comes_over_http_is_bounded_and_answered(witness: WitnessProcess) -> None:
    witness.start()
    other = Signer.generate("other.example", SeededEntropy(3))
    body = LOG.request(0, 5, note=LOG.note(5, origin="other.example", signers=[other]))
    async with aiohttp.ClientSession(witness.url) as session:

        async def status(data: bytes, path: str = "/add-checkpoint", method: str = "POST") -> int:
            async with session.request(method, path, data=data) as answer:
                return answer.status

        assert await status(b"x" * (REQUEST_BYTES_MAX + 1)) == 413
        assert await status(b"x" * (512 * 1024)) == 413
        assert await status(b"") == 400
        assert await status(b"", method="GET") == 405
        assert await status(b"", path="/nothing") == 404
        assert await status(body) == 404
        witness.told("add-log", other.verifier.vkey)
        assert await status(body) == 200
        assert await status(LOG.request(0, 5)) == 200
        async with session.post("/add-checkpoint", data=LOG.request(0, 6)) as answer:
            assert (answer.status, answer.content_type, await answer.read()) == (409, "text/x.tlog.size", b"5\n")
        async with session.get("/healthz") as answer:
            assert (await answer.text()).strip() == witness.vkey
        (witness.folder / "witness.db").rename(witness.folder / "gone")
        assert await status(LOG.request(5, 6)) == 503
