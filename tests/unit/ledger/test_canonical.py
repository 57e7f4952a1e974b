"""Canonical JSON and entries: one value, one spelling, and nothing else gets in."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.canonical import (
    DEPTH_MAX,
    ENTRY_BYTES_MAX,
    INTEGER_MAX,
    PAYLOAD_BYTES_MAX,
    SALT_BYTES,
    Entry,
    JsonValue,
    canonical_json,
    commitment,
    decode_entry,
    encode_entry,
    parse_canonical,
)
from ledger.errors import CanonicalMalformed, CommitmentMalformed, EntryMalformed

ENTRY = Entry(
    type="clip.sealed",
    id=UUID("0193a4b2-1c2d-7e3f-8a4b-5c6d7e8f9a0b"),
    at=datetime(2026, 11, 21, 23, 21, 23, 123000, tzinfo=UTC),
    actor="dock:0193a4b2-0000-7000-8000-00000000d0c1",
    subject="clip:0193a4b2-0000-7000-8000-00000000c11b",
    commit=bytes(range(32)),
)
RAW = (
    b'{"actor":"dock:0193a4b2-0000-7000-8000-00000000d0c1","at":"2026-11-21T23:21:23.123Z",'
    b'"commit":"sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",'
    b'"id":"0193a4b2-1c2d-7e3f-8a4b-5c6d7e8f9a0b","subject":"clip:0193a4b2-0000-7000-8000-00000000c11b",'
    b'"type":"clip.sealed","v":1}'
)

texts = st.text(max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=15,
)


@given(values)
def test_values_round_trip_and_are_plain_json(value: JsonValue) -> None:
    raw = canonical_json(value)
    assert parse_canonical(raw, bytes_max=len(raw)) == value
    assert json.loads(raw) == value


@given(st.binary(max_size=30) | st.text(alphabet='{}[]",:0129.-etrufalsn \\\u4e2d', max_size=30).map(str.encode))
def test_whatever_is_read_is_written_the_same(raw: bytes) -> None:
    try:
        value = parse_canonical(raw, bytes_max=100)
    except CanonicalMalformed:
        return
    assert canonical_json(value) == raw


def test_keys_stand_in_utf_16_order_as_in_rfc_8785() -> None:
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    written = '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'
    assert canonical_json(keys) == written.encode()


def test_strings_are_escaped_as_in_rfc_8785() -> None:
    assert (
        canonical_json('\u20ac$\u000f\nA\'B"\\\\"/中\u2028')
        == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/中\u2028"'.encode()
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" 1",
        b"1\n",
        b"\xef\xbb\xbf1",
        b"1.0",
        b"1e2",
        b"0.5",
        b"-0",
        b"01",
        b"+1",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b"-9007199254740992",
        b"9" * 4000,
        b"9" * 5000,
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{1:"a"}',
        b'{"a":1}{"a":1}',
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u000A"',
        b'"\x0a"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud800":1}',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\xc0\xaf"',
        b'"open',
        b"[1,2",
        b"nul",
        b"// 1",
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b'{"a":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1),
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_another_spelling_is_refused(raw: bytes) -> None:
    with pytest.raises(CanonicalMalformed) as caught:
        parse_canonical(raw, bytes_max=1_000_000)
    assert len(caught.value.message) < 250


def test_limits_hold_to_the_byte_and_level() -> None:
    deep = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    assert canonical_json(parse_canonical(deep, bytes_max=len(deep))) == deep
    with pytest.raises(CanonicalMalformed):
        parse_canonical(deep, bytes_max=len(deep) - 1)
    assert parse_canonical(str(INTEGER_MAX).encode(), bytes_max=16) == INTEGER_MAX
    assert parse_canonical(str(-INTEGER_MAX).encode(), bytes_max=17) == -INTEGER_MAX


@pytest.mark.parametrize(
    "value", [1.0, 0.5, math.nan, 2**53, -(2**53), "\ud800", {"\udfff": 1}, {1: 2}, b"bytes", {"a": {1}}, [object()]]
)
def test_what_has_no_spelling_is_not_written(value: Any) -> None:
    with pytest.raises(CanonicalMalformed):
        canonical_json(value)


def test_a_value_that_holds_itself_is_not_written() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(CanonicalMalformed, match="nested deeper"):
        canonical_json(value)


def test_an_entry_is_written_as_documented() -> None:
    assert encode_entry(ENTRY) == RAW
    assert decode_entry(RAW) == ENTRY


words = st.from_regex(r"[a-z][a-z0-9_]{0,8}(\.[a-z][a-z0-9_]{0,8}){1,3}", fullmatch=True)
parties = st.from_regex(r"[a-z][a-z0-9_]{0,31}(:[A-Za-z0-9._~/-]{1,128})?", fullmatch=True)
instants = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  aware by timezones=


@given(type_=words, actor=parties, subject=parties, at=instants, commit=st.binary(min_size=32, max_size=32))
def test_entries_round_trip(type_: str, actor: str, subject: str, at: datetime, commit: bytes) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    entry = Entry(type=type_, id=ENTRY.id, at=at, actor=actor, subject=subject, commit=commit)
    assert decode_entry(encode_entry(entry)) == entry


def test_times_are_written_in_utc_and_cut_to_milliseconds() -> None:
    beijing = timezone(timedelta(hours=8))
    at = datetime(2026, 11, 22, 7, 21, 23, 123999, tzinfo=beijing)
    assert encode_entry(replace(ENTRY, at=at)) == RAW


def test_the_longest_entry_is_within_the_limit() -> None:
    party = "a" * 32 + ":" + "b" * 128
    raw = encode_entry(replace(ENTRY, type="a." + "b" * 62, actor=party, subject=party))
    assert len(raw) < ENTRY_BYTES_MAX


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "clip"),
        ("type", "Clip.sealed"),
        ("type", "clip..sealed"),
        ("type", "clip.sealed."),
        ("type", ".clip"),
        ("type", "clip.sealed\n"),
        ("type", "clip.封存"),
        ("type", "a." + "b" * 63),
        ("actor", ""),
        ("actor", "dock:"),
        ("actor", ":dock"),
        ("actor", "Dock:1"),
        ("actor", "dock:a b"),
        ("actor", "dock:a\n"),
        ("actor", "dock:" + "a" * 129),
        ("actor", "a" * 33),
        ("subject", "clip:a:b"),
        ("subject", "张三"),
        ("commit", b""),
        ("commit", b"x" * 31),
        ("commit", b"x" * 33),
        ("id", UUID("0193a4b2-1c2d-4e3f-8a4b-5c6d7e8f9a0b")),
        ("id", UUID("0193a4b2-1c2d-7e3f-ca4b-5c6d7e8f9a0b")),
        ("id", UUID(int=0)),
        ("at", datetime(2026, 11, 21)),  # noqa: DTZ001  naive on purpose
    ],
)
def test_an_entry_with_a_field_out_of_form_is_not_written(field: str, value: object) -> None:
    changes: dict[str, Any] = {field: value}
    with pytest.raises(EntryMalformed):
        encode_entry(replace(ENTRY, **changes))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":true'),
        (b'"v":1', b'"v":"1"'),
        (b',"v":1', b""),
        (b'"v":1', b'"v":1,"w":1'),
        (b'"clip.sealed"', b"7"),
        (b'"clip.sealed"', b"null"),
        (b"2026-11-21", b"2026-02-30"),
        (b"23:21:23.123Z", b"24:00:00.000Z"),
        (b"23:21:23.123Z", b"23:21:23Z"),
        (b"23:21:23.123Z", b"23:21:23.123456Z"),
        (b"23:21:23.123Z", b"23:21:23.123+00:00"),
        (b"23:21:23.123Z", b"23:21:60.000Z"),
        (b"T23", b" 23"),
        (b"sha256:", b"sha512:"),
        (b"1c1d1e1f", b"1C1D1E1F"),
        (b"1c1d1e1f", b"1c1d1e"),
        (b"0193a4b2-1c2d", b"0193A4B2-1C2D"),
        (b'"0193a4b2-1c2d-7e3f-8a4b-5c6d7e8f9a0b"', b'"0193a4b21c2d7e3f8a4b5c6d7e8f9a0b"'),
        (b'"0193a4b2-1c2d-7e3f-8a4b-5c6d7e8f9a0b"', b"17"),
        (b'{"actor"', b'{ "actor"'),
        (b"}", b"}\n"),
    ],
)
def test_an_entry_with_a_flaw_is_refused(old: bytes, new: bytes) -> None:
    assert old in RAW
    with pytest.raises(EntryMalformed):
        decode_entry(RAW.replace(old, new, 1))


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{}", b'"entry"', b'{"v":1}', b" " * (ENTRY_BYTES_MAX + 1)])
def test_what_is_no_entry_at_all_is_refused(raw: bytes) -> None:
    with pytest.raises(EntryMalformed):
        decode_entry(raw)


def test_a_commitment_is_the_digest_of_salt_and_payload() -> None:
    salt = bytes(range(SALT_BYTES))
    assert commitment(salt=salt, payload=b"{}") == hashlib.sha256(salt + b"{}").digest()


@pytest.mark.parametrize("salt", [b"", b"s" * (SALT_BYTES - 1), b"s" * (SALT_BYTES + 1)])
def test_bytes_cannot_move_between_salt_and_payload(salt: bytes) -> None:
    with pytest.raises(CommitmentMalformed):
        commitment(salt=salt, payload=b"{}")


def test_an_over_long_payload_is_not_committed_to() -> None:
    with pytest.raises(CommitmentMalformed):
        commitment(salt=bytes(SALT_BYTES), payload=bytes(PAYLOAD_BYTES_MAX + 1))
