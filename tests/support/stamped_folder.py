"""Evidence folders with time stamps: honest ones, and everything that may be wrong with one; for both verifiers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ledger.proof import parse_proof
from ledger.timestamp.response import RESPONSE_BYTES_MAX, parse_response
from ledger.timestamp.stamp import make_request
from tests.support.evidence_folder import NAME, EvidenceFolder, make_evidence_folder
from tests.support.time_authority import Stamper, issue, make_stamper


@dataclass
class StampedFolder:
    """An evidence folder, and the authority that stamped its checkpoint."""

    evidence: EvidenceFolder
    stamper: Stamper

    @property
    def checkpoint(self) -> bytes:
        """The checkpoint in the receipt."""
        return parse_proof(self.evidence.receipt.proof).checkpoint

    @property
    def checkpoint_file(self) -> Path:
        """The same beside the original."""
        return self.evidence.folder / f"{NAME}.checkpoint"

    def stamp_file(self, authority: str = "ntsc") -> Path:
        """The time stamp of an authority."""
        return self.evidence.folder / f"{NAME}.{authority}.tsr"

    def stamp(self, stamper: Stamper | None = None, *, authority: str = "ntsc", data: bytes | None = None) -> bytes:
        """Have the checkpoint, or other data, stamped, and write the response."""
        request, _ = make_request(self.checkpoint if data is None else data)
        response = (stamper or self.stamper).reply(request)
        self.stamp_file(authority).write_bytes(response)
        return response


def make_stamped_folder(folder: Path, stamper: Stamper, content: bytes = b"footage") -> StampedFolder:
    """Write an honest evidence folder with one time stamp."""
    made = StampedFolder(make_evidence_folder(folder, content), stamper)
    made.checkpoint_file.write_bytes(made.checkpoint)
    made.stamp()
    return made


def with_certificate(stamper: Stamper, response: bytes, changed: bytes) -> bytes:
    """Put a changed certificate of the same length into a response, and sign it with the signer's RSA key again."""
    honest = stamper.signer.certificate.public_bytes(Encoding.DER)
    parsed = parse_response(response)
    digests = []
    for certificate in (honest, changed):
        digest = hashes.Hash(hashes.SHA256())
        digest.update(certificate)
        digests.append(digest.finalize())
    attributes = parsed.attributes.replace(digests[0], digests[1])
    assert isinstance(stamper.signer.key, rsa.RSAPrivateKey)
    signature = stamper.signer.key.sign(attributes, padding.PKCS1v15(), hashes.SHA256())
    return (
        response.replace(honest, changed)
        .replace(parsed.attributes[1:], attributes[1:])
        .replace(parsed.signature, signature)
    )


def _changed_usage(made: StampedFolder) -> None:
    response, honest = made.stamp(), made.stamper.signer.certificate.public_bytes(Encoding.DER)
    purpose = bytes.fromhex("06082b06010505070308")
    changed = honest.replace(purpose, purpose[:-1] + b"\x03")
    made.stamp_file().write_bytes(with_certificate(made.stamper, response, changed))


def _stranger(made: StampedFolder, **more: object) -> None:
    made.stamp(make_stamper(made.stamper.folder / "stranger", **more))  # type: ignore[arg-type]


def _own_root_along(made: StampedFolder) -> None:
    own = issue("own root", is_authority=True)
    made.stamp(Stamper(made.stamper.folder / "own", own, issue("tsa", by=own), chain=(own,)))


def _under(made: StampedFolder, name: str, **more: object) -> None:
    """Stamp with another signer under the true root."""
    signer = issue("tsa 2", by=made.stamper.root, **more)  # type: ignore[arg-type]
    made.stamp(Stamper(made.stamper.folder / name, made.stamper.root, signer))


def _chain(made: StampedFolder, *, length: int = 2, **more: object) -> None:
    issuer, chain = made.stamper.root, []
    for depth in range(length):
        issuer = issue(f"authority {depth}", by=issuer, **({"is_authority": True} | more))  # type: ignore[arg-type]
        chain.append(issuer)
    folder = made.stamper.folder / f"chain {length}"
    made.stamp(Stamper(folder, made.stamper.root, issue("tsa 3", by=issuer), chain=tuple(chain)))


def _damage(change: Callable[[bytes], bytes]) -> Callable[[StampedFolder], object]:
    return lambda made: made.stamp_file().write_bytes(change(made.stamp_file().read_bytes()))


def _flip(at: int) -> Callable[[bytes], bytes]:
    return lambda raw: raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


STAMP_CASES: dict[str, tuple[Callable[[StampedFolder], object], list[str]]] = {
    "honest": (lambda made: None, ["met.time"]),
    "two authorities": (lambda made: made.stamp(authority="zwei-2"), ["met.time", "met.time"]),
    "no stamp": (lambda made: made.stamp_file().unlink(), ["time.none"]),
    "a chain came along": (_chain, ["met.time"]),
    "an ECDSA signer": (lambda made: _under(made, "ec"), ["met.time"]),
    "a P-521 signer": (lambda made: _under(made, "521", key=ec.generate_private_key(ec.SECP521R1())), ["met.time"]),
    "no checkpoint file": (lambda made: made.checkpoint_file.unlink(), ["met.time"]),
    "another checkpoint file": (
        lambda made: made.checkpoint_file.write_bytes(b"x"),
        ["time.checkpoint_differs", "met.time"],
    ),
    "of other data": (lambda made: made.stamp(data=b"x"), ["time.of_other_data"]),
    "by a stranger": (_stranger, ["time.false"]),
    "its own root came along": (_own_root_along, ["time.false"]),
    "expired": (lambda made: _under(made, "old", from_days=-9, to_days=-8), ["time.false"]),
    "a short key": (
        lambda made: _under(made, "short", key=rsa.generate_private_key(65537, 1024)),
        ["time.false"],
    ),
    "named by SHA-1": (lambda made: _stranger(made, ess="sha1"), ["time.false"]),
    "no certificate of an authority": (
        lambda made: _chain(made, length=1, is_authority=False, purposes=()),
        ["time.false"],
    ),
    "for another purpose": (_changed_usage, ["time.false"]),
    "signature altered": (_damage(_flip(-3)), ["time.false"]),
    "certificate altered": (_damage(lambda raw: raw.replace(b"tsa root", b"tsa rood")), ["time.false"]),
    "refused": (_damage(lambda raw: bytes.fromhex("30053003020102")), ["time.malformed"]),
    "empty": (_damage(lambda raw: b""), ["time.malformed"]),
    "cut": (_damage(lambda raw: raw[:-9]), ["time.malformed"]),
    "with something behind": (_damage(lambda raw: raw + b"\n"), ["time.malformed"]),
    "too long": (_damage(lambda raw: raw + bytes(RESPONSE_BYTES_MAX)), ["time.malformed"]),
    "a page": (_damage(lambda raw: b"<html>busy</html>"), ["time.malformed"]),
    "one false, one true": (
        lambda made: (made.stamp(authority="a"), made.stamp_file().write_bytes(b"x")),
        ["met.time", "time.malformed"],
    ),
}
"""What is done to an honest folder, and the codes of obligation 9 by the true root."""
