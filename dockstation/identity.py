"""Who the station is: its Ed25519 key, its enrolment, and the short-lived tokens that speak for it.

One key does both: it signs the statements (as a note key named `dock.<uuid>`) and the tokens (JWT, RFC 7519;
algorithm `Ed25519`, RFC 9864). A token lives five minutes, names the log it is meant for, and is made from the
*service's* clock as last seen in a `Date` header: a station whose own clock is off can still report that it is.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import OKPKey

from evidence.core.clock import Clock
from ledger.note import Signer, Verifier

TOKEN_SECONDS = 300
"""Life of a token in seconds; the contract's longest."""

_RENEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the station learned when it was enrolled; the log's key is believed from here only.

    Attributes:
        dock: The station's id.
        name: Its name for people.
        url: Root of the service, without a slash at its end.
        origin: Name of the log.
        log: The log's key.
        policy: The log's witness policy (tlog-policy text).
    """

    dock: UUID
    name: str
    url: str
    origin: str
    log: Verifier
    policy: str


class TokenMaker:
    """Makes the bearer tokens of one station and keeps the newest until it is nearly over.

    Args:
        enrolment: Whose tokens.
        signer: The station's key.
        clock: The station's own clock.
    """

    def __init__(self, enrolment: Enrolment, signer: Signer, *, clock: Clock) -> None:
        self._enrolment = enrolment
        self._clock = clock
        self._header = {"alg": "Ed25519", "kid": signer.verifier.key_id.hex(), "typ": "JWT"}
        self._key = _okp_key(signer)
        self._token = ""
        self._renew_at: datetime | None = None
        self.offset = timedelta()
        """How far the service's clock is ahead of the station's."""

    def token(self) -> str:
        """Return a token that is good for at least a minute."""
        now = self._clock() + self.offset
        if self._renew_at is None or now >= self._renew_at:
            issued = int(now.timestamp())
            claims = {
                "iss": str(self._enrolment.dock),
                "aud": self._enrolment.origin,
                "iat": issued,
                "exp": issued + TOKEN_SECONDS,
            }
            self._token = jwt.encode(self._header, claims, self._key, algorithms=["Ed25519"])
            self._renew_at = now + timedelta(seconds=TOKEN_SECONDS - _RENEW_SECONDS)
        return self._token

    def set_service_time(self, instant: datetime) -> None:
        """Take over the service's clock; a token made by another one is thrown away."""
        offset = instant - self._clock()
        # `Date` has whole seconds and the answer took its time: smaller differences say nothing.
        if abs(offset - self.offset) > timedelta(seconds=5):
            self.offset = offset
            self._renew_at = None


def _okp_key(signer: Signer) -> OKPKey:
    def text(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    return OKPKey.import_key(
        {"kty": "OKP", "crv": "Ed25519", "d": text(signer.key.seed), "x": text(signer.key.public.raw)}
    )
