"""RFC 3161 time stamps over a published checkpoint: asked for, opened, checked. Pure; no network, no clock.

`open_stamp` meets obligations 1 to 5, `check_stamp` all of them; what cannot be judged is an error, never a pass.

1. it is a granted response of at most 64 KiB in strict DER, nothing behind it
2. it is of these very bytes: SHA-256 imprint
3. the signer's certificate came along, and the signed attributes name it by its hash (ESSCertIDv2, RFC 5035 and 5816)
4. that certificate is for time stamps and nothing else, by a critical extension
5. the signature is one of its key over the attributes, and they state content type and digest of what it says
6. a root that the caller believes vouches for the certificate at the time stated (`ledger.timestamp.certificate`)
7. policy and nonce are those that the caller asked for, where it did

The caller owes: that the bytes are what it takes them for, and where the roots come from. Revocation is not asked.

Own code, because the library for it trusts what it should judge (docs/adr): it takes any root that lies in the response
itself for a believed one, and looks neither at 3 nor at the order in which widespread software writes certificates.
`openssl ts -verify` is the second opinion in the tests, both ways.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.hashes import Hash

from ledger.timestamp.certificate import Certificate, check_chain, check_purpose
from ledger.timestamp.errors import TimestampFalse, TimestampMismatch
from ledger.timestamp.response import Response, parse_response
from ledger.timestamp.signatures import HASHES, UNSUPPORTED, is_signed

NONCE_BYTES = 8
"""Random bytes of a request's nonce."""

_SHA256 = "2.16.840.1.101.3.4.2.1"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
# version 1, imprint { SHA-256 with NULL parameters, 32 bytes }, nonce, certReq TRUE: 59 bytes of content.
_REQUEST_HEAD = bytes.fromhex("0201013031300d060960864801650304020105000420")
_REQUEST_TAIL = bytes.fromhex("0101ff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A time stamp authority (TSA) as an operator knows it.

    Attributes:
        name: A word.
        url: Where it is asked.
        roots: Whose word counts for its certificate.
        policy: Object identifier of the policy its stamps have to be given under; None for any.
    """

    name: str
    url: str
    roots: tuple[Certificate, ...]
    policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedAt:
    """What a time stamp says.

    Attributes:
        at: When the bytes existed, UTC.
        accuracy_seconds: How far that may be off; None when it is not stated.
        policy: Object identifier of the policy it was given under.
        serial: Its number at the authority.
        signer_sha256: Which certificate signed it.
    """

    at: datetime
    accuracy_seconds: float | None
    policy: str
    serial: int
    signer_sha256: bytes


def make_request(data: bytes, *, entropy: Callable[[int], bytes] = secrets.token_bytes) -> tuple[bytes, int]:
    """Make a request for a time stamp of some bytes; return it in DER, and its nonce."""
    # Bit 62 set and the sign bit clear: the INTEGER always has eight bytes, in its shortest form.
    nonce = int.from_bytes(entropy(NONCE_BYTES), "big") & 0x7FFFFFFFFFFFFFFF | 0x4000000000000000
    body = _REQUEST_HEAD + hashlib.sha256(data).digest() + b"\x02\x08" + nonce.to_bytes(8, "big") + _REQUEST_TAIL
    return bytes([0x30, len(body)]) + body, nonce


def open_stamp(raw: bytes, *, data: bytes) -> StampedAt:
    """Check that a response is a time stamp of some bytes, by whoever; obligations 1 to 5.

    Raises:
        TimestampMalformed, TimestampRefused: It is none.
        TimestampMismatch: It is of other bytes.
        TimestampFalse: It is not signed as it says.
    """
    return _said(*_opened(raw, data))


def check_stamp(
    raw: bytes, *, data: bytes, roots: Sequence[Certificate], policy: str | None = None, nonce: int | None = None
) -> StampedAt:
    """Check that a response is a time stamp of some bytes by somebody whom the caller believes; all obligations.

    Args:
        raw: The response in DER.
        data: The bytes.
        roots: Whose word counts.
        policy: The policy asked for, None for any.
        nonce: The request's, None when it is not known any more.

    Raises:
        TimestampMalformed, TimestampRefused: It is none.
        TimestampMismatch: It is of other bytes, for another request or under another policy.
        TimestampFalse: It is not signed by anybody who is believed.
    """
    response, signer = _opened(raw, data)
    others = [one for one in response.certificates if one.raw != signer.raw]
    check_chain(signer, others=others, roots=roots, at=response.at)
    if policy is not None and response.policy != policy:
        raise TimestampMismatch("it is given under another policy than was asked for")
    if nonce is not None and response.nonce != nonce:
        raise TimestampMismatch("it answers another request")
    return _said(response, signer)


def _opened(raw: bytes, data: bytes) -> tuple[Response, Certificate]:
    response = parse_response(raw)
    if response.imprint_hash != _SHA256 or response.imprint != hashlib.sha256(data).digest():
        raise TimestampMismatch("it is of other data")
    signer = _signer(response)
    check_purpose(signer)
    _check_signature(response, signer)
    return response, signer


def _signer(response: Response) -> Certificate:
    for certificate in response.certificates:
        if (certificate.issuer, certificate.serial) == (response.issuer, response.issuer_serial):
            break
    else:
        raise TimestampFalse("the certificate of its signer did not come along")
    if response.certificate_hash is None:
        raise TimestampFalse("it does not name its signer's certificate by a hash")
    algorithm, value = response.certificate_hash
    if _hash(algorithm, certificate.raw) != value:
        raise TimestampFalse("it names another certificate than its signer's")
    return certificate


def _check_signature(response: Response, signer: Certificate) -> None:
    if response.content_type != _TST_INFO or _hash(response.digest, response.info) != response.message_digest:
        raise TimestampFalse("what is signed is not what it says")
    if not is_signed(
        key=signer.key,
        algorithm=response.algorithm,
        digest=response.digest,
        message=response.attributes,
        signature=response.signature,
    ):
        raise TimestampFalse("its signature is false")


def _said(response: Response, signer: Certificate) -> StampedAt:
    return StampedAt(
        at=response.at,
        accuracy_seconds=response.accuracy_seconds,
        policy=response.policy,
        serial=response.serial,
        signer_sha256=hashlib.sha256(signer.raw).digest(),
    )


def _hash(algorithm: str, data: bytes) -> bytes:
    if algorithm not in HASHES:
        raise TimestampFalse(UNSUPPORTED)
    digest = Hash(HASHES[algorithm]())
    digest.update(data)
    return digest.finalize()
