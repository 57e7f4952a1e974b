"""A package (BagIt) around evidence folders: the receipt of its hand-over, and the list of files that it commits to.

Obligations, in this order:

1. `export.trace` is the receipt of an entry that says clips were exported, in the log of a believed checkpoint
2. that entry commits to the SHA-256 of `manifest-sha256.txt` as it lies here
3. every file that the list names is here with the digest that it states; an original's bytes were read already
4. the files beside `data/` are those of `tagmanifest-sha256.txt`
5. an excerpt that lies in the place of an original was handed over as one: the list names its statement and chunks

So whatever lies below `data/` is as it was handed over: certificate, annotations and custody log too, for which no
receipt of their own speaks. Files that no list names are told as files that nobody speaks for. A bag without a trace is
told so: its lists then come from whoever made the bag.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence.core.clock import format_time
from evidence.core.wire.bag import (
    BAGIT_NAME,
    INFO_NAME,
    LIST_BYTES_MAX,
    MANIFEST_NAME,
    PAYLOAD_FOLDER,
    SM3_NAME,
    TAG_MANIFEST_NAME,
    TRACE_NAME,
    parse_manifest,
)
from evidence.core.wire.receipt import RECEIPT_BYTES_MAX, parse_payload, parse_receipt
from evidence.errors import WireError
from evidence.verify.bag_readme import bag_readme_text
from evidence.verify.findings import finding
from evidence.verify.judge import judge_log
from evidence.verify.package import CHUNKS_SUFFIX, EXCERPT_SUFFIX, OUR_NAMES, PAGE_NAME, README_NAME
from evidence.verify.page.page import page_bytes
from ledger.canonical import commitment, decode_entry
from ledger.errors import CodedError
from ledger.findings import Finding, is_clean
from ledger.policy import Policy

EXPORT_TYPES: Final = frozenset({"case.exported", "clips.exported"})
BAG_TAGS: Final = (BAGIT_NAME, INFO_NAME, MANIFEST_NAME, SM3_NAME, TRACE_NAME, *OUR_NAMES)
"""Files beside `data/` that a package of this version can have, each of which its list has to name."""


@dataclass(frozen=True, slots=True)
class Bag:
    """A package as it lies on disk.

    Attributes:
        root: Its folder.
        manifest: Bytes of the list; None when there is none.
        tags: Bytes of the list of files beside `data/`.
        trace: Bytes of the receipt of the hand-over.
    """

    root: Path
    manifest: bytes | None
    tags: bytes | None
    trace: bytes | None

    def names(self) -> frozenset[Path]:
        """Return the files that the lists speak for; none where a list cannot be read."""
        listed = [path for raw in (self.manifest, self.tags) for path in _parsed(raw) or ()]
        return frozenset(self.root.joinpath(*path.split("/")) for path in (*listed, TAG_MANIFEST_NAME))


def open_bag(root: Path) -> Bag | None:
    """Return the package in a folder, None where it holds none."""
    if not (root / BAGIT_NAME).is_file():
        return None
    return Bag(
        root=root,
        manifest=_read(root / MANIFEST_NAME, LIST_BYTES_MAX),
        tags=_read(root / TAG_MANIFEST_NAME, LIST_BYTES_MAX),
        trace=_read(root / TRACE_NAME, RECEIPT_BYTES_MAX),
    )


def judge_bag(
    bag: Bag, *, policy: Policy, read: Mapping[Path, bytes], excerpts: Sequence[Path] = (), originals: int = 0
) -> list[Finding]:
    """Judge a package.

    Args:
        policy: The log keys that are believed, and the witnesses they need.
        read: SHA-256 of originals whose bytes were read in this run, every one of them.
        excerpts: Originals of this package in whose place an excerpt lies.
        originals: How many originals the package is about.
    """
    subject = f"package:{bag.root.name}"
    listed = _parsed(bag.manifest)
    if bag.manifest is None or listed is None:
        return [finding("bag.malformed", subject, list=MANIFEST_NAME)]
    found = _judge_trace(bag, hashlib.sha256(bag.manifest).digest(), policy, subject)
    traced = is_clean(found) and bag.trace is not None
    count, faults = 0, list[Finding]()
    for path, digest in listed.items():
        count += 1
        if not path.startswith(PAYLOAD_FOLDER):
            return [*found, finding("bag.malformed", subject, list=MANIFEST_NAME)]
        faults += _judge_file(bag.root.joinpath(*path.split("/")), digest, read)
    found += faults
    if not faults:
        found.append(finding("bag.listed" if traced else "bag.listed_only", subject, files=count))
    found += _judge_excerpts(bag, listed, excerpts)
    if excerpts:
        found.append(finding("bag.excerpts", subject, excerpts=len(excerpts), of=originals))
    return [*found, *_judge_tags(bag, subject), *_foreign(bag)]


def _judge_excerpts(bag: Bag, listed: Mapping[str, bytes], excerpts: Sequence[Path]) -> Iterator[Finding]:
    """Name excerpts that nobody handed over: laid beside an original, they would be judged in its place."""
    for file in excerpts:
        for path in (file.with_name(f"{file.name}{suffix}") for suffix in (EXCERPT_SUFFIX, CHUNKS_SUFFIX)):
            if path.relative_to(bag.root).as_posix() not in listed:
                yield finding("bag.file_unlisted", f"file:{path}")


def _judge_trace(bag: Bag, manifest: bytes, policy: Policy, subject: str) -> list[Finding]:
    if bag.trace is None:
        return [finding("bag.untraced", subject)]
    try:
        receipt = parse_receipt(bag.trace)
        entry = decode_entry(receipt.entry)
        said = parse_payload(receipt.payload)
    except CodedError as error:
        return [finding("bag.trace_malformed", subject, reason=error.message)]
    committed = commitment(salt=receipt.salt, payload=receipt.payload) == entry.commit
    if not committed or entry.type not in EXPORT_TYPES:
        reason = entry.type if committed else "payload.not_committed"
        return [finding("bag.trace_malformed", subject, reason=reason)]
    proof, _, logged = judge_log(receipt, policy, subject)
    if proof is None or not is_clean(list(logged)):
        codes = ", ".join(one.code for one in logged if not is_clean([one]))
        return [finding("bag.trace_not_proved", subject, codes=codes or "receipt.malformed")]
    if said.get("manifest") != manifest.hex():
        return [finding("bag.manifest_differs", subject)]
    return [finding("bag.traced", subject, index=proof.index, at=format_time(entry.at))]


def _judge_file(path: Path, digest: bytes, read: Mapping[Path, bytes]) -> Iterator[Finding]:
    subject = f"file:{path}"
    known = read.get(path)
    if known is None:
        try:
            # A link is not a file of the package, wherever it leads.
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                known = hashlib.file_digest(file, "sha256").digest()
        except OSError:
            yield finding("bag.file_missing", subject)
            return
    if known != digest:
        yield finding("bag.file_differs", subject)


def _judge_tags(bag: Bag, subject: str) -> Iterator[Finding]:
    tags = _parsed(bag.tags)
    if tags is None or any("/" in path for path in tags):
        yield finding("bag.malformed", subject, list=TAG_MANIFEST_NAME)
        return
    for name in BAG_TAGS:
        path = bag.root / name
        present = path.is_file()
        if present and name not in tags:
            yield finding("bag.file_unlisted", f"file:{path}")
        if name in tags:
            yield from _judge_file(path, tags[name], {})


def _foreign(bag: Bag) -> Iterator[Finding]:
    """Name what lies there for people and could lead them astray; another version may have written it, too."""
    expected = {PAGE_NAME: page_bytes(), README_NAME: bag_readme_text(traced=bag.trace is not None)}
    for name, content in expected.items():
        there = _read(bag.root / name, len(content))
        if there is not None and there != content:
            yield finding("bag.foreign", f"file:{bag.root / name}")


def _parsed(raw: bytes | None) -> dict[str, bytes] | None:
    try:
        return None if raw is None else parse_manifest(raw)
    except WireError:
        return None


def _read(path: Path, bytes_max: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(bytes_max + 1)
    except OSError:
        return None
