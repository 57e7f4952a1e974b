"""Which keys spoke for a log, and about which sizes: its statements in order, judged as one chain.

    shilu/log-keys/v1
    {"statements":["<succession 1>","<retirement 1>","<succession 2>",...]}

is the file `log.keys` beside evidence and in a dock's folder, and what a service answers at `/log/keys`. It is not
signed: its statements are, see `ledger.key_statement`. Beside a log's checkpoint each statement is a file of its own,
`keys/1`, `keys/2` and so on, which like a tile never changes.

A chain alternates: a key follows, both sign; the older one ends; only then may the next follow. So at most two keys
sign at a time, and every step is from the one key to the one after it. `KeyHistory.made` has these obligations:
1. each statement is true in itself (`open_statement`);
2. they are about one log, and their numbers count 1, 1, 2, 2, ... with a succession first: none is left out, moved or
   told twice;
3. each succession leads on from the key that is left, to one that never spoke before;
4. each retirement ends the older of the two keys by the word of the younger;
5. the sizes do not fall.

`KeyHistory.open_checkpoint` believes a checkpoint of n entries when a key signed it that speaks for n entries: above
the size at which it followed, up to the size at which it was retired. Lines of its other keys prove nothing then, and
take nothing away; where there is none but those, it is `KeyNotSpeaking`. So an old receipt stays good for ever, and a
stolen key that was retired signs nothing beyond what the log had then.

Whoever believes one key of a chain believes all of it, forwards and backwards: both keys of a step have signed for each
other. What a chain cannot show is that it is the only one. Whoever holds a key that still speaks can make another that
branches off there; `joined` names that as soon as somebody sees both, and the ledger's own entries, the quorum of
witnesses and whoever remembers the first chain say which one is true. Nor can a chain show that it was not cut short:
a key whose retirement is withheld still seems to speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ledger.canonical import canonical_json, parse_canonical
from ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.errors import CheckpointOrigin, CodedError, KeyChainBroken, KeyNotSpeaking, KeyStatementMalformed
from ledger.key_statement import STATEMENT_BYTES_MAX, Retirement, Statement, Succession, open_statement
from ledger.note import NoteVerifier, Verifier, open_note

VERSION = "shilu/log-keys/v1"

KEYS_PATH = "keys"
"""Folder of the statements beside a log's checkpoint, below the log's prefix."""

SUCCESSIONS_MAX = 128
"""Most successions of one log; a key a year for longer than anybody keeps evidence."""

KEYS_BYTES_MAX = 2 * SUCCESSIONS_MAX * STATEMENT_BYTES_MAX
"""Longest file of statements in bytes."""


@dataclass(frozen=True, slots=True)
class KeySpan:
    """A key and the sizes it speaks for.

    Attributes:
        verifier: The key.
        above: It speaks for checkpoints of more entries than these; -1 for the first key of a log.
        up_to: It speaks for checkpoints of no more entries than these; None while it is not retired.
    """

    verifier: Verifier
    above: int = -1
    up_to: int | None = None

    def speaks_for(self, size: int) -> bool:
        """Tell whether a checkpoint of so many entries is this key's to sign."""
        return self.above < size and (self.up_to is None or size <= self.up_to)

    def told(self) -> str:
        """Say the sizes for people."""
        start = f"more than {self.above}" if self.above >= 0 else "any number of"
        return f"{start} entries" if self.up_to is None else f"{start} up to {self.up_to} entries"


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """The keys of one log; made by `of`, `made` or `parse`, which keep to the module's obligations.

    Attributes:
        statements: The notes, in their order, as they came.
        spans: The keys, in the order in which they followed each other; at least one.
    """

    statements: tuple[bytes, ...]
    spans: tuple[KeySpan, ...]

    @classmethod
    def of(cls, first: Verifier) -> Self:
        """Return the history of a log whose key never changed."""
        return cls((), (KeySpan(first),))

    @classmethod
    def made(cls, first: Verifier, statements: Sequence[bytes]) -> Self:
        """Judge statements that begin with the first key of a log.

        Raises:
            KeyStatementMalformed, KeyStatementFalse: Obligation 1 is not met.
            KeyChainBroken: One of the others is not met.
        """
        if len(statements) > 2 * SUCCESSIONS_MAX:
            raise KeyStatementMalformed(f"a log has at most {SUCCESSIONS_MAX} successions")
        spans = [KeySpan(first)]
        for place, raw in enumerate(statements):
            _follow(spans, open_statement(raw), place=place)
        return cls(tuple(statements), tuple(spans))

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a file of statements and judge them; the first key is the one that the first of them names.

        Raises:
            KeyStatementMalformed: It is no such file, or one without statements.
            KeyStatementFalse, KeyChainBroken: See `made`.
        """
        statements = parse_keys(raw)
        first = open_statement(statements[0])
        if not isinstance(first, Succession):
            raise KeyChainBroken("the first statement about a log's keys is a succession")
        return cls.made(first.old, statements)

    def format(self) -> bytes:
        """Write the file of statements.

        Raises:
            KeyStatementMalformed: There are none.
        """
        body = canonical_json({"statements": [statement.decode() for statement in self.statements]})
        raw = f"{VERSION}\n{body.decode()}\n".encode()
        parse_keys(raw)
        return raw

    @property
    def origin(self) -> str:
        """The log's name, which all its keys bear."""
        return self.spans[0].verifier.name

    @property
    def first(self) -> Verifier:
        """The key that the log began with."""
        return self.spans[0].verifier

    @property
    def newest(self) -> Verifier:
        """The key that followed last."""
        return self.spans[-1].verifier

    @property
    def successions(self) -> int:
        """How many keys have followed the first."""
        return len(self.spans) - 1

    @property
    def present(self) -> tuple[Verifier, ...]:
        """The keys that are not retired, older first: one, or two while a new one is being made known."""
        return tuple(span.verifier for span in self.spans if span.up_to is None)

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """All keys."""
        return tuple(span.verifier for span in self.spans)

    def span_of(self, verifier: NoteVerifier) -> KeySpan | None:
        """Return the span of a key, None when it never spoke for this log."""
        return next((span for span in self.spans if span.verifier == verifier), None)

    def open_checkpoint(self, raw: bytes) -> Checkpoint:
        """Verify that a key of the log signed the checkpoint that speaks for its size; witnesses are not looked at.

        Raises:
            NoteMalformed, NoteSignatureFalse, NoteUnsigned: See `ledger.note.open_note`.
            CheckpointMalformed: The signed text is not a checkpoint.
            CheckpointOrigin: It is a checkpoint of another log.
            KeyNotSpeaking: Only keys signed that do not speak for its size.
        """
        note = open_note(raw, self.verifiers)
        checkpoint = parse_checkpoint(note.text)
        if checkpoint.origin != self.origin:
            raise CheckpointOrigin(f"a key of {self.origin} signed a checkpoint of {checkpoint.origin}")
        spans = [span for span in self.spans if span.verifier in note.signed_by]
        if not any(span.speaks_for(checkpoint.size) for span in spans):
            raise not_speaking(checkpoint.size, spans)
        return checkpoint

    def joined(self, other: KeyHistory) -> KeyHistory:
        """Return the longer of two tellings of one history.

        Raises:
            KeyChainBroken: Neither goes on where the other ends: the log's keys tell two stories.
        """
        shorter, longer = sorted((self, other), key=lambda one: len(one.statements))
        told = [open_statement(raw) for raw in shorter.statements]
        again = [open_statement(raw) for raw in longer.statements[: len(told)]]
        if self.first != other.first or told != again:
            raise KeyChainBroken("the statements about the log's keys branch off from those known before")
        return longer


def open_by(raw: bytes, log: NoteVerifier | KeyHistory) -> Checkpoint:
    """Verify a checkpoint by the one key of a log, or by the keys it had; see `KeyHistory.open_checkpoint`.

    Raises:
        CodedError: See there.
    """
    return log.open_checkpoint(raw) if isinstance(log, KeyHistory) else open_checkpoint(raw, log)


def history_of(log: Verifier | KeyHistory) -> KeyHistory:
    """Return the history, where a log may be given by its one key."""
    return log if isinstance(log, KeyHistory) else KeyHistory.of(log)


def parse_keys(raw: bytes) -> tuple[bytes, ...]:
    """Take a file of statements apart; they are not looked into.

    Raises:
        KeyStatementMalformed: Another form, beyond a limit, or no statement in it.
    """
    if len(raw) > KEYS_BYTES_MAX:
        raise KeyStatementMalformed(f"a file of statements has at most {KEYS_BYTES_MAX} bytes, not {len(raw)}")
    version, _, line = raw.partition(b"\n")
    if version != VERSION.encode():
        raise KeyStatementMalformed(f"the file of statements does not begin with {VERSION}")
    try:
        body = parse_canonical(line.removesuffix(b"\n"), bytes_max=KEYS_BYTES_MAX)
    except CodedError as error:
        raise KeyStatementMalformed(f"the file of statements is not canonical JSON: {error.message}") from error
    if not line.endswith(b"\n") or not isinstance(body, dict) or set(body) != {"statements"}:
        raise KeyStatementMalformed("a file of statements is one version line and one line of JSON")
    statements = body["statements"]
    if not isinstance(statements, list) or not 0 < len(statements) <= 2 * SUCCESSIONS_MAX:
        raise KeyStatementMalformed(f"a file of statements holds 1 to {2 * SUCCESSIONS_MAX} of them")
    if not all(isinstance(statement, str) for statement in statements):
        raise KeyStatementMalformed("a statement is text")
    return tuple(str(statement).encode() for statement in statements)


def statement_path(place: int) -> str:
    """Return where the statement stands that comes at a place of the chain, from 1, below the log's prefix."""
    return f"{KEYS_PATH}/{place}"


def not_speaking(size: int, spans: Sequence[KeySpan]) -> KeyNotSpeaking:
    """Make the error that only keys signed which do not speak for a size."""
    told = "; ".join(f"{span.verifier.key_id.hex()} speaks for {span.told()}" for span in spans)
    return KeyNotSpeaking(
        f"a checkpoint of {size} entries is not for the keys that signed it: {told}",
        size=size,
        keys=[span.verifier.vkey for span in spans],
    )


def _follow(spans: list[KeySpan], statement: Statement, *, place: int) -> None:
    """Add one statement to the spans; obligations 2 to 5."""
    number, is_succession = place // 2 + 1, place % 2 == 0
    if statement.number != number or isinstance(statement, Succession) is not is_succession:
        raise KeyChainBroken(
            f"statement {place + 1} about the log's keys is out of its place, or one before is missing"
        )
    last = spans[-1]
    if isinstance(statement, Succession):
        floor = spans[-2].up_to if len(spans) > 1 else 0
        if statement.old != last.verifier:
            raise KeyChainBroken(f"succession {number} does not lead on from the key before it")
        if statement.new in [span.verifier for span in spans]:
            raise KeyChainBroken(f"succession {number} leads to a key that spoke before")
        if statement.size < (floor or 0):
            raise KeyChainBroken(f"succession {number} is about a smaller log than the statement before it")
        spans.append(KeySpan(statement.new, statement.size))
    else:
        _end(spans, statement)


def _end(spans: list[KeySpan], statement: Retirement) -> None:
    old, last = spans[-2], spans[-1]
    if statement.by != last.verifier or statement.retired != old.verifier:
        raise KeyChainBroken(
            f"retirement {statement.number} is not about the two keys of succession {statement.number}"
        )
    if statement.size < last.above:
        raise KeyChainBroken(f"retirement {statement.number} is about a smaller log than its succession")
    spans[-2] = KeySpan(old.verifier, old.above, statement.size)
