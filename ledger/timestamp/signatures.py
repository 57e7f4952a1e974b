"""Signatures in certificates and time stamps: RSA (PKCS#1 v1.5 and PSS) and ECDSA, with SHA-256, SHA-384 or SHA-512.

What is not in this list (SHA-1, SM2, Edwards curves, short RSA keys) is not judged, and what is not judged is not
believed. The list is what browsers can check too, so that `verify.html` judges the same (`source/x509.js` there).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ledger.timestamp.der import NOT_DER, Cursor, Tag, Value, integer, oid
from ledger.timestamp.errors import TimestampFalse, TimestampMalformed

HASHES: dict[str, type[HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": SHA256,
    "2.16.840.1.101.3.4.2.2": SHA384,
    "2.16.840.1.101.3.4.2.3": SHA512,
}
"""Hash functions by object identifier (RFC 5754)."""

RSA_BITS_MIN = 2048
"""Shortest RSA key that is believed."""

UNSUPPORTED = "it uses an algorithm that is not judged here"

_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_RSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_RSA: dict[str, type[HashAlgorithm]] = {
    "1.2.840.113549.1.1.11": SHA256,
    "1.2.840.113549.1.1.12": SHA384,
    "1.2.840.113549.1.1.13": SHA512,
}
_ECDSA: dict[str, type[HashAlgorithm]] = {
    "1.2.840.10045.4.3.2": SHA256,
    "1.2.840.10045.4.3.3": SHA384,
    "1.2.840.10045.4.3.4": SHA512,
}
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_SALT_BYTES_MAX = 64


def is_signed(*, key: bytes, algorithm: Value, digest: str | None, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature is one of a key over a message.

    Args:
        key: SubjectPublicKeyInfo in DER.
        algorithm: AlgorithmIdentifier of the signature.
        digest: Object identifier of the hash function, where the algorithm leaves that open; None where nobody says.
        message: What is signed.
        signature: The signature's bytes.

    Raises:
        TimestampFalse: The algorithm or the key is not judged here.
        TimestampMalformed: A parameter is not of its form.
    """
    fields = Cursor(algorithm.expect(Tag.SEQUENCE))
    name = oid(fields.take(Tag.OID))
    parameters = fields.rest()
    try:
        public = load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TimestampFalse(UNSUPPORTED) from error
    try:
        if isinstance(public, rsa.RSAPublicKey) and public.key_size >= RSA_BITS_MIN:
            scheme, hashing = _rsa_scheme(name, parameters, digest)
            public.verify(signature, message, scheme, hashing)
        elif isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, _CURVES) and name in _ECDSA:
            public.verify(signature, message, ec.ECDSA(_ECDSA[name]()))
        else:
            raise TimestampFalse(UNSUPPORTED)
    except InvalidSignature:
        return False
    return True


def _rsa_scheme(
    name: str, parameters: list[Value], digest: str | None
) -> tuple[padding.PKCS1v15 | padding.PSS, HashAlgorithm]:
    if name in _RSA:
        return padding.PKCS1v15(), _RSA[name]()
    if name == _RSA_ENCRYPTION and digest in HASHES:
        return padding.PKCS1v15(), HASHES[digest]()
    if name == _RSA_PSS and len(parameters) == 1:
        return _pss(parameters[0])
    raise TimestampFalse(UNSUPPORTED)


def _pss(parameters: Value) -> tuple[padding.PSS, HashAlgorithm]:
    """Read RSASSA-PSS-params (RFC 8017 A.2.3) with one hash function in both places and a stated salt length."""
    fields = Cursor(parameters.expect(Tag.SEQUENCE))
    hashed, mask, salt = (fields.take_if(tag) for tag in (Tag.CONTEXT_0, Tag.CONTEXT_1, Tag.CONTEXT_2))
    fields.end()
    if hashed is None or mask is None or salt is None:
        # What is left out means SHA-1.
        raise TimestampFalse(UNSUPPORTED)
    digest = hash_name(_only(hashed))
    generator = Cursor(_only(mask).expect(Tag.SEQUENCE))
    if oid(generator.take(Tag.OID)) != _MGF1 or hash_name(generator.take(Tag.SEQUENCE)) != digest:
        raise TimestampFalse(UNSUPPORTED)
    salt_bytes = integer(_only(salt))
    if digest not in HASHES or not 0 <= salt_bytes <= _SALT_BYTES_MAX:
        raise TimestampFalse(UNSUPPORTED)
    hashing = HASHES[digest]()
    return padding.PSS(padding.MGF1(hashing), salt_bytes), hashing


def hash_name(algorithm: Value) -> str:
    """Return the object identifier of a hash AlgorithmIdentifier; its parameters are missing or NULL.

    Raises:
        TimestampMalformed: Not of that form.
    """
    fields = Cursor(algorithm.expect(Tag.SEQUENCE))
    name = oid(fields.take(Tag.OID))
    null = fields.take_if(Tag.NULL)
    fields.end()
    if null is not None and null.content:
        raise TimestampMalformed(NOT_DER)
    return name


def _only(value: Value) -> Value:
    fields = Cursor(value)
    inner = fields.take(*(child.tag for child in value.children()[:1]))
    fields.end()
    return inner
