"""`shilu axis`: a connection file that opens a session, once; a list; an end."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner, Result

from api.cli.main import app
from evidence.core.clock import utc_now
from evidence.db.pool import connect
from evidence.parties.controllers import open_session
from tests.support.clock import SeededEntropy


def shilu(database: str, folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["axis", *words, "--data", str(folder / "data"), "--database", database, "--json"])


async def opens(database: str, document: dict[str, str]) -> bool:
    conn = await connect(database)
    try:
        opened = await open_session(
            conn,
            user=document["BlobAPIUserName"],
            key=document["BlobAPIKey"],
            clock=utc_now,
            entropy=SeededEntropy(3),
        )
    finally:
        await conn.close()
    return opened is not None


def test_a_controller_is_connected_listed_and_revoked(database: str, tmp_path: Path) -> None:
    file, key = tmp_path / "connection.json", tmp_path / "site key.pem"
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    words = (str(file), "--name", "一大队", "--url", "https://shilu.example/")
    made = shilu(database, tmp_path, "connect", *words, "--encrypt-for", str(key), "--mp4")
    assert made.exit_code == 0, made.output
    document = json.loads(file.read_bytes())
    assert document["AuthenticationTokenURI"] == ["https://shilu.example/auth/v1.0"]
    assert (document["ContainerType"], document["PublicKeyId"]) == ("mp4", "site key")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert document["BlobAPIKey"] not in made.output
    assert asyncio.run(opens(database, document))
    controller = json.loads(made.output)["controller"]
    assert UUID(controller) == UUID(document["BlobAPIUserName"])
    # The key is in one file; it is not written over.
    assert shilu(database, tmp_path, "connect", *words).exit_code == 2
    assert shilu(database, tmp_path, "revoke", controller, "--reason", "报废").exit_code == 0
    assert not asyncio.run(opens(database, document))
    (listed,) = json.loads(shilu(database, tmp_path, "list").output)["controllers"]
    assert listed["name"] == "一大队"
    assert listed["state"].startswith("revoked")


@pytest.mark.parametrize("option", ["--certificate", "--encrypt-for"])
def test_files_that_are_no_certificate_or_rsa_key_are_refused_before_anybody_is_let_in(
    tmp_path: Path, option: str
) -> None:
    wrong, file = tmp_path / "wrong.pem", tmp_path / "connection.json"
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    for content in (b"", b"nothing", public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
        wrong.write_bytes(content)
        words = ["axis", "connect", str(file), "--name", "x", "--url", "https://a", option, str(wrong)]
        assert CliRunner().invoke(app, [*words, "--data", str(tmp_path / "none")]).exit_code == 2
    assert not file.exists()
    assert not (tmp_path / "none").exists()
