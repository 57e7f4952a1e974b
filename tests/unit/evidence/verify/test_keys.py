"""Statements about a log's keys that come with evidence: followed where one key is believed, never by themselves."""

from __future__ import annotations

import pytest

from evidence.verify.findings import OBLIGATIONS
from evidence.verify.judge import judge_receipt
from evidence.verify.keys import judge_keys
from ledger.findings import is_clean
from ledger.key_history import KeyHistory
from ledger.policy import Policy
from tests.support.log_keys import HISTORY, KEYS, key, retirement, succession
from tests.support.paper_log import PaperLog, sealed_payload, seeded_signer


def believing(vkey: str) -> Policy:
    return Policy.parse(f"log {vkey}\nquorum none\n")


def test_a_believed_key_leads_to_those_that_followed_and_those_before() -> None:
    for signer in KEYS:
        belief = judge_keys(HISTORY.format(), believing(signer.verifier.vkey))
        assert [found.code for found in belief.findings] == ["keys.followed"]
        assert belief.policy.log_verifiers == HISTORY.verifiers


def test_statements_of_strangers_are_ignored_and_said() -> None:
    policy = believing(key(80).verifier.vkey)
    belief = judge_keys(HISTORY.format(), policy)
    assert [found.code for found in belief.findings] == ["keys.unrelated"]
    assert belief.policy == policy
    assert is_clean(belief.findings)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "log_key.malformed"),
        (HISTORY.format()[:-2], "log_key.malformed"),
        (HISTORY.format().replace(b'size\\":10}', b'size\\":11}'), "log_key.false"),
        (HISTORY.format().replace(b'number\\":2', b'number\\":3'), "log_key.false"),
    ],
)
def test_false_statements_fail_the_run(raw: bytes, why: str) -> None:
    policy = believing(KEYS[0].verifier.vkey)
    belief = judge_keys(raw, policy)
    assert [(found.code, found.details["why"]) for found in belief.findings] == [("keys.not_proved", why)]
    assert belief.policy == policy
    assert not is_clean(belief.findings)


def test_no_statements_say_nothing() -> None:
    policy = believing(KEYS[0].verifier.vkey)
    assert judge_keys(None, policy).findings == ()


def test_a_checkpoint_of_a_retired_key_fails_obligation_seven_alone() -> None:
    log = PaperLog()
    receipt, old, new = log.record(sealed_payload(b"x")), log.signer, seeded_signer(log.signer.name, "next")
    statements = [succession(1, size=0, old=old, new=new), retirement(1, size=0, retired=old, by=new)]
    keys = KeyHistory.made(old.verifier, statements)
    for anchor in (old, new):
        policy = judge_keys(keys.format(), believing(anchor.verifier.vkey)).policy
        found = {one.code for one in judge_receipt(receipt, policy=policy, subject="file:x").findings}
        assert "log.key_retired" in found
        assert len([code for code in found if not code.startswith("met.")]) == 1
    assert 7 in OBLIGATIONS
