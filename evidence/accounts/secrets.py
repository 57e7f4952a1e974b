"""An account's own secrets: the password, one-time codes, recovery codes. Stored beside the record, held against it.

What is stored counts only while it is what the record says: its SHA-256 stands in the newest entry of its kind. Whoever
writes another hash or secret into the table opens nothing with it, and the audit names it (`account.secret_differs`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from evidence.accounts import totp
from evidence.accounts.accounts import account_of
from evidence.accounts.errors import SecretDiffers, SignInRefused, TotpNotEnrolled, TotpNotPending
from evidence.accounts.passwords import digest_of
from evidence.accounts.session_store import recovery_is_used
from evidence.accounts.sessions import end_sessions, lock_person
from evidence.accounts.store import (
    accept_step,
    newest_credential,
    next_number,
    read_secrets,
    store_password,
    store_pending,
    store_totp,
)
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import record
from evidence.db.pool import Connection
from evidence.parties.credentials import new_enrolment_code, parse_enrolment_code
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name

RECOVERY_CODES = 10
PENDING_FOR = timedelta(minutes=15)
"""How long a person may take from seeing a secret to confirming it."""


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Codes that stand in for a lost phone, each once; the only copy."""

    texts: Sequence[str] = field(repr=False)


async def put_password(
    conn: Connection,
    staff: UUID,
    hashed: str,
    *,
    cause: Literal["code", "own", "rehash"],
    clock: Clock,
    entropy: Entropy,
) -> None:
    """Set a person's password, given as its hash, in the caller's transaction, which holds the lock of the person."""
    await record(
        conn,
        type="account.password_set",
        actor="service" if cause == "code" else f"staff:{staff}",
        subject=f"staff:{staff}",
        payload={
            "staff": str(staff),
            "number": await next_number(conn, staff),
            "verifier_sha256": digest_of(hashed).hex(),
            "cause": cause,
        },
        clock=clock,
        entropy=entropy,
    )
    await store_password(conn, staff, hashed)


async def begin_totp(conn: Connection, staff: UUID, *, now: datetime, entropy: Entropy) -> bytes:
    """Make a secret of one-time codes that counts once it is confirmed; return it."""
    secret = entropy(totp.SECRET_BYTES)
    await store_pending(conn, staff, secret, until=now + PENDING_FOR)
    return secret


async def confirm_totp(
    conn: Connection, staff: UUID, code: str, *, keep: UUID | None, clock: Clock, entropy: Entropy
) -> RecoveryCodes:
    """Enrol one-time codes, in the caller's transaction; the code shows that the phone has the secret.

    Args:
        keep: The session that goes on; all others end.

    Raises:
        TotpNotPending: Nobody began, or too long ago.
        SignInRefused: The code is not of the secret.
    """
    await lock_person(conn, staff)
    secrets = await read_secrets(conn, staff)
    if secrets.totp_pending is None or secrets.pending_until is None or secrets.pending_until <= clock():
        raise TotpNotPending("begin the enrolment of one-time codes first")
    step = totp.accepted_step(secrets.totp_pending, code, now=clock(), after=None)
    if step is None:
        raise SignInRefused("the one-time code is not of the secret that was shown")
    codes = [new_enrolment_code(entropy=entropy) for _ in range(RECOVERY_CODES)]
    await record(
        conn,
        type="account.totp_enrolled",
        actor=f"staff:{staff}",
        subject=f"staff:{staff}",
        payload={
            "staff": str(staff),
            "number": await next_number(conn, staff),
            "secret_sha256": hashlib.sha256(secrets.totp_pending).hexdigest(),
            "recovery_sha256": [code.digest.hex() for code in codes],
        },
        clock=clock,
        entropy=entropy,
    )
    await store_totp(conn, staff, secrets.totp_pending, step=step)
    await end_sessions(conn, staff, cause="totp", actor=f"staff:{staff}", clock=clock, entropy=entropy, keep=keep)
    return RecoveryCodes([code.text for code in codes])


async def remove_totp(
    conn: Connection, staff: UUID, *, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    """Let an account ask for no one-time codes any more, in the caller's transaction; return the ledger entry's id.

    Raises:
        AccountUnknown: There is none.
        TotpNotEnrolled: It asks for none.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await lock_person(conn, staff)
    if not (await account_of(conn, staff)).has_totp:
        raise TotpNotEnrolled("the account asks for no one-time codes")
    recorded = await record(
        conn,
        type="account.totp_removed",
        actor=actor,
        subject=f"staff:{staff}",
        payload={"staff": str(staff), "number": await next_number(conn, staff), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    await store_totp(conn, staff, None, step=None)
    return recorded.entry_id


async def use_totp(conn: Connection, staff: UUID, code: str, *, now: datetime) -> bool:
    """Use a one-time code up; False when it is not right or was used before.

    Raises:
        SecretDiffers: The stored secret is not the one on record.
    """
    secrets = await read_secrets(conn, staff)
    recorded = await newest_credential(conn, staff, "totp", "totp_removed")
    stored = None if secrets.totp is None else hashlib.sha256(secrets.totp).digest()
    if recorded is None or recorded.sha256 is None or recorded.sha256 != stored:
        raise SecretDiffers("the stored secret of one-time codes is not the one on record", staff=str(staff))
    step = totp.accepted_step(secrets.totp or b"", code, now=now, after=secrets.totp_step)
    return step is not None and await accept_step(conn, staff, step)


async def use_recovery(conn: Connection, staff: UUID, typed: str) -> bytes | None:
    """Return the digest of a recovery code that is in force; None when it is none, or was used before."""
    code = parse_enrolment_code(typed)
    recorded = await newest_credential(conn, staff, "totp", "totp_removed")
    if code is None or recorded is None or code.digest not in recorded.recovery:
        return None
    return None if await recovery_is_used(conn, code.digest) else code.digest
