"""Obligation 8, the dock's signature: the manifest in the clip's payload is signed by the key that was the dock's then.

Beside the original lies `<original>.dock`: the receipts of the entries from which the dock's keys come, one after the
other in the format of `evidence.core.wire.receipt` (two lines each): the enrolment first, then every change of key
before the clip was sealed. They are believed as the clip's own receipt is, by the same policy:

1. each entry commits to its payload, is in the log of a believed checkpoint, and that is the log of the clip;
2. each is about the dock that the clip's payload names;
3. their places rise and all come before the clip's;
4. the first is the enrolment, every further one a change that the key before it and the new one signed, none left out;
5. the manifest says what the clip's payload says, digests included, and the last key signed it.

What a statement must say is written down from the payload and compared as text: canonical JSON has one spelling, so
nothing needs to be parsed here that a packer could have made difficult.

What no folder can show: that nothing came between the last change shown and the clip (a further change, a revocation).
The audit of the whole log shows that (`evidence.audit.parties`); here it is owed by the reader, see `report.OWED`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evidence.core.wire.dock_key import VERSION as DOCK_KEY_VERSION
from evidence.core.wire.manifest import VERSION as MANIFEST_VERSION
from evidence.core.wire.receipt import VERSION as RECEIPT_VERSION
from evidence.core.wire.receipt import Receipt, format_receipt, parse_payload, parse_receipt
from evidence.core.wire.statement import format_text
from evidence.errors import WireError, WireLimit, WireMalformed
from evidence.verify.findings import finding
from evidence.verify.judge import Reading, judge_log
from ledger.canonical import PAYLOAD_BYTES_MAX, Entry, JsonObject, JsonValue, commitment, decode_entry
from ledger.checkpoint import Checkpoint
from ledger.errors import CodedError, KeyMalformed
from ledger.findings import Finding, Severity
from ledger.note import Note, Verifier, open_note, parse_note
from ledger.policy import Policy

DOCK_BYTES_MAX: Final = 8 * 1024 * 1024
"""Longest file of a dock's entries in bytes."""

DOCK_ENTRIES_MAX: Final = 2_000
"""Most entries in it: a change of key every day for five years."""

_DIGEST: Final = ("size", "chunk_size", "chunks", "root", "sha256")


def format_chain(receipts: Sequence[Receipt]) -> bytes:
    """Write the file of a dock's entries.

    Raises:
        WireLimit: It would be longer than anybody reads.
    """
    raw = b"".join(map(format_receipt, receipts))
    if len(receipts) > DOCK_ENTRIES_MAX or len(raw) > DOCK_BYTES_MAX:
        raise WireLimit(f"{len(receipts)} receipts of {len(raw)} bytes are more than a verifier reads")
    return raw


def parse_chain(raw: bytes) -> list[Receipt]:
    """Read the file of a dock's entries; nothing is proved yet.

    Raises:
        WireError: It is not one or more receipts, or longer than the limits.
    """
    if len(raw) > DOCK_BYTES_MAX:
        raise WireLimit(f"more than {DOCK_BYTES_MAX} bytes")
    lines = raw.split(b"\n")
    if lines.pop() or not lines or len(lines) % 2:
        raise WireMalformed("not one or more receipts of two lines each")
    if len(lines) > 2 * DOCK_ENTRIES_MAX:
        raise WireLimit(f"more than {DOCK_ENTRIES_MAX} receipts")
    pairs = [b"\n".join((*lines[start : start + 2], b"")) for start in range(0, len(lines), 2)]
    if any(not pair.startswith(f"{RECEIPT_VERSION}\n".encode()) for pair in pairs):
        raise WireMalformed("not one or more receipts of two lines each")
    return [parse_receipt(pair) for pair in pairs]


def judge_dock(
    receipt: Receipt, reading: Reading, chain: bytes | None, *, policy: Policy, subject: str
) -> list[Finding]:
    """Judge obligation 8.

    Args:
        receipt: The clip's.
        reading: What it says; a clip must have been read out of it.
        chain: Bytes of the file of the dock's entries; None when there is none.
        policy: The log keys that are believed, and the witnesses they need.
        subject: What the findings are about.
    """
    payload = parse_payload(receipt.payload)
    dock = payload.get("dock")
    if dock is None:
        return [finding("dock.not_applicable", subject)]
    found, note = _judge_manifest(payload, subject)
    if note is None or not isinstance(dock, str):
        return found
    if chain is None:
        return [*found, finding("dock.not_shown", subject, dock=dock)]
    try:
        receipts = parse_chain(chain)
    except WireError as error:
        return [*found, finding("dock.malformed", subject, reason=error.message)]
    judged = _Chain(dock, reading, policy, subject)
    for number, one in enumerate(receipts, 1):
        problem = judged.add(number, one)
        if problem is not None:
            return [*found, problem]
    signed = _judge_signer(note, judged.keys, subject, dock=dock)
    return [*found, signed] if signed.severity is not Severity.OK or not found else found


def _judge_manifest(payload: JsonObject, subject: str) -> tuple[list[Finding], Note | None]:
    """Hold the manifest in a payload against the payload; the note is None when there is none to judge."""
    manifest = payload.get("manifest")
    if not isinstance(manifest, str) or not isinstance(payload.get("dock"), str):
        return [finding("dock.manifest_missing", subject)], None
    try:
        note = parse_note(manifest.encode())
    except CodedError:
        return [finding("dock.manifest_malformed", subject)], None
    names = ("dock", "upload", "inventory", "recorder", "path")
    body: dict[str, JsonValue] = {name: payload.get(name) for name in names}
    body["raw"] = payload.get("raw", False)
    body["digest"] = {name: payload.get(name) for name in _DIGEST}
    if note.text != _text(body, MANIFEST_VERSION):
        return [finding("dock.manifest_differs", subject)], note
    return [], note


def _text(body: JsonValue, version: str) -> str | None:
    """Write down what a statement must say; None when nothing could say it."""
    try:
        return format_text(body, version=version, bytes_max=2 * PAYLOAD_BYTES_MAX)
    except CodedError:
        return None


def _judge_signer(note: Note, keys: list[Verifier], subject: str, *, dock: str) -> Finding:
    if _is_signed(note, keys[-1]):
        return finding("met.dock", subject, dock=dock, sequence=len(keys) - 1)
    if any(_is_signed(note, key) for key in keys[:-1]):
        return finding("dock.key_superseded", subject, sequence=len(keys) - 1)
    return finding("dock.manifest_unsigned", subject, dock=dock)


def _is_signed(note: Note, *keys: Verifier) -> bool:
    """Tell whether every one of the keys signed, and none of their lines is false."""
    try:
        opened = open_note(_raw(note), keys)
    except CodedError:
        return False
    return set(opened.signed_by) == set(keys)


def _raw(note: Note) -> bytes:
    return (note.text + "\n" + "".join(signature.line() for signature in note.signatures)).encode()


class _Problem(Exception):
    """What is wrong with an entry of the chain."""

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class _Chain:
    """The dock's entries so far, each judged against those before it."""

    def __init__(self, dock: str, reading: Reading, policy: Policy, subject: str) -> None:
        self._dock = dock
        self._reading = reading
        self._policy = policy
        self._subject = subject
        self._last_index = -1
        self.keys: list[Verifier] = []

    def add(self, number: int, receipt: Receipt) -> Finding | None:
        """Judge the next entry; return what is wrong with it, or None."""
        try:
            entry, payload, index, checkpoint = self._prove(receipt)
            self._require_same_log(checkpoint)
            self._require_place(entry, index)
            self.keys.append(self._next_key(entry, payload))
        except _Problem as problem:
            return finding(problem.code, self._subject, number=number, **problem.details)
        return None

    def _prove(self, receipt: Receipt) -> tuple[Entry, JsonObject, int, Checkpoint]:
        def unproved(code: str) -> _Problem:
            return _Problem("dock.entry_unproved", cause=code)

        try:
            entry = decode_entry(receipt.entry)
            payload = parse_payload(receipt.payload)
        except WireError as error:
            raise unproved("payload.malformed") from error
        except CodedError as error:
            raise unproved("entry.malformed") from error
        if commitment(salt=receipt.salt, payload=receipt.payload) != entry.commit:
            raise unproved("payload.not_committed")
        proof, checkpoint, found = judge_log(receipt, self._policy, self._subject)
        failed = [one.code for one in found if one.severity is Severity.ERROR]
        if failed or proof is None or checkpoint is None:
            raise unproved(failed[0])
        return entry, payload, proof.index, checkpoint

    def _require_same_log(self, checkpoint: Checkpoint) -> None:
        clip = self._reading.checkpoint
        if clip is None:
            return
        if checkpoint.origin != clip.origin or (checkpoint.size == clip.size and checkpoint.root != clip.root):
            raise _Problem("dock.other_log")

    def _require_place(self, entry: Entry, index: int) -> None:
        if entry.subject != f"dock:{self._dock}":
            raise _Problem("dock.other_dock", about=entry.subject)
        clip = self._reading.index
        if index <= self._last_index or (clip is not None and index >= clip):
            raise _Problem("dock.out_of_order", index=index)
        self._last_index = index

    def _next_key(self, entry: Entry, payload: JsonObject) -> Verifier:
        broken = _Problem("dock.chain_broken")
        if entry.type != ("dock.key_rotated" if self.keys else "dock.enrolled") or payload.get("dock") != self._dock:
            raise broken
        vkey = payload.get("vkey")
        try:
            key = Verifier.parse(vkey if isinstance(vkey, str) else "")
        except KeyMalformed as error:
            raise broken from error
        if key.name != f"dock.{self._dock}" or (self.keys and not self._is_change(payload, key)):
            raise broken
        return key

    def _is_change(self, payload: JsonObject, new: Verifier) -> bool:
        old, sequence = self.keys[-1], len(self.keys)
        body: JsonObject = {"dock": self._dock, "sequence": sequence, "old": old.vkey, "new": new.vkey}
        stated = payload.get("note")
        try:
            note = parse_note(stated.encode() if isinstance(stated, str) else b"")
        except CodedError:
            return False
        lines = [(line.name, line.key_id) for line in note.signatures]
        return (
            payload.get("sequence") == sequence
            and not isinstance(payload["sequence"], bool)
            and note.text == _text(body, DOCK_KEY_VERSION)
            and lines == [(old.name, old.key_id), (new.name, new.key_id)]
            and _is_signed(note, old, new)
        )
