"""A message as it is sent: Standard Webhooks (standardwebhooks.com), symmetric signatures. Pure.

    POST <url>
    webhook-id: <id of the ledger entry>           the idempotency key: the same entry is always the same message
    webhook-timestamp: <seconds>                   of this attempt
    webhook-signature: v1,<base64> [v1,<base64>]   HMAC-SHA-256 over id.timestamp.body, one for each secret in force
    content-type: application/json

    {"type": "clip.sealed", "timestamp": "...", "data": {"entry": ..., "index": ..., "actor": ..., "subject": ...}}

`data` names who, what and where in the log; with the detail `payload` also what the entry commits to (`payload`),
people's words included, and the salt, so that the receiver can prove it.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from evidence.core.clock import format_time
from ledger.lexemes import format_base64

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - how the specification spells secrets, and none


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One entry to be told; `index` is its place in the published log."""

    entry_id: UUID
    index: int
    type: str
    actor: str
    subject: str
    at: datetime
    payload: bytes = field(repr=False)
    salt: bytes = field(repr=False)


def body_of(message: Message, *, with_payload: bool) -> bytes:
    """Write a message; the same bytes at every attempt."""
    data: dict[str, object] = {
        "entry": str(message.entry_id),
        "index": message.index,
        "actor": message.actor,
        "subject": message.subject,
    }
    if with_payload:
        data |= {"payload": json.loads(message.payload), "salt": format_base64(message.salt)}
    whole = {"type": message.type, "timestamp": format_time(message.at), "data": data}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(message: Message, body: bytes, *, secrets: Iterable[bytes], now: datetime) -> dict[str, str]:
    """Return the headers of an attempt; a receiver takes it when any of the signatures is of its secret."""
    return sign(str(message.entry_id), body, secrets=secrets, now=now)


def sign(id_: str, body: bytes, *, secrets: Iterable[bytes], now: datetime) -> dict[str, str]:
    """Return the headers of a body under an id, signed with each secret."""
    timestamp = str(int(now.timestamp()))
    signed = f"{id_}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def secret_text(secret: bytes) -> str:
    """Write a secret as the specification does."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()
