"""Witnessing by file, the log's side: make the request that goes out, take in the cosigned checkpoint that comes back.

An office without a network is always behind a log that grows. So its cosignature counts for the quorum only while the
log stands still; what it is good for at any time is that the office has seen this root of this size and will refuse to
cosign another history. Every accepted file is kept (`ledger.shelf`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from api.services import Services
from ledger.checkpoint import parse_checkpoint
from ledger.errors import KeyMalformed, NotPublished
from ledger.note import Note, format_note, parse_note
from ledger.policy import Witness
from ledger.publish import CHECKPOINT_PATH
from ledger.store import newest_checkpoint
from ledger.witness.request import format_request


@dataclass(frozen=True, slots=True)
class AcceptedCosignatures:
    """What a file brought.

    Attributes:
        size: Of the checkpoint.
        witnesses: Names in the policy of those who cosigned it.
        attached: Whether the published checkpoint is the same and carries the cosignatures now.
    """

    size: int
    witnesses: tuple[str, ...]
    attached: bool


async def make_request(services: Services, *, witness: str, old_size: int | None) -> tuple[int, bytes]:
    """Write a request for the newest signed checkpoint, published or waiting for its quorum; return its size too.

    Args:
        witness: Name in the policy.
        old_size: Size that the witness cosigned last; None: as its newest file says.

    Raises:
        KeyMalformed: The policy has no witness of that name.
        NotPublished: The log has not signed anything yet.
        ProofImpossible: The old size is above the log's.
        StorageUnreadable: The tiles are damaged.
    """
    party = _witness(services, witness)
    async with services.pool.acquire() as conn:
        newest = await newest_checkpoint(conn)
    if newest is None:
        raise NotPublished("the log has not signed a checkpoint yet")
    checkpoint = parse_checkpoint(parse_note(newest.note).text)
    old = await asyncio.to_thread(services.shelf.newest_size, party) if old_size is None else old_size
    proof: tuple[bytes, ...] = ()
    if old not in (0, checkpoint.size):
        proof = await services.reader.consistency(old_size=old, new=checkpoint)
    return checkpoint.size, format_request(old_size=old, proof=proof, note=newest.note)


async def accept_cosigned(services: Services, raw: bytes) -> AcceptedCosignatures:
    """Verify and keep a cosigned checkpoint, and add it to the published one where that is the same.

    A checkpoint that waits for its quorum is not published here: the sequencer finds the file at its next try.

    Raises:
        LedgerInputError: It is not cosigned by a witness of the policy, or not a checkpoint of this log.
    """
    checkpoint, witnesses = await asyncio.to_thread(
        services.shelf.keep, raw, policy=services.witness_policy, origin=services.origin
    )
    text = parse_note(raw).text
    published = await services.storage.get(CHECKPOINT_PATH)
    attached = False
    if published is not None and (note := parse_note(published)).text == text:
        fresh = [one for one in await services.shelf.signatures(text, checkpoint.size) if one not in note.signatures]
        names = {(one.name, one.key_id) for one in fresh}
        kept = [one for one in note.signatures if (one.name, one.key_id) not in names]
        await services.storage.put_checkpoint(format_note(Note(text, (*kept, *fresh))))
        attached = True
    return AcceptedCosignatures(checkpoint.size, tuple(one.name for one in witnesses), attached)


def _witness(services: Services, name: str) -> Witness:
    for witness in services.witness_policy.witnesses:
        if witness.name == name:
            return witness
    raise KeyMalformed(f"the policy has no witness {name}; SHILU_WITNESS_POLICY names its file")
