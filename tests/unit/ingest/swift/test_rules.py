"""Names, times and metadata of deliveries: what they mean, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.swift.connection import CAPABILITIES, Connection, format_connection
from ingest.swift.errors import SwiftMetadataInvalid, SwiftNameInvalid, SwiftTooLarge
from ingest.swift.metadata import CONTAINER, OBJECT, format_metadata, merge, parse_metadata
from ingest.swift.rules import (
    ObjectKind,
    Origin,
    Span,
    check_container,
    check_object,
    kind_of,
    origin_of,
    owner_of,
    parse_instant,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("container", "name", "kind"),
    [
        ("u_s_1", "20260302_093000_4F2A.mkv", "original"),
        ("u_s_1", "20260302_093000_4F2A.mp4", "original"),
        ("u_s_1", "20260302_093000_4F2A.key", "key"),
        ("u_s_1", "20260302_093000_4F2A_S_gpstrail.json", "trail"),
        ("u_s_1", "bookmark_1772444110_7", "bookmark"),
        ("u_s_1", "a.mkv.sha256", "checksum"),
        ("u_s_1", "notes.txt", "sidecar"),
        ("u_s_1", "anything", "original"),
        ("Users", "bookmark_1", "registered"),
        ("System", "a.mkv", "registered"),
        ("users", "a.mkv", "original"),
    ],
)
def test_kinds_follow_from_names(container: str, name: str, kind: str) -> None:
    assert kind_of(container, name) is ObjectKind(kind)


def test_what_metadata_state_wins_over_the_name() -> None:
    assert origin_of("wearer_SERIAL_20260302_093000", {}) == Origin("SERIAL", "wearer")
    assert origin_of("wearer_SERIAL_1772443800", {"bwcserialnumber": "S2", "userid": "u"}) == Origin("S2", "u")
    assert origin_of("whatever", {}) == Origin(None, None)


@pytest.mark.parametrize(
    "text", ["2026-03-02T09:30:00Z", "2026-03-02T17:30:00+08:00", "1772443800", "1772443800000", "1772443800.0"]
)
def test_times_in_every_spelling(text: str) -> None:
    assert parse_instant(text) == AT


@pytest.mark.parametrize(
    "text", ["", "2026-03-02T09:30:00", "0", "9" * 40, "-1", "1999-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "nan", "١"]
)
def test_times_that_say_nothing(text: str) -> None:
    assert parse_instant(text) is None


@given(st.text(max_size=60))
def test_no_time_breaks_the_reader(text: str) -> None:
    parsed = parse_instant(text)
    assert parsed is None or parsed.tzinfo is UTC


@pytest.mark.parametrize("raw", [b"", b"a/b", b"..", b".", b"\xff", b"a\0", b"a\n", b"n" * 257])
def test_containers_that_are_refused(raw: bytes) -> None:
    with pytest.raises(SwiftNameInvalid):
        check_container(raw)


@pytest.mark.parametrize("raw", [b"", b"/a", b"a//b", b"a/../b", b"a/", b"\xc3", b"\x7f", b"n" * 1025])
def test_objects_that_are_refused(raw: bytes) -> None:
    with pytest.raises(SwiftNameInvalid):
        check_object(raw)


def test_a_companion_belongs_to_the_clip_that_it_is_named_after_or_that_was_recorded_then() -> None:
    clips = [("t1_x.mkv", Span(AT, AT.replace(minute=35))), ("t2_x.mkv", Span(AT.replace(minute=35), None))]
    nothing = Span(None, None)
    assert owner_of("t2_x.key", nothing, clips) == 1
    assert owner_of("t2_x_S_gpstrail.json", nothing, clips) == 1
    assert owner_of("bookmark_1", Span(AT.replace(minute=35), None), clips) == 1
    assert owner_of("bookmark_1", Span(AT.replace(minute=34), None), clips) == 0
    assert owner_of("bookmark_1", nothing, clips) == 0
    # The longest name counts, not the first.
    assert owner_of("ab.key", nothing, [("a.mkv", nothing), ("ab.mkv", nothing)]) == 1


PRINTABLE = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=80)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True), PRINTABLE, max_size=10))
def test_metadata_are_read_as_they_were_written(metadata: dict[str, str]) -> None:
    for level in (CONTAINER, OBJECT):
        headers = format_metadata(metadata, level)
        assert all(value.isascii() and value.isprintable() for value in headers.values())
        assert parse_metadata(headers.items(), level) == metadata


def test_metadata_of_the_other_level_and_other_headers_are_left_alone() -> None:
    headers = [("X-Container-Meta-A", "1"), ("X-Object-Meta-B", "2"), ("X-Meta-C", "3"), ("X-Object-Meta", "4")]
    assert parse_metadata(headers, OBJECT) == {"b": "2"}


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Object-Meta-A", "1"), ("x-object-meta-a", "2")],
        [("X-Object-Meta-A", "1"), ("X-Remove-Object-Meta-A", "")],
        [("X-Object-Meta-", "1")],
        [("X-Object-Meta-A B", "1")],
        [("X-Object-Meta-A", "%")],
        [("X-Object-Meta-A", "%4")],
        [("X-Object-Meta-A", "%e2%80%a8")],
        [("X-Object-Meta-A", "a\udcff")],
        [(f"X-Object-Meta-{number}", "v" * 1000) for number in range(9)],
    ],
)
def test_metadata_that_are_refused(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(SwiftMetadataInvalid):
        parse_metadata(headers, OBJECT)


def test_an_update_keeps_replaces_and_takes_away() -> None:
    assert merge({"a": "1", "b": "2", "c": "3"}, {"b": "", "c": "4"}) == {"a": "1", "c": "4"}
    with pytest.raises(SwiftMetadataInvalid):
        merge({f"a{n}": "x" for n in range(90)}, {"b": "y"})


def test_the_connection_file_says_what_the_description_asks_for() -> None:
    connection = Connection(
        controller=UUID(int=7),
        key="k" * 43,
        site="一大队",
        version="1",
        urls=["https://shilu.example"],
        certificates=[b"-----BEGIN CERTIFICATE-----"],
        public_key=("key1", b"-----BEGIN PUBLIC KEY-----"),
    )
    document = json.loads(format_connection(connection))
    assert document["AuthenticationTokenURI"] == ["https://shilu.example/auth/v1.0"]
    assert (document["BlobAPIUserName"], document["BlobAPIKey"]) == (str(UUID(int=7)), "k" * 43)
    assert document["HTTPSCertificate"] == ["LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"]
    assert (document["WantEncryption"], document["PublicKeyId"]) == (True, "key1")
    assert "kkkk" not in repr(connection)


@pytest.mark.parametrize("changes", [{"urls": []}, {"urls": ["u"] * 11}, {"urls": ["u" * 600]}, {"site": "n" * 65}])
def test_a_connection_file_that_no_controller_takes_is_not_written(changes: dict[str, object]) -> None:
    given_: dict[str, object] = {"controller": UUID(int=7), "key": "k", "site": "s", "version": "1", "urls": ["u"]}
    with pytest.raises(SwiftTooLarge):
        format_connection(Connection(**{**given_, **changes}))  # type: ignore[arg-type]


def test_capabilities_promise_only_what_is_kept() -> None:
    capabilities = json.loads(CAPABILITIES)
    assert capabilities["StoreAndRead"] == {"StoreReadSystemID": True}
    assert not capabilities["Read"]["ReadCategories"]
