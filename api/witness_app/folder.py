"""A witness's folder: its key and its memory, made together and never apart.

witness.key    signer key (C2SP signed-note, type 0x04 or 0x06), 0600
witness.db     what was cosigned last, see `ledger.witness.store`; with it SQLite's own -wal and -shm

Copy both or none; never run two copies. An older copy of the memory is a witness that has forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ledger.cosignature import Cosigner
from ledger.durable import make_folders, write_file
from ledger.keys import KeyType
from ledger.witness.errors import WitnessMissing, WitnessTaken
from ledger.witness.store import Memory
from ledger.witness.witness import Witness

KEY_NAME = "witness.key"
MEMORY_NAME = "witness.db"

_KEY_BYTES_MAX = 4096


def create_witness(folder: Path, *, name: str, post_quantum: bool, clock: Callable[[], datetime]) -> Witness:
    """Make a new witness.

    The memory comes first: a crash in between leaves a memory without a key, which nobody can sign with.

    Args:
        name: Name of the key, for example `witness.example.cn/office`.
        post_quantum: Whether to sign with ML-DSA-44 instead of Ed25519.

    Raises:
        WitnessTaken: There is one, or a part of one.
        KeyMalformed: The name is not allowed.
    """
    key_type = KeyType.COSIGNATURE_MLDSA44 if post_quantum else KeyType.COSIGNATURE_ED25519
    cosigner = Cosigner.generate(name, key_type=key_type)
    make_folders(folder)
    if (folder / KEY_NAME).exists():
        raise WitnessTaken(f"{folder} holds a witness already")
    memory = Memory.create(folder / MEMORY_NAME, vkey=cosigner.verifier.vkey)
    write_file(folder / KEY_NAME, f"{cosigner.encoded()}\n".encode(), mode=0o600)
    return Witness(cosigner, memory, clock=clock)


def open_witness(folder: Path, *, clock: Callable[[], datetime]) -> Witness:
    """Open the witness of a folder.

    Raises:
        WitnessMissing: The key or the memory is not there.
        WitnessMemoryUnusable: The memory cannot be used, or belongs to another key.
        KeyMalformed: The key file holds no key that cosigns.
    """
    try:
        with (folder / KEY_NAME).open("rb") as file:
            text = file.read(_KEY_BYTES_MAX).decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise WitnessMissing(f"{folder / KEY_NAME} is missing; `shilu-witness init` makes a new witness") from error
    cosigner = Cosigner.parse(text.strip())
    return Witness(cosigner, Memory(folder / MEMORY_NAME, vkey=cosigner.verifier.vkey), clock=clock)
