"""Evidence on disk: which files speak for which, and whose key they are judged by.

An evidence folder holds, for every original, the original itself under a safe name and beside it

    <original>.receipt      the receipt, see `evidence.core.wire.receipt`
    <original>.leaves       leaf hashes of the clip tree, 32 bytes each, nothing between them; the root proves them
    <original>.dock         receipts of the entries of its dock's keys, see `evidence.verify.docks`
    <original>.checkpoint   the checkpoint in the receipt, byte for byte, where it is stamped; for `openssl ts -verify`
    <original>.<name>.tsr   the time stamp of an authority over it (RFC 3161), at most 16 of them
    <original>.excerpt      instead of the original: what was cut out of it, and proofs (`evidence.verify.excerpt`)
    <original>.chunks       the chunks that were cut out, one after the other
    log.policy              the log's key and the witnesses asked for (C2SP tlog-policy)
    log.keys                statements by which keys of the log followed each other, if they did (`ledger.key_history`)
    README.txt              how to verify, for people; compared with what this version writes
    verify.html             the same verification for a browser (`evidence.verify.page`); compared with this version's

The policy in a folder comes from whoever made the folder: it tells which key to ask about, it does not make it trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from evidence.core.wire.receipt import RECEIPT_BYTES_MAX
from evidence.errors import WireError
from evidence.verify.docks import DOCK_BYTES_MAX
from evidence.verify.errors import EvidenceNotFound, LogKeyMissing, RootsUnusable
from evidence.verify.excerpt import ExcerptFiles
from evidence.verify.excerpt_statement import EXCERPT_BYTES_MAX, parse_excerpt
from ledger.errors import KeyMalformed, PolicyMalformed
from ledger.key_history import KEYS_BYTES_MAX
from ledger.keys import parse_public_key
from ledger.policy import POLICY_BYTES_MAX, Policy
from ledger.proof import PROOF_BYTES_MAX
from ledger.timestamp.certificate import ROOTS_BYTES_MAX, Certificate, parse_roots
from ledger.timestamp.errors import TimestampRootsMalformed
from ledger.timestamp.response import RESPONSE_BYTES_MAX
from ledger.tree import HASH_BYTES

RECEIPT_SUFFIX = ".receipt"
LEAVES_SUFFIX = ".leaves"
DOCK_SUFFIX = ".dock"
CHECKPOINT_SUFFIX = ".checkpoint"
STAMP_SUFFIX = ".tsr"
POLICY_NAME = "log.policy"
README_NAME = "README.txt"
PAGE_NAME = "verify.html"
KEYS_NAME = "log.keys"
OUR_NAMES = (POLICY_NAME, KEYS_NAME, README_NAME, PAGE_NAME)
"""Files of an evidence folder that are about all of it; no receipt speaks for them."""

EXCERPT_SUFFIX = ".excerpt"
CHUNKS_SUFFIX = ".chunks"
OUR_SUFFIXES = (RECEIPT_SUFFIX, LEAVES_SUFFIX, DOCK_SUFFIX, CHECKPOINT_SUFFIX, EXCERPT_SUFFIX, CHUNKS_SUFFIX)
"""What is put behind an original's name for the files that belong to it alone; time stamps have a name in between."""

LEAVES_BYTES_MAX = HASH_BYTES * 16 * 1024 * 1024
"""Longest list of leaf hashes that is read: that of an original of 16 TiB."""


STAMPS_MAX = 16
"""Most time stamps of an original that are judged; the others are files that nobody speaks for."""

_AUTHORITY = re.compile(r"[a-z][a-z0-9-]{0,31}")
PAGE_BYTES_MAX = 16 * 1024 * 1024
README_BYTES_MAX = 1024 * 1024
"""Longest page and README that are compared; ours are far shorter."""


@dataclass(frozen=True, slots=True)
class Item:
    """One original with what lies beside it; any of the files may be missing."""

    file: Path

    def receipt(self) -> bytes | None:
        """Return the receipt's bytes, at most one more than a receipt can have; None when there is none."""
        return _read(_beside(self.file, RECEIPT_SUFFIX), bytes_max=RECEIPT_BYTES_MAX)

    def leaves(self) -> bytes | None:
        """Return the list of leaf hashes, None when there is none."""
        return _read(_beside(self.file, LEAVES_SUFFIX), bytes_max=LEAVES_BYTES_MAX)

    def dock(self) -> bytes | None:
        """Return the receipts of its dock's entries, at most one byte more than are read; None when there are none."""
        return _read(_beside(self.file, DOCK_SUFFIX), bytes_max=DOCK_BYTES_MAX)

    def excerpt(self) -> ExcerptFiles | None:
        """Return the excerpt that lies here in the place of the original, None when none does."""
        statement = _read(_beside(self.file, EXCERPT_SUFFIX), bytes_max=EXCERPT_BYTES_MAX)
        if statement is None:
            return None
        return ExcerptFiles(statement, _beside(self.file, CHUNKS_SUFFIX), self.file.parent)

    def cut(self) -> Path | None:
        """Return where the playable copy of the excerpt lies by its statement; None without one."""
        excerpt = self.excerpt()
        try:
            statement = None if excerpt is None else parse_excerpt(excerpt.statement)
        except WireError:
            return None
        return None if statement is None or statement.cut is None else self.file.parent / statement.cut.name

    def checkpoint(self) -> bytes | None:
        """Return the bytes of the checkpoint's file, None when there is none."""
        return _read(_beside(self.file, CHECKPOINT_SUFFIX), bytes_max=PROOF_BYTES_MAX)

    def stamps(self) -> Mapping[str, bytes]:
        """Return the time stamps, authority -> response, at most one byte longer than one can be."""
        paths = {name: _beside(self.file, f".{name}{STAMP_SUFFIX}") for name in self.authorities()}
        read = {name: _read(path, bytes_max=RESPONSE_BYTES_MAX) for name, path in paths.items()}
        return {name: raw for name, raw in read.items() if raw is not None}

    def authorities(self) -> list[str]:
        """Return the names of the authorities whose time stamps lie beside the original, the first `STAMPS_MAX`."""
        head = f"{self.file.name}."
        names = [
            path.name.removeprefix(head).removesuffix(STAMP_SUFFIX)
            for path in (self.file.parent.iterdir() if self.file.parent.is_dir() else ())
            if path.name.startswith(head) and path.name.endswith(STAMP_SUFFIX) and path.is_file()
        ]
        return sorted(name for name in names if _AUTHORITY.fullmatch(name))[:STAMPS_MAX]


@dataclass(frozen=True, slots=True)
class Package:
    """What a path holds.

    Attributes:
        items: Originals that a receipt speaks for, or that the caller named.
        uncovered: Files of a folder that no receipt speaks for.
        policy: Bytes of the policy that came along, None when there is none.
        keys: Bytes of the statements about the log's keys that came along, None when there are none.
        page: Bytes of a `verify.html` beside the originals, cut where it is too long to be ours; None without one.
        readme: Bytes of a `README.txt` there, likewise.
    """

    items: tuple[Item, ...]
    uncovered: tuple[Path, ...]
    policy: bytes | None
    keys: bytes | None = None
    page: bytes | None = None
    readme: bytes | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose checkpoints are believed in this run, and on whose word.

    Attributes:
        policy: Log keys and witnesses.
        from_package: Whether they came with the evidence, so that belief in them is still owed.
    """

    policy: Policy
    from_package: bool


def open_packages(path: Path) -> list[Package]:
    """Look at an original, a receipt, an evidence folder, or a folder of evidence folders.

    Returns:
        One package per folder that holds receipts, each judged by its own policy or by that of the folder given.

    Raises:
        EvidenceNotFound: There is nothing to verify.
    """
    if path.is_dir():
        return _open_folder(path)
    file = path.with_suffix("") if path.suffix == RECEIPT_SUFFIX and not _is_covered(path) else path
    if not path.exists() and not _is_covered(path):
        raise EvidenceNotFound(f"there is no such file or folder: {path}")
    return [Package(items=(Item(file),), uncovered=(), policy=_policy_in(path.parent), keys=_keys_in(path.parent))]


def decide_trust(log_key: str | None, package_policy: bytes | None) -> Trust:
    """Choose the key that checkpoints are judged by.

    Args:
        log_key: What the caller gave: a verifier key, or the name of a file with a verifier key or a policy.
        package_policy: What came with the evidence; used only when the caller gave nothing.

    Raises:
        LogKeyMissing: Neither is there, or it is not of its form.
    """
    if log_key is not None:
        return Trust(_parse_given(log_key), from_package=False)
    if package_policy is None:
        raise LogKeyMissing(f"no log key: give one with --log-key, there is no {POLICY_NAME} beside the evidence")
    return Trust(_parse_policy(package_policy, where=POLICY_NAME), from_package=True)


def read_roots(path: Path | None) -> tuple[Certificate, ...] | None:
    """Read the roots by which time stamps are believed; None when the caller gave no file.

    Raises:
        RootsUnusable: It cannot be read, or holds no certificates.
    """
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return parse_roots(file.read(ROOTS_BYTES_MAX + 1))
    except (OSError, TimestampRootsMalformed) as error:
        raise RootsUnusable("the file given with --tsa-roots holds no root certificates in PEM") from error


def _open_folder(root: Path) -> list[Package]:
    originals: dict[Path, list[Path]] = {}
    for original in sorted(_originals(root)):
        originals.setdefault(original.parent, []).append(original)
    if not originals:
        raise EvidenceNotFound(f"there is no receipt in {root}")
    known = {folder / name for folder in [root, *originals] for name in OUR_NAMES}
    for original in (one for ones in originals.values() for one in ones):
        known |= {_beside(original, suffix) for suffix in OUR_SUFFIXES}
        # Where an excerpt lies in the place of the original, a file of the original's name is a stranger.
        known |= {Item(original).cut() or original} if Item(original).excerpt() is not None else {original}
        known |= {_beside(original, f".{name}{STAMP_SUFFIX}") for name in Item(original).authorities()}
    others = sorted(path for path in root.rglob("*") if path not in known and not path.is_dir())
    return [
        Package(
            items=tuple(map(Item, ones)),
            # Each file that nobody speaks for is told once, with the first package.
            uncovered=tuple(others) if number == 0 else (),
            policy=_policy_in(folder) or _policy_in(root),
            keys=_keys_in(folder) or _keys_in(root),
            page=_read(folder / PAGE_NAME, bytes_max=PAGE_BYTES_MAX),
            readme=_read(folder / README_NAME, bytes_max=README_BYTES_MAX),
        )
        for number, (folder, ones) in enumerate(originals.items())
    ]


def _policy_in(folder: Path) -> bytes | None:
    return _read(folder / POLICY_NAME, bytes_max=POLICY_BYTES_MAX)


def _keys_in(folder: Path) -> bytes | None:
    return _read(folder / KEYS_NAME, bytes_max=KEYS_BYTES_MAX)


def _originals(folder: Path) -> Iterator[Path]:
    for receipt in folder.rglob(f"*{RECEIPT_SUFFIX}"):
        # An original may itself be called `x.receipt`; then `x.receipt.receipt` speaks for it.
        if not _is_covered(receipt) and receipt.stem:
            yield receipt.with_suffix("")


def _is_covered(file: Path) -> bool:
    return _beside(file, RECEIPT_SUFFIX).exists()


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _read(path: Path, *, bytes_max: int) -> bytes | None:
    """Return a file's bytes, at most one beyond the limit so that a parser sees the excess; None when it is missing."""
    try:
        with path.open("rb") as file:
            return file.read(bytes_max + 1)
    except FileNotFoundError:
        return None


def _parse_given(log_key: str) -> Policy:
    if _is_key(log_key):
        return _policy_of(log_key)
    try:
        text = Path(log_key).read_bytes()[: POLICY_BYTES_MAX + 1]
    except (OSError, ValueError) as error:
        raise LogKeyMissing("the log key given is neither a verifier key nor a file that can be read") from error
    line = text.decode("utf-8", "replace").strip()
    return _policy_of(line) if _is_key(line) else _parse_policy(text, where="the file of the log key")


def _is_key(text: str) -> bool:
    try:
        parse_public_key(text)
    except KeyMalformed:
        return False
    return True


def _policy_of(vkey: str) -> Policy:
    return _parse_policy(f"log {vkey}\nquorum none\n".encode(), where="the log key")


def _parse_policy(raw: bytes, *, where: str) -> Policy:
    try:
        policy = Policy.parse(raw)
    except PolicyMalformed as error:
        raise LogKeyMissing(f"{where} is neither a log key nor a policy: {error.message}") from error
    if not policy.logs:
        raise LogKeyMissing(f"{where} names no log")
    return policy
