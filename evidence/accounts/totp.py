"""One-time codes (RFC 6238 over RFC 4226): HMAC-SHA-1, six digits, steps of 30 seconds, as every authenticator has it.

Thirty lines over `hmac`, and no library: what matters is not the formula, which the RFC's vectors hold, but that a code
counts once. A code is accepted for the step before, at and behind the clock, and only if its step is later than the
last one that was accepted; whoever calls stores that step by compare-and-set.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from datetime import datetime
from urllib.parse import quote

STEP_SECONDS = 30
DIGITS = 6
DRIFT_STEPS = 1
"""How many steps a phone's clock may be off, either way."""

SECRET_BYTES = 20
"""RFC 4226, section 4: 160 bits are recommended."""


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a step, six digits."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_at(instant: datetime) -> int:
    """Return the step that an instant lies in."""
    return int(instant.timestamp()) // STEP_SECONDS


def accepted_step(secret: bytes, code: str, *, now: datetime, after: int | None) -> int | None:
    """Return the step a code is of, when it counts now and was not used before; None otherwise.

    Args:
        after: The last step that was accepted; None when none ever was.
    """
    if len(code) != DIGITS or not code.isascii() or not code.isdigit():
        return None
    middle = step_at(now)
    found = None
    for step in range(middle - DRIFT_STEPS, middle + DRIFT_STEPS + 1):
        # Every step is compared, so that the time taken tells nothing of which one fits.
        if hmac.compare_digest(code_at(secret, step), code) and step > (-1 if after is None else after):
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """Write a secret as people type it into an authenticator: base 32 without padding."""
    return b32encode(secret).rstrip(b"=").decode("ascii")


def enrolment_uri(secret: bytes, *, login: str, issuer: str) -> str:
    """Return the `otpauth://` address that a QR code shows."""
    label = f"{quote(issuer, safe='')}:{quote(login, safe='')}"
    return f"otpauth://totp/{label}?secret={secret_text(secret)}&issuer={quote(issuer, safe='')}"
