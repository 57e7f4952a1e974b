"""Proof files (C2SP tlog-proof): everything needed to see offline that an entry is in a log.

    c2sp.org/tlog-proof@v1
    extra <base64>                     (optional; not authenticated, never to be trusted)
    index <n>
    <base64 of a hash>                 (0 to 63 lines, from the leaf's sibling up)
                                       (empty line)
    <signed checkpoint, verbatim>

`check_proof` has three obligations:
1. the checkpoint is signed by the log's key and speaks for that log (`ledger.checkpoint.open_checkpoint`), or by one
   of the keys it had (`ledger.key_history`);
2. the inclusion proof leads from the hash of the very entry bytes, at the stated index, to the checkpoint's root;
3. in `check_witnessed_proof`: the quorum of the policy's witnesses cosigned it (`Policy.open_checkpoint`).
The caller owes: that the entry says what it is taken for, and that the key or policy is the one it was enrolled with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger.checkpoint import Checkpoint
from ledger.errors import ProofMalformed
from ledger.key_history import KeyHistory, open_by
from ledger.lexemes import format_base64, parse_base64, parse_decimal
from ledger.note import NoteVerifier
from ledger.policy import Policy, WitnessedCheckpoint
from ledger.tree import SIZE_MAX, check_inclusion, leaf_hash

PATH_HASHES_MAX = 63
"""Longest inclusion proof in hashes: the height of a tree of 2^63 - 1 leaves."""

PROOF_BYTES_MAX = 1024 * 1024
"""Longest proof file in bytes; a checkpoint with 100 ML-DSA-44 cosignatures takes some 330,000 of them."""

_HEAD = re.compile(
    rb"c2sp\.org/tlog-proof@v1\n"
    rb"(?:extra (?P<extra>[^\n]*)\n)?"
    rb"index (?P<index>[0-9]+)\n"
    rb"(?P<path>(?:[A-Za-z0-9+/]{43}=\n){0,%d})"
    rb"\n" % PATH_HASHES_MAX
)


@dataclass(frozen=True, slots=True)
class LogProof:
    """A proof as written; nothing is checked yet.

    Attributes:
        index: Place of the entry in the log, from 0.
        path: Hashes of 32 bytes, from the leaf's sibling up.
        checkpoint: The signed checkpoint as the log published it.
        extra: Bytes of any meaning that travel along, or None.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


def format_proof(proof: LogProof) -> bytes:
    """Write a proof file.

    Raises:
        ProofMalformed: It could not be read back.
    """
    lines = ["c2sp.org/tlog-proof@v1"]
    if proof.extra is not None:
        lines.append(f"extra {format_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines += [format_base64(value) for value in proof.path]
    raw = "\n".join([*lines, "", ""]).encode() + proof.checkpoint
    parse_proof(raw)
    return raw


def parse_proof(raw: bytes) -> LogProof:
    """Take a proof file apart without checking what it claims.

    Raises:
        ProofMalformed: Another form, or beyond a limit.
    """
    if len(raw) > PROOF_BYTES_MAX:
        raise ProofMalformed(f"a proof has at most {PROOF_BYTES_MAX} bytes, not {len(raw)}")
    head = _HEAD.match(raw)
    if not head or head.end() == len(raw):
        raise ProofMalformed("not a tlog-proof of version 1: its lines in their order, an empty line, a checkpoint")
    try:
        index = parse_decimal(head["index"].decode(), maximum=SIZE_MAX - 1)
        path = tuple(parse_base64(line.decode()) for line in head["path"].splitlines())
        extra = None if head["extra"] is None else parse_base64(head["extra"].decode())
    except ValueError as error:
        raise ProofMalformed("the index, a hash or the extra data is misspelt") from error
    return LogProof(index, path, raw[head.end() :], extra)


def check_proof(proof: LogProof, *, entry: bytes, log: NoteVerifier | KeyHistory) -> Checkpoint:
    """Check that the entry is in the log, by the log's own word; obligations 1 and 2 of this module.

    Raises:
        NoteMalformed, NoteSignatureFalse, NoteUnsigned, CheckpointMalformed, CheckpointOrigin: The checkpoint.
        ProofError: The entry is not proved to be in it.
    """
    checkpoint = open_by(proof.checkpoint, log)
    _check_inclusion(proof, entry, checkpoint)
    return checkpoint


def check_witnessed_proof(proof: LogProof, *, entry: bytes, policy: Policy) -> WitnessedCheckpoint:
    """Check that the entry is in a log of the policy, as its witnesses saw it; obligations 1 to 3 of this module.

    Raises:
        PolicyUnmet: Too few witnesses cosigned the checkpoint; otherwise as `check_proof`.
    """
    witnessed = policy.open_checkpoint(proof.checkpoint)
    _check_inclusion(proof, entry, witnessed.checkpoint)
    return witnessed


def _check_inclusion(proof: LogProof, entry: bytes, checkpoint: Checkpoint) -> None:
    check_inclusion(
        leaf=leaf_hash(entry), index=proof.index, size=checkpoint.size, proof=proof.path, root=checkpoint.root
    )
