"""The keys of a log: statements and their chain, what each key may sign, and every way to lie about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.canonical import canonical_json
from ledger.errors import (
    CheckpointOrigin,
    CodedError,
    KeyChainBroken,
    KeyNotSpeaking,
    KeyStatementFalse,
    KeyStatementMalformed,
    NoteUnsigned,
)
from ledger.key_history import KEYS_BYTES_MAX, VERSION, KeyHistory, parse_keys
from ledger.key_statement import (
    STATEMENT_BYTES_MAX,
    Retirement,
    Succession,
    format_statement,
    open_statement,
    parse_statement,
    sign_retirement,
    sign_succession,
)
from ledger.note import Note, Signer, format_note, parse_note, sign_note
from ledger.policy import Policy
from tests.support.log_keys import CHAIN, HISTORY, KEYS, ORIGIN, checkpoint, key, retirement, succession

EVIL = key(90)
OTHER_LOG = key(91, origin="other.example/log")

SPEAKERS = {1: [0], 10: [0], 11: [0, 1], 20: [0, 1], 21: [1], 30: [1], 31: [2], 50: [2], 51: [2, 3], 10**9: [2, 3]}
"""Size of a checkpoint -> numbers of the keys that speak for it, in the chain of tests.support.log_keys."""


def policy_of(signer: Signer) -> Policy:
    return Policy.parse(f"log {signer.verifier.vkey}\nquorum none\n")


@pytest.mark.parametrize("size", SPEAKERS)
def test_a_checkpoint_is_believed_when_a_key_signed_it_that_speaks_for_its_size(size: int) -> None:
    for number, signer in enumerate(KEYS):
        raw = checkpoint(size, [signer])
        if number in SPEAKERS[size]:
            assert HISTORY.open_checkpoint(raw).size == size
        else:
            with pytest.raises(KeyNotSpeaking):
                HISTORY.open_checkpoint(raw)


@pytest.mark.parametrize("size", SPEAKERS)
@pytest.mark.parametrize("anchor", range(4))
def test_whoever_believes_one_key_believes_each_for_its_sizes(size: int, anchor: int) -> None:
    policy = policy_of(KEYS[anchor]).with_keys(KeyHistory.parse(HISTORY.format()))
    for number, signer in enumerate(KEYS):
        raw = checkpoint(size, [signer])
        if number in SPEAKERS[size]:
            assert policy.open_checkpoint(raw).checkpoint.size == size
        else:
            with pytest.raises(KeyNotSpeaking):
                policy.open_checkpoint(raw)


def test_a_line_of_a_retired_key_takes_nothing_away_from_a_true_one() -> None:
    assert HISTORY.open_checkpoint(checkpoint(40, [KEYS[0], KEYS[2]])).size == 40
    with pytest.raises(KeyNotSpeaking, match="up to 20"):
        HISTORY.open_checkpoint(checkpoint(40, [KEYS[0], KEYS[3]]))


def test_statements_introduce_nobody_to_whom_believes_none_of_the_keys() -> None:
    policy = policy_of(EVIL)
    assert policy.with_keys(HISTORY) == policy
    with pytest.raises(NoteUnsigned):
        policy.with_keys(HISTORY).open_checkpoint(checkpoint(40, [KEYS[2]]))
    with pytest.raises(NoteUnsigned):
        HISTORY.open_checkpoint(checkpoint(40, [EVIL]))
    with pytest.raises(CheckpointOrigin):
        HISTORY.open_checkpoint(checkpoint(40, [KEYS[2]], origin="other.example/log"))


def test_a_policy_keeps_its_other_logs_and_its_witnesses() -> None:
    policy = Policy.parse(f"log {OTHER_LOG.verifier.vkey}\nlog {KEYS[1].verifier.vkey} https://x\nquorum none\n")
    grown = policy.with_keys(HISTORY)
    assert grown.log_verifiers == (OTHER_LOG.verifier, *HISTORY.verifiers)
    assert grown.with_keys(HISTORY) == grown
    witnessed = grown.open_checkpoint(checkpoint(5, [OTHER_LOG], origin="other.example/log"))
    assert witnessed.checkpoint.origin == OTHER_LOG.name


def test_the_history_tells_its_keys() -> None:
    assert (HISTORY.origin, HISTORY.first, HISTORY.newest) == (ORIGIN, KEYS[0].verifier, KEYS[3].verifier)
    assert HISTORY.present == (KEYS[2].verifier, KEYS[3].verifier)
    assert HISTORY.successions == 3
    alone = KeyHistory.of(KEYS[0].verifier)
    assert alone.present == (KEYS[0].verifier,)
    assert alone.open_checkpoint(checkpoint(10**9, [KEYS[0]])).size == 10**9


def test_a_file_of_statements_is_read_back() -> None:
    assert KeyHistory.parse(HISTORY.format()) == HISTORY
    assert parse_keys(HISTORY.format()) == CHAIN
    with pytest.raises(KeyStatementMalformed):
        KeyHistory.of(KEYS[0].verifier).format()


BROKEN: dict[str, list[bytes]] = {
    "a retirement first": [retirement(1, size=20)],
    "a gap": [CHAIN[0], CHAIN[1], CHAIN[3]],
    "a succession left out": [CHAIN[0], CHAIN[1], CHAIN[4]],
    "a retirement left out": [CHAIN[0], CHAIN[2]],
    "reordered": [CHAIN[0], CHAIN[1], CHAIN[4], CHAIN[2]],
    "told twice": [CHAIN[0], CHAIN[0]],
    "retired twice": [CHAIN[0], CHAIN[1], CHAIN[1]],
    "not from the beginning": list(CHAIN[2:]),
    "a fork": [CHAIN[0], CHAIN[1], succession(2, size=30, old=EVIL)],
    "leading on from a retired key": [CHAIN[0], CHAIN[1], succession(2, size=30, old=KEYS[0], new=EVIL)],
    "back to a key that spoke before": [CHAIN[0], CHAIN[1], succession(2, size=30, new=KEYS[0])],
    "of another log": [CHAIN[0], CHAIN[1], succession(2, size=30, old=OTHER_LOG, new=key(92, origin=OTHER_LOG.name))],
    "a shrinking log": [CHAIN[0], CHAIN[1], succession(2, size=19)],
    "retired before it was followed": [CHAIN[0], retirement(1, size=9)],
    "the older retires the younger": [CHAIN[0], retirement(1, size=20, retired=KEYS[1], by=KEYS[0])],
    "retired by a stranger": [CHAIN[0], retirement(1, size=20, by=EVIL)],
    "a stranger retired": [CHAIN[0], retirement(1, size=20, retired=EVIL)],
}


@pytest.mark.parametrize("lie", BROKEN)
def test_statements_that_do_not_make_a_chain_are_refused(lie: str) -> None:
    with pytest.raises(KeyChainBroken):
        KeyHistory.made(KEYS[0].verifier, BROKEN[lie])
    body = canonical_json({"statements": [raw.decode() for raw in BROKEN[lie]]})
    try:
        parsed = KeyHistory.parse(VERSION.encode() + b"\n" + body + b"\n")
    except KeyChainBroken:
        return
    # Only where the beginning is missing there is a chain, which is one of other keys.
    assert lie == "not from the beginning"
    assert parsed.first != KEYS[0].verifier


def unsigned(raw: bytes, *, keep: int) -> bytes:
    note = parse_note(raw)
    return format_note(Note(note.text, (note.signatures[keep],)))


def resigned(raw: bytes, *signers: Signer) -> bytes:
    return sign_note(parse_note(raw).text, signers)


FALSE: dict[str, bytes] = {
    "by the old key only": unsigned(CHAIN[0], keep=0),
    "by the new key only": unsigned(CHAIN[0], keep=1),
    "by a stranger instead of the old": resigned(CHAIN[0], EVIL, KEYS[1]),
    "by a stranger instead of the new": resigned(CHAIN[0], KEYS[0], EVIL),
    "in the other order": resigned(CHAIN[0], KEYS[1], KEYS[0]),
    "with a stranger's line besides": resigned(CHAIN[0], KEYS[0], KEYS[1], EVIL),
    "twice by the old key": resigned(CHAIN[0], KEYS[0], KEYS[0]),
    "with another's signature": CHAIN[0].replace(CHAIN[0].split(b"\n")[3], CHAIN[2].split(b"\n")[3]),
    "about another size": CHAIN[0].replace(b'"size":10}', b'"size":11}'),
    "about another number": CHAIN[0].replace(b'"number":1', b'"number":2'),
    "a retirement by the retired key": resigned(CHAIN[1], KEYS[0]),
    "a retirement by both": resigned(CHAIN[1], KEYS[0], KEYS[1]),
    "a retirement about another size": CHAIN[1].replace(b'"size":20}', b'"size":99}'),
}


@pytest.mark.parametrize("lie", FALSE)
def test_a_forged_statement_is_refused(lie: str) -> None:
    with pytest.raises(KeyStatementFalse):
        open_statement(FALSE[lie])


TEXT = parse_note(CHAIN[0]).text

MALFORMED: dict[str, str] = {
    "another version": TEXT.replace("/v1", "/v2"),
    "no version": TEXT.partition("\n")[2],
    "a further line": TEXT + "more\n",
    "no JSON": "shilu/log-key/v1\n{\n",
    "a list": "shilu/log-key/v1\n[]\n",
    "spaces": TEXT.replace('":', '": '),
    "a further field": TEXT.replace('"size"', '"sized":1,"size"'),
    "a field missing": TEXT.replace('"number":1,', ""),
    "fields of the other kind": TEXT.replace("shilu/log-key/v1", "shilu/log-key-end/v1"),
    "a negative size": TEXT.replace('"size":10', '"size":-1'),
    "a size as text": TEXT.replace('"size":10', '"size":"10"'),
    "a true size": TEXT.replace('"size":10', '"size":true'),
    "number 0": TEXT.replace('"number":1', '"number":0'),
    "a swapped origin": TEXT.replace(f'"origin":"{ORIGIN}"', '"origin":"other.example/log"'),
    "one key twice": TEXT.replace(KEYS[1].verifier.vkey, KEYS[0].verifier.vkey),
    "a key that is none": TEXT.replace(KEYS[1].verifier.vkey, f"{ORIGIN}+00000000+AAAA"),
    "a key of another log": TEXT.replace(KEYS[1].verifier.vkey, OTHER_LOG.verifier.vkey),
    "a key that is a number": TEXT.replace(f'"{KEYS[1].verifier.vkey}"', "7"),
}


@pytest.mark.parametrize("lie", MALFORMED)
def test_a_statement_of_another_form_is_refused_even_when_signed(lie: str) -> None:
    assert MALFORMED[lie] != TEXT
    with pytest.raises(KeyStatementMalformed):
        parse_statement(MALFORMED[lie])
    with pytest.raises(KeyStatementMalformed):
        open_statement(sign_note(MALFORMED[lie], [KEYS[0], KEYS[1]]))


def test_statements_are_bounded() -> None:
    with pytest.raises(KeyStatementMalformed):
        open_statement(CHAIN[0] + b"\n" * STATEMENT_BYTES_MAX)
    with pytest.raises(KeyStatementMalformed):
        open_statement(b"\xff")
    with pytest.raises(KeyStatementMalformed):
        KeyHistory.parse(HISTORY.format() + b" " * KEYS_BYTES_MAX)
    with pytest.raises(KeyStatementMalformed):
        KeyHistory.made(KEYS[0].verifier, CHAIN * 100)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"shilu/log-keys/v1\n",
        b'shilu/log-keys/v1\n{"statements":[]}\n',
        b'shilu/log-keys/v1\n{"statements":[7]}\n',
        b'shilu/log-keys/v1\n{"statements":"x"}\n',
        b'shilu/log-keys/v1\n{"statements":["x"]}\n',
        b'shilu/log-keys/v2\n{"statements":["x"]}\n',
        HISTORY.format()[:-1],
        HISTORY.format() + b"\n",
        HISTORY.format().replace(b"{", b"{ ", 1),
        HISTORY.format().replace(b"\xe2\x80\x94", b"-"),
    ],
)
def test_a_damaged_file_of_statements_is_refused(raw: bytes) -> None:
    with pytest.raises(CodedError):
        KeyHistory.parse(raw)


def test_tellings_of_one_history_join_and_two_histories_do_not() -> None:
    for length in range(len(CHAIN) + 1):
        part = KeyHistory.made(KEYS[0].verifier, CHAIN[:length])
        assert part.joined(HISTORY) == HISTORY
        assert HISTORY.joined(part) == HISTORY
    branch = [*CHAIN[:2], succession(2, size=30, new=EVIL), retirement(2, size=40, by=EVIL)]
    for length in (3, 4):
        fork = KeyHistory.made(KEYS[0].verifier, branch[:length])
        for one, other in ((HISTORY, fork), (fork, HISTORY)):
            with pytest.raises(KeyChainBroken, match="branch"):
                one.joined(other)
    with pytest.raises(KeyChainBroken):
        KeyHistory.of(EVIL.verifier).joined(HISTORY)


def test_only_the_named_keys_can_sign() -> None:
    statement = Succession(1, KEYS[0].verifier, KEYS[1].verifier, 3)
    with pytest.raises(KeyStatementMalformed):
        sign_succession(statement, old=KEYS[1], new=KEYS[0])
    with pytest.raises(KeyStatementMalformed):
        sign_retirement(Retirement(1, KEYS[0].verifier, KEYS[1].verifier, 3), by=KEYS[0])
    with pytest.raises(KeyStatementMalformed):
        format_statement(Succession(1, KEYS[0].verifier, OTHER_LOG.verifier, 3))


@given(st.integers(1, 2**31), st.integers(0, 2**53 - 1), st.booleans())
def test_each_statement_is_read_back(number: int, size: int, is_succession: bool) -> None:
    if is_succession:
        raw = succession(number, size=size, old=KEYS[0], new=KEYS[1])
        assert open_statement(raw) == Succession(number, KEYS[0].verifier, KEYS[1].verifier, size)
    else:
        raw = retirement(number, size=size, retired=KEYS[0], by=KEYS[1])
        assert open_statement(raw) == Retirement(number, KEYS[0].verifier, KEYS[1].verifier, size)


@given(st.data())
def test_no_changed_byte_leaves_a_chain_that_says_something_else(data: st.DataObject) -> None:
    raw = bytearray(HISTORY.format())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = KeyHistory.parse(bytes(raw))
    except CodedError:
        return
    assert changed == HISTORY
