"""Names are data: what is kept, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import UploadMetadataInvalid, UploadNameInvalid
from ingest.names import NAME_BYTES_MAX, last_part, parse_path
from ingest.sources import METADATA_BYTES_MAX, METADATA_KEYS_MAX, parse_metadata, staff_source

KEPT = [
    "DCAM_A100001_000042_20260302_093000_IMP.mp4",
    "现场执法记录.mp4",
    "DCIM/100MEDIA/IMG 0001.JPG",
    "a..b",
    "...",
    "..a/b..",
    "back\\slash\\..\\name",
    "%2e%2e%2f",
    "é",
    "é",
    "🎥.mp4",
    "\u202e4pm.exe",
    " leading and trailing ",
    "-rf",
    "CON",
    'a:b|c?d*e<f>g"h',
    "x" * NAME_BYTES_MAX,
    "录" * (NAME_BYTES_MAX // 3),
]

REFUSED = {
    "empty": b"",
    "too long by one byte": b"x" * (NAME_BYTES_MAX + 1),
    "too long in bytes, not in characters": "录".encode() * (NAME_BYTES_MAX // 3 + 1),
    "4 KiB": b"x" * 4096,
    "NUL": b"a\0b",
    "only NUL": b"\0",
    "newline": b"a\nb",
    "carriage return": b"a\rb",
    "tab": b"a\tb",
    "escape": b"\x1b[2J",
    "delete": b"a\x7f",
    "C1 control": "a\u0085b".encode(),
    "C1 control sequence introducer": "\u009b31m".encode(),
    "not UTF-8": b"\xff",
    "GBK bytes": "现场".encode("gbk"),
    "overlong slash": b"..\xc0\xaf..",
    "lone surrogate": b"\xed\xa0\x80",
    "cut off in a character": "录".encode()[:2],
    "byte order of UTF-16": "录".encode("utf-16"),
    "parent": b"..",
    "self": b".",
    "climbs": b"../../etc/passwd",
    "climbs in the middle": b"a/../../b",
    "climbs at the end": b"a/..",
    "self in the middle": b"a/./b",
    "absolute": b"/etc/passwd",
    "doubled slash": b"a//b",
    "final slash": b"a/",
    "only a slash": b"/",
}


@pytest.mark.parametrize("name", KEPT)
def test_kept_exactly_as_given(name: str) -> None:
    assert parse_path(name.encode()) == name


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_refused(raw: bytes) -> None:
    with pytest.raises(UploadNameInvalid):
        parse_path(raw)


@given(st.binary(max_size=2 * NAME_BYTES_MAX))
def test_any_bytes_are_kept_whole_or_refused(raw: bytes) -> None:
    try:
        path = parse_path(raw)
    except UploadNameInvalid:
        return
    assert path.encode() == raw
    assert last_part(path) not in {"", ".", ".."}
    assert "/" not in last_part(path)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=200))
def test_a_plain_name_is_its_own_last_part(name: str) -> None:
    if name not in {".", ".."}:
        assert last_part(parse_path(name.encode())) == name
        assert last_part(parse_path(f"a/b/{name}".encode())) == name


def test_staff_names_come_under_either_key() -> None:
    assert staff_source({"filename": b"a", "name": b"b"}).name == "a"
    assert staff_source({"name": b"dir/b"}).name == "b"
    with pytest.raises(UploadNameInvalid):
        staff_source({"type": b"video/mp4"})


def test_metadata_limits() -> None:
    assert parse_metadata({"a": "录".encode()}) == {"a": "录"}
    assert len(parse_metadata({f"k{n}": b"" for n in range(METADATA_KEYS_MAX)})) == METADATA_KEYS_MAX
    for metadata in ({f"k{n}": b"" for n in range(METADATA_KEYS_MAX + 1)}, {"k": b"v" * METADATA_BYTES_MAX}):
        with pytest.raises(UploadMetadataInvalid):
            parse_metadata(metadata)
