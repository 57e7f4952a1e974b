"""The key that a person signs with, as the console makes it: Ed25519, PKCS#8 in PEM; a passphrase may lock it (ADR 32).

The key is read, used and forgotten here; nothing of it goes to the service.
"""

from __future__ import annotations

from pathlib import Path

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ledger.canonical import JsonObject, canonical_json
from ledger.lexemes import format_base64


def read_key(file: Path) -> Ed25519PrivateKey:
    """Return the key in a file; asks for the passphrase where there is one.

    Raises:
        typer.BadParameter: There is no such key in the file, or the passphrase is another.
    """
    try:
        pem = file.read_bytes()
        try:
            key = load_pem_private_key(pem, password=None)
        except TypeError:
            passphrase: str = typer.prompt("Passphrase", hide_input=True, err=True)
            key = load_pem_private_key(pem, password=passphrase.encode())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise typer.BadParameter(f"{file}: no private key can be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise typer.BadParameter(f"{file}: not an Ed25519 key")
    return key


def signature_of(statement: JsonObject, key: Ed25519PrivateKey) -> str:
    """Return the signature over the canonical JSON of a statement, in base64."""
    return format_base64(key.sign(canonical_json(statement)))
