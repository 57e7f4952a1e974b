"""Trust policies (C2SP tlog-policy): whose checkpoints are believed, and which witnesses must have seen them.

    log <vkey> [<url>]                              keys of type 0x01 or 0x06; the key name is the log's origin
    witness <name> <vkey> [<url>]                   keys of type 0x04 or 0x06
    group <name> all|any|<k> <name>...              witnesses when k of its members do
    quorum <name>|none                              exactly once

Lines end in a newline, words stand between spaces or tabs, lines that begin with `#` and blank lines are skipped.
A name is used after the line that defines it, and is a member of at most one group, once: so no witness counts twice.
The file is octets: what is not ASCII is compared byte by byte and kept as it is (names need not be UTF-8).

Obligations of `Policy.open_checkpoint`:
1. every line of a known log or witness verifies (`ledger.note.open_note`);
2. the text is a checkpoint, signed by a log of the policy whose name is its origin;
3. the witnesses that cosigned it make up the quorum.
The caller owes: how old the cosignatures may be (their times are handed back), and where the policy came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from ledger.checkpoint import Checkpoint, parse_checkpoint
from ledger.cosignature import CosignatureVerifier, cosigned_at
from ledger.errors import CheckpointOrigin, KeyMalformed, NoteUnsigned, PolicyMalformed, PolicyUnmet
from ledger.key_history import KeyHistory, KeySpan, not_speaking
from ledger.keys import KeyType, parse_public_key
from ledger.lexemes import parse_decimal
from ledger.note import NoteVerifier, OpenedNote, Verifier, open_note

POLICY_BYTES_MAX = 1024 * 1024
"""Longest policy in bytes."""

PARTIES_MAX = 256
"""Most logs, witnesses and groups, each; the specification asks for at least 32."""

_NONE = "none"
_OCTETS = frozenset(b"\t\n") | frozenset(range(0x20, 0x7F)) | frozenset(range(0x80, 0x100))


@dataclass(frozen=True, slots=True)
class Log:
    """A log that is believed when it signs under its own name."""

    verifier: NoteVerifier
    url: str | None = None
    span: KeySpan | None = None
    """The sizes that the key speaks for, when the log's statements about its keys are known; None for all."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness; `name` is only used inside the policy."""

    name: str
    verifier: CosignatureVerifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses, or groups of them; it counts as one that cosigned when `threshold` members do."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness of the policy that cosigned, and the POSIX seconds it states."""

    witness: Witness
    at: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy finds in an opened note.

    Attributes:
        logs: Logs of the policy that signed it.
        cosigned: Witnesses of the policy that cosigned it, each with its newest time.
        missing: Names of the witnesses that did not.
        silent: Logs of the policy that signed it with a key that does not speak for its size.
        quorum_met: Whether that is enough.
    """

    logs: tuple[Log, ...]
    cosigned: tuple[Cosigned, ...]
    missing: tuple[str, ...]
    quorum_met: bool
    silent: tuple[Log, ...] = ()


@dataclass(frozen=True, slots=True)
class WitnessedCheckpoint:
    """A checkpoint that a policy accepts."""

    checkpoint: Checkpoint
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is believed. Build it with `parse`, which keeps to the rules between the parts.

    Attributes:
        groups: In the order of definition: members come before the groups they are in.
        quorum: Name of a witness or group; None asks for no cosignature.
    """

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str | None

    @classmethod
    def parse(cls, text: bytes | str) -> Self:
        """Read a policy.

        Raises:
            PolicyMalformed: A line is not of its form, a rule between lines is broken, or a limit exceeded.
        """
        draft = _Draft()
        for number, words in _lines(text):
            try:
                draft.add(words)
            except (ValueError, KeyMalformed) as error:
                raise PolicyMalformed(f"line {number}: {error}", line=number) from error
        if len(draft.quorum) != 1:
            raise PolicyMalformed("a policy has exactly one quorum line")
        quorum = None if draft.quorum[0] == _NONE else draft.quorum[0]
        return cls(tuple(draft.logs), tuple(draft.witnesses), tuple(draft.groups), quorum)

    def format(self) -> bytes:
        """Write the policy, without comments."""
        lines = [["log", log.verifier.vkey, log.url] for log in self.logs]
        lines += [["witness", witness.name, witness.verifier.vkey, witness.url] for witness in self.witnesses]
        lines += [["group", group.name, _threshold_word(group), *group.members] for group in self.groups]
        lines += [["quorum", self.quorum or _NONE]]
        text = "".join(" ".join(word for word in words if word is not None) + "\n" for words in lines)
        return text.encode("utf-8", "surrogateescape")

    @property
    def log_verifiers(self) -> tuple[NoteVerifier, ...]:
        """Keys of the logs."""
        return tuple(log.verifier for log in self.logs)

    @property
    def verifiers(self) -> tuple[NoteVerifier, ...]:
        """Keys of the logs and the witnesses: what a note is opened with before `check`."""
        return self.log_verifiers + tuple(witness.verifier for witness in self.witnesses)

    def with_keys(self, keys: KeyHistory) -> Policy:
        """Return the policy that believes all keys of a log for their sizes, where it believes one of them.

        A policy that knows none of them is returned as it is: statements introduce nobody by themselves.
        """
        known = [log for log in self.logs if any(log.verifier == verifier for verifier in keys.verifiers)]
        if not known:
            return self
        chain = tuple(Log(span.verifier, known[0].url, span) for span in keys.spans)
        return replace(self, logs=(*(log for log in self.logs if log not in known), *chain))

    def check(self, note: OpenedNote) -> Verdict:
        """Say who of the policy signed a note that was opened with `verifiers`, and whether that is enough."""
        signed_by = note.signed_by
        cosigned = tuple(
            Cosigned(
                witness, max(cosigned_at(value) for verifier, value in note.proofs if verifier == witness.verifier)
            )
            for witness in self.witnesses
            if witness.verifier in signed_by
        )
        witnessed = {seen.witness.name for seen in cosigned}
        missing = tuple(witness.name for witness in self.witnesses if witness.name not in witnessed)
        # Members are defined before their group, so one pass decides every group.
        for group in self.groups:
            if len(witnessed.intersection(group.members)) >= group.threshold:
                witnessed.add(group.name)
        signed = [log for log in self.logs if log.verifier in signed_by]
        size = parse_checkpoint(note.text).size if any(log.span for log in signed) else 0
        logs = tuple(log for log in signed if log.span is None or log.span.speaks_for(size))
        silent = tuple(log for log in signed if log not in logs)
        return Verdict(logs, cosigned, missing, self.quorum is None or self.quorum in witnessed, silent)

    def open_checkpoint(self, raw: bytes) -> WitnessedCheckpoint:
        """Verify a checkpoint; obligations 1 to 3 of this module.

        Raises:
            NoteMalformed, NoteSignatureFalse, NoteUnsigned, CheckpointMalformed, CheckpointOrigin: As for one log.
            KeyNotSpeaking: Only keys of a log signed it that do not speak for its size.
            PolicyUnmet: Too few witnesses cosigned it.
        """
        note = open_note(raw, self.verifiers)
        verdict = self.check(note)
        if verdict.silent and not verdict.logs:
            size = parse_checkpoint(note.text).size
            raise not_speaking(size, [log.span for log in verdict.silent if log.span])
        if not verdict.logs:
            raise NoteUnsigned("no log of the policy signed the checkpoint")
        checkpoint = parse_checkpoint(note.text)
        if checkpoint.origin not in {log.verifier.name for log in verdict.logs}:
            raise CheckpointOrigin(f"no key of {checkpoint.origin} signed the checkpoint")
        if not verdict.quorum_met:
            raise PolicyUnmet("too few witnesses cosigned the checkpoint", missing=list(verdict.missing))
        return WitnessedCheckpoint(checkpoint, verdict)


@dataclass(slots=True)
class _Draft:
    """A policy while its lines are read; `add` raises `ValueError` or `KeyMalformed` for the line at hand."""

    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: list[str] = field(default_factory=list)
    defined: set[str] = field(default_factory=set)
    grouped: set[str] = field(default_factory=set)

    def add(self, words: Sequence[str]) -> None:
        """Take in the words of one line (C2SP tlog-policy)."""
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._add_log(Log(_log_verifier(vkey), words[2] if len(words) > 2 else None))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self._add_witness(Witness(name, CosignatureVerifier.parse(vkey), *words[3:]))
            case ["group", name, threshold, *members] if members:
                count = {"all": len(members), "any": 1}.get(threshold)
                self._add_group(Group(name, count or parse_decimal(threshold, maximum=len(members)), tuple(members)))
            case ["quorum", name]:
                if name != _NONE and name not in self.defined:
                    raise ValueError("the quorum is not defined above")
                self.quorum.append(name)
            case _:
                raise ValueError("no such line in a policy")
        if max(len(self.logs), len(self.witnesses), len(self.groups)) > PARTIES_MAX:
            raise ValueError(f"more than {PARTIES_MAX} of a kind")

    def _add_log(self, log: Log) -> None:
        if log.verifier.key.raw in {other.verifier.key.raw for other in self.logs}:
            raise ValueError("the key of this log stands above already")
        self.logs.append(log)

    def _add_witness(self, witness: Witness) -> None:
        if witness.verifier.key.raw in {other.verifier.key.raw for other in self.witnesses}:
            raise ValueError("the key of this witness stands above already")
        self._define(witness.name)
        self.witnesses.append(witness)

    def _add_group(self, group: Group) -> None:
        if not 1 <= group.threshold <= len(group.members):
            raise ValueError("a threshold is at least 1")
        for member in group.members:
            if member not in self.defined or member in self.grouped:
                raise ValueError("a member is not defined above, or is in a group already")
            self.grouped.add(member)
        self._define(group.name)
        self.groups.append(group)

    def _define(self, name: str) -> None:
        if name == _NONE or name in self.defined:
            raise ValueError("the name is taken")
        self.defined.add(name)


def _lines(text: bytes | str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the words of every line that says something."""
    try:
        raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise PolicyMalformed("not text") from error
    if len(raw) > POLICY_BYTES_MAX or not _OCTETS.issuperset(raw):
        raise PolicyMalformed(f"more than {POLICY_BYTES_MAX} bytes, or a control character")
    *lines, rest = raw.decode("utf-8", "surrogateescape").split("\n")
    if rest:
        raise PolicyMalformed("the last line does not end in a newline: the policy may be cut")
    for number, line in enumerate(lines, start=1):
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if words and not words[0].startswith("#"):
            yield number, words


def _log_verifier(vkey: str) -> NoteVerifier:
    key = parse_public_key(vkey)
    match key.type:
        case KeyType.ED25519:
            return Verifier(key)
        case KeyType.COSIGNATURE_MLDSA44:
            return CosignatureVerifier(key)
        case KeyType.COSIGNATURE_ED25519:
            raise ValueError("a key of type 0x04 belongs to a witness, not to a log")


def _threshold_word(group: Group) -> str:
    if group.threshold == len(group.members):
        return "all"
    return "any" if group.threshold == 1 else str(group.threshold)
