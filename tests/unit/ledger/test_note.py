"""Notes: signed text comes back whole, and nothing comes back that was not signed. Hostile notes: test_vectors.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LedgerInputError, NoteMalformed, NoteUnsigned
from ledger.keys import KeyType, PrivateKey
from ledger.note import (
    NOTE_BYTES_MAX,
    SIGNATURES_MAX,
    Note,
    Signature,
    Signer,
    Verifier,
    format_note,
    open_note,
    parse_note,
    parse_signature,
    sign_note,
)
from tests.vectors.generate import AUTHOR, FOLDER, STRANGER

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n")).map(
    lambda text: text + "\n"
)
signatures = st.builds(
    Signature,
    name=st.text("abc./中", min_size=1, max_size=9),
    key_id=st.binary(min_size=4, max_size=4),
    value=st.binary(min_size=1, max_size=90),
)


@given(text=texts, others=st.lists(signatures, max_size=15))
def test_any_text_is_signed_and_opened(text: str, others: list[Signature]) -> None:
    raw = format_note(Note(text, (*others, AUTHOR.sign(text))))
    note = open_note(raw, [STRANGER.verifier, AUTHOR.verifier])
    assert note.text == text
    assert note.signed_by == (AUTHOR.verifier,)


@given(text=texts, signed=st.lists(signatures, min_size=1, max_size=20))
def test_notes_round_trip(text: str, signed: list[Signature]) -> None:
    note = Note(text, tuple(signed))
    assert parse_note(format_note(note)) == note


@given(data=st.data())
def test_a_bent_note_is_refused_or_says_the_same(data: st.DataObject) -> None:
    text = "实录\n\nb\n"
    raw = bytearray(sign_note(text, [AUTHOR, STRANGER]))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        parsed = parse_note(bytes(raw))
        assert format_note(parsed) == raw
        opened = open_note(bytes(raw), [AUTHOR.verifier])
    except LedgerInputError:
        return
    assert opened.text == text


def test_a_note_of_go_is_opened_and_made_again() -> None:
    raw = (FOLDER / "foreign" / "go-note.note").read_bytes()
    verifier = Verifier.parse((FOLDER / "foreign" / "go-note.vkey").read_text(encoding="utf-8").strip())
    note = open_note(raw, [verifier])
    signer = Signer.parse("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
    assert sign_note(note.text, [signer]) == raw


def test_several_known_signers_are_all_named_in_order() -> None:
    raw = sign_note("a\n", [STRANGER, AUTHOR, STRANGER])
    note = open_note(raw, [AUTHOR.verifier, STRANGER.verifier, AUTHOR.verifier])
    assert note.signed_by == (STRANGER.verifier, AUTHOR.verifier)
    assert len(note.proofs) == 3


def test_two_keys_of_one_name_are_told_apart() -> None:
    other = Signer(PrivateKey(AUTHOR.name, KeyType.ED25519, b"o" * 32))
    raw = sign_note("a\n", [AUTHOR, other])
    assert open_note(raw, [other.verifier]).signed_by == (other.verifier,)
    assert open_note(raw, [other.verifier, AUTHOR.verifier]).signed_by == (AUTHOR.verifier, other.verifier)


def test_nothing_opens_without_a_key() -> None:
    with pytest.raises(NoteUnsigned):
        open_note(sign_note("a\n", [AUTHOR]), [])


@pytest.mark.parametrize("text", ["", "a", "a\r\n", "a\tb\n", "\x00\n", "\ud800\n"])
def test_a_text_that_cannot_stand_in_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(NoteMalformed):
        sign_note(text, [AUTHOR])


def test_a_note_has_a_signature_and_not_too_many() -> None:
    with pytest.raises(NoteMalformed):
        sign_note("a\n", [])
    with pytest.raises(NoteMalformed):
        sign_note("a\n", [AUTHOR] * (SIGNATURES_MAX + 1))
    line = AUTHOR.sign("a\n").line()
    assert len(parse_note(f"a\n\n{line * SIGNATURES_MAX}".encode()).signatures) == SIGNATURES_MAX
    with pytest.raises(NoteMalformed):
        parse_note(f"a\n\n{line * (SIGNATURES_MAX + 1)}".encode())


def test_a_note_beyond_its_limit_is_neither_written_nor_read() -> None:
    with pytest.raises(NoteMalformed):
        sign_note("a" * NOTE_BYTES_MAX + "\n", [AUTHOR])
    with pytest.raises(NoteMalformed, match="at most"):
        parse_note(b"a" * (NOTE_BYTES_MAX + 1))


@given(signatures)
def test_a_signature_line_round_trips(signature: Signature) -> None:
    assert parse_signature(signature.line().removesuffix("\n")) == signature
