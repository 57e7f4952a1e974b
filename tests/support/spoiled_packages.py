"""Packages that somebody spoiled: each way with the codes that a verification has to give for it, errors first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.bag import MANIFEST_NAME, TAG_MANIFEST_NAME, TRACE_NAME, format_manifest, parse_manifest
from evidence.core.wire.receipt import parse_receipt
from evidence.verify.excerpt_statement import ExcerptStatement, Span, format_excerpt
from tests.support.excerpts import chunks_of, proved_runs

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


def _original(folder: Path) -> Path:
    (receipt,) = (folder / "data" / "exhibits" / "0001").glob("*.receipt")
    return receipt.with_suffix("")


def _state(file: Path, content: bytes, runs: Sequence[tuple[int, int]]) -> None:
    """Write an excerpt of a content beside its receipt: true in itself, whoever made it."""
    receipt = parse_receipt(file.with_name(f"{file.name}.receipt").read_bytes())
    stated = ExcerptStatement(
        clip=UUID(json.loads(receipt.payload)["clip"]),
        size=len(content),
        runs=proved_runs(content, runs),
        asked=Span(0, 1000),
        shown=Span(0, 1000),
    )
    for suffix, data in ((".excerpt", format_excerpt(stated)), (".chunks", chunks_of(content, runs))):
        beside = file.with_name(f"{file.name}{suffix}")
        if beside.exists():
            beside.chmod(0o644)
        beside.write_bytes(data)


def excerpt_beside(folder: Path) -> None:
    """Change the original, and lay a true excerpt of what it was beside it, that looks away."""
    file = _original(folder)
    content = file.read_bytes()
    _state(file, content, [(0, 1)])
    _write(file, content[:-1] + b"x")


def excerpt_in_its_place(folder: Path) -> None:
    """Hand on an excerpt of an original that was handed over whole."""
    file = _original(folder)
    _state(file, file.read_bytes(), [(0, 1)])
    file.unlink()


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
        excerpt_beside: ("bag.file_differs", "bag.file_unlisted", "bag.excerpts"),
        excerpt_in_its_place: ("bag.file_missing", "bag.file_unlisted", "bag.excerpts"),
    }
)
"""Way of spoiling -> codes besides those of what is fine, each."""

ONLY_WARNED = frozenset({added, no_trace, other_page})
"""Ways that a verification warns of and does not fail for."""


def chunk_changed(folder: Path) -> None:
    """Change a byte of an excerpt."""
    chunks = _original(folder).with_name(f"{_original(folder).name}.chunks")
    raw = chunks.read_bytes()
    _write(chunks, raw[:7] + bytes([raw[7] ^ 1]) + raw[8:])


def chunk_dropped(folder: Path) -> None:
    """Take the chunks of an excerpt but the first away."""
    chunks = _original(folder).with_name(f"{_original(folder).name}.chunks")
    _write(chunks, chunks.read_bytes()[:CHUNK_BYTES])


def passed_off(folder: Path) -> None:
    """Say that the chunks of an excerpt are the original."""
    file = _original(folder)
    file.with_name(f"{file.name}.chunks").rename(file)
    file.with_name(f"{file.name}.excerpt").unlink()


def passed_off_listed(folder: Path) -> None:
    """The same, with all lists made to fit, and without the hand-over that commits to them."""
    passed_off(folder)
    no_trace(folder)
    listed = parse_manifest((folder / MANIFEST_NAME).read_bytes())
    kept = {path: digest for path, digest in listed.items() if not path.endswith((".chunks", ".excerpt"))}
    file = _original(folder)
    path, content = file.relative_to(folder).as_posix(), file.read_bytes()
    _relist(folder, MANIFEST_NAME, {**kept, path: hashlib.sha256(content).digest()})


def said_to_be_less(content: bytes) -> Spoil:
    """Return what takes a run of chunks out of an excerpt, its statement made to fit and truly proved."""

    def shortened(folder: Path) -> None:
        _state(_original(folder), content, [(0, 1)])

    return shortened


def spoiled_excerpts(content: bytes) -> Mapping[Spoil, tuple[str, ...]]:
    """Return ways of spoiling a package whose first exhibit is an excerpt of a content, and what is said of each.

    Codes of the package come first, then those of the exhibit.
    """
    return {
        chunk_changed: ("bag.file_differs", "bag.excerpts", "excerpt.not_proved"),
        chunk_dropped: ("bag.file_differs", "bag.excerpts", "excerpt.bytes_differ", "step.skipped"),
        said_to_be_less(content): ("bag.file_differs", "bag.excerpts", "excerpt.left_out"),
        passed_off: ("bag.file_missing", "file.size_differs", "clip.root_differs", "clip.sha256_differs"),
        passed_off_listed: (
            *("bag.untraced", "bag.foreign", "file.size_differs", "clip.root_differs", "clip.sha256_differs"),
        ),
    }


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
