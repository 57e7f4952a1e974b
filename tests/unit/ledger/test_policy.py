"""Trust policies: the quorum is what the file says. Hostile policies and checkpoints: test_vectors.py."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checkpoint import Checkpoint, format_checkpoint, sign_checkpoint
from ledger.cosignature import Cosigner
from ledger.errors import CheckpointOrigin, NoteUnsigned, PolicyMalformed, PolicyUnmet
from ledger.keys import KeyType, PrivateKey
from ledger.note import Note, Signature, format_note, open_note, sign_note
from ledger.policy import PARTIES_MAX, POLICY_BYTES_MAX, Group, Policy
from tests.vectors.generate import CHECKPOINT, FOLDER, LOG, POLICY, STRANGER, WITNESSES

TEXT = format_checkpoint(CHECKPOINT)
AT = 1_795_303_283


def _witness(number: int) -> Cosigner:
    return Cosigner(PrivateKey(f"w{number}.example", KeyType.COSIGNATURE_ED25519, number.to_bytes(32, "big")))


MANY = [_witness(number) for number in range(6)]
MANY_LINES = "".join(f"witness w{number} {witness.verifier.vkey}\n" for number, witness in enumerate(MANY))


def _signed(*signatures: Signature) -> bytes:
    return format_note(Note(TEXT, (LOG.sign(TEXT), *signatures)))


def test_a_verdict_names_who_signed_when_and_who_is_missing() -> None:
    policy = Policy.parse(POLICY)
    raw = _signed(WITNESSES[2].cosign(TEXT, at=AT), WITNESSES[2].cosign(TEXT, at=AT + 9))
    verdict = policy.check(open_note(raw, policy.verifiers))
    assert [log.verifier for log in verdict.logs] == [LOG.verifier]
    assert [(seen.witness.name, seen.at) for seen in verdict.cosigned] == [("w3", AT + 9)]
    assert verdict.missing == ("w1", "w2")
    assert not verdict.quorum_met
    with pytest.raises(PolicyUnmet) as caught:
        policy.open_checkpoint(raw)
    assert caught.value.details == {"missing": ["w1", "w2"]}


def _meets(groups: str, signers: tuple[int, ...]) -> bool:
    policy = Policy.parse(f"log {LOG.verifier.vkey}\n{MANY_LINES}{groups}")
    raw = _signed(*(MANY[number].cosign(TEXT, at=AT) for number in signers))
    return policy.check(open_note(raw, policy.verifiers)).quorum_met


@pytest.mark.parametrize("signers", [s for n in range(7) for s in itertools.combinations(range(6), n)], ids=str)
def test_quorums_of_groups_are_those_of_set_arithmetic(signers: tuple[int, ...]) -> None:
    groups = "group x 2 w0 w1 w2\ngroup y any w3 w4\ngroup both all x y\ngroup top any both w5\nquorum top\n"
    x, y = len({0, 1, 2}.intersection(signers)) >= 2, bool({3, 4}.intersection(signers))
    assert _meets(groups, signers) is ((x and y) or 5 in signers)


def test_quorum_none_asks_for_nobody_and_one_witness_for_that_one() -> None:
    assert _meets("quorum none\n", ())
    assert _meets("quorum w1\n", (1,))
    assert not _meets("quorum w1\n", (0, 2, 3, 4, 5))


@given(data=st.data())
def test_policies_round_trip(data: st.DataObject) -> None:
    free = [f"w{number}" for number in range(6)]
    lines = []
    for number in range(data.draw(st.integers(0, 3))):
        members = data.draw(st.lists(st.sampled_from(free), min_size=1, max_size=3, unique=True))
        threshold = data.draw(st.sampled_from(["all", "any", *map(str, range(1, len(members) + 1))]))
        lines.append(f"group g{number} {threshold} {' '.join(members)}\n")
        free = [name for name in [*free, f"g{number}"] if name not in members]
    quorum = data.draw(st.sampled_from([*free, "none"]))
    url = data.draw(st.sampled_from(["", " https://log.example/", " \t测试 "]))
    policy = Policy.parse(f"# by hand\n{MANY_LINES}{''.join(lines)}quorum {quorum}\nlog {LOG.verifier.vkey}{url}\n")
    assert Policy.parse(policy.format()) == policy


@given(st.text("logwitnesgrupquorum none#\t w1\n", max_size=60) | st.binary(max_size=40))
def test_anything_else_is_refused_as_malformed(text: str | bytes) -> None:
    try:
        policy = Policy.parse(text)
    except PolicyMalformed:
        return
    assert Policy.parse(policy.format()) == policy


def test_names_that_are_not_utf_8_are_kept() -> None:
    raw = (FOLDER / "policy" / "good" / "name-not-utf-8").read_bytes()
    policy = Policy.parse(raw)
    assert policy.format() == raw
    assert Policy.parse(policy.format().decode("utf-8", "surrogateescape")) == policy


def test_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(PolicyMalformed):
        Policy.parse("quorum \ud800\n")


def test_all_and_any_are_thresholds() -> None:
    policy = Policy.parse(MANY_LINES + "group a all w0 w1\ngroup b any w2 w3 w4\nquorum none\n")
    assert policy.groups == (Group("a", 2, ("w0", "w1")), Group("b", 1, ("w2", "w3", "w4")))


def test_limits_leave_room_for_what_the_specification_asks() -> None:
    lines = "".join(f"witness w{number} {_witness(number).verifier.vkey}\n" for number in range(PARTIES_MAX))
    groups = "".join(f"group g{number} any w{number}\n" for number in range(PARTIES_MAX))
    assert len(Policy.parse(lines + groups + "quorum g0\n").witnesses) == PARTIES_MAX >= 32
    with pytest.raises(PolicyMalformed, match="line 257"):
        Policy.parse(f"{lines}witness more {_witness(999).verifier.vkey}\nquorum none\n")
    with pytest.raises(PolicyMalformed, match="bytes"):
        Policy.parse(b"#" * POLICY_BYTES_MAX + b"\nquorum none\n")


def test_a_log_speaks_for_itself_alone() -> None:
    policy = Policy.parse(f"log {LOG.verifier.vkey}\nlog {STRANGER.verifier.vkey}\nquorum none\n")
    assert policy.log_verifiers == (LOG.verifier, STRANGER.verifier)
    assert policy.open_checkpoint(_signed()).checkpoint == CHECKPOINT
    as_other = Checkpoint(STRANGER.name, CHECKPOINT.size, CHECKPOINT.root)
    with pytest.raises(CheckpointOrigin):
        policy.open_checkpoint(sign_checkpoint(as_other, [LOG]))
    both = policy.open_checkpoint(sign_note(TEXT, [STRANGER, LOG]))
    assert both.checkpoint.origin == LOG.name


def test_witnesses_cannot_stand_in_for_the_log() -> None:
    policy = Policy.parse(POLICY)
    raw = format_note(Note(TEXT, tuple(witness.cosign(TEXT, at=AT) for witness in WITNESSES)))
    with pytest.raises(NoteUnsigned):
        policy.open_checkpoint(raw)


def test_a_log_may_sign_with_ml_dsa() -> None:
    vkey = (FOLDER / "foreign" / "ml-dsa-44.vkey").read_text(encoding="utf-8")
    raw = (FOLDER / "foreign" / "ml-dsa-44.checkpoint").read_bytes()
    assert Policy.parse(f"log {vkey}quorum none\n").open_checkpoint(raw).checkpoint.size == 1
