"""Signing in with name, password and one-time code; setting a password with a code. Order of effects:

1. The attempt is counted as failed, in a transaction of its own (`pauses`): whatever happens next, it has been counted,
   and a hundred attempts at once are a hundred. Too many: `auth.paused`, and nothing is hashed.
2. The password is hashed and compared, for as long where there is no such account as where there is.
3. In one transaction, under the lock of the person: the account and its hash are read once more, the hash is held
   against the record, the one-time code is used up, the session begins, the count is forgotten. All of it or nothing.

Broken off behind 1: one attempt too many is counted, which the next success forgets. Broken off in 3: nothing happened.
Broken off behind 3: a session on record that nobody holds; it ends by itself unused.

Guessing never reaches the ledger: attempts are counted in a table that is swept and has a largest size. What is on
record of them is how many came before, in the entry of the next success. Why so: ADR 25.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from evidence.accounts import pauses
from evidence.accounts.accounts import account_of
from evidence.accounts.errors import (
    RolesInvalid,
    SecondFactorNeeded,
    SecretDiffers,
    SignInPaused,
    SignInRefused,
)
from evidence.accounts.passwords import Passwords, digest_of
from evidence.accounts.pause_store import count_attempt, failures_of, forget, uncount
from evidence.accounts.pauses import Count, account_key, counts_of
from evidence.accounts.secrets import put_password, use_recovery, use_totp
from evidence.accounts.session_store import knows_address
from evidence.accounts.sessions import BegunSession, Method, begin_session, end_sessions, lock_person
from evidence.accounts.store import Account, Secrets, find_login, newest_credential, read_secrets
from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Connection, Pool
from evidence.parties.credentials import parse_enrolment_code
from evidence.parties.roles import Role

SESSION_ONLY: frozenset[str] = frozenset()
"""Scopes of a session that may only enrol one-time codes: none but asking who one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody shows to be let in; `address` as `pauses.address_text` writes it."""

    login: str
    password: str = field(repr=False)
    code: str | None = field(default=None, repr=False)
    role: Role | None = None
    address: str


class SignIn:
    """Lets people in. One for a process: what it hashes at once is limited."""

    def __init__(
        self,
        pool: Pool,
        passwords: Passwords,
        *,
        lifetime: timedelta,
        second_factor_required: bool,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._pool = pool
        self.passwords = passwords
        self.lifetime = lifetime
        self._second_factor_required = second_factor_required
        self._clock = clock
        self._entropy = entropy

    async def sign_in(self, attempt: Attempt) -> BegunSession:
        """Begin a session.

        Raises:
            SignInPaused: Too many attempts failed.
            SignInRefused: Something of what is shown is wrong.
            SecondFactorNeeded: The password is right, and a one-time code is needed too.
            RolesInvalid: The account does not hold the role that was asked for.
            SecretDiffers: The stored hash is not the one on record.
        """
        login = attempt.login.strip().lower()
        account, counts = await self._count(login, attempt.address)
        secrets = await self._secrets(account)
        right = await self.passwords.verify(secrets.password, attempt.password)
        if not right or account is None or secrets.password is None:
            raise SignInRefused("name or password are not right")
        stronger = None
        if self.passwords.is_outgrown(secrets.password):
            stronger = await self.passwords.hash(attempt.password)
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_person(conn, account.staff)
            account = await self._still(conn, account.staff, secrets.password)
            method, recovery = await self._second_factor(conn, account, attempt.code, counts)
            if method is not None:
                session = await self._begin(conn, account, attempt, counts, method, recovery)
                if stronger is not None:
                    await put_password(
                        conn, account.staff, stronger, cause="rehash", clock=self._clock, entropy=self._entropy
                    )
                return session
        # Raised behind the transaction, which took back the count of an attempt that did not fail.
        raise SecondFactorNeeded("the account also asks for a one-time code")

    async def set_password(self, attempt: Attempt) -> UUID:
        """Set an account's password with the one-time code in `attempt.code`; return whose it is. All sessions end.

        Raises:
            SignInPaused, SignInRefused: As of signing in; a code that is no more in force is refused.
            PasswordRefused: See `passwords`.
        """
        login = attempt.login.strip().lower()
        account, counts = await self._count(login, attempt.address)
        code = parse_enrolment_code(attempt.code or "")
        if account is None or code is None or not await self._is_in_force(account.staff, code.digest):
            raise SignInRefused("name or code are not right, or the code is not in force any more")
        await self._has_not_failed(counts)
        self.passwords.check(attempt.password, login=account.login, name=account.name)
        hashed = await self.passwords.hash(attempt.password)
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_person(conn, account.staff)
            if not await _code_counts(conn, account.staff, code.digest, now=self._clock()):
                raise SignInRefused("the code is not in force any more")
            await put_password(conn, account.staff, hashed, cause="code", clock=self._clock, entropy=self._entropy)
            await end_sessions(
                conn,
                account.staff,
                cause="password",
                actor=f"staff:{account.staff}",
                clock=self._clock,
                entropy=self._entropy,
            )
            await forget(conn, [count.key for count in counts if count.guarded is not pauses.Guarded.ADDRESS])
        return account.staff

    async def proves(self, staff: UUID, password: str, *, address: str) -> bool:
        """Tell whether somebody who is signed in knows the account's password; counted like signing in.

        Raises:
            SignInPaused: Too many attempts failed.
        """
        async with self._pool.acquire() as conn:
            account = await account_of(conn, staff)
        _, counts = await self._count(account.login, address)
        secrets = await self._secrets(account)
        right = await self.passwords.verify(secrets.password, password)
        if right:
            await self._has_not_failed(counts)
        return right

    async def _count(self, login: str, address: str) -> tuple[Account | None, Sequence[Count]]:
        now = self._clock()
        async with self._pool.acquire() as conn, conn.transaction():
            account = await find_login(conn, login)
            known = account is not None and await knows_address(
                conn, staff=account.staff, address=address, since=now - pauses.KNOWN_FOR
            )
            counts = counts_of(login, address, known=known)
            until = await count_attempt(conn, counts, now=now)
        if until is not None:
            seconds = max(1, int((until - now).total_seconds()) + 1)
            raise SignInPaused("too many attempts failed; the next is looked at later", until=until, seconds=seconds)
        return account, counts

    async def _has_not_failed(self, counts: Sequence[Count]) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            await uncount(conn, counts)

    async def _secrets(self, account: Account | None) -> Secrets:
        if account is None or not account.enabled:
            return Secrets()
        async with self._pool.acquire() as conn:
            return await read_secrets(conn, account.staff)

    async def _still(self, conn: Connection, staff: UUID, password: str) -> Account:
        """Return the account as it is now; what was hashed has to be what is stored, and what is on record."""
        account, secrets = await account_of(conn, staff), await read_secrets(conn, staff)
        if not account.enabled or secrets.password != password:
            raise SignInRefused("the account was changed meanwhile")
        recorded = await newest_credential(conn, staff, "password")
        if recorded is None or recorded.sha256 != digest_of(password):
            raise SecretDiffers("the stored password of this account is not the one on record", staff=str(staff))
        return account

    async def _second_factor(
        self, conn: Connection, account: Account, code: str | None, counts: Sequence[Count]
    ) -> tuple[Method | None, bytes | None]:
        if not account.has_totp:
            return "password", None
        if code is None:
            await uncount(conn, counts)
            return None, None
        if await use_totp(conn, account.staff, code, now=self._clock()):
            return "totp", None
        recovery = await use_recovery(conn, account.staff, code)
        if recovery is None:
            raise SignInRefused("the one-time code is not right, or was used before")
        return "recovery", recovery

    async def _begin(
        self,
        conn: Connection,
        account: Account,
        attempt: Attempt,
        counts: Sequence[Count],
        method: Method,
        recovery: bytes | None,
    ) -> BegunSession:
        keys = [count.key for count in counts if count.guarded is not pauses.Guarded.ADDRESS]
        # This very attempt is counted too, and has not failed.
        failed = max(await failures_of(conn, [*keys, account_key(account.login)]) - 1, 0)
        session = await begin_session(
            conn,
            staff=account.staff,
            role=chosen_role(account, attempt.role),
            scopes=SESSION_ONLY if self._second_factor_required and method == "password" else None,
            method=method,
            recovery=recovery,
            failed_before=failed,
            address=attempt.address,
            lifetime=self.lifetime,
            clock=self._clock,
            entropy=self._entropy,
        )
        await uncount(conn, [count for count in counts if count.guarded is pauses.Guarded.ADDRESS])
        await forget(conn, keys)
        return session

    async def _is_in_force(self, staff: UUID, digest: bytes) -> bool:
        async with self._pool.acquire() as conn:
            return await _code_counts(conn, staff, digest, now=self._clock())


def chosen_role(account: Account, wanted: Role | None) -> Role:
    """Return the role that a session acts in: the wanted one, or the account's first.

    Raises:
        RolesInvalid: The account does not hold it.
    """
    if wanted is not None and wanted not in account.roles:
        held = [role.value for role in account.roles]
        raise RolesInvalid(f"the account does not hold the role {wanted.value}", roles=held)
    return wanted or account.roles[0]


async def _code_counts(conn: Connection, staff: UUID, digest: bytes, *, now: datetime) -> bool:
    """Tell whether a code is the newest thing that was set, password included, of an account that is not disabled."""
    if not (await account_of(conn, staff)).enabled:
        return False
    newest = await newest_credential(conn, staff, "code", "password")
    if newest is None or newest.kind != "code" or newest.sha256 is None or newest.expires_at is None:
        return False
    return hmac.compare_digest(newest.sha256, digest) and now < newest.expires_at
