"""Headers of tus 1.0.0: read strictly, written so that they read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import tus
from api.errors import HeaderInvalid, TusMetadataInvalid, TusVersionRefused

KEYS = st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True)


@given(st.dictionaries(KEYS, st.text(max_size=50), max_size=tus.METADATA_KEYS_MAX))
def test_metadata_reads_back(metadata: dict[str, str]) -> None:
    read = tus.parse_metadata(tus.format_metadata(metadata))
    assert {key: value.decode() for key, value in read.items()} == metadata


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (" ", {}),
        ("raw", {"raw": b""}),
        ("raw ", {"raw": b""}),
        ("filename YS5tcDQ=", {"filename": b"a.mp4"}),
        ("a YQ==, b Yg==", {"a": b"a", "b": b"b"}),
        ("name /w==", {"name": b"\xff"}),
    ],
)
def test_good_metadata(text: str, expected: dict[str, bytes]) -> None:
    assert tus.parse_metadata(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        ",",
        "a YQ==,",
        "a YQ==,,b Yg==",
        "a YQ==,a Yg==",
        "a YQ== Yg==",
        "a  YQ==",
        "a YQ=",
        "a YQ",
        "a YR==",
        "a Y-==",
        "a YQ==\n",
        "ä YQ==",
        "a/b YQ==",
        "a" * 65 + " YQ==",
        " YQ==",
        "=",
        "a " + "A" * tus.METADATA_BYTES_MAX,
        ",".join(f"k{number}" for number in range(tus.METADATA_KEYS_MAX + 1)),
    ],
)
def test_bad_metadata(text: str) -> None:
    with pytest.raises(TusMetadataInvalid):
        tus.parse_metadata(text)


@pytest.mark.parametrize("version", ["", "1.0", "1.0.1", "0.2.2", "1.0.0 ", "1.0.0,1.0.0"])
def test_other_versions_are_refused(version: str) -> None:
    with pytest.raises(TusVersionRefused):
        tus.check_version({"Tus-Resumable": version})
    with pytest.raises(TusVersionRefused):
        tus.check_version({})


@pytest.mark.parametrize("text", ["", "-1", "+1", "01", "1 ", " 1", "1e3", "0x10", "1_000", "١", "9" * 17, "nan"])
def test_counts_have_one_spelling(text: str) -> None:
    with pytest.raises(HeaderInvalid):
        tus.parse_integer({"Upload-Offset": text}, "Upload-Offset")


@pytest.mark.parametrize("value", [0, 1, 10**16 - 1])
def test_counts_are_read(value: int) -> None:
    assert tus.parse_integer({"Upload-Offset": str(value)}, "Upload-Offset") == value


def test_a_length_is_stated_or_deferred_not_both_and_not_neither() -> None:
    assert tus.parse_upload_length({"Upload-Length": "5"}) == 5
    assert tus.parse_upload_length({"Upload-Defer-Length": "1"}) is None
    for headers in (
        {},
        {"Upload-Defer-Length": "0"},
        {"Upload-Defer-Length": "true"},
        {"Upload-Defer-Length": "1", "Upload-Length": "5"},
    ):
        with pytest.raises(HeaderInvalid):
            tus.parse_upload_length(headers)
