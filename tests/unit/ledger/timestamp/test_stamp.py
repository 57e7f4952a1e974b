"""Time stamps judged: good ones of every supported kind, and everything that may be wrong with one.

`openssl ts -verify` gives a second opinion: what it refuses, we refuse.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ledger.errors import CodedError
from ledger.timestamp.certificate import ROOTS_BYTES_MAX, parse_roots
from ledger.timestamp.errors import (
    TimestampFalse,
    TimestampMalformed,
    TimestampMismatch,
    TimestampRefused,
    TimestampRootsMalformed,
)
from ledger.timestamp.response import RESPONSE_BYTES_MAX
from ledger.timestamp.stamp import StampedAt, check_stamp, make_request, open_stamp
from tests.support.stamped_folder import with_certificate
from tests.support.time_authority import POLICY, Stamper, issue, make_stamper

DATA = "example.com/log\n3\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n— example.com/log AAAA\n".encode()


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> Stamper:
    """An honest authority."""
    return make_stamper(tmp_path_factory.mktemp("tsa"))


def stamp(stamper: Stamper, data: bytes = DATA) -> tuple[bytes, int]:
    """Return a response over the data, and the nonce."""
    request, nonce = make_request(data)
    return stamper.reply(request), nonce


def judge(stamper: Stamper, response: bytes, data: bytes = DATA, **more: object) -> StampedAt:
    """Judge a response by the authority's root."""
    return check_stamp(response, data=data, roots=parse_roots(stamper.root.pem), **more)  # type: ignore[arg-type]


def test_a_stamp_says_when_by_whom_and_under_which_policy(stamper: Stamper) -> None:
    response, nonce = stamp(stamper)
    said = judge(stamper, response, policy=POLICY, nonce=nonce)
    assert abs(said.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (said.accuracy_seconds, said.policy) == (1.5, POLICY)
    assert said.signer_sha256 == hashlib.sha256(stamper.signer.certificate.public_bytes(Encoding.DER)).digest()
    assert open_stamp(response, data=DATA) == said
    assert stamper.second_opinion(response, DATA)


def test_openssl_reads_the_request_as_it_is_meant() -> None:
    request, nonce = make_request(DATA, entropy=lambda count: b"\xff" * count)
    told = subprocess.run(
        ["openssl", "ts", "-query", "-in", "/dev/stdin", "-text"], input=request, capture_output=True, check=True
    ).stdout.decode()
    assert "Hash Algorithm: sha256" in told
    assert f"Nonce: 0x{nonce:X}" in told
    assert "Certificate required: yes" in told
    assert make_request(DATA, entropy=bytes)[1].bit_length() == 63


@pytest.mark.parametrize(
    "key",
    [
        lambda: rsa.generate_private_key(65537, 3072),
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: ec.generate_private_key(ec.SECP521R1()),
    ],
)
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_rsa_and_ecdsa_with_every_hash_are_judged(
    tmp_path: Path, key: Callable[[], rsa.RSAPrivateKey], digest: str
) -> None:
    root = issue("root", is_authority=True, key=key(), hash_=hashes.SHA512())
    made = Stamper(tmp_path, root, issue("tsa", by=root, key=key()), digest=digest)
    response, _ = stamp(made)
    judge(made, response)
    assert made.second_opinion(response, DATA)


def test_a_chain_over_authorities_that_came_along_is_followed(tmp_path: Path) -> None:
    root = issue("root", is_authority=True)
    upper = issue("upper", by=root, is_authority=True, path_length=1)
    lower = issue("lower", by=upper, is_authority=True, path_length=0)
    made = Stamper(tmp_path, root, issue("tsa", by=lower), chain=(upper, lower))
    response, _ = stamp(made)
    judge(made, response)
    assert made.second_opinion(response, DATA)


def hostile_signers() -> dict[str, Callable[[Path], Stamper]]:
    """Authorities that must not be believed, though their root is; each by what is wrong."""

    def with_signer(**wrong: object) -> Callable[[Path], Stamper]:
        def make(folder: Path) -> Stamper:
            root = issue("root", is_authority=True)
            return Stamper(folder, root, issue("tsa", by=root, **wrong))  # type: ignore[arg-type]

        return make

    def below(**wrong: object) -> Callable[[Path], Stamper]:
        def make(folder: Path) -> Stamper:
            root = issue("root", is_authority=True)
            middle = issue("middle", by=root, **({"is_authority": True} | wrong))  # type: ignore[arg-type]
            return Stamper(folder, root, issue("tsa", by=middle), chain=(middle,))

        return make

    def too_deep(folder: Path) -> Stamper:
        root = issue("root", is_authority=True, path_length=0)
        middle = issue("middle", by=root, is_authority=True)
        return Stamper(folder, root, issue("tsa", by=middle), chain=(middle,))

    def own_root_along(folder: Path) -> Stamper:
        believed, own = issue("root", is_authority=True), issue("own", is_authority=True)
        return Stamper(folder, believed, issue("tsa", by=own), chain=(own,))

    def namesake(folder: Path) -> Stamper:
        believed, own = issue("root", is_authority=True), issue("root", is_authority=True)
        return Stamper(folder, believed, issue("tsa", by=own))

    def root_expired(folder: Path) -> Stamper:
        root = issue("root", is_authority=True, from_days=-20, to_days=-10)
        return Stamper(folder, root, issue("tsa", by=root))

    return {
        "expired when it stamped": with_signer(from_days=-20, to_days=-10),
        "not yet valid when it stamped": with_signer(from_days=10, to_days=20),
        "its authority expired": below(from_days=-20, to_days=-10),
        "the root expired": root_expired,
        "vouched for by what is no authority": below(is_authority=False, purposes=()),
        "longer than the root allows": too_deep,
        "its own root came along": own_root_along,
        "a root of the same name": namesake,
        "a short RSA key": with_signer(key=rsa.generate_private_key(65537, 1024)),
    }


@pytest.mark.parametrize("what", hostile_signers())
def test_nobody_else_is_believed(tmp_path: Path, what: str) -> None:
    made = hostile_signers()[what](tmp_path)
    response, _ = stamp(made)
    with pytest.raises(TimestampFalse):
        judge(made, response)


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("not critical", "0603551d250101ff", "0603551d25010100"),
        ("for code signing", "06082b06010505070308", "06082b06010505070303"),
        ("no such extension", "0603551d25", "0603551d79"),
        ("for encipherment too", "0603551d0f0101ff040403020780", "0603551d0f0101ff0404030205a0"),
    ],
)
def test_certificates_that_are_not_for_time_stamps_alone_are_refused(
    stamper: Stamper, what: str, old: str, new: str
) -> None:
    response, _ = stamp(stamper)
    honest = stamper.signer.certificate.public_bytes(Encoding.DER)
    assert honest.count(bytes.fromhex(old)) == 1, what
    judge(stamper, with_certificate(stamper, response, honest))
    changed = honest.replace(bytes.fromhex(old), bytes.fromhex(new))
    with pytest.raises(TimestampFalse, match="not for time stamps alone"):
        judge(stamper, with_certificate(stamper, response, changed))


def test_a_certificate_nobody_signed_is_not_believed(stamper: Stamper) -> None:
    response, _ = stamp(stamper)
    honest = stamper.signer.certificate.public_bytes(Encoding.DER)
    with pytest.raises(TimestampFalse, match="no believed root"):
        judge(stamper, with_certificate(stamper, response, honest[:-1] + bytes([honest[-1] ^ 1])))


def test_a_stamp_that_names_its_certificate_by_sha1_only_is_refused(tmp_path: Path) -> None:
    made = make_stamper(tmp_path, ess="sha1")
    with pytest.raises(TimestampFalse):
        judge(made, stamp(made)[0])


def test_a_stamp_is_of_these_bytes_this_request_and_this_policy(stamper: Stamper) -> None:
    response, nonce = stamp(stamper)
    for wrong in ({"data": DATA + b"\n"}, {"nonce": nonce + 1}, {"policy": "1.2.3.4.2"}):
        with pytest.raises(TimestampMismatch):
            judge(stamper, response, **({"data": DATA} | wrong))
    with pytest.raises(TimestampMismatch):
        open_stamp(response, data=b"")


def test_a_refusal_is_no_stamp(stamper: Stamper) -> None:
    refused = stamper.reply(b"not a request")
    with pytest.raises(TimestampRefused):
        judge(stamper, refused)
    granted_with_changes = bytearray(stamp(stamper)[0])
    assert granted_with_changes[6:9] == b"\x02\x01\x00"
    granted_with_changes[8] = 1
    with pytest.raises(TimestampRefused):
        judge(stamper, bytes(granted_with_changes))


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: b"\x30\x00",
        lambda raw: raw[:-1],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw + b"\x00",
        lambda raw: raw + raw,
        lambda raw: raw.ljust(RESPONSE_BYTES_MAX + 1, b"\x00"),
        lambda raw: b"<html>busy</html>",
        lambda raw: b"\x30\x80" + raw[4:] + b"\x00\x00",
        lambda raw: b"\x30\x83\x00" + raw[2:],
        lambda raw: b"\x30" * 60_000,
        lambda raw: b"\x30\x84\xff\xff\xff\xff",
    ],
)
def test_what_is_not_one_response_in_strict_der_is_refused(stamper: Stamper, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TimestampMalformed):
        judge(stamper, damage(stamp(stamper)[0]))


def test_no_changed_byte_goes_unnoticed(stamper: Stamper) -> None:
    response, _ = stamp(stamper)
    passed = []
    for at in range(len(response)):
        changed = bytearray(response)
        changed[at] ^= 1 << random.Random(at).randrange(8)
        try:
            judge(stamper, bytes(changed))
        except CodedError:
            continue
        passed.append(at)
    # What is left is not signed and decides nothing: versions, the envelope's list of hash functions, and the two names
    # of one RSA algorithm.
    assert len(passed) < 25, passed


def test_random_damage_never_ends_in_anything_but_an_error(stamper: Stamper) -> None:
    response, _ = stamp(stamper)
    dice = random.Random(7)
    for _round in range(2_000):
        changed = bytearray(response)
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(changed))
            match dice.randrange(3):
                case 0:
                    changed[at] = dice.randrange(256)
                case 1:
                    del changed[at : at + dice.randrange(1, 40)]
                case _:
                    changed[at:at] = dice.randbytes(dice.randrange(1, 40))
            if not changed:
                break
        try:
            said = judge(stamper, bytes(changed))
        except CodedError:
            continue
        assert said.at == open_stamp(response, data=DATA).at


def test_roots_are_read_whole_or_not_at_all(stamper: Stamper) -> None:
    pem = stamper.root.pem
    assert len(parse_roots(b"# our root\n" + pem + b"\nand another\n" + pem)) == 2
    hostile = [
        b"",
        b"no certificate",
        pem.replace(b"END", b"FIN"),
        pem[: len(pem) // 2],
        pem.replace(b"MI", b"M!", 1),
        pem.replace(b"MI", b"NI", 1),
        pem + pem[:40],
        pem * 65,
        pem.ljust(ROOTS_BYTES_MAX + 1),
    ]
    for wrong in hostile:
        with pytest.raises(TimestampRootsMalformed):
            parse_roots(wrong)
