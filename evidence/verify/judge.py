"""Obligations 1 to 7 as pure functions: each takes values and returns findings, none reads a file.

Obligations are judged one by one even when others fail, as far as what they need can be read: who looks into a damaged
package wants to know everything that is wrong with it, not only the first thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.core.wire.receipt import Receipt, parse_payload
from evidence.core.wire.sealed import SealedBeginning, SealedClip, read_stated
from evidence.errors import ReceiptMismatch, WireError
from evidence.verify.findings import finding
from evidence.verify.hashing import FileHashes, TreeHashes, split_leaves
from ledger.canonical import Entry, commitment, decode_entry
from ledger.checkpoint import Checkpoint, parse_checkpoint
from ledger.errors import (
    CodedError,
    EntryMalformed,
    KeyNotSpeaking,
    NoteUnsigned,
    PolicyUnmet,
    ProofError,
    ProofMalformed,
)
from ledger.findings import Finding
from ledger.note import parse_note
from ledger.policy import Policy
from ledger.proof import LogProof, parse_proof
from ledger.tree import HASH_BYTES, check_inclusion, leaf_hash, root_of

PLACES_MAX = 20
"""Most byte ranges named in one finding; how many chunks differ is always told."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a receipt says, proved or not; the findings tell which.

    Attributes:
        sealed: The clip, or the beginning of a file; None when entry or payload cannot be read.
        index: Place of the entry in the log, None when the proof cannot be read.
        checkpoint: The log's state, None when it cannot be read.
        note: The checkpoint in the proof, byte for byte; None when the proof cannot be read.
        findings: Obligations 4 to 7.
    """

    sealed: SealedClip | SealedBeginning | None
    index: int | None
    checkpoint: Checkpoint | None
    note: bytes | None
    findings: tuple[Finding, ...]

    @property
    def clip(self) -> SealedClip | None:
        """The clip; None also where the receipt is about the beginning of a file."""
        return self.sealed if isinstance(self.sealed, SealedClip) else None


def judge_file(digest: ClipDigest, hashes: TreeHashes, *, leaves: bytes | None, subject: str) -> list[Finding]:
    """Judge obligations 1 to 3: size, clip tree, and the whole-file digests where they were computed.

    Args:
        digest: What the payload states.
        hashes: What the file's bytes come to.
        leaves: The list of leaf hashes that came along, not proved; it serves to say where a file differs.
        subject: What the findings are about.
    """
    if hashes.size == digest.size:
        size = finding("met.file", subject, size=hashes.size)
    else:
        size = finding("file.size_differs", subject, actual_bytes=hashes.size, stated_bytes=digest.size)
    tree = _judge_tree(digest, hashes, leaves, subject)
    if not isinstance(hashes, FileHashes):
        return [size, *tree, finding("clip.whole_not_checked", subject)]
    if hashes.sha256 == digest.sha256:
        whole = finding("met.sha256", subject)
    else:
        whole = finding("clip.sha256_differs", subject, actual=hashes.sha256.hex(), stated=digest.sha256.hex())
    return [size, *tree, whole, *_judge_sm3(digest, hashes, subject)]


def _judge_sm3(digest: ClipDigest, hashes: FileHashes, subject: str) -> list[Finding]:
    """Judge the third digest where one is stated; where it cannot be computed, say that it was not checked."""
    if digest.sm3 is None:
        return []
    if hashes.sm3 is None:
        return [finding("clip.sm3_not_checked", subject)]
    if hashes.sm3 == digest.sm3:
        return [finding("met.sm3", subject)]
    return [finding("clip.sm3_differs", subject, actual=hashes.sm3.hex(), stated=digest.sm3.hex())]


def judge_beginning(
    beginning: SealedBeginning, hashes: TreeHashes, *, leaves: bytes | None, subject: str
) -> list[Finding]:
    """Judge obligations 1 to 3 of a file whose beginning alone is on record; say what of it is not.

    Args:
        beginning: What the payload states.
        hashes: What the file's bytes come to.
        leaves: The list of leaf hashes that came along, of the beginning or of more, not proved.
        subject: What the findings are about.
    """
    found = [finding("prefix.no_sha256", subject)]
    sealed = beginning.size
    if hashes.size < sealed:
        found.append(finding("prefix.file_shorter", subject, actual_bytes=hashes.size, stated_bytes=sealed))
    else:
        found.append(finding("met.prefix_file", subject, size=hashes.size, sealed=sealed))
    found += _judge_beginning_tree(beginning, hashes, leaves, subject)
    if hashes.size > sealed:
        rest = {"first_byte": sealed, "last_byte": hashes.size - 1, "bytes": hashes.size - sealed}
        found.append(finding("prefix.rest_unproven", subject, **rest))
    return found


def judge_receipt(receipt: Receipt, *, policy: Policy, subject: str) -> Reading:
    """Judge obligations 4 to 7: commitment, entry, inclusion, signatures.

    Args:
        receipt: As it came.
        policy: The log keys that are believed, and the witnesses they need.
        subject: What the findings are about.
    """
    entry, sealed, stated = _judge_entry(receipt, subject)
    proof, checkpoint, logged = judge_log(receipt, policy, subject)
    committed = []
    if entry:
        matches = commitment(salt=receipt.salt, payload=receipt.payload) == entry.commit
        committed = [finding("met.payload" if matches else "payload.not_committed", subject)]
    index, note = (proof.index, proof.checkpoint) if proof else (None, None)
    return Reading(sealed, index, checkpoint, note, (*committed, *stated, *logged))


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a file differs from its clip tree.

    Attributes:
        chunks: How many chunks differ.
        ranges: Runs of them, in bytes and in chunks, both ends included; at most `PLACES_MAX`.
        places: The same for people, as `first-last` in bytes.
    """

    chunks: int
    ranges: list[dict[str, int]]
    places: str


def locate(size: int, hashes: TreeHashes, proved: Sequence[bytes]) -> Difference:
    """Say where a file differs from what was sealed; what is missing or added counts as different.

    Args:
        size: Bytes that were sealed.
        hashes: What the file comes to.
        proved: Leaf hashes that lead to the sealed root.
    """
    end = max(size, hashes.size)
    pairs = zip_longest(proved, hashes.leaves)
    differing = [index for index, (left, right) in enumerate(pairs) if left != right]
    ranges = [
        {
            "first_byte": first * CHUNK_BYTES,
            "last_byte": min((last + 1) * CHUNK_BYTES, end) - 1,
            "first_chunk": first,
            "last_chunk": last,
        }
        for first, last in _runs(differing)
    ]
    named = ranges[:PLACES_MAX]
    places = ", ".join(f"{place['first_byte']}-{place['last_byte']}" for place in named)
    return Difference(len(differing), named, places if named == ranges else f"{places}, ...")


def prove_leaves(leaves: bytes | None, digest: ClipDigest) -> tuple[bytes, ...] | None:
    """Return a list of leaf hashes if it leads to the clip's root, else None."""
    if leaves is None:
        return None
    split = split_leaves(leaves)
    return split if len(split) == digest.chunks and root_of(split) == digest.root else None


def _judge_tree(digest: ClipDigest, hashes: TreeHashes, leaves: bytes | None, subject: str) -> list[Finding]:
    proved = prove_leaves(leaves, digest)
    found = [finding("leaves.not_proved", subject)] if leaves is not None and proved is None else []
    if len(hashes.leaves) == digest.chunks and root_of(hashes.leaves) == digest.root:
        return [*found, finding("met.tree", subject, chunks=digest.chunks)]
    if proved is None:
        return [*found, finding("clip.root_differs", subject)]
    where = locate(digest.size, hashes, proved)
    details = {"chunks": digest.chunks, "differing": where.chunks, "places": where.places, "ranges": where.ranges}
    return [*found, finding("clip.chunks_differ", subject, **details)]


def _judge_beginning_tree(
    beginning: SealedBeginning, hashes: TreeHashes, leaves: bytes | None, subject: str
) -> list[Finding]:
    chunks = beginning.chunks
    begun = None if leaves is None else split_leaves(leaves[: chunks * HASH_BYTES])
    proved = begun if begun is not None and len(begun) == chunks and root_of(begun) == beginning.root else None
    found = [finding("leaves.not_proved", subject)] if leaves is not None and proved is None else []
    # Of a shorter file the last of these chunks may be cut: then the root differs, as it has to.
    head = replace(hashes, size=min(hashes.size, beginning.size), leaves=hashes.leaves[:chunks])
    if len(head.leaves) == chunks and root_of(head.leaves) == beginning.root:
        return [*found, finding("met.prefix", subject, chunks=chunks, sealed=beginning.size)]
    if proved is None:
        return [*found, finding("prefix.root_differs", subject, chunks=chunks)]
    where = locate(beginning.size, head, proved)
    details = {"chunks": chunks, "differing": where.chunks, "places": where.places, "ranges": where.ranges}
    return [*found, finding("prefix.chunks_differ", subject, **details)]


def _runs(indices: Sequence[int]) -> list[tuple[int, int]]:
    """Join neighbouring indices into runs, both ends included."""
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _judge_entry(
    receipt: Receipt, subject: str
) -> tuple[Entry | None, SealedClip | SealedBeginning | None, list[Finding]]:
    try:
        entry = decode_entry(receipt.entry)
    except EntryMalformed as error:
        return None, None, [finding("entry.malformed", subject, reason=error.message)]
    try:
        sealed = read_stated(entry, parse_payload(receipt.payload))
    except ReceiptMismatch as error:
        return entry, None, [finding("entry.other_subject", subject, reason=error.message)]
    except WireError as error:
        return entry, None, [finding("payload.malformed", subject, reason=error.message)]
    if isinstance(sealed, SealedBeginning):
        return entry, sealed, [finding("met.prefix_entry", subject, type=entry.type, upload=str(sealed.upload))]
    return entry, sealed, [finding("met.entry", subject, type=entry.type, clip=str(sealed.clip))]


def judge_log(
    receipt: Receipt, policy: Policy, subject: str
) -> tuple[LogProof | None, Checkpoint | None, list[Finding]]:
    """Judge obligations 6 and 7; return the proof and the log's state as well, where they can be read."""
    try:
        proof = parse_proof(receipt.proof)
    except ProofMalformed as error:
        return None, None, [finding("log.proof_malformed", subject, reason=error.message)]
    try:
        checkpoint = parse_checkpoint(parse_note(proof.checkpoint).text)
    except CodedError as error:
        return proof, None, [finding("log.checkpoint_malformed", subject, reason=error.message)]
    findings = [
        _judge_inclusion(proof, checkpoint, receipt.entry, subject),
        _judge_signatures(proof, policy, subject),
    ]
    return proof, checkpoint, findings


def _judge_inclusion(proof: LogProof, checkpoint: Checkpoint, entry: bytes, subject: str) -> Finding:
    try:
        check_inclusion(
            leaf=leaf_hash(entry), index=proof.index, size=checkpoint.size, proof=proof.path, root=checkpoint.root
        )
    except ProofError:
        return finding("log.not_included", subject, index=proof.index, log_size=checkpoint.size)
    return finding("met.inclusion", subject, index=proof.index, log_size=checkpoint.size)


def _judge_signatures(proof: LogProof, policy: Policy, subject: str) -> Finding:
    try:
        witnessed = policy.open_checkpoint(proof.checkpoint)
    except NoteUnsigned:
        return finding("log.checkpoint_unsigned", subject)
    except KeyNotSpeaking as error:
        return finding("log.key_retired", subject, **error.details)
    except PolicyUnmet as error:
        return finding("log.quorum_unmet", subject, missing=error.details.get("missing", []))
    except CodedError as error:
        # A false signature, or a believed key that speaks for another log.
        return finding("log.checkpoint_false", subject, reason=error.message)
    cosigned = [seen.witness.name for seen in witnessed.verdict.cosigned]
    return finding(
        "met.checkpoint", subject, origin=witnessed.checkpoint.origin, cosigned=len(cosigned), witnesses=cosigned
    )
