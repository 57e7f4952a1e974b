"""Errors of time stamps. Their messages are constant, so that the page `verify.html` can say the same words."""

from __future__ import annotations

from ledger.errors import LedgerInputError


class TimestampMalformed(LedgerInputError):
    """Bytes are not a time stamp response (RFC 3161) in strict DER, or exceed a limit of that format."""

    code = "timestamp.malformed"


class TimestampRefused(LedgerInputError):
    """The authority answered that it does not grant a time stamp."""

    code = "timestamp.refused"


class TimestampMismatch(LedgerInputError):
    """A time stamp is of other data, or answers another request, or is given under another policy than asked for."""

    code = "timestamp.mismatch"


class TimestampFalse(LedgerInputError):
    """A time stamp is not signed by a certificate for time stamps that a believed root vouches for at that time."""

    code = "timestamp.false"


class TimestampRootsMalformed(LedgerInputError):
    """A file with root certificates is not PEM, holds none, or holds something that is no certificate."""

    code = "timestamp.roots"
