"""The judge against a model: whatever is asked, cosigned sizes never fall and no size has two roots."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.errors import LedgerInputError
from ledger.tree import check_consistency
from ledger.witness.errors import WitnessRequestMalformed
from ledger.witness.judge import Seen, judge_author, judge_history
from ledger.witness.request import format_request, parse_request
from tests.support.paper_witness import SIGNER, PaperHistory

HISTORIES = (PaperHistory("one", count=24), PaperHistory("two", count=24))
# A third one agrees with the first on its first 11 leaves: the fork that only a proof can tell.
LATE_FORK = PaperHistory("late", count=24)
LATE_FORK.leaves = [*HISTORIES[0].leaves[:11], *LATE_FORK.leaves[11:]]
SIZES = st.integers(0, 24)


class WitnessedLog(RuleBasedStateMachine):
    """A witness that is asked by anybody; `cosigned` is what has left it, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Seen | None = None
        self.cosigned: list[Seen] = []

    @rule(history=st.sampled_from([*HISTORIES, LATE_FORK]), old=SIZES, size=SIZES, proof_from=st.none() | SIZES)
    def ask(self, history: PaperHistory, old: int, size: int, proof_from: int | None) -> None:
        """Ask with an honest proof, or one from elsewhere."""
        proof = None if proof_from is None else history.proof(proof_from, size)
        self.judge(history.request(old, size, proof=proof))

    @rule(history=st.sampled_from([*HISTORIES, LATE_FORK]), growth=st.integers(0, 5))
    def grow(self, history: PaperHistory, growth: int) -> None:
        """Ask as an honest log of that history would."""
        known = self.seen.size if self.seen else 0
        known_root = self.seen.root if self.seen else None
        if known + growth <= 24:
            accepted = self.judge(history.request(known, known + growth))
            assert accepted == (known == 0 or history.root(known) == known_root)

    def judge(self, body: bytes) -> bool:
        request = parse_request(body)
        if judge_author(request, [SIGNER.verifier]) or judge_history(request, self.seen):
            return False
        self.seen = Seen(request.checkpoint.size, request.checkpoint.root)
        self.cosigned.append(self.seen)
        return True

    @invariant()
    def one_growing_history(self) -> None:
        """Sizes never fall, and a size has one root."""
        sizes = [seen.size for seen in self.cosigned]
        assert sizes == sorted(sizes)
        roots: dict[int, bytes] = {}
        for seen in self.cosigned:
            assert roots.setdefault(seen.size, seen.root) == seen.root

    @invariant()
    def all_of_one_log(self) -> None:
        """All that was cosigned above size 0 are states of one and the same history."""
        grown = [seen for seen in self.cosigned if seen.size]
        assert not grown or any(
            all(history.root(seen.size) == seen.root for seen in grown) for history in (*HISTORIES, LATE_FORK)
        )


TestWitnessedLog = WitnessedLog.TestCase
TestWitnessedLog.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@settings(max_examples=60, deadline=None)
@given(old=SIZES, size=SIZES)
def test_requests_are_read_as_written(old: int, size: int) -> None:
    history = HISTORIES[0]
    proof = tuple(history.proof(old, size))
    raw = format_request(old_size=old, proof=proof, note=history.note(size))
    read = parse_request(raw)
    assert (read.old_size, read.proof, read.note, read.checkpoint.size) == (old, proof, history.note(size), size)
    assert format_request(old_size=read.old_size, proof=read.proof, note=read.note) == raw


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 2000), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_means_the_same(place: int, byte: int) -> None:
    history = HISTORIES[0]
    raw = bytearray(history.request(10, 20))
    raw[place % len(raw)] = byte
    try:
        request = parse_request(bytes(raw))
        author = judge_author(request, [SIGNER.verifier])
        accepted = not (author or judge_history(request, Seen(10, history.root(10))))
    except WitnessRequestMalformed:
        accepted = False
    assert not accepted or bytes(raw) == history.request(10, 20)


def test_the_late_fork_is_one_that_only_a_proof_tells() -> None:
    main = HISTORIES[0]
    assert main.root(11) == LATE_FORK.root(11)
    check_consistency(
        old_size=11,
        old_root=main.root(11),
        new_size=20,
        new_root=LATE_FORK.root(20),
        proof=tuple(LATE_FORK.proof(11, 20)),
    )
    try:
        check_consistency(
            old_size=12,
            old_root=main.root(12),
            new_size=20,
            new_root=LATE_FORK.root(20),
            proof=tuple(LATE_FORK.proof(12, 20)),
        )
    except LedgerInputError:
        return
    raise AssertionError("the fork follows from the main history")
