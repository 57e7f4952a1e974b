"""The file of a log's signing key, in one of two guises.

    open        one line, the signer key of C2SP signed-note (`ledger.keys`); guarded by its permissions, 0600
    protected   the verifier key, one line, then the private key as PKCS#8 in PEM (RFC 5958), encrypted under a
                passphrase: PBES2 with scrypt (RFC 7914, N 2^14, r 8, p 4) and AES-256-CBC (RFC 8018)

The name of a key is not in PKCS#8. It stands in the verifier key above it, whose key ID is computed from name and key:
after opening, the private key's public half has to give the stated verifier key, so a line that was exchanged for
another is noticed. `openssl pkey` reads the block.

An open file that others than its owner may read or write is refused: who could read it may have a copy. A protected one
is worth nothing without its passphrase and may lie under any permissions, in a backup for example.

Files are replaced in one step (`evidence.core.durable.write_file`): at every instant there is one whole key. What the
disk's own blocks keep of an overwritten file is beyond a program; who fears that rotates the key.
"""

from __future__ import annotations

import base64
import re
import textwrap
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from api.errors import (
    LogKeyDamaged,
    LogKeyExposed,
    LogKeyMissing,
    PassphraseMissing,
    PassphraseUnusable,
    PassphraseWrong,
)
from evidence.core.clock import Entropy
from evidence.core.durable import write_file
from ledger.errors import CodedError
from ledger.keys import KeyType, PrivateKey, parse_public_key
from ledger.note import Signer

PASSPHRASE_BYTES_MIN, PASSPHRASE_BYTES_MAX = 8, 1024
"""Bounds of a passphrase in bytes of UTF-8."""

KEY_FILE_BYTES_MAX = 16 * 1024
"""Longest key file that is read, in bytes."""

Passphrase = Callable[[], bytes | None]
"""Returns the passphrase when one is needed; None when there is none to be had."""

_MODE = 0o600
_OTHERS = 0o077
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 4  # 16 MiB: OpenSSL opens no block that asks for 32
_SALT_BYTES, _IV_BYTES, _AES_BYTES = 16, 16, 32
_SEALED_BYTES = 64  # PKCS#8 of an Ed25519 key has 48 bytes, and is padded to the next whole block
_BLOCK = re.compile(
    rb"(?P<vkey>[^\n]+)\n"
    rb"(?P<pem>-----BEGIN ENCRYPTED PRIVATE KEY-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END ENCRYPTED PRIVATE KEY-----\n)"
)


class Guise(Enum):
    """How a key file guards its key."""

    OPEN = "permissions"
    PROTECTED = "passphrase"


def no_passphrase() -> bytes | None:
    """Say that there is no passphrase to be had."""
    return None


def passphrase_from(path: Path | None) -> Passphrase:
    """Return where a passphrase comes from when it stands in a file, as systemd hands credentials over.

    One newline at the end of the file does not count.

    Raises:
        PassphraseUnusable: When asked: the file cannot be read, or holds what is no passphrase.
    """

    def read() -> bytes | None:
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                raw = file.read(PASSPHRASE_BYTES_MAX + 2)
        except OSError as error:
            raise PassphraseUnusable(f"the passphrase file {path} cannot be read: {error.strerror}") from error
        return check_passphrase(raw.removesuffix(b"\n"))

    return read


def check_passphrase(passphrase: bytes) -> bytes:
    """Return a passphrase that is one.

    Raises:
        PassphraseUnusable: Too short, too long, or with a line break or NUL in it.
    """
    is_bounded = PASSPHRASE_BYTES_MIN <= len(passphrase) <= PASSPHRASE_BYTES_MAX
    if not is_bounded or b"\n" in passphrase or b"\0" in passphrase:
        raise PassphraseUnusable(
            f"a passphrase is one line of {PASSPHRASE_BYTES_MIN} to {PASSPHRASE_BYTES_MAX} bytes, not empty"
        )
    return passphrase


def guise_of(path: Path) -> Guise:
    """Tell how a key file guards its key.

    Raises:
        LogKeyMissing: It is not there.
    """
    return Guise.PROTECTED if _BLOCK.fullmatch(_read(path)) else Guise.OPEN


def load_key(path: Path, passphrase: Passphrase) -> Signer:
    """Read the key of a file, whatever its guise.

    Args:
        passphrase: Asked only when the file is protected.

    Raises:
        LogKeyMissing, LogKeyExposed, LogKeyDamaged, PassphraseMissing, PassphraseUnusable, PassphraseWrong: No key can
            be used; the file is as it was.
    """
    raw = _read(path)
    if protected := _BLOCK.fullmatch(raw):
        return _unlock(path, protected["vkey"], protected["pem"], passphrase)
    mode = path.stat().st_mode
    if mode & _OTHERS:
        raise LogKeyExposed(f"{path} is open to other accounts; `chmod 600 {path}`", mode=f"{mode & 0o777:o}")
    try:
        return Signer.parse(raw.decode("utf-8", "replace").strip())
    except CodedError as error:
        raise LogKeyDamaged(f"{path} holds neither a signer key nor a protected key: {error.message}") from error


def save_key(path: Path, signer: Signer, *, passphrase: bytes | None, entropy: Entropy) -> None:
    """Write a key file in one step, 0600 and durable when this returns.

    Args:
        passphrase: Protects it; None writes it open.

    Raises:
        OSError: The disk does not take it; what was there is there.
    """
    raw = f"{signer.encoded()}\n".encode() if passphrase is None else _lock(signer, passphrase, entropy)
    write_file(path, raw, mode=_MODE)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(KEY_FILE_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise LogKeyMissing(f"there is no {path}") from error
    except OSError as error:
        raise LogKeyDamaged(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > KEY_FILE_BYTES_MAX:
        raise LogKeyDamaged(f"{path} is longer than any key")
    return raw


def _unlock(path: Path, vkey: bytes, pem: bytes, passphrase: Passphrase) -> Signer:
    secret = passphrase()
    if secret is None:
        raise PassphraseMissing(f"{path} is protected by a passphrase; SHILU_LOG_KEY_PASSPHRASE_FILE names none")
    try:
        stated = parse_public_key(vkey.decode("utf-8"))
        _check_envelope(pem)
    except (CodedError, ValueError) as error:
        raise LogKeyDamaged(f"{path} is no protected key any more: {error}") from error
    try:
        private = load_pem_private_key(pem, secret)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PassphraseWrong(f"the passphrase does not open {path}, or its block was altered") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise LogKeyDamaged(f"{path} holds a key of another kind")
    signer = Signer(PrivateKey(stated.name, KeyType.ED25519, private.private_bytes_raw()))
    if signer.verifier.key != stated:
        raise LogKeyDamaged(f"{path}: the key inside is not the one that its first line states")
    return signer


def _check_envelope(pem: bytes) -> None:
    """Refuse a block that is not, byte for byte, as `_lock` writes them but for salt, IV and ciphertext.

    Raises:
        ValueError: It is not.
    """
    der = base64.b64decode(b"".join(pem.splitlines()[1:-1]), validate=True)
    # Where zeros and ones give the same byte, the byte is fixed: all but salt, IV and ciphertext.
    low, high = (_envelope(fill * _SALT_BYTES, fill * _IV_BYTES, fill * _SEALED_BYTES) for fill in (b"\0", b"\xff"))
    if len(der) != len(low) or any(a == b != found for a, b, found in zip(low, high, der, strict=True)):
        raise ValueError("the encrypted block has another form")


def _lock(signer: Signer, passphrase: bytes, entropy: Entropy) -> bytes:
    salt, iv = entropy(_SALT_BYTES), entropy(_IV_BYTES)
    key = Scrypt(salt=salt, length=_AES_BYTES, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P).derive(passphrase)
    private = Ed25519PrivateKey.from_private_bytes(signer.key.seed)
    plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    padder, encryptor = PKCS7(8 * _IV_BYTES).padder(), Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    text = "\n".join(textwrap.wrap(base64.b64encode(_envelope(salt, iv, sealed)).decode(), 64))
    block = f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{text}\n-----END ENCRYPTED PRIVATE KEY-----\n"
    return f"{signer.verifier.vkey}\n{block}".encode()


def _envelope(salt: bytes, iv: bytes, sealed: bytes) -> bytes:
    """Write EncryptedPrivateKeyInfo (RFC 5958) with PBES2 and scrypt; `cryptography` writes PBKDF2 only."""
    scrypt = _der(
        0x30,
        _der(0x06, bytes.fromhex("2b06010401da47040b")),  # 1.3.6.1.4.1.11591.4.11
        _der(0x30, _der(0x04, salt), _integer(_SCRYPT_N), _integer(_SCRYPT_R), _integer(_SCRYPT_P)),
    )
    aes = _der(0x30, _der(0x06, bytes.fromhex("60864801650304012a")), _der(0x04, iv))  # aes256-CBC-PAD
    pbes2 = _der(0x30, _der(0x06, bytes.fromhex("2a864886f70d01050d")), _der(0x30, scrypt, aes))
    return _der(0x30, pbes2, _der(0x04, sealed))


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 0x80 else bytes([0x81, len(body)])
    return bytes([tag]) + length + body


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))
