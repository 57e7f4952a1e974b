"""The file of the log's key: both guises, each hostile form, and that nothing is lost when one is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from api.errors import (
    LogKeyDamaged,
    LogKeyExposed,
    LogKeyMissing,
    PassphraseMissing,
    PassphraseUnusable,
    PassphraseWrong,
)
from api.key_file import (
    KEY_FILE_BYTES_MAX,
    Guise,
    check_passphrase,
    guise_of,
    load_key,
    no_passphrase,
    passphrase_from,
    save_key,
)
from ledger.errors import CodedError
from ledger.keys import KeyType, PublicKey
from ledger.note import Signer
from tests.support.clock import SeededEntropy

SECRET = "正确的 passphrase".encode()
SIGNER = Signer.generate("evidence.example/日志", SeededEntropy())
OTHER = Signer.generate("evidence.example/日志", SeededEntropy(7))


def secret() -> bytes:
    return SECRET


def never() -> bytes:
    raise AssertionError("asked for a passphrase that is not needed")


@pytest.fixture
def protected(tmp_path: Path) -> Path:
    path = tmp_path / "log.key"
    save_key(path, SIGNER, passphrase=SECRET, entropy=SeededEntropy(1))
    return path


@pytest.fixture
def open_file(tmp_path: Path) -> Path:
    path = tmp_path / "open.key"
    save_key(path, SIGNER, passphrase=None, entropy=SeededEntropy(1))
    return path


def test_an_open_key_is_read_back_and_asks_for_nothing(open_file: Path) -> None:
    assert load_key(open_file, never) == SIGNER
    assert guise_of(open_file) is Guise.OPEN
    assert open_file.stat().st_mode & 0o777 == 0o600


def test_a_protected_key_is_read_back_with_its_passphrase_only(protected: Path) -> None:
    assert load_key(protected, secret) == SIGNER
    assert guise_of(protected) is Guise.PROTECTED
    assert SIGNER.encoded().encode() not in protected.read_bytes()
    assert protected.read_text().splitlines()[0] == SIGNER.verifier.vkey


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_other_programs_read_the_block(protected: Path, tmp_path: Path) -> None:
    block, passphrase = tmp_path / "block.pem", tmp_path / "passphrase"
    block.write_bytes(protected.read_bytes().split(b"\n", 1)[1])
    passphrase.write_bytes(SECRET)
    done = subprocess.run(
        ["openssl", "pkey", "-in", block, "-passin", f"file:{passphrase}", "-pubout", "-outform", "DER"],
        capture_output=True,
        check=True,
    )
    assert done.stdout.endswith(SIGNER.verifier.key.raw)


def test_a_protected_key_may_lie_open_and_an_open_one_may_not(protected: Path, open_file: Path) -> None:
    protected.chmod(0o644)
    assert load_key(protected, secret) == SIGNER
    for mode in (0o640, 0o604, 0o620, 0o644, 0o666):
        open_file.chmod(mode)
        with pytest.raises(LogKeyExposed, match="chmod 600"):
            load_key(open_file, never)


def test_each_way_of_not_having_the_passphrase_has_its_code(protected: Path, tmp_path: Path) -> None:
    before = protected.read_bytes()
    with pytest.raises(PassphraseMissing, match="SHILU_LOG_KEY_PASSPHRASE_FILE"):
        load_key(protected, no_passphrase)
    for wrong in (b"not the passphrase", SECRET + b" ", SECRET[:-1], SECRET.upper() + b"X"):
        with pytest.raises(PassphraseWrong):
            load_key(protected, lambda wrong=wrong: wrong)  # type: ignore[misc]
    with pytest.raises(PassphraseUnusable):
        load_key(protected, passphrase_from(tmp_path / "away"))
    assert protected.read_bytes() == before


@pytest.mark.parametrize("passphrase", [b"", b"short", b"x" * 1025, b"two\nlines here", b"with a NUL\0 in it"])
def test_what_is_no_passphrase_protects_nothing(passphrase: bytes) -> None:
    with pytest.raises(PassphraseUnusable):
        check_passphrase(passphrase)


def test_a_passphrase_file_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    for raw in (SECRET, SECRET + b"\n"):
        file.write_bytes(raw)
        assert passphrase_from(file)() == SECRET
    assert passphrase_from(None)() is None
    file.write_bytes(SECRET + b"\n\n")
    with pytest.raises(PassphraseUnusable):
        passphrase_from(file)()


def _line(vkey: str) -> Callable[[bytes], bytes]:
    return lambda raw: vkey.encode() + b"\n" + raw.split(b"\n", 1)[1]


def _renamed(name: str) -> str:
    return PublicKey(name, KeyType.ED25519, OTHER.verifier.key.raw).vkey


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda raw: raw[:-60],
    "empty": lambda _raw: b"",
    "longer than any key": lambda raw: raw + b"\n" * KEY_FILE_BYTES_MAX,
    "trailing bytes": lambda raw: raw + b"x",
    "another key's line": _line(OTHER.verifier.vkey),
    "another name's line": _line(_renamed("evil.example/log")),
    "a line that is no key": _line("evidence.example/日志+00000000+AAAA"),
    "no line": lambda raw: raw.split(b"\n", 1)[1],
    "a weaker derivation": lambda raw: _bits(raw, at=52),
    "no base64": lambda raw: raw.replace(b"MI", b"M=", 1),
    "a signer key cut short": lambda _raw: SIGNER.encoded()[:-4].encode(),
    "a verifier key": lambda _raw: SIGNER.verifier.vkey.encode(),
}


def _bits(raw: bytes, *, at: int) -> bytes:
    head, begin, *body = raw.splitlines(keepends=True)
    text = bytearray(body[0])
    text[at] = ord("B") if text[at] == ord("A") else ord("A")
    return b"".join([head, begin, bytes(text), *body[1:]])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_under_a_code_and_stays_as_it_is(protected: Path, damage: str) -> None:
    raw = DAMAGES[damage](protected.read_bytes())
    protected.write_bytes(raw)
    with pytest.raises((LogKeyDamaged, PassphraseWrong)):
        load_key(protected, secret)
    assert protected.read_bytes() == raw


def test_no_flipped_bit_opens_another_key(protected: Path) -> None:
    raw = protected.read_bytes()
    start = raw.index(b"-----\n") + 6
    for at in range(start, raw.index(b"\n-----END"), 13):
        flipped = bytearray(raw)
        flipped[at] ^= 1
        protected.write_bytes(bytes(flipped))
        with pytest.raises(CodedError):
            load_key(protected, secret)


def test_a_key_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LogKeyMissing):
        load_key(tmp_path / "log.key", secret)
    with pytest.raises(LogKeyDamaged):
        load_key(tmp_path, secret)


def test_replacing_a_guise_leaves_one_file_with_one_key(open_file: Path) -> None:
    save_key(open_file, SIGNER, passphrase=SECRET, entropy=os.urandom)
    assert load_key(open_file, secret) == SIGNER
    assert [path.name for path in open_file.parent.iterdir()] == [open_file.name]
    save_key(open_file, SIGNER, passphrase=None, entropy=os.urandom)
    assert load_key(open_file, never) == SIGNER
    assert [path.name for path in open_file.parent.iterdir()] == [open_file.name]
