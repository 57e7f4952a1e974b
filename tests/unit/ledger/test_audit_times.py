"""Times judged: honest histories of every kind give no finding, each lie gives its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from ledger import audit_findings as codes
from ledger.audit_times import CheckpointTimes, EntryTimes, TimeJudge, TimeRules
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.cosignature import Cosigner
from ledger.findings import Finding, Severity
from ledger.keys import KeyType, PrivateKey
from ledger.note import Note, Signer, format_note, parse_note
from ledger.policy import Policy

START = datetime(2026, 11, 2, 1, tzinfo=UTC)
LOG = Signer.generate("example.com/log", lambda count: bytes(count))
WITNESSES = [Cosigner(PrivateKey(f"w{n}", KeyType.COSIGNATURE_ED25519, bytes([n]) * 32)) for n in (1, 2)]
POLICY = Policy.parse(
    f"log {LOG.verifier.vkey}\nwitness a {WITNESSES[0].verifier.vkey}\nwitness b {WITNESSES[1].verifier.vkey}\n"
    "group any1 any a b\nquorum any1\n"
)


@dataclass
class History:
    """A log's times, told from beginning to end; `now` moves on."""

    now: datetime = START
    size: int = 0
    steps: list[EntryTimes | CheckpointTimes] = field(default_factory=list)

    def later(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)

    def entry(self, at: datetime | None = None, appended_at: datetime | None = None) -> None:
        """Append and integrate an entry, dated now unless told otherwise."""
        at = at or self.now
        self.steps.append(EntryTimes(at, appended_at or at))
        self.size += 1

    def publish(
        self,
        *,
        signed_at: datetime | None = None,
        published_at: datetime | None = None,
        seen: Sequence[datetime | None] = (None,),
        note: bytes | None = None,
    ) -> None:
        """Sign and publish a checkpoint, by default now; `seen` are the witnesses' times, None for now."""
        text = sign_checkpoint(Checkpoint(LOG.name, self.size, bytes(32) if self.size else b""), [LOG])
        parsed = parse_note(text)
        lines = [
            witness.cosign(parsed.text, at=int((at or self.now).timestamp()))
            for witness, at in zip(WITNESSES, seen, strict=False)
        ]
        self.steps.append(
            CheckpointTimes(
                size=self.size,
                signed_at=signed_at or self.now,
                published_at=published_at or self.now,
                published_note=note or format_note(Note(parsed.text, (*parsed.signatures, *lines))),
            )
        )

    def busy(self, *, checkpoints: int = 5) -> None:
        """Let some ordinary minutes pass."""
        for _ in range(checkpoints):
            self.entry()
            self.entry()
            self.later(seconds=0.1)
            self.publish()
            self.later(minutes=1)

    def found(self, *, now: datetime | None = None, policy: Policy | None = POLICY) -> list[str]:
        """Judge it; return the codes in their order."""
        judge = TimeJudge(TimeRules(tolerance_seconds=300, policy=policy, now=now or self.now))
        found, index = list[Finding](), 0
        for step in self.steps:
            if isinstance(step, EntryTimes):
                found += judge.entry(index, step)
                index += 1
            else:
                found += judge.checkpoint(step)
        for one in found:
            warns = one.code in (codes.ENTRY_LATE, codes.QUORUM_BELOW)
            assert one.severity is (Severity.WARNING if warns else Severity.ERROR)
        return [one.code for one in found]


def test_ordinary_days_give_nothing() -> None:
    history = History()
    history.busy()
    history.later(days=30)
    history.busy()
    assert history.found() == []


def test_an_outage_of_the_sequencer_gives_nothing() -> None:
    history = History()
    history.busy()
    for _ in range(500):
        history.later(minutes=5)
        history.entry()
    history.steps, waiting = history.steps[:-500], history.steps[-500:]
    for start in range(0, 500, 50):
        history.steps += waiting[start : start + 50]
        history.size = 10 + start + 50
        history.later(minutes=2)
        history.publish()
    history.busy()
    assert history.found() == []


def test_a_checkpoint_that_waited_for_its_quorum_for_days_gives_nothing() -> None:
    history = History()
    history.busy()
    history.entry()
    signed = history.now
    history.later(days=3)
    history.publish(signed_at=signed, seen=(signed + timedelta(days=2), None))
    history.busy()
    assert history.found() == []


def test_transactions_that_overlap_within_the_tolerance_give_nothing() -> None:
    history, dice = History(), Random(3)
    for _ in range(300):
        for _ in range(dice.randrange(5)):
            open_seconds = dice.random() * 290
            history.entry(history.now - timedelta(seconds=open_seconds))
        history.publish(seen=(history.now + timedelta(seconds=dice.randrange(-200, 200)),))
        history.later(seconds=dice.random() * 100)
    assert history.found(now=history.now + timedelta(hours=1)) == []


def test_a_transaction_that_stayed_open_is_a_warning_and_one_of_a_week_is_not_believed() -> None:
    for duration, code in ((timedelta(minutes=20), codes.ENTRY_LATE), (timedelta(days=7), codes.ENTRY_BACKDATED)):
        history = History(now=START + timedelta(days=30))
        history.busy(checkpoints=40)
        history.entry(history.now - duration)
        history.busy()
        assert history.found() == [code]


def test_a_witness_that_states_no_time_says_nothing() -> None:
    history = History()
    history.entry()
    history.publish(seen=(datetime.fromtimestamp(0, UTC),))
    assert history.found() == []


def test_rows_without_publication_or_policy_give_nothing() -> None:
    history = History()
    history.busy()
    history.steps = [
        step
        if isinstance(step, EntryTimes)
        else CheckpointTimes(size=step.size, signed_at=step.signed_at, published_at=None, published_note=None)
        for step in history.steps
    ]
    assert history.found() == []
    history.busy()
    assert history.found(policy=None) == []


def lies() -> dict[str, tuple[History, list[str]]]:
    """Histories with one lie each, and what is found."""
    hour, made = timedelta(hours=1), dict[str, tuple[History, list[str]]]()

    def tell(what: str, *expected: str) -> History:
        history = History()
        history.busy(checkpoints=70)
        made[what] = history, list(expected)
        return history

    history = tell("an entry dated back by hand", codes.ENTRY_MISDATED)
    history.entry(history.now - 40 * hour, appended_at=history.now)
    history.publish()
    history = tell("an entry dated back, its row as well", codes.ENTRY_BACKDATED)
    history.entry(history.now - 40 * hour)
    history.publish()
    history = tell("a row's time altered", codes.ENTRY_MISDATED)
    history.entry(appended_at=history.now - 40 * hour)
    history.publish()
    history = tell("an entry dated ahead", codes.ENTRY_POSTDATED)
    history.entry(history.now + hour)
    history.later(hours=5)
    history.publish(signed_at=history.now - 5 * hour, seen=(history.now - 5 * hour,))
    history.busy()
    history = tell("an entry of the future", codes.ENTRY_POSTDATED)
    history.entry(history.now + 400 * hour)
    history.publish()
    history = tell("a checkpoint dated back", codes.CLOCK_JUMPED, codes.CLOCK_DISPUTED)
    history.publish(signed_at=history.now - 3 * hour, published_at=history.now - 3 * hour)
    history = tell("a checkpoint dated ahead", codes.CLOCK_DISPUTED)
    history.publish(signed_at=history.now + 3 * hour, published_at=history.now + 3 * hour)
    history = tell("published before it was signed", codes.CLOCK_JUMPED)
    history.later(hours=2)
    history.publish(published_at=history.now - hour, seen=())
    history.steps[-1] = CheckpointTimes(
        size=history.size, signed_at=history.now, published_at=history.now - hour, published_note=None
    )
    history = tell("a witness that saw it an hour before", codes.CLOCK_DISPUTED)
    history.publish(seen=(history.now - hour,))
    history = tell("a witness that saw it an hour after", codes.CLOCK_DISPUTED)
    history.publish(seen=(history.now + hour,))
    history = tell("too few witnesses", codes.QUORUM_BELOW)
    history.publish(seen=())
    history = tell("a false line", codes.COSIGNATURE_FALSE)
    history.publish()
    step = history.steps[-1]
    assert isinstance(step, CheckpointTimes)
    assert step.published_note is not None
    spoilt = parse_note(step.published_note)
    forged = WITNESSES[0].cosign(spoilt.text.replace("\n1", "\n2"), at=1_800_000_000)
    history.steps[-1] = CheckpointTimes(
        size=step.size,
        signed_at=step.signed_at,
        published_at=step.published_at,
        published_note=format_note(Note(spoilt.text, (*spoilt.signatures[:1], forged))),
    )
    history = tell(
        "the service's clock set back for a day", codes.ENTRY_BACKDATED, codes.CLOCK_JUMPED, codes.CLOCK_DISPUTED
    )
    true = history.now
    history.now -= 24 * hour
    history.entry()
    history.publish(seen=(true,))
    history.now = true + hour
    return made


@pytest.mark.parametrize("what", lies())
def test_each_lie_is_found_and_called_by_its_name(what: str) -> None:
    history, expected = lies()[what]
    assert history.found(now=max(history.now, START + timedelta(days=1))) == expected


def test_after_a_lie_honest_entries_are_not_accused() -> None:
    for at in (timedelta(hours=9), -timedelta(hours=9)):
        history = History()
        history.busy(checkpoints=700)
        history.entry(history.now + at)
        history.publish()
        found = history.found(now=history.now + timedelta(days=1))
        history.busy(checkpoints=700)
        assert history.found(now=history.now + timedelta(days=1)) == found
        assert len(found) == 1
