"""A time stamp response (RFC 3161, CMS of RFC 5652) taken apart: what it states, and nothing yet about its truth.

    TimeStampResp { status, ContentInfo { SignedData { TSTInfo, certificates, SignerInfo { attributes, signature }}}}

Read strictly and with limits; what an authority may leave out or vary is followed exactly as far as RFC 3161 allows.
Twin of `evidence/verify/page/source/timestamp.js`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger.timestamp import der
from ledger.timestamp.certificate import Certificate, parse_certificate
from ledger.timestamp.der import NOT_DER, Cursor, Tag, Value
from ledger.timestamp.errors import TimestampMalformed, TimestampRefused
from ledger.timestamp.signatures import hash_name

RESPONSE_BYTES_MAX = 64 * 1024
"""Longest response in bytes; one with a whole chain has some 8,000."""

CERTIFICATES_MAX = 16
"""Most certificates in a response."""

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_GRANTED = 0
_TST_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a granted response states.

    Attributes:
        info: TSTInfo in DER, the bytes that are signed for.
        imprint_hash: Object identifier of the hash function of the imprint.
        imprint: The hash of what was stamped.
        policy: Object identifier of the policy it was given under.
        serial: Its number at the authority.
        at: When it was given.
        accuracy_seconds: How far that may be off; None when it is not stated.
        nonce: Number of the request; None when it is not stated.
        certificates: Those that came along.
        issuer: Name of the issuer of the signer's certificate, in DER.
        issuer_serial: Serial number of that certificate.
        digest: Object identifier of the signer's hash function.
        attributes: What is signed: the attributes as a SET in DER.
        content_type: Stated in the attributes.
        message_digest: Hash of `info`, stated in the attributes.
        certificate_hashes: (hash function, hash) of the signer's certificate, as stated in the attributes (RFC 5035).
        algorithm: How it is signed.
        signature: The signature.
    """

    info: bytes
    imprint_hash: str
    imprint: bytes
    policy: str
    serial: int
    at: datetime
    accuracy_seconds: float | None
    nonce: int | None
    certificates: tuple[Certificate, ...]
    issuer: bytes
    issuer_serial: int
    digest: str
    attributes: bytes
    content_type: str
    message_digest: bytes
    certificate_hash: tuple[str, bytes] | None
    algorithm: Value
    signature: bytes


def parse_response(raw: bytes) -> Response:
    """Take a response apart.

    Raises:
        TimestampRefused: Its status is another than "granted".
        TimestampMalformed: Not a response, or beyond a limit.
    """
    if len(raw) > RESPONSE_BYTES_MAX:
        raise TimestampMalformed("longer than a time stamp may be")
    whole = Cursor(der.read_whole(raw, Tag.SEQUENCE))
    status = Cursor(whole.take(Tag.SEQUENCE))
    if der.integer(status.take(Tag.INTEGER)) != _GRANTED:
        raise TimestampRefused("the authority did not grant it")
    content = Cursor(whole.take(Tag.SEQUENCE))
    whole.end()
    if der.oid(content.take(Tag.OID)) != _SIGNED_DATA:
        raise TimestampMalformed("not a signed time stamp")
    signed = _only(content.take(Tag.CONTEXT_0), Tag.SEQUENCE)
    content.end()
    return _signed_data(Cursor(signed))


def _signed_data(fields: Cursor) -> Response:
    der.integer(fields.take(Tag.INTEGER))
    fields.take(Tag.SET)
    encapsulated = Cursor(fields.take(Tag.SEQUENCE))
    if der.oid(encapsulated.take(Tag.OID)) != _TST_INFO:
        raise TimestampMalformed("not a signed time stamp")
    info = _only(encapsulated.take(Tag.CONTEXT_0), Tag.OCTET_STRING).content
    encapsulated.end()
    listed = fields.take_if(Tag.CONTEXT_0)
    fields.take_if(Tag.CONTEXT_1)
    signers = fields.take(Tag.SET).children()
    fields.end()
    certificates = listed.children() if listed else []
    if len(signers) != 1 or len(certificates) > CERTIFICATES_MAX:
        raise TimestampMalformed("not of one signer, or with too many certificates")
    return Response(
        **_tst_info(info),  # type: ignore[arg-type]  # the names are those of this class
        **_signer(Cursor(signers[0].expect(Tag.SEQUENCE))),  # type: ignore[arg-type]
        certificates=tuple(parse_certificate(one.raw) for one in certificates),
    )


def _tst_info(raw: bytes) -> dict[str, object]:
    fields = Cursor(der.read_whole(raw, Tag.SEQUENCE))
    if der.integer(fields.take(Tag.INTEGER)) != _TST_VERSION:
        raise TimestampMalformed(NOT_DER)
    policy = der.oid(fields.take(Tag.OID))
    imprint = Cursor(fields.take(Tag.SEQUENCE))
    algorithm, hashed = imprint.take(Tag.SEQUENCE), imprint.take(Tag.OCTET_STRING).content
    imprint.end()
    serial = der.integer(fields.take(Tag.INTEGER))
    at = der.instant(fields.take(Tag.GENERALIZED_TIME))
    accuracy = fields.take_if(Tag.SEQUENCE)
    if ordering := fields.take_if(Tag.BOOLEAN):
        der.boolean(ordering)
    nonce = fields.take_if(Tag.INTEGER)
    # The authority's name and extensions: the certificate says who it is.
    fields.take_if(Tag.CONTEXT_0)
    fields.take_if(Tag.CONTEXT_1)
    fields.end()
    return {
        "info": raw,
        "imprint_hash": hash_name(algorithm),
        "imprint": hashed,
        "policy": policy,
        "serial": serial,
        "at": at,
        "accuracy_seconds": _accuracy(accuracy) if accuracy else None,
        "nonce": None if nonce is None else der.integer(nonce),
    }


def _accuracy(value: Value) -> float:
    fields = Cursor(value)
    parts = [(fields.take_if(tag), unit) for tag, unit in ((Tag.INTEGER, 1.0), (Tag.PRIMITIVE_0, 1e-3), (0x81, 1e-6))]
    fields.end()
    return sum(der.signed(part.content) * unit for part, unit in parts if part)


def _signer(fields: Cursor) -> dict[str, object]:
    der.integer(fields.take(Tag.INTEGER))
    named = Cursor(fields.take(Tag.SEQUENCE))
    issuer, issuer_serial = named.take(Tag.SEQUENCE), der.integer(named.take(Tag.INTEGER))
    named.end()
    digest = hash_name(fields.take(Tag.SEQUENCE))
    attributes = fields.take(Tag.CONTEXT_0)
    algorithm, signature = fields.take(Tag.SEQUENCE), fields.take(Tag.OCTET_STRING)
    fields.take_if(Tag.CONTEXT_1)
    fields.end()
    stated = _attributes(attributes)
    content_type, message_digest = stated.get(_CONTENT_TYPE), stated.get(_MESSAGE_DIGEST)
    if content_type is None or message_digest is None:
        raise TimestampMalformed(NOT_DER)
    ours = stated.get(_SIGNING_CERTIFICATE_V2)
    return {
        "issuer": issuer.raw,
        "issuer_serial": issuer_serial,
        "digest": digest,
        # Signed is the SET itself, not the implicit tag it travels under (RFC 5652, 5.4).
        "attributes": bytes([Tag.SET]) + attributes.raw[1:],
        "content_type": der.oid(content_type),
        "message_digest": message_digest.expect(Tag.OCTET_STRING).content,
        "certificate_hash": _certificate_hash(ours) if ours else None,
        "algorithm": algorithm,
        "signature": signature.content,
    }


def _attributes(attributes: Value) -> dict[str, Value]:
    """Return the attributes of one value each; the order and the rest do not matter, a name stated twice does."""
    found: dict[str, Value] = {}
    for attribute in attributes.children():
        fields = Cursor(attribute.expect(Tag.SEQUENCE))
        name, values = der.oid(fields.take(Tag.OID)), fields.take(Tag.SET).children()
        fields.end()
        if name in found or len(values) != 1:
            raise TimestampMalformed(NOT_DER)
        found[name] = values[0]
    return found


def _certificate_hash(value: Value) -> tuple[str, bytes]:
    """Read the first ESSCertIDv2 of a SigningCertificateV2 (RFC 5035): that of the signer."""
    certificates = Cursor(value.expect(Tag.SEQUENCE)).take(Tag.SEQUENCE)
    fields = Cursor(Cursor(certificates).take(Tag.SEQUENCE))
    algorithm = fields.take_if(Tag.SEQUENCE)
    return hash_name(algorithm) if algorithm else _SHA256, fields.take(Tag.OCTET_STRING).content


def _only(value: Value, tag: int) -> Value:
    return der.read_whole(value.content, tag)
