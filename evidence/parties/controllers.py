"""Controllers of body worn systems that others made: connected, let in for a while, revoked.

Such a controller has no key pair, only a user name (its id) and a key of 43 characters that `connect_controller` makes.
The key is handed out once, inside the connection file; what is stored and stands in the ledger is its digest. With both
it opens a session: a token of `SESSION` that goes with every request. A revoked controller opens none, and its open
ones end at once. What it had brought before is sealed all the same.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject, share_subject
from evidence.db.pool import Connection
from evidence.parties.controller_store import Controller, Session, find_controller, insert_session
from evidence.parties.credentials import Credential, new_credential
from evidence.parties.errors import ControllerAlreadyRevoked, ControllerUnknown
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name

SESSION = timedelta(hours=1)
"""Life of a session: a controller that is told 401 opens another one by itself."""

SESSION_PREFIX = "axis_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedController:
    """A fresh controller; `key` is the only copy of its secret."""

    controller: UUID
    entry_id: UUID
    key: str = field(repr=False)


async def connect_controller(
    conn: Connection, *, name: str, actor: str, clock: Clock, entropy: Entropy
) -> ConnectedController:
    """Let a controller in, in the caller's transaction.

    Raises:
        NameInvalid: See `check_name`.
    """
    check_name(name)
    credential = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy)
    recorded = await record(
        conn,
        type="controller.connected",
        actor=actor,
        subject=f"controller:{credential.id}",
        payload={"controller": str(credential.id), "name": name, "key_sha256": _digest(credential.secret).hex()},
        clock=clock,
        entropy=entropy,
    )
    return ConnectedController(controller=credential.id, entry_id=recorded.entry_id, key=credential.secret)


async def open_session(
    conn: Connection, *, user: str, key: str, clock: Clock, entropy: Entropy
) -> tuple[Credential, Controller] | None:
    """Give a controller a token for a while; None when user and key are not those of one in force."""
    try:
        controller = await find_controller(conn, UUID(user))
    except ValueError:
        return None
    if controller is None or controller.revoked_at is not None:
        return None
    if not hmac.compare_digest(_digest(key), controller.key_sha256):
        return None
    now = clock()
    token = new_credential(uuid7(clock=clock, entropy=entropy), entropy=entropy, prefix=SESSION_PREFIX)
    session = Session(
        session=token.id, controller=controller.controller, token_sha256=token.digest, expires_at=now + SESSION
    )
    await insert_session(conn, session, now=now)
    return token, controller


async def revoke_controller(
    conn: Connection, *, controller: UUID, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    """Revoke a controller for good, in the caller's transaction; return the ledger entry's id.

    Raises:
        ControllerUnknown: There is none with this id.
        ControllerAlreadyRevoked: It was revoked before.
        NameInvalid: The reason is empty, too long or has control characters.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await lock_subject(conn, f"controller:{controller}")
    if (revoked_at := (await _controller(conn, controller)).revoked_at) is not None:
        raise ControllerAlreadyRevoked("the controller is revoked already", revoked_at=format_time(revoked_at))
    recorded = await record(
        conn,
        type="controller.revoked",
        actor=actor,
        subject=f"controller:{controller}",
        payload={"controller": str(controller), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def revoked_since(conn: Connection, controller: UUID) -> datetime | None:
    """Return when a controller was revoked, and keep that so until the transaction ends; None while it may act.

    Raises:
        ControllerUnknown: There is none with this id.
    """
    await share_subject(conn, f"controller:{controller}")
    return (await _controller(conn, controller)).revoked_at


async def _controller(conn: Connection, controller: UUID) -> Controller:
    found = await find_controller(conn, controller)
    if found is None:
        raise ControllerUnknown("there is no such controller")
    return found


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
