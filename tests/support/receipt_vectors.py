"""Vectors of receipts: `receipt/<good or error code>/<what is wrong>.txt`, checked against the key in `log.vkey`.

`python -m tests.support.receipt_vectors` writes them; a test compares the files with what the generator makes today.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from evidence.core.wire.receipt import Receipt, format_receipt
from ledger.canonical import canonical_json
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.note import sign_note
from ledger.proof import format_proof, parse_proof
from ledger.tree import leaf_hash
from tests.support.paper_log import CLIP, ORIGIN, PaperLog, sealed_payload, seeded_signer
from tests.support.wire_vectors import FOLDER

CONTENT = b"the bytes of a very short recording"
PAYLOAD = sealed_payload(CONTENT)
HEAD = b"shilu/receipt/v1\n"


def vectors() -> dict[str, bytes]:
    """Return every vector, path below the folder -> bytes."""
    made = {"receipt/log.vkey": f"{PaperLog().signer.verifier.vkey}\n".encode()}
    for name, content in [*_good(), *_of_frame(), *_of_parts(), *_of_payload(), *_of_log()]:
        path = f"receipt/{name}.txt"
        assert path not in made, path
        made[path] = content
    return made


def write_vectors() -> None:
    """Write every vector into the folder and remove what is none."""
    made = vectors()
    for path, content in made.items():
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for found in (FOLDER / "receipt").rglob("*.txt"):
        if found.relative_to(FOLDER).as_posix() not in made:
            found.unlink()


def _receipt(log: PaperLog | None = None, **changes: Any) -> Receipt:
    return (log or PaperLog()).record(PAYLOAD | changes)


def _good() -> Iterator[tuple[str, bytes]]:
    yield "good/sealed", format_receipt(_receipt())
    yield "good/sealed-again", format_receipt(PaperLog().record(PAYLOAD, kind="clip.repeated"))
    yield "good/payload-says-more", format_receipt(_receipt(weather="雨"))
    long_log = PaperLog()
    long_log.pad(1000)
    yield "good/long-log", format_receipt(_receipt(long_log))
    cosigned = _receipt()
    proof = parse_proof(cosigned.proof)
    line = seeded_signer("witness.example", "witness").sign("another text\n").line()
    unknown = replace(proof, checkpoint=proof.checkpoint + line.encode(), extra=b"never trusted")
    yield "good/unknown-signature-and-extra", format_receipt(replace(cosigned, proof=format_proof(unknown)))


def _of_frame() -> Iterator[tuple[str, bytes]]:
    good = format_receipt(_receipt())
    body: dict[str, Any] = json.loads(good.split(b"\n", 1)[1])

    def of(**changes: Any) -> bytes:
        return HEAD + canonical_json(body | changes) + b"\n"

    yield "wire.version/version-2", good.replace(b"/v1\n", b"/v2\n")
    yield "wire.version/of-another-kind", good.replace(b"receipt", b"manifest", 1)
    yield "wire.version/empty", b""
    yield "wire.malformed/not-utf-8", good.replace(b"4A00123", b"4A\xff0123")
    yield "wire.malformed/no-final-newline", good[:-1]
    yield "wire.malformed/two-receipts", good + good
    yield "wire.malformed/spaces", HEAD + json.dumps(body, sort_keys=True, ensure_ascii=False).encode() + b"\n"
    yield "wire.malformed/unknown-field", of(comment="trust me")
    yield "wire.malformed/entry-is-an-object", of(entry=json.loads(body["entry"]))
    yield "wire.malformed/payload-is-an-object", of(payload=json.loads(body["payload"]))
    for name in body:
        lacking = {key: body[key] for key in body if key != name}
        yield f"wire.malformed/lacks-{name}", HEAD + canonical_json(lacking) + b"\n"
        yield f"wire.malformed/{name}-is-null", of(**{name: None})
    yield "wire.malformed/salt-of-31-bytes", of(salt=base64.b64encode(bytes(31)).decode())
    yield "wire.malformed/salt-of-33-bytes", of(salt=base64.b64encode(bytes(33)).decode())
    yield "wire.malformed/salt-without-padding", of(salt=body["salt"].rstrip("="))
    yield "wire.malformed/salt-with-newline", of(salt=body["salt"] + "\n")
    yield "wire.malformed/salt-with-stray-bits", of(salt=base64.b64encode(bytes(32)).decode().replace("A=", "B="))
    yield "wire.malformed/salt-in-url-alphabet", of(salt="-" + body["salt"][1:])


def _of_parts() -> Iterator[tuple[str, bytes]]:
    good = _receipt()
    other = _receipt(name="other.mp4")
    entry: dict[str, Any] = json.loads(good.entry)

    def with_entry(**changes: Any) -> bytes:
        return format_receipt(replace(good, entry=canonical_json(entry | changes)))

    yield "receipt.mismatch/payload-of-another", format_receipt(replace(good, payload=other.payload))
    yield "receipt.mismatch/salt-of-another", format_receipt(replace(good, salt=other.salt))
    yield "receipt.mismatch/payload-with-a-space", format_receipt(replace(good, payload=good.payload + b" "))
    yield "receipt.mismatch/payload-empty", format_receipt(replace(good, payload=b""))
    yield "receipt.mismatch/commit-of-another", with_entry(commit="sha256:" + "0" * 64)
    yield "proof.invalid/entry-of-another", format_receipt(replace(other, proof=good.proof))
    yield "proof.invalid/entry-of-another-time", with_entry(at="2026-11-21T01:02:03.005Z")
    yield "proof.invalid/entry-of-another-actor", with_entry(actor="staff:01930000-0000-7000-8000-000000000009")
    yield "entry.malformed/entry-empty", format_receipt(replace(good, entry=b""))
    yield "entry.malformed/entry-not-canonical", format_receipt(replace(good, entry=good.entry + b" "))
    yield "entry.malformed/entry-of-version-2", with_entry(v=2)
    yield "entry.malformed/entry-unknown-field", with_entry(note="x")
    yield "entry.malformed/entry-other-hash", with_entry(commit="sha512:" + "0" * 128)
    yield "entry.malformed/entry-too-long", with_entry(actor="staff:" + "x" * 1000)


def _of_payload() -> Iterator[tuple[str, bytes]]:
    yield "wire.malformed/payload-committed-but-not-canonical", format_receipt(_commit_raw(b'{"clip": 1}'))
    yield "wire.malformed/payload-committed-but-an-array", format_receipt(_commit_raw(b"[]"))
    yield "wire.malformed/payload-committed-but-a-fraction", format_receipt(_commit_raw(b'{"clip":1.5}'))
    for name in ("clip", "name", "size", "chunk_size", "chunks", "root", "sha256"):
        payload = {key: PAYLOAD[key] for key in PAYLOAD if key != name}
        yield f"wire.malformed/sealed-without-{name}", _sealed(payload)
        yield f"wire.malformed/sealed-{name}-is-true", _sealed(PAYLOAD | {name: True})
    yield "wire.limit/sealed-without-a-byte", _sealed(PAYLOAD | {"size": 0, "chunks": 0})
    yield "wire.malformed/sealed-with-impossible-chunks", _sealed(PAYLOAD | {"chunks": 2})
    yield "receipt.mismatch/subject-is-another-clip", _sealed(PAYLOAD, subject=f"clip:{CLIP.int:x}")
    yield "receipt.mismatch/entry-seals-nothing", _sealed(PAYLOAD, kind="clip.viewed")


def _sealed(payload: dict[str, Any], *, kind: str = "clip.sealed", subject: str = f"clip:{CLIP}") -> bytes:
    return format_receipt(PaperLog().record(payload, kind=kind, subject=subject))


def _commit_raw(payload: bytes) -> Receipt:
    """Return a receipt whose entry truly commits to bytes that are no canonical object."""
    log = PaperLog()
    honest = log.record(PAYLOAD)
    index = log.entries.index(honest.entry)
    salt = bytes(32)
    entry = json.loads(honest.entry) | {"commit": f"sha256:{hashlib.sha256(salt + payload).hexdigest()}"}
    log.entries[index] = canonical_json(entry)
    return Receipt(entry=log.entries[index], payload=payload, salt=salt, proof=log.prove(index))


def _of_log() -> Iterator[tuple[str, bytes]]:
    good = _receipt()
    proof = parse_proof(good.proof)

    def of(**changes: Any) -> bytes:
        return format_receipt(replace(good, proof=format_proof(replace(proof, **changes))))

    def of_checkpoint(checkpoint: bytes) -> bytes:
        return of(checkpoint=checkpoint)

    yield "proof.malformed/proof-empty", format_receipt(replace(good, proof=b""))
    yield "proof.malformed/proof-of-version-2", format_receipt(replace(good, proof=good.proof.replace(b"@v1", b"@v2")))
    yield "proof.malformed/proof-cut", format_receipt(replace(good, proof=good.proof[:60]))
    yield "proof.malformed/index-with-zero", format_receipt(replace(good, proof=good.proof.replace(b"x 3", b"x 03")))
    yield "proof.invalid/index-of-the-neighbour", of(index=proof.index + 1)
    yield "proof.invalid/index-beyond-the-log", of(index=2**40)
    yield "proof.invalid/hash-too-few", of(path=proof.path[:-1])
    yield "proof.invalid/hash-too-many", of(path=(*proof.path, proof.path[-1]))
    yield "proof.invalid/hashes-turned-around", of(path=proof.path[::-1])
    yield "proof.invalid/no-hash", of(path=())
    yield "note.unsigned/key-of-a-stranger", format_receipt(PaperLog(seeded_signer(ORIGIN, "stranger")).record(PAYLOAD))
    yield "note.unsigned/log-of-a-stranger", format_receipt(PaperLog(seeded_signer("evil.example")).record(PAYLOAD))
    stripped = proof.checkpoint.split(b"\n\n")[0] + b"\n\n"
    foreign = seeded_signer("witness.example", "witness").sign(stripped[:-1].decode()).line().encode()
    yield "note.unsigned/only-a-witness-signed", of_checkpoint(stripped + foreign)
    yield "note.malformed/no-signature", of_checkpoint(stripped)
    lone = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(good.entry)), [seeded_signer(ORIGIN, "stranger")])
    yield "note.unsigned/log-of-one-entry-by-a-stranger", of(checkpoint=lone, index=0, path=())
    bigger = proof.checkpoint.replace(b"\n6\n", b"\n7\n")
    yield "note.signature/size-changed-after-signing", of_checkpoint(bigger)
    signer = PaperLog().signer
    extended = stripped[:-1].decode() + "extension\n"
    yield "checkpoint.malformed/extension-line", of_checkpoint(sign_note(extended, [signer]))
    renamed = sign_checkpoint(Checkpoint("evil.example", 6, bytes(32)), [signer])
    yield "checkpoint.origin/of-another-log", of_checkpoint(renamed)


if __name__ == "__main__":
    write_vectors()
