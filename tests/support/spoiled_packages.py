"""Packages that somebody spoiled: each way with the codes that a verification has to give for it, errors first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from evidence.core.wire.bag import MANIFEST_NAME, TAG_MANIFEST_NAME, TRACE_NAME, format_manifest, parse_manifest

Spoil = Callable[[Path], None]


def _write(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def _relist(folder: Path, name: str, listed: Mapping[str, bytes]) -> None:
    """Write a list anew, and the one above it so that it fits: what whoever forges a package would do."""
    _write(folder / name, format_manifest(listed))
    if name != TAG_MANIFEST_NAME:
        tags = parse_manifest((folder / TAG_MANIFEST_NAME).read_bytes())
        tags[name] = hashlib.sha256((folder / name).read_bytes()).digest()
        _relist(folder, TAG_MANIFEST_NAME, tags)


def _annotation(folder: Path) -> Path:
    return folder / "data" / "exhibits" / "0001" / "annotation.json"


def other_words(folder: Path) -> None:
    """Put other words into somebody's mouth."""
    _write(_annotation(folder), b"{}")


def other_words_listed(folder: Path) -> None:
    """The same, with all lists made to fit."""
    other_words(folder)
    listed = parse_manifest((folder / MANIFEST_NAME).read_bytes())
    listed["data/exhibits/0001/annotation.json"] = hashlib.sha256(b"{}").digest()
    _relist(folder, MANIFEST_NAME, listed)


def gone(folder: Path) -> None:
    """Take a file away."""
    _annotation(folder).unlink()


def linked(folder: Path) -> None:
    """Put a link in its place that leads to a file of the same content."""
    content = _annotation(folder).read_bytes()
    (folder.parent / "elsewhere").write_bytes(content)
    _annotation(folder).unlink()
    _annotation(folder).symlink_to(folder.parent / "elsewhere")


def added(folder: Path) -> None:
    """Add a file that nobody speaks for."""
    (folder / "data" / "extra.txt").write_bytes(b"and this")


def no_trace(folder: Path) -> None:
    """Take the receipt of the hand-over away, and its name from the list."""
    (folder / TRACE_NAME).unlink()
    tags = parse_manifest((folder / TAG_MANIFEST_NAME).read_bytes())
    del tags[TRACE_NAME]
    _relist(folder, TAG_MANIFEST_NAME, tags)


def broken_trace(folder: Path) -> None:
    """Break the receipt of the hand-over."""
    _write(folder / TRACE_NAME, b"shilu/receipt/v1\n{}\n")


def another_trace(folder: Path) -> None:
    """Put the receipt of something else there."""
    (clip,) = (folder / "data" / "exhibits" / "0001").glob("*.receipt")
    _write(folder / TRACE_NAME, clip.read_bytes())


def forged_trace(folder: Path) -> None:
    """Say in the receipt that the entry stands somewhere else in the log."""
    raw = (folder / TRACE_NAME).read_bytes()
    at = raw.index(b"index ")
    _write(folder / TRACE_NAME, raw[: at + 6] + b"1" + raw[at + 6 :])


def no_list(folder: Path) -> None:
    """Take the list away."""
    (folder / MANIFEST_NAME).unlink()


def list_that_leaves(folder: Path) -> None:
    """Name a file outside of the package."""
    raw = (folder / MANIFEST_NAME).read_bytes()
    _write(folder / MANIFEST_NAME, raw + b"0" * 64 + b"  data/../../secret\n")


def unlisted_tag(folder: Path) -> None:
    """Take a file's name from the list of tag files."""
    tags = parse_manifest((folder / TAG_MANIFEST_NAME).read_bytes())
    del tags["log.policy"]
    _relist(folder, TAG_MANIFEST_NAME, tags)


def other_page(folder: Path) -> None:
    """Put a page there that says yes to everything, and list it."""
    _write(folder / "verify.html", b"<p>verified</p>")
    tags = parse_manifest((folder / TAG_MANIFEST_NAME).read_bytes())
    tags["verify.html"] = hashlib.sha256(b"<p>verified</p>").digest()
    _relist(folder, TAG_MANIFEST_NAME, tags)


SPOILED: Mapping[Spoil, tuple[str, ...]] = MappingProxyType(
    {
        other_words: ("bag.file_differs",),
        other_words_listed: ("bag.manifest_differs",),
        gone: ("bag.file_missing",),
        linked: ("bag.file_missing",),
        added: ("package.uncovered",),
        no_trace: ("bag.untraced", "bag.foreign"),
        broken_trace: ("bag.trace_malformed", "bag.file_differs"),
        another_trace: ("bag.trace_malformed", "bag.file_differs"),
        forged_trace: ("bag.trace_not_proved", "bag.file_differs"),
        no_list: ("bag.malformed", "package.uncovered"),
        list_that_leaves: ("bag.malformed", "package.uncovered"),
        unlisted_tag: ("bag.file_unlisted",),
        other_page: ("bag.foreign",),
    }
)
"""Way of spoiling -> codes besides those of what is fine, each."""

ONLY_WARNED = frozenset({added, no_trace, other_page})
"""Ways that a verification warns of and does not fail for."""


_HEX = b"0" * 64
_LINES: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: raw + raw.splitlines(keepends=True)[0],
    lambda raw: raw + _HEX + b"  data/../../etc/passwd\n",
    lambda raw: raw + _HEX + b"  /etc/passwd\n",
    lambda raw: raw + _HEX + b"  C:/windows\n",
    lambda raw: raw + _HEX + b"  data\\x\n",
    lambda raw: raw + _HEX + b"  data//x\n",
    lambda raw: raw + _HEX + b"  data/./x\n",
    lambda raw: raw + _HEX + b"  data/%2e%2e/x\n",
    lambda raw: raw + _HEX + b"  data/%0d\n",
    lambda raw: raw + _HEX + b"  data/x\t\n",
    lambda raw: raw + _HEX + b"  data/" + b"x" * 1000 + b"\n",
    lambda raw: raw + _HEX.replace(b"0", b"A") + b"  data/x\n",
    lambda raw: raw + _HEX + b" *data/x\n",
    lambda raw: raw + _HEX + b"   data/x\n",
    lambda raw: raw + _HEX + b"\tdata/x\n",
    lambda raw: raw + _HEX[1:] + b"  data/x\n",
    lambda raw: raw + b"\n",
    lambda raw: raw[:-1],
    lambda raw: raw.replace(b"\n", b"\r\n"),
    lambda raw: b"\xef\xbb\xbf" + raw,
    lambda raw: raw.decode().encode("utf-16"),
    lambda raw: raw + _HEX + b"  data/\xff\n",
    lambda raw: raw + _HEX + "  data/\x85\u2028".encode() + b"\x00\n",
)

LISTS: Sequence[tuple[str, Callable[[bytes], bytes]]] = (
    *((MANIFEST_NAME, change) for change in _LINES),
    *((TAG_MANIFEST_NAME, change) for change in _LINES[:3]),
    (TAG_MANIFEST_NAME, lambda raw: raw + _HEX + b"  data/x\n"),
    (MANIFEST_NAME, lambda raw: raw + _HEX + b"  bagit.txt\n"),
)
"""Lists that are none, each as the name of the list and what was done to it."""
