"""Time stamp authorities for tests: certificates made on the spot, `openssl ts` behind a real HTTP server.

`Paper` makes certificates, good ones and wrong ones; `TimeAuthority` answers requests with them. A misbehaviour is a
function from the honest answer to what is sent instead, so each test says in one line what goes wrong.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

POLICY = "1.2.3.4.1"
"""Policy under which the authority stamps when nobody asks for another."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Purposes = tuple[x509.ObjectIdentifier, ...]

_CONFIG = """\
[tsa]
default_tsa = it
[it]
serial = {folder}/serial
signer_digest = {digest}
default_policy = {policy}
digests = sha256, sha512
accuracy = secs:1, millisecs:500
ess_cert_id_alg = {ess}
clock_precision_digits = 3
"""


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM)


def issue(
    name: str,
    *,
    by: Issued | None = None,
    key: PrivateKey | None = None,
    is_authority: bool = False,
    purposes: Purposes = (ExtendedKeyUsageOID.TIME_STAMPING,),
    is_critical: bool = True,
    from_days: float = -1.0,
    to_days: float = 3650.0,
    path_length: int | None = None,
    hash_: hashes.SHA256 | hashes.SHA512 | None = None,
) -> Issued:
    """Make a certificate; days are counted from now, `purposes` hold for those that are no authority."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=from_days))
        .not_valid_after(now + timedelta(days=to_days))
        .add_extension(x509.BasicConstraints(is_authority, path_length), critical=True)
    )
    if is_authority:
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    else:
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=is_critical)
    return Issued(builder.sign(by.key if by else key, hash_ or hashes.SHA256()), key)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass
class Stamper:
    """Answers requests with `openssl ts -reply`.

    Attributes:
        folder: Where its files lie.
        root: Whom a believer believes.
        signer: The certificate it signs with.
        chain: Certificates that travel along besides the signer's.
    """

    folder: Path
    root: Issued
    signer: Issued
    chain: tuple[Issued, ...] = ()
    digest: str = "sha256"
    ess: str = "sha256"
    policy: str = POLICY

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = _CONFIG.format(folder=self.folder, digest=self.digest, ess=self.ess, policy=self.policy)
        (self.folder / "tsa.conf").write_text(text)
        (self.folder / "serial").write_text("01\n")
        (self.folder / "signer.pem").write_bytes(self.signer.pem)
        key = self.signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "signer.key").write_bytes(key)
        (self.folder / "chain.pem").write_bytes(b"".join(one.pem for one in self.chain))
        (self.folder / "roots.pem").write_bytes(self.root.pem)
        self._turn = threading.Lock()

    @property
    def roots(self) -> Path:
        """File with the root that believers believe."""
        return self.folder / "roots.pem"

    def reply(self, request: bytes) -> bytes:
        """Answer a request in DER."""
        with self._turn:
            (self.folder / "request").write_bytes(request)
            words = ["-signer", "signer.pem", "-inkey", "signer.key", "-queryfile", "request", "-out", "reply"]
            if self.chain:
                words += ["-chain", "chain.pem"]
            command = ["openssl", "ts", "-reply", "-config", "tsa.conf", "-section", "it", *words]
            subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
            return (self.folder / "reply").read_bytes()

    def second_opinion(self, response: bytes, data: bytes) -> bool:
        """Tell whether `openssl ts -verify` takes a response for a stamp of the data."""
        (self.folder / "judged").write_bytes(response)
        (self.folder / "data").write_bytes(data)
        words = ["-data", "data", "-in", "judged", "-CAfile", "roots.pem"]
        done = subprocess.run(["openssl", "ts", "-verify", *words], cwd=self.folder, check=False, capture_output=True)
        return done.returncode == 0


def make_stamper(folder: Path, *, name: str = "tsa", **more: object) -> Stamper:
    """Make an honest authority with a root and an RSA signer under it; `more` goes to `Stamper`."""
    root = issue(f"{name} root", is_authority=True)
    signer = issue(name, by=root, key=rsa.generate_private_key(65537, 2048))
    return Stamper(folder, root, signer, **more)  # type: ignore[arg-type]


Misbehaviour = Callable[[bytes, bytes], bytes]
"""Makes what is sent out of the request and the honest answer."""


@dataclass
class TimeAuthority:
    """An authority behind HTTP on a free port of 127.0.0.1, as a context.

    Attributes:
        stamper: Who makes the answers.
        misbehave: What goes wrong with them; None for nothing.
        status: HTTP status of the answer.
        delay_seconds: Pause before it.
        is_deaf: Whether the connection is cut after the work was done: done, but not reported.
        requests: What was asked.
    """

    stamper: Stamper
    misbehave: Misbehaviour | None = None
    status: int = 200
    delay_seconds: float = 0.0
    is_deaf: bool = False
    requests: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                authority.requests.append(body)
                time.sleep(authority.delay_seconds)
                answer = authority.stamper.reply(body)
                if authority.misbehave is not None:
                    answer = authority.misbehave(body, answer)
                if authority.is_deaf:
                    self.close_connection = True
                    return
                self.send_response(authority.status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/tsr"


def authorities_file(path: Path, **authorities: TimeAuthority) -> Path:
    """Write the file that `SHILU_TIMESTAMP_AUTHORITIES` names."""
    tables = [
        f'[[authority]]\nname = "{name}"\nurl = "{one.url}"\nroots = "{one.stamper.roots}"\n'
        for name, one in authorities.items()
    ]
    path.write_text("\n".join(tables))
    return path
