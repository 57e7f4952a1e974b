"""A witness's answers to requests, good and hostile: each status, and that a refusal changes nothing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.cosignature import CosignatureVerifier, Cosigner, cosigned_at
from ledger.key_history import KeyHistory
from ledger.key_statement import Retirement, Succession, sign_retirement, sign_succession
from ledger.keys import KeyType
from ledger.note import Signer, open_note
from ledger.witness.errors import (
    WitnessKeysUnrelated,
    WitnessLogKnown,
    WitnessMemoryUnusable,
    WitnessMissing,
    WitnessTaken,
)
from ledger.witness.judge import SIZE_TYPE
from ledger.witness.request import REQUEST_BYTES_MAX
from ledger.witness.store import Memory
from ledger.witness.witness import Witness
from tests.support.clock import START, SeededEntropy, SteppingClock
from tests.support.paper_witness import ORIGIN, SIGNER, PaperHistory

LOG = PaperHistory()
FORK = PaperHistory("fork")
STRANGER = Signer.generate(ORIGIN, SeededEntropy(77))


def make_witness(folder: Path, key_type: KeyType = KeyType.COSIGNATURE_ED25519) -> Witness:
    cosigner = Cosigner.generate("witness.example/w1", key_type=key_type, entropy=SeededEntropy(5))
    memory = Memory.create(folder / "witness.db", vkey=cosigner.verifier.vkey)
    memory.add_log(SIGNER.verifier)
    return Witness(cosigner, memory, clock=SteppingClock())


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return make_witness(tmp_path)


def seen_size(witness: Witness) -> int | None:
    return witness.memory.logs()[0].size


def at_ten(witness: Witness) -> Witness:
    assert witness.add_checkpoint(LOG.request(0, 10)).status == 200
    return witness


SUCCESSOR = Signer.generate(ORIGIN, SeededEntropy(78))
SUCCEEDED = sign_succession(Succession(1, SIGNER.verifier, SUCCESSOR.verifier, 10), old=SIGNER, new=SUCCESSOR)
RETIRED = sign_retirement(Retirement(1, SIGNER.verifier, SUCCESSOR.verifier, 20), by=SUCCESSOR)
BOTH, ALONE = (KeyHistory.made(SIGNER.verifier, [SUCCEEDED, RETIRED][:count]) for count in (1, 2))


def signed_by(witness: Witness, *signers: Signer, old: int, size: int) -> int:
    return witness.add_checkpoint(LOG.request(old, size, note=LOG.note(size, signers=list(signers)))).status


def test_a_witness_goes_over_to_the_key_that_follows_and_never_back(witness: Witness) -> None:
    assert signed_by(witness, SIGNER, old=0, size=10) == 200
    assert signed_by(witness, SUCCESSOR, old=10, size=11) == 403
    assert signed_by(witness, SIGNER, SUCCESSOR, old=10, size=11) == 200
    assert set(witness.memory.add_keys(BOTH)) == {SIGNER.verifier, SUCCESSOR.verifier}
    assert signed_by(witness, SUCCESSOR, old=11, size=12) == 200
    assert witness.memory.add_keys(ALONE) == (SUCCESSOR.verifier,)
    assert signed_by(witness, SIGNER, old=12, size=13) == 403
    # Statements of yesterday do not bring the retired key back.
    assert witness.memory.add_keys(BOTH) == (SUCCESSOR.verifier,)
    assert signed_by(witness, SIGNER, old=12, size=13) == 403
    assert signed_by(witness, SUCCESSOR, old=12, size=13) == 200


def test_a_witness_takes_no_keys_from_whom_it_does_not_believe(witness: Witness) -> None:
    stranger = sign_succession(Succession(1, STRANGER.verifier, SUCCESSOR.verifier, 1), old=STRANGER, new=SUCCESSOR)
    with pytest.raises(WitnessKeysUnrelated):
        witness.memory.add_keys(KeyHistory.made(STRANGER.verifier, [stranger]))
    other = Signer.generate("other.example", SeededEntropy(3)), Signer.generate("other.example", SeededEntropy(4))
    unknown = sign_succession(Succession(1, other[0].verifier, other[1].verifier, 1), old=other[0], new=other[1])
    with pytest.raises(WitnessKeysUnrelated):
        witness.memory.add_keys(KeyHistory.made(other[0].verifier, [unknown]))
    assert witness.memory.trusted(ORIGIN) == (SIGNER.verifier,)
    assert witness.memory.trusted("other.example") == ()


@pytest.mark.parametrize("key_type", [KeyType.COSIGNATURE_ED25519, KeyType.COSIGNATURE_MLDSA44])
def test_an_honest_log_is_cosigned_from_the_first_checkpoint_on(tmp_path: Path, key_type: KeyType) -> None:
    witness = make_witness(tmp_path, key_type)
    old = 0
    for size in (0, 0, 1, 1, 2, 7, 8, 9, 31, 40, 40):
        answer = witness.add_checkpoint(LOG.request(old, size))
        assert answer.status == 200, answer.body
        note = LOG.note(size)
        opened = open_note(note + answer.body, [CosignatureVerifier.parse(witness.vkey)])
        assert cosigned_at(opened.proofs[0][1]) == int(START.timestamp())
        assert seen_size(witness) == size
        old = size


HOSTILE: dict[str, tuple[Callable[[], bytes], int]] = {
    "unknown origin": (
        lambda: LOG.request(0, 12, note=LOG.note(12, origin="other.example", signers=[SIGNER])),
        404,
    ),
    "signed by nobody known": (lambda: LOG.request(10, 12, note=LOG.note(12, signers=[STRANGER])), 403),
    "signature of another text": (
        lambda: LOG.request(10, 12, note=LOG.note(12).replace(b"\n12\n", b"\n13\n")),
        403,
    ),
    "a false line beside a true one of the same key": (
        lambda: LOG.request(10, 12, note=LOG.note(12) + LOG.note(11).split(b"\n\n")[1]),
        403,
    ),
    "old above the new size": (lambda: LOG.request(12, 10), 400),
    "stale: asks from before the last": (lambda: LOG.request(5, 12), 409),
    "stale: asks from nothing": (lambda: LOG.request(0, 12), 409),
    "from the future": (lambda: LOG.request(11, 12), 409),
    "roll-back that tells the truth": (lambda: LOG.request(10, 9), 400),
    "roll-back that lies": (lambda: LOG.request(9, 9), 409),
    "same size with another root": (lambda: FORK.request(10, 10), 422),
    "split view with its own proof": (lambda: FORK.request(10, 12), 422),
    "split view with the honest proof": (lambda: FORK.request(10, 12, proof=LOG.proof(10, 12)), 422),
    "no proof": (lambda: LOG.request(10, 12, proof=[]), 422),
    "proof of another size": (lambda: LOG.request(10, 12, proof=LOG.proof(9, 12)), 422),
    "proof with one hash too many": (lambda: LOG.request(10, 12, proof=[*LOG.proof(10, 12), bytes(32)]), 422),
    "proof where there is nothing to prove": (lambda: LOG.request(10, 10, proof=[bytes(32)]), 422),
    "64 hashes": (lambda: LOG.request(10, 12, proof=[bytes(32)] * 64), 400),
    "a short hash": (lambda: LOG.request(10, 12, proof=[bytes(31)]), 400),
    "empty": (lambda: b"", 400),
    "only a checkpoint": (lambda: LOG.note(12), 400),
    "no old line": (lambda: b"\n" + LOG.note(12), 400),
    "old with a leading zero": (lambda: LOG.request(10, 12).replace(b"old 10", b"old 010"), 400),
    "negative old": (lambda: LOG.request(10, 12).replace(b"old 10", b"old -1"), 400),
    "old beyond all sizes": (lambda: LOG.request(10, 12).replace(b"old 10", b"old " + b"9" * 30), 400),
    "Old": (lambda: LOG.request(10, 12).replace(b"old 10", b"Old 10"), 400),
    "two spaces": (lambda: LOG.request(10, 12).replace(b"old 10", b"old  10"), 400),
    "carriage returns": (lambda: LOG.request(10, 12).replace(b"\n", b"\r\n"), 400),
    "base64 with stray bits": (lambda: LOG.request(10, 12).replace(b"=\n", b"\n", 1), 400),
    "not UTF-8": (lambda: LOG.request(10, 12) + b"\xff\n", 400),
    "no newline at the end": (lambda: LOG.request(10, 12)[:-1], 400),
    "an extension line": (
        lambda: LOG.request(10, 12, note=LOG.note(12).replace(b"\n\n", b"\nextension\n\n", 1)),
        400,
    ),
    "too long": (lambda: LOG.request(10, 12) + b"x" * REQUEST_BYTES_MAX, 413),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_does_not_follow_is_refused_and_forgotten(name: str, witness: Witness) -> None:
    at_ten(witness)
    make, status = HOSTILE[name]
    answer = witness.add_checkpoint(make())
    assert answer.status == status, answer.body
    assert "—".encode() not in answer.body
    assert seen_size(witness) == 10
    if status == 409:
        assert (answer.body, answer.content_type) == (b"10\n", SIZE_TYPE)
    assert witness.add_checkpoint(LOG.request(10, 12)).status == 200


def test_before_the_first_checkpoint_only_old_zero_is_taken(witness: Witness) -> None:
    answer = witness.add_checkpoint(LOG.request(5, 10))
    assert (answer.status, answer.body, answer.content_type) == (409, b"0\n", SIZE_TYPE)
    assert witness.add_checkpoint(LOG.request(0, 10, proof=[bytes(32)])).status == 422
    assert witness.add_checkpoint(LOG.request(0, 10)).status == 200


def test_lines_of_unknown_keys_are_ignored_and_not_cosigned(witness: Witness) -> None:
    note = LOG.note(12, signers=[STRANGER, SIGNER])
    answer = witness.add_checkpoint(LOG.request(0, 12, note=note))
    assert answer.status == 200
    assert len(answer.body.splitlines()) == 1


def test_a_key_of_one_log_does_not_speak_for_another(witness: Witness) -> None:
    other = Signer.generate("other.example", SeededEntropy(8))
    witness.memory.add_log(other.verifier)
    forged = sign_checkpoint(Checkpoint(ORIGIN, 12, LOG.root(12)), [other])
    assert witness.add_checkpoint(LOG.request(0, 12, note=forged)).status == 403


def test_concurrent_requests_are_answered_one_after_the_other(tmp_path: Path) -> None:
    witness = at_ten(make_witness(tmp_path))
    bodies = [(LOG if index % 2 else FORK_FROM_TEN).request(10, 12) for index in range(8)]
    answers: list[tuple[int, bytes]] = []
    start = threading.Barrier(len(bodies))

    def ask(body: bytes) -> None:
        start.wait()
        answer = witness.add_checkpoint(body)
        answers.append((answer.status, answer.body))

    threads = [threading.Thread(target=ask, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200] + [409] * 7
    assert {body for status, body in answers if status == 409} == {b"12\n"}


FORK_FROM_TEN = PaperHistory("fork from ten")
FORK_FROM_TEN.leaves = [*LOG.leaves[:10], *FORK_FROM_TEN.leaves[10:]]


def test_nothing_is_cosigned_when_it_cannot_be_remembered(tmp_path: Path) -> None:
    witness = at_ten(make_witness(tmp_path))
    with sqlite3.connect(tmp_path / "witness.db") as conn:
        conn.execute("CREATE TRIGGER broken BEFORE UPDATE ON seen BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    conn.close()
    with pytest.raises(WitnessMemoryUnusable):
        witness.add_checkpoint(LOG.request(10, 12))
    assert seen_size(witness) == 10


def test_the_memory_itself_refuses_to_go_back(tmp_path: Path) -> None:
    at_ten(make_witness(tmp_path))
    conn = sqlite3.connect(tmp_path / "witness.db")
    for statement in ("UPDATE seen SET size = 9", "UPDATE seen SET root = zeroblob(32)", "DELETE FROM seen"):
        with pytest.raises(sqlite3.IntegrityError):
            conn.execute(statement)
    conn.close()


def test_a_memory_is_made_once_and_belongs_to_one_key(tmp_path: Path) -> None:
    witness = make_witness(tmp_path)
    path = tmp_path / "witness.db"
    with pytest.raises(WitnessTaken):
        Memory.create(path, vkey=witness.vkey)
    with pytest.raises(WitnessLogKnown):
        witness.memory.add_log(SIGNER.verifier)
    with pytest.raises(WitnessMemoryUnusable):
        Memory(path, vkey="another")
    path.unlink()
    with pytest.raises(WitnessMissing):
        witness.add_checkpoint(LOG.request(0, 12))
    path.write_bytes(b"not a database at all")
    with pytest.raises(WitnessMemoryUnusable):
        witness.add_checkpoint(LOG.request(0, 12))
