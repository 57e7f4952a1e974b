"""A published log made directly, without a database: real entries, tiles and signatures in a folder, and its forger."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.cosignature import Cosigner
from ledger.durable import write_file
from ledger.edge import RightEdge
from ledger.key_history import statement_path
from ledger.key_statement import Retirement, Succession, sign_retirement, sign_succession
from ledger.keys import KeyType
from ledger.note import Signer, format_note, parse_note
from ledger.policy import Policy

ORIGIN = "example.com/followed"


def signer_of(seed: str = "log", *, name: str = ORIGIN) -> Signer:
    """Return the key of that seed, the same on every run."""
    return Signer.generate(name, lambda count: hashlib.shake_256(seed.encode()).digest(count))


def witness_of(seed: str) -> Cosigner:
    """Return the witness of that seed."""
    return Cosigner.generate(
        f"{seed}.example",
        key_type=KeyType.COSIGNATURE_ED25519,
        entropy=lambda count: hashlib.shake_256(seed.encode()).digest(count),
    )


def policy_of(signer: Signer, witnesses: Sequence[Cosigner] = (), *, quorum: str = "none") -> Policy:
    """Return the policy that believes a log, and asks for a quorum over witnesses w0, w1, ..."""
    lines = [f"log {signer.verifier.vkey}"]
    lines += [f"witness w{place} {one.verifier.vkey}" for place, one in enumerate(witnesses)]
    if quorum.isdecimal():
        lines.append(f"group all-of-them {quorum} " + " ".join(f"w{place}" for place in range(len(witnesses))))
        quorum = "all-of-them"
    return Policy.parse("\n".join([*lines, f"quorum {quorum}", ""]))


class PublishedLog:
    """A log in a folder; it grows when it is told to.

    Args:
        root: The folder.
        salt: What the entries are made of; two logs with one key and two salts are a fork.
    """

    def __init__(self, root: Path, *, salt: str = "true", signer: Signer | None = None) -> None:
        self.root = root
        self.signer = signer or signer_of()
        self._salt = salt
        self.elder: Signer | None = None
        self.statements: list[bytes] = []
        self.edge = RightEdge()
        self.notes: list[bytes] = []

    @property
    def policy(self) -> Policy:
        """Believes this log."""
        return policy_of(self.signer)

    def grow(self, count: int, *, salt: str | None = None, witnesses: Sequence[Cosigner] = (), at: int = 0) -> bytes:
        """Append entries, publish everything, return the new checkpoint."""
        start = self.edge.size
        entries = [self._entry(index, salt or self._salt) for index in range(start, start + count)]
        return self.add(entries, witnesses=witnesses, at=at)

    def add(self, entries: Sequence[bytes], *, witnesses: Sequence[Cosigner] = (), at: int = 0) -> bytes:
        """Append these entries, publish everything, return the new checkpoint."""
        growth = self.edge.extend(list(entries))
        for path, data in {**growth.files, **self.edge.partials()}.items():
            self.write(path, data)
        return self.sign(witnesses=witnesses, at=at)

    def sign(self, *, witnesses: Sequence[Cosigner] = (), at: int = 0) -> bytes:
        """Publish a checkpoint of the present state, cosigned at a time."""
        note = sign_checkpoint(Checkpoint(self.signer.name, self.edge.size, self.edge.root()), self._signers)
        if witnesses:
            parsed = parse_note(note)
            lines = tuple(one.cosign(parsed.text, at=at) for one in witnesses)
            note = format_note(type(parsed)(parsed.text, parsed.signatures + lines))
        self.notes.append(note)
        self.write("checkpoint", note)
        return note

    def follow(self, new: Signer) -> None:
        """Let a new key follow; both sign until `retire`."""
        statement = Succession(len(self.statements) // 2 + 1, self.signer.verifier, new.verifier, self.edge.size)
        self.state(sign_succession(statement, old=self.signer, new=new))
        self.elder, self.signer = self.signer, new

    def retire(self) -> Signer:
        """End the elder of two keys and return it, as a thief would have it."""
        assert self.elder is not None
        elder, self.elder = self.elder, None
        number = (len(self.statements) + 1) // 2
        statement = Retirement(number, elder.verifier, self.signer.verifier, self.edge.size)
        self.state(sign_retirement(statement, by=self.signer))
        return elder

    def state(self, statement: bytes) -> None:
        """Publish a statement about the log's keys in the next place, also a false one."""
        self.statements.append(statement)
        self.write(statement_path(len(self.statements)), statement)

    @property
    def _signers(self) -> list[Signer]:
        return [self.signer] if self.elder is None else [self.elder, self.signer]

    def write(self, path: str, data: bytes) -> None:
        """Write a file as it is, also a false one."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, data)

    def flip(self, path: str, *, at: int = 40) -> None:
        """Change one bit of a file."""
        raw = bytearray((self.root / path).read_bytes())
        raw[at % len(raw)] ^= 1
        self.write(path, bytes(raw))

    def cut(self, path: str, *, by: int = 7) -> None:
        """Take the last bytes of a file away."""
        self.write(path, (self.root / path).read_bytes()[:-by])

    def remove(self, path: str) -> None:
        """Remove a file, and the partial ones of its place with it."""
        (self.root / path).unlink()
        shutil.rmtree(self.root / f"{path}.p", ignore_errors=True)

    def _entry(self, index: int, salt: str) -> bytes:
        return f"{salt} {index} ".encode() + hashlib.shake_256(f"{salt}{index}".encode()).digest(index % 90)


def files_of(root: Path) -> dict[str, bytes]:
    """Return the files of a log's folder by path: checkpoint and tiles, nothing else."""
    found = [root / "checkpoint", *(root / "tile").rglob("*")]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found if path.is_file()}
