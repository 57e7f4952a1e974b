"""Secrets of accounts against the record: a password or a secret of one-time codes counts only as it was set.

Passing state is no evidence and is not replayed, but whoever writes another password's hash into the table wants to act
as somebody else. Signing in refuses it (`account.secret_differs`); here it is named before anybody tries.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from evidence.accounts.passwords import digest_of
from evidence.accounts.store import every_secret
from evidence.audit import findings as codes
from evidence.audit.findings import found
from evidence.db.pool import Connection
from ledger.findings import Finding


async def judge_secrets(conn: Connection) -> AsyncIterator[Finding]:
    """Name every stored secret that is not the one its newest entry commits to."""
    for secret in await every_secret(conn):
        password = None if secret.password is None else digest_of(secret.password)
        totp = None if secret.totp is None else hashlib.sha256(secret.totp).digest()
        for kind, stored, recorded in (
            ("password", password, secret.password_sha256),
            ("one-time codes", totp, secret.totp_sha256),
        ):
            if stored != recorded:
                message = f"the stored secret ({kind}) of an account is not the one on record"
                yield found(codes.SECRET_DIFFERS, f"staff:{secret.staff}", message, kind=kind)
