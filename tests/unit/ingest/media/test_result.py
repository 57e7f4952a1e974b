from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.errors import ChildBroken
from ingest.media.result import (
    EARLY_BYTES_MAX,
    LINE_BYTES_MAX,
    REASON_CHARACTERS_MAX,
    Early,
    EarlyStill,
    Facts,
    Failure,
    MadeObject,
    MediaResult,
    Progress,
    Saying,
    format_saying,
    parse_saying,
    read_early,
)
from ledger.errors import CanonicalMalformed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "proxy.mp4").write_bytes(b"film")
    (tmp_path / "poster.jpg").write_bytes(b"still")
    return tmp_path


def proxy(folder: Path, media_type: str = "video/mp4") -> MadeObject:
    return MadeObject("proxy", folder / "proxy.mp4", media_type)


def poster(folder: Path) -> MadeObject:
    return MadeObject("poster", folder / "poster.jpg", "image/jpeg")


def result(*objects: MadeObject, outcome: str = "reviewable", reason: str | None = None) -> MediaResult:
    return MediaResult(
        outcome=outcome,  # type: ignore[arg-type]
        reason=reason,
        probe={"container": {"size": 4}},
        objects=objects,
        tools={"ffmpeg": "8.1.2"},
        parameters={"action": "full", "why": ["picture.codec"]},
    )


def test_every_saying_survives_the_way(folder: Path) -> None:
    sayings: list[Saying] = [
        Progress(read=2**40, steps=7),
        Failure(code="media.no_space", message="full"),
        Early(poster(folder)),
        Facts(probe={"a": 1}, tools={}, parameters={"b": [None, True, "c"]}),
        result(proxy(folder), poster(folder)),
        result(proxy(folder)),
        result(proxy(folder, "audio/mp4"), outcome="audio"),
        result(poster(folder), outcome="still"),
        result(outcome="undecodable", reason="media.not_media: no"),
        result(proxy(folder), reason="media.damaged: a little"),
    ]
    for saying in sayings:
        line = format_saying(saying)
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert parse_saying(line, folder=folder) == saying


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "proxy", "media_type": "video/mp4"},
        {"kind": "poster", "media_type": "text/html"},
        {"kind": "../poster", "media_type": "image/jpeg"},
        {"kind": "poster", "media_type": "image/jpeg", "path": "/etc/passwd"},
    ],
)
def test_only_a_poster_comes_early(folder: Path, fields: dict[str, object]) -> None:
    with pytest.raises(ChildBroken):
        parse_saying(changed(Early(poster(folder)), **fields), folder=folder)


def test_an_early_poster_is_read_as_what_it_is_and_nothing_else(folder: Path) -> None:
    """The child still runs, and may be in somebody else's hands."""
    early = Early(poster(folder))
    assert read_early(early) == EarlyStill(b"still", "image/jpeg")
    path = early.made.path
    secret = folder / "secret"
    secret.write_bytes(b"key")
    swaps: list[Callable[[], object]] = [
        lambda: None,
        lambda: path.symlink_to(secret),
        lambda: path.hardlink_to(secret),
        lambda: os.mkfifo(path),
        lambda: path.write_bytes(b""),
        lambda: path.write_bytes(bytes(EARLY_BYTES_MAX + 1)),
        lambda: path.mkdir(),
    ]
    for swap in swaps:
        path.unlink(missing_ok=True)
        swap()
        with pytest.raises(ChildBroken):
            read_early(early)


def test_a_float_has_no_place_in_a_result(folder: Path) -> None:
    bad = MediaResult("undecodable", "x", {"seconds": 1.5}, (), {}, {})  # type: ignore[dict-item]
    with pytest.raises(CanonicalMalformed):
        format_saying(bad)


def changed(saying: Saying, **fields: object) -> bytes:
    body = json.loads(format_saying(saying)) | fields
    return json.dumps(body, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "fields",
    [
        {"said": "resultat"},
        {"said": None},
        {"outcome": "excellent"},
        {"outcome": "still"},
        {"outcome": "audio"},
        {"outcome": "undecodable"},
        {"reason": 5},
        {"reason": "r" * (REASON_CHARACTERS_MAX + 1)},
        {"probe": []},
        {"tools": None},
        {"parameters": "x"},
        {"objects": {}},
        {"objects": []},
        {"objects": [{"kind": "proxy", "media_type": "text/html"}]},
        {"objects": [{"kind": "poster", "media_type": "video/mp4"}]},
        {"objects": [{"kind": "../../etc/passwd", "media_type": "video/mp4"}]},
        {"objects": [{"kind": "proxy", "media_type": "video/mp4", "path": "/etc/passwd"}]},
        {"objects": [{"kind": "proxy", "media_type": "video/mp4"}] * 2},
        {"objects": ["proxy"]},
        {"more": 1},
    ],
    ids=range(20),
)
def test_a_child_that_lies_is_not_believed(folder: Path, fields: dict[str, object]) -> None:
    line = changed(result(proxy(folder), poster(folder)), **fields)
    with pytest.raises(ChildBroken):
        parse_saying(line, folder=folder)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b'{"said":"progress"}',
        b'{"said":"progress","read":1.5,"steps":1}',
        b'{"said":"progress","read":1,"steps":"1"}',
        b'{"read":1,"said":"progress","steps":1,"x":1}',
        b"a" * (LINE_BYTES_MAX + 1),
    ],
    ids=range(12),
)
def test_noise_is_not_an_answer(folder: Path, line: bytes) -> None:
    with pytest.raises(ChildBroken):
        parse_saying(line, folder=folder)


def test_what_is_named_must_be_there_and_must_be_a_file_of_its_own(folder: Path) -> None:
    line = format_saying(result(proxy(folder)))
    path = folder / "proxy.mp4"

    def refused() -> None:
        with pytest.raises(ChildBroken):
            parse_saying(line, folder=folder)

    path.unlink()
    refused()
    path.symlink_to("/etc/hostname")
    refused()
    path.unlink()
    os.link(folder / "poster.jpg", path)
    refused()
    path.unlink()
    path.mkdir()
    refused()
    path.rmdir()
    os.mkfifo(path)
    refused()
    path.unlink()
    path.write_bytes(b"")
    refused()
    path.write_bytes(b"film")
    parse_saying(line, folder=folder)


@given(st.binary(max_size=300))
def test_no_bytes_get_through(line: bytes) -> None:
    with pytest.raises(ChildBroken):
        parse_saying(line, folder=Path("/nonexistent"))
