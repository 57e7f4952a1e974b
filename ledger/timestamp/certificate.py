"""Certificates (RFC 5280) as far as time stamps need them: who signed, for what, when valid, vouched for by whom.

A chain leads from a signer over certificates that came along to a root the reader believes. Each link is checked:

1. the issuer's name is the subject of the next one, and the next one's key made the signature;
2. every certificate, the root included, is valid at the time in question;
3. every issuer is a certificate authority that may sign certificates, within its stated path length, and, where it
   states what for, for time stamps;
4. no critical extension is one that nobody here understands.

Revocation is not asked about: evidence is judged offline, years later. What came along is never believed by itself,
also when it signs itself. Twin of `evidence/verify/page/source/x509.js`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.timestamp import der
from ledger.timestamp.der import Cursor, Tag, Value
from ledger.timestamp.errors import TimestampFalse, TimestampMalformed, TimestampRootsMalformed
from ledger.timestamp.signatures import is_signed

ROOTS_BYTES_MAX = 1024 * 1024
"""Longest file of root certificates in bytes."""

ROOTS_MAX = 64
"""Most certificates in such a file."""

_CHAIN_MAX = 8
_SIGNATURES_MAX = 64
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")

_BASIC_CONSTRAINTS = "2.5.29.19"
_KEY_USAGE = "2.5.29.15"
_EXTENDED_KEY_USAGE = "2.5.29.37"
_UNDERSTOOD = {_BASIC_CONSTRAINTS, _KEY_USAGE, _EXTENDED_KEY_USAGE, "2.5.29.32"}
_TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
_ANY_USAGE = "2.5.29.37.0"
_DIGITAL_SIGNATURE, _NON_REPUDIATION, _KEY_CERT_SIGN = 0, 1, 5

NOT_FOR_TIME = "its certificate is not for time stamps alone, as a critical extension must say"
NOT_TRUSTED = "no believed root vouches for its certificate at that time"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as stated; nothing is checked but its form.

    Attributes:
        raw: All of it in DER.
        signed: The part that its issuer signed, in DER.
        serial: Serial number.
        issuer: Name of its issuer in DER.
        subject: Its own name in DER.
        not_before: First instant of its validity.
        not_after: Last instant of its validity.
        key: SubjectPublicKeyInfo in DER.
        extensions: Object identifier -> whether critical, and the content.
        algorithm: How it was signed.
        signature: The issuer's signature.
    """

    raw: bytes
    signed: bytes
    serial: int
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    key: bytes
    extensions: dict[str, tuple[bool, bytes]]
    algorithm: Value
    signature: bytes

    def is_valid_at(self, instant: datetime) -> bool:
        """Tell whether an instant lies in its validity."""
        return self.not_before <= instant <= self.not_after

    def is_understood(self) -> bool:
        """Tell whether every critical extension is one that is judged here."""
        return all(name in _UNDERSTOOD for name, (is_critical, _) in self.extensions.items() if is_critical)


def parse_certificate(raw: bytes) -> Certificate:
    """Take a certificate apart.

    Raises:
        TimestampMalformed: It is none.
    """
    whole = Cursor(der.read_whole(raw, Tag.SEQUENCE))
    signed, algorithm, signature = whole.take(Tag.SEQUENCE), whole.take(Tag.SEQUENCE), whole.take(Tag.BIT_STRING)
    whole.end()
    fields = Cursor(signed)
    fields.take_if(Tag.CONTEXT_0)
    serial = der.integer(fields.take(Tag.INTEGER))
    if fields.take(Tag.SEQUENCE).raw != algorithm.raw:
        raise TimestampMalformed(der.NOT_DER)
    issuer = fields.take(Tag.SEQUENCE)
    validity = Cursor(fields.take(Tag.SEQUENCE))
    times = [der.instant(validity.take(Tag.UTC_TIME, Tag.GENERALIZED_TIME)) for _ in range(2)]
    validity.end()
    subject, key = fields.take(Tag.SEQUENCE), fields.take(Tag.SEQUENCE)
    # Unique identifiers of old, tagged 1 and 2, say nothing.
    fields.take_if(Tag.PRIMITIVE_1)
    fields.take_if(0x82)
    listed = fields.take_if(Tag.CONTEXT_3)
    fields.end()
    return Certificate(
        raw=raw,
        signed=signed.raw,
        serial=serial,
        issuer=issuer.raw,
        subject=subject.raw,
        not_before=times[0],
        not_after=times[1],
        key=key.raw,
        extensions=_extensions(listed) if listed else {},
        algorithm=algorithm,
        signature=der.bits(signature),
    )


def parse_roots(pem: bytes) -> tuple[Certificate, ...]:
    """Read the certificates of a PEM file; what stands between them is ignored.

    Raises:
        TimestampRootsMalformed: There is none, one is damaged, or the file exceeds a limit.
    """
    if len(pem) > ROOTS_BYTES_MAX:
        raise TimestampRootsMalformed("a file of root certificates has at most 1 MiB")
    blocks = _PEM.findall(pem)
    if not 0 < len(blocks) <= ROOTS_MAX or len(blocks) != pem.count(b"-----BEGIN CERTIFICATE-----"):
        raise TimestampRootsMalformed("a file of root certificates holds 1 to 64 whole ones in PEM")
    try:
        return tuple(parse_certificate(base64.b64decode(b"".join(block.split()), validate=True)) for block in blocks)
    except (binascii.Error, TimestampMalformed) as error:
        raise TimestampRootsMalformed("one of the root certificates is damaged") from error


def check_purpose(signer: Certificate) -> None:
    """Check that a certificate is for time stamps and nothing else (RFC 3161, 2.3).

    Raises:
        TimestampFalse: It is not.
        TimestampMalformed: An extension is not of its form.
    """
    is_critical, content = signer.extensions.get(_EXTENDED_KEY_USAGE, (False, b""))
    if not is_critical or _purposes(content) != [_TIME_STAMPING]:
        raise TimestampFalse(NOT_FOR_TIME)
    if usage := signer.extensions.get(_KEY_USAGE):
        bits = der.flags(der.read_whole(usage[1], Tag.BIT_STRING))
        if not bits or not bits <= {_DIGITAL_SIGNATURE, _NON_REPUDIATION}:
            raise TimestampFalse(NOT_FOR_TIME)


def check_chain(
    signer: Certificate, *, others: Iterable[Certificate], roots: Sequence[Certificate], at: datetime
) -> None:
    """Check that a believed root vouches for a certificate at an instant, see the module.

    Args:
        signer: The certificate in question.
        others: Certificates that came along, not believed.
        roots: Believed ones.
        at: The instant at which all of them have to be valid.

    Raises:
        TimestampFalse: None does.
        TimestampMalformed: An extension of a certificate on the way is not of its form.
    """
    search = _Search(tuple(others), tuple(roots), at)
    if not signer.is_understood() or not signer.is_valid_at(at) or not search.leads_to_root(signer, below=0):
        raise TimestampFalse(NOT_TRUSTED)


class _Search:
    """Looks for a chain, depth first, with a bound on how often a signature is computed."""

    def __init__(self, others: tuple[Certificate, ...], roots: tuple[Certificate, ...], at: datetime) -> None:
        self._others = others
        self._roots = roots
        self._at = at
        self._signatures = 0

    def leads_to_root(self, certificate: Certificate, *, below: int) -> bool:
        """Tell whether a certificate with `below` authorities under it is vouched for."""
        if any(self._vouches(root, certificate, below) for root in self._roots):
            return True
        return below + 1 < _CHAIN_MAX and any(
            self._vouches(other, certificate, below) and self.leads_to_root(other, below=below + 1)
            for other in self._others
            if other.raw != certificate.raw
        )

    def _vouches(self, issuer: Certificate, certificate: Certificate, below: int) -> bool:
        if issuer.subject != certificate.issuer or not issuer.is_valid_at(self._at) or not issuer.is_understood():
            return False
        if not _may_issue(issuer, below) or self._signatures >= _SIGNATURES_MAX:
            return False
        self._signatures += 1
        try:
            return is_signed(
                key=issuer.key,
                algorithm=certificate.algorithm,
                digest=None,
                message=certificate.signed,
                signature=certificate.signature,
            )
        except TimestampFalse:
            # What cannot be judged vouches for nothing; another way to a root may be there.
            return False


def _may_issue(issuer: Certificate, below: int) -> bool:
    """Tell whether a certificate may sign another one that has `below` authorities under it."""
    _, constraints = issuer.extensions.get(_BASIC_CONSTRAINTS, (False, b"\x30\x00"))
    fields = Cursor(der.read_whole(constraints, Tag.SEQUENCE))
    is_authority = (stated := fields.take_if(Tag.BOOLEAN)) is not None and der.boolean(stated)
    limit = fields.take_if(Tag.INTEGER)
    fields.end()
    if not is_authority or (limit is not None and der.integer(limit) < below):
        return False
    usage = issuer.extensions.get(_KEY_USAGE)
    if usage and _KEY_CERT_SIGN not in der.flags(der.read_whole(usage[1], Tag.BIT_STRING)):
        return False
    purposes = issuer.extensions.get(_EXTENDED_KEY_USAGE)
    return purposes is None or not {_TIME_STAMPING, _ANY_USAGE}.isdisjoint(_purposes(purposes[1]))


def _purposes(content: bytes) -> list[str]:
    return [der.oid(one) for one in der.read_whole(content, Tag.SEQUENCE).children()]


def _extensions(listed: Value) -> dict[str, tuple[bool, bytes]]:
    """Read the extensions; one that is stated twice makes the certificate none."""
    found: dict[str, tuple[bool, bytes]] = {}
    for extension in der.read_whole(listed.content, Tag.SEQUENCE).children():
        fields = Cursor(extension.expect(Tag.SEQUENCE))
        name = der.oid(fields.take(Tag.OID))
        stated = fields.take_if(Tag.BOOLEAN)
        content = fields.take(Tag.OCTET_STRING).content
        fields.end()
        if name in found:
            raise TimestampMalformed(der.NOT_DER)
        found[name] = (stated is not None and der.boolean(stated), content)
    return found
