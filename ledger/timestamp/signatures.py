"""Signatures in certificates and time stamps: RSA (PKCS#1 v1.5 and PSS) and ECDSA, with SHA-256, SHA-384 or SHA-512.

What is not in this list (SHA-1, SM2, Edwards curves, short RSA keys) is not judged, and what is not judged is not
believed. The list is what browsers can check too, so that `verify.html` judges the same (`source/x509.js` there).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ledger.timestamp.der import NOT_DER, Cursor, Tag, Value, bits, integer, oid, read_whole
from ledger.timestamp.errors import TimestampFalse, TimestampMalformed

HASHES: dict[str, type[HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": SHA256,
    "2.16.840.1.101.3.4.2.2": SHA384,
    "2.16.840.1.101.3.4.2.3": SHA512,
}
"""Hash functions by object identifier (RFC 5754)."""

RSA_BITS_MIN = 2048
"""Shortest RSA key that is believed."""

RSA_BITS_MAX = 8192
"""Longest one that is computed with."""

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
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_CURVES = {"1.2.840.10045.3.1.7": 32, "1.3.132.0.34": 48, "1.3.132.0.35": 66}
"""Curves of FIPS 186 by object identifier, with the bytes of a coordinate."""
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
    coordinate_bytes = _read_key(key)
    if coordinate_bytes is not None and name not in _ECDSA:
        raise TimestampFalse(UNSUPPORTED)
    scheme = None if coordinate_bytes is not None else _rsa_scheme(name, parameters, digest)
    try:
        public = load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TimestampFalse(UNSUPPORTED) from error
    try:
        if scheme is not None and isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, message, *scheme)
        elif coordinate_bytes is not None and isinstance(public, ec.EllipticCurvePublicKey):
            if not _is_ecdsa(signature, coordinate_bytes):
                return False
            public.verify(signature, message, ec.ECDSA(_ECDSA[name]()))
        else:
            raise TimestampFalse(UNSUPPORTED)
    except InvalidSignature:
        return False
    return True


def _read_key(key: bytes) -> int | None:
    """Return the bytes of a coordinate of an elliptic curve key, None for an RSA key of a length that is judged."""
    whole = Cursor(read_whole(key, Tag.SEQUENCE))
    algorithm, material = Cursor(whole.take(Tag.SEQUENCE)), bits(whole.take(Tag.BIT_STRING))
    whole.end()
    name = oid(algorithm.take(Tag.OID))
    if name == _RSA_ENCRYPTION:
        modulus = integer(Cursor(read_whole(material, Tag.SEQUENCE)).take(Tag.INTEGER))
        if not RSA_BITS_MIN <= modulus.bit_length() <= RSA_BITS_MAX or modulus < 0:
            raise TimestampFalse(UNSUPPORTED)
        return None
    curve = algorithm.take_if(Tag.OID)
    # Browsers want the point uncompressed.
    if name != _EC_PUBLIC_KEY or curve is None or oid(curve) not in _CURVES or material[:1] != b"\x04":
        raise TimestampFalse(UNSUPPORTED)
    return _CURVES[oid(curve)]


def _is_ecdsa(signature: bytes, coordinate_bytes: int) -> bool:
    """Tell whether a signature has the form of one (RFC 3279, 2.2.3), two numbers that fit the curve."""
    try:
        numbers = Cursor(read_whole(signature, Tag.SEQUENCE))
        pair = [integer(numbers.take(Tag.INTEGER)) for _ in range(2)]
        numbers.end()
    except TimestampMalformed:
        return False
    return all(0 < number < 1 << 8 * coordinate_bytes for number in pair)


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
    digest = hash_name(read_whole(hashed.content, Tag.SEQUENCE))
    generator = Cursor(read_whole(mask.content, Tag.SEQUENCE))
    if oid(generator.take(Tag.OID)) != _MGF1 or hash_name(generator.take(Tag.SEQUENCE)) != digest:
        raise TimestampFalse(UNSUPPORTED)
    salt_bytes = integer(read_whole(salt.content, Tag.INTEGER))
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
