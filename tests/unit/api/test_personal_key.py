"""The file of a person's key: opened with its passphrase, refused with another."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from api.cli import personal_key


def test_a_locked_key_asks_for_its_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, file = Ed25519PrivateKey.from_private_bytes(bytes(32)), tmp_path / "key.pem"
    sealed = BestAvailableEncryption("梧桐".encode())
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
    told = iter(["梧桐", "别的"])
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: next(told))
    assert personal_key.read_key(file).public_key() == key.public_key()
    with pytest.raises(typer.BadParameter, match="no private key can be read"):
        personal_key.read_key(file)
