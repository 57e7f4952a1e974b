"""The third digest: verified where it is stated and can be computed, and never passed over in silence."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from evidence.core.wire.clip_digest import digest_body, take_clip_digest
from evidence.core.wire.receipt import format_receipt
from evidence.errors import WireMalformed
from evidence.verify import hashing
from evidence.verify.clip import verify_clip
from evidence.verify.findings import obligation_of
from ledger.canonical import JsonValue
from ledger.findings import Finding, Severity
from ledger.policy import Policy
from tests.support.evidence_folder import content_of
from tests.support.paper_log import PaperLog, sealed_payload

CONTENT = content_of()
SM3 = hashlib.new("sm3", CONTENT).hexdigest()


def third(tmp_path: Path, stated: JsonValue, *, content: bytes = CONTENT, kind: str = "clip.sealed") -> list[Finding]:
    """Verify a file whose payload states an SM3, and return what was found about digests of the whole file."""
    log = PaperLog()
    receipt = log.record({**sealed_payload(CONTENT), "sm3": stated}, kind=kind)
    file = tmp_path / "clip.mp4"
    file.write_bytes(content)
    policy = Policy.parse(f"log {log.signer.verifier.vkey}\nquorum none\n")
    verification = verify_clip(file, format_receipt(receipt), policy=policy)
    return [one for one in verification.findings if obligation_of(one) == 3 or one.severity is Severity.ERROR]


@pytest.mark.parametrize("kind", ["clip.sealed", "clip.repeated"])
def test_the_right_one_is_met(tmp_path: Path, kind: str) -> None:
    assert [one.code for one in third(tmp_path, SM3, kind=kind)] == ["met.sha256", "met.sm3"]


def test_none_stated_is_none_judged(tmp_path: Path) -> None:
    assert [one.code for one in third(tmp_path, None)] == ["met.sha256"]


def test_another_one_is_an_error_though_everything_else_holds(tmp_path: Path) -> None:
    found = third(tmp_path, "00" * 32)
    assert [one.code for one in found] == ["met.sha256", "clip.sm3_differs"]
    assert found[1].details["actual"] == SM3


def test_an_altered_file_fails_both(tmp_path: Path) -> None:
    codes = {one.code for one in third(tmp_path, SM3, content=b"x" + CONTENT[1:])}
    assert {"clip.sha256_differs", "clip.sm3_differs"} <= codes


def test_where_it_cannot_be_computed_that_is_said_and_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "has_sm3", lambda: False)
    found = third(tmp_path, SM3)
    assert [one.code for one in found] == ["met.sha256", "clip.sm3_not_checked"]
    assert found[1].severity is Severity.WARNING
    assert "NOT CHECKED" in found[1].message


@pytest.mark.parametrize("stated", ["", "0" * 63, "0" * 65, "G" * 64, SM3.upper(), 7, True, [SM3], {"hex": SM3}])
def test_what_is_no_digest_is_refused(tmp_path: Path, stated: JsonValue) -> None:
    assert "payload.malformed" in [one.code for one in third(tmp_path, stated)]
    with pytest.raises(WireMalformed):
        take_clip_digest({**sealed_payload(CONTENT), "sm3": stated})


def test_it_is_no_part_of_what_docks_state() -> None:
    digest = take_clip_digest({**sealed_payload(CONTENT), "sm3": SM3})
    assert digest.sm3 == bytes.fromhex(SM3)
    assert "sm3" not in digest_body(digest)
    assert digest == take_clip_digest(sealed_payload(CONTENT)), "a dock's digest is the same with it and without"
