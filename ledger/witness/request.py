"""The add-checkpoint request (C2SP tlog-witness): a checkpoint, and why it follows from the one that was cosigned last.

    old <size>                  size the witness cosigned last, decimal
    <base64 of a hash>*         consistency proof from that size, at most 63 lines
                                (empty line)
    <signed checkpoint>

Every line ends in a newline. The whole is shorter than `REQUEST_BYTES_MAX`; a log sends its own signatures only.
Parsing proves nothing: see `ledger.witness.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.checkpoint import Checkpoint, parse_checkpoint
from ledger.errors import CheckpointMalformed, NoteMalformed
from ledger.lexemes import format_base64, parse_base64, parse_decimal
from ledger.note import parse_note
from ledger.tree import HASH_BYTES, SIZE_MAX
from ledger.witness.errors import WitnessRequestMalformed

REQUEST_BYTES_MAX = 16 * 1024 - 1
"""Longest request in bytes: witnesses need not take 16 KiB or more."""

PROOF_LINES_MAX = 63
"""Most hashes in the proof (tlog-witness)."""

_OLD = "old "


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request, taken apart.

    Attributes:
        old_size: Size of the checkpoint that the witness cosigned last, as the log knows it.
        proof: Consistency proof from there, empty where nothing is to be proved.
        note: The signed checkpoint, verbatim.
        checkpoint: What it says.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes
    checkpoint: Checkpoint


def format_request(*, old_size: int, proof: tuple[bytes, ...], note: bytes) -> bytes:
    """Write a request.

    Raises:
        WitnessRequestMalformed: It could not be read back.
    """
    lines = [f"{_OLD}{old_size}", *(format_base64(value) for value in proof), ""]
    raw = "".join(f"{line}\n" for line in lines).encode() + note
    parse_request(raw)
    return raw


def parse_request(raw: bytes) -> AddCheckpoint:
    """Take a request apart without verifying anything.

    Raises:
        WitnessRequestMalformed: The bytes are not exactly one request, or exceed a limit.
    """
    if len(raw) > REQUEST_BYTES_MAX:
        raise WitnessRequestMalformed(f"a request has at most {REQUEST_BYTES_MAX} bytes")
    head, empty_line, note = raw.partition(b"\n\n")
    if not empty_line:
        raise WitnessRequestMalformed("no empty line before the checkpoint")
    try:
        old, *lines = head.decode("ascii").split("\n")
        proof = tuple(parse_base64(line) for line in lines)
        if not old.startswith(_OLD):
            raise WitnessRequestMalformed("the first line does not state the old size")
        old_size = parse_decimal(old.removeprefix(_OLD), maximum=SIZE_MAX)
        checkpoint = parse_checkpoint(parse_note(note).text)
    except ValueError as error:
        raise WitnessRequestMalformed(f"a line before the checkpoint is not of its form: {error}") from error
    except (NoteMalformed, CheckpointMalformed) as error:
        raise WitnessRequestMalformed(f"not a signed checkpoint: {error.message}") from error
    if len(proof) > PROOF_LINES_MAX or any(len(value) != HASH_BYTES for value in proof):
        raise WitnessRequestMalformed(f"a proof has at most {PROOF_LINES_MAX} hashes of {HASH_BYTES} bytes")
    return AddCheckpoint(old_size, proof, note, checkpoint)
