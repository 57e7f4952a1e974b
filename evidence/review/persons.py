"""Persons of a review: their signing keys and what qualifies them.

A key is made by the person, and this house only ever sees its public half: whoever runs the service cannot sign an
opinion in a reviewer's name. The newest key counts for what is signed from then on; older ones go on verifying what
they signed. An administrator says who is qualified, from which day to which, and never says it of themselves.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from evidence.cases.items import day_of
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.review.errors import KeyMissing, NotQualified, SamePerson
from evidence.review.statements import check_signature, person_key_text
from evidence.review.store import Qualification, keys_of, qualifications_of
from ledger.lexemes import format_base64


async def state_key(conn: Connection, *, staff: UUID, key: bytes, proof: bytes, clock: Clock, entropy: Entropy) -> UUID:
    """Put a person's key on record, in the caller's transaction; return the entry's id.

    Args:
        key: 32 bytes, Ed25519.
        proof: 64 bytes, by that key over the canonical JSON of `person_key_text`.

    Raises:
        SignatureInvalid: The proof is not by this key.
    """
    check_signature(person_key_text(staff=str(staff), key=key), key=key, signature=proof)
    await lock_subject(conn, f"person:{staff}")
    number = len(await keys_of(conn, staff)) + 1
    recorded = await record(
        conn,
        type="person.key_stated",
        actor=f"staff:{staff}",
        subject=f"staff:{staff}",
        payload={
            "staff": str(staff),
            "number": number,
            "key": format_base64(key),
            "proof": format_base64(proof),
        },
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def key_of(conn: Connection, staff: UUID) -> bytes:
    """Return the key that counts for a person.

    Raises:
        KeyMissing: There is none on record.
    """
    keys = await keys_of(conn, staff)
    if not keys:
        raise KeyMissing("state a signing key first")
    return keys[-1]


async def qualify(
    conn: Connection,
    *,
    staff: UUID,
    certificate: str,
    valid_from: date,
    valid_until: date,
    source: str,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> UUID:
    """Put on record what qualifies a person, in the caller's transaction; return the entry's id.

    Args:
        certificate: Number of the 法律职业资格证书, or what else qualifies them.
        valid_until: The last day; one in the past ends the qualification.

    Raises:
        SamePerson: Nobody qualifies themselves.
    """
    if actor == f"staff:{staff}":
        raise SamePerson("nobody qualifies themselves")
    await lock_subject(conn, f"person:{staff}")
    number = len(await qualifications_of(conn, staff)) + 1
    recorded = await record(
        conn,
        type="reviewer.qualified",
        actor=actor,
        subject=f"staff:{staff}",
        payload={
            "staff": str(staff),
            "number": number,
            "certificate": certificate,
            "valid_from": valid_from.isoformat(),
            "valid_until": valid_until.isoformat(),
            "source": source,
        },
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def require_qualified(conn: Connection, staff: UUID, at: datetime) -> Qualification:
    """Return what qualifies a person at a moment, by what was stated last.

    Raises:
        NotQualified: Nothing was stated, or it does not count on that day in Beijing.
    """
    stated = await qualifications_of(conn, staff)
    if not stated:
        raise NotQualified("no qualification of this person is on record")
    if not stated[-1].counts_on(day_of(at)):
        span = {"valid_from": stated[-1].valid_from.isoformat(), "valid_until": stated[-1].valid_until.isoformat()}
        raise NotQualified(f"the qualification does not count on {day_of(at)}", **span)
    return stated[-1]
