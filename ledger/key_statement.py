"""Statements about a log's own key: a new one follows, an old one ends. Signed notes, readable by people.

    shilu/log-key/v1                                                a succession
    {"new":"<vkey>","number":1,"old":"<vkey>","origin":"<name>","size":<n>}
                                                                    (empty line)
    — <name> <by the old key>
    — <name> <by the new key>

    shilu/log-key-end/v1                                            a retirement
    {"by":"<vkey>","number":1,"origin":"<name>","retired":"<vkey>","size":<n>}

    — <name> <by the key that stays>

A succession says: of every checkpoint of *more than* `size` entries the new key is a signer too. Both keys sign it, so
whoever believes one of them is told of the other by the one he believes. A retirement says: of no checkpoint of *more
than* `size` entries is the retired key a signer. Only the key that stays signs it: one that was stolen or lost must not
have a say in its own end. `number` counts the successions of a log from 1; a retirement bears that of its succession.

Both keys bear the log's name, which is its origin; they are told apart by their key IDs.

`open_statement` has four obligations:
1. the bytes are one note of at most `STATEMENT_BYTES_MAX`, its text a known version line and a line of canonical JSON;
2. the fields are exactly those of its kind, the keys are Ed25519 keys that bear the origin as their name, and differ;
3. the signature lines are exactly those named above, in that order: nobody else's word stands beside them;
4. each of them is true.
A statement alone proves no more than that these keys speak for each other; the caller owes that one of them is
believed, and that the statement stands in its place among the others (`ledger.key_history`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ledger.canonical import INTEGER_MAX, JsonObject, canonical_json, parse_canonical
from ledger.errors import CodedError, KeyStatementFalse, KeyStatementMalformed
from ledger.note import Note, Signer, Verifier, parse_note, sign_note

SUCCESSION_VERSION = "shilu/log-key/v1"
RETIREMENT_VERSION = "shilu/log-key-end/v1"

STATEMENT_BYTES_MAX = 4096
"""Longest statement in bytes, signatures included; with names of 255 bytes it has some 1,900."""


@dataclass(frozen=True, slots=True)
class Succession:
    """A new key follows an old one.

    Attributes:
        number: Counts the successions of the log, from 1.
        old: The key that signed alone so far.
        new: The key that signs too.
        size: Checkpoints of more entries than these bear the new key's signature.
    """

    number: int
    old: Verifier
    new: Verifier
    size: int


@dataclass(frozen=True, slots=True)
class Retirement:
    """A key ends.

    Attributes:
        number: That of the succession in which the key was the old one.
        retired: The key that ends.
        by: The key that stays.
        size: No checkpoint of more entries than these is the retired key's.
    """

    number: int
    retired: Verifier
    by: Verifier
    size: int


Statement: TypeAlias = "Succession | Retirement"


def sign_succession(statement: Succession, *, old: Signer, new: Signer) -> bytes:
    """Sign a succession with both keys and return the note.

    Raises:
        KeyStatementMalformed: A part is not of its form, or the signers are not the keys it names.
    """
    return _sign(statement, [old, new])


def sign_retirement(statement: Retirement, *, by: Signer) -> bytes:
    """Sign a retirement with the key that stays and return the note.

    Raises:
        KeyStatementMalformed: A part is not of its form, or the signer is not the key it names.
    """
    return _sign(statement, [by])


def format_statement(statement: Statement) -> str:
    """Write the text of a statement, to be signed.

    Raises:
        KeyStatementMalformed: A part is not of its form.
    """
    body: JsonObject
    if isinstance(statement, Succession):
        version, origin = SUCCESSION_VERSION, statement.old.name
        body = {"old": statement.old.vkey, "new": statement.new.vkey}
    else:
        version, origin = RETIREMENT_VERSION, statement.by.name
        body = {"by": statement.by.vkey, "retired": statement.retired.vkey}
    body |= {"number": statement.number, "origin": origin, "size": statement.size}
    text = f"{version}\n{canonical_json(body).decode()}\n"
    parse_statement(text)
    return text


def parse_statement(text: str) -> Statement:
    """Read the text of a statement; it proves nothing before the note is opened.

    Raises:
        KeyStatementMalformed: Obligation 1 or 2 is not met.
    """
    version, _, line = text.partition("\n")
    names = {SUCCESSION_VERSION: ("old", "new"), RETIREMENT_VERSION: ("retired", "by")}.get(version)
    if names is None:
        raise KeyStatementMalformed(f"no statement about a key of a log is called {version[:40]!r}")
    if not line.endswith("\n") or "\n" in line[:-1]:
        raise KeyStatementMalformed("a statement is one version line and one line of JSON")
    try:
        body = parse_canonical(line[:-1].encode(), bytes_max=STATEMENT_BYTES_MAX)
    except (CodedError, UnicodeEncodeError) as error:
        raise KeyStatementMalformed(f"the body of the statement is not canonical JSON: {error}") from error
    if not isinstance(body, dict) or set(body) != {*names, "number", "origin", "size"}:
        raise KeyStatementMalformed("the statement has other fields than those of its kind")
    first, second = (_key(body[name], origin=body["origin"]) for name in names)
    if first == second:
        raise KeyStatementMalformed("the two keys of the statement are one")
    number, size = _whole(body["number"], least=1), _whole(body["size"], least=0)
    if version == SUCCESSION_VERSION:
        return Succession(number, first, second, size)
    return Retirement(number, first, second, size)


def open_statement(raw: bytes) -> Statement:
    """Verify a statement; the obligations of this module.

    Raises:
        KeyStatementMalformed: Obligation 1 or 2 is not met.
        KeyStatementFalse: Obligation 3 or 4 is not met.
    """
    if len(raw) > STATEMENT_BYTES_MAX:
        raise KeyStatementMalformed(f"a statement has at most {STATEMENT_BYTES_MAX} bytes, not {len(raw)}")
    try:
        note = parse_note(raw)
    except CodedError as error:
        raise KeyStatementMalformed(f"the statement is no signed note: {error.message}") from error
    statement = parse_statement(note.text)
    _check_signatures(note, signers_of(statement))
    return statement


def signers_of(statement: Statement) -> tuple[Verifier, ...]:
    """Return the keys that have to sign a statement, in the order of their lines."""
    return (statement.old, statement.new) if isinstance(statement, Succession) else (statement.by,)


def _check_signatures(note: Note, signers: Sequence[Verifier]) -> None:
    lines = [(line.name, line.key_id) for line in note.signatures]
    if lines != [(signer.name, signer.key_id) for signer in signers]:
        raise KeyStatementFalse(
            "the statement is not signed by the keys that have to, in their order, and only by them"
        )
    for signer, line in zip(signers, note.signatures, strict=True):
        if not signer.verifies(note.text, line.value):
            raise KeyStatementFalse("a signature on the statement is false", key_id=signer.key_id.hex())


def _sign(statement: Statement, signers: Sequence[Signer]) -> bytes:
    if tuple(signer.verifier for signer in signers) != signers_of(statement):
        raise KeyStatementMalformed("the statement names other keys than those that are to sign it")
    return sign_note(format_statement(statement), signers)


def _key(value: object, *, origin: object) -> Verifier:
    try:
        verifier = Verifier.parse(value) if isinstance(value, str) else None
    except CodedError as error:
        raise KeyStatementMalformed(f"a key of the statement is none: {error.message}") from error
    if verifier is None or verifier.name != origin:
        raise KeyStatementMalformed("a key of the statement does not bear the log's name")
    return verifier


def _whole(value: object, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= INTEGER_MAX:
        raise KeyStatementMalformed("a number of the statement is out of its bounds")
    return value
