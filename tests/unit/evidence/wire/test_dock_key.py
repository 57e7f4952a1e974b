"""A change of a dock's key: signed by exactly the two keys it names, in one spelling; anything else is refused."""

from __future__ import annotations

from uuid import UUID

import pytest

from evidence.core.wire.dock_key import VERSION, DockKeyChange, format_dock_key, open_dock_key, sign_dock_key
from evidence.core.wire.statement import STATEMENT_BYTES_MAX, dock_key_name
from evidence.errors import WireError, WireLimit, WireMalformed, WireSignature
from ledger.note import Note, Signer, format_note, parse_note, sign_note

DOCK = UUID("01930000-0000-7000-8000-00000000d0c1")
OTHER = UUID("01930000-0000-7000-8000-00000000d0c2")
OLD, NEW, THIRD = (Signer.generate(dock_key_name(DOCK)) for _ in range(3))
CHANGE = DockKeyChange(dock=DOCK, sequence=1, old=OLD.verifier, new=NEW.verifier)
NOTE = sign_dock_key(CHANGE, old=OLD, new=NEW)
TEXT = format_dock_key(CHANGE)


def lines(*signers: Signer, text: str = TEXT) -> bytes:
    return sign_note(text, list(signers))


def test_a_change_is_opened_as_it_was_signed_and_always_signed_alike() -> None:
    assert open_dock_key(NOTE) == CHANGE
    assert sign_dock_key(CHANGE, old=OLD, new=NEW) == NOTE == lines(OLD, NEW)
    assert TEXT.startswith(f"{VERSION}\n")


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(lines(OLD), id="old alone: the new key might not exist"),
        pytest.param(lines(NEW), id="new alone: anybody's key"),
        pytest.param(lines(NEW, OLD), id="the other way round"),
        pytest.param(lines(OLD, OLD), id="old twice"),
        pytest.param(lines(OLD, NEW, THIRD), id="a third line"),
        pytest.param(lines(OLD, THIRD), id="another key than the one named"),
        pytest.param(lines(THIRD, NEW), id="another old key"),
        pytest.param(lines(OLD, NEW).replace(b'"sequence":1', b'"sequence":2'), id="another number"),
        pytest.param(TEXT.encode(), id="not signed"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(NOTE[:-10] + b"\n", id="cut"),
    ],
)
def test_what_is_not_signed_by_both_is_refused(note: bytes) -> None:
    with pytest.raises(WireSignature):
        open_dock_key(note)


def test_one_false_line_of_two_condemns_it() -> None:
    note = parse_note(NOTE)
    stranger = Signer.generate(dock_key_name(DOCK)).sign(TEXT)
    for at in (0, 1):
        signatures = list(note.signatures)
        signatures[at] = type(stranger)(stranger.name, signatures[at].key_id, stranger.value)
        with pytest.raises(WireSignature):
            open_dock_key(format_note(Note(TEXT, tuple(signatures))))


def test_what_is_too_long_is_not_read() -> None:
    with pytest.raises(WireLimit):
        open_dock_key(b"x" * (STATEMENT_BYTES_MAX + 1))


def test_a_statement_of_another_kind_is_none() -> None:
    with pytest.raises(WireError):
        open_dock_key(lines(OLD, NEW, text=TEXT.replace(VERSION, "shilu/manifest/v1")))


def test_an_illegal_change_cannot_be_held() -> None:
    other = Signer.generate(dock_key_name(OTHER)).verifier
    for old, new in ((other, NEW.verifier), (OLD.verifier, other), (OLD.verifier, OLD.verifier)):
        with pytest.raises(WireMalformed):
            DockKeyChange(dock=DOCK, sequence=1, old=old, new=new)
    for sequence in (0, -1, 10_001):
        with pytest.raises(WireLimit):
            DockKeyChange(dock=DOCK, sequence=sequence, old=OLD.verifier, new=NEW.verifier)


def test_only_the_two_keys_sign() -> None:
    for old, new in ((NEW, OLD), (OLD, THIRD), (THIRD, NEW)):
        with pytest.raises(WireSignature):
            sign_dock_key(CHANGE, old=old, new=new)
