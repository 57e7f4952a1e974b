"""Vectors of the ledger's formats and their generator: `ledger/<kind>/<good or error code>/<what is special or wrong>`.

`python -m tests.vectors.generate` writes them below tests/vectors/ledger; a test compares the files with what the
generator makes today, so a change of format cannot pass unseen. Keys come from fixed seeds and Ed25519 signs the same
bytes every time. ML-DSA does not, so its vectors are foreign: `ledger/foreign` is not generated, see its README.

How a kind is judged stands in tests/unit/ledger/test_vectors.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from ledger.canonical import Entry, encode_entry
from ledger.checkpoint import Checkpoint, format_checkpoint, sign_checkpoint
from ledger.cosignature import Cosigner
from ledger.key_statement import (
    RETIREMENT_VERSION,
    Retirement,
    Succession,
    format_statement,
    sign_retirement,
    sign_succession,
)
from ledger.keys import KeyType, PrivateKey
from ledger.note import Note, Signature, Signer, format_note, sign_note
from ledger.proof import LogProof, format_proof
from ledger.tree import leaf_hash, node_hash

FOLDER = Path(__file__).resolve().parent / "ledger"

Vectors = Iterator[tuple[str, bytes]]
"""Pairs of `<good or code>/<name>` and content."""

GOOD = "good"


def _signer(name: str, seed: int) -> Signer:
    return Signer(PrivateKey(name, KeyType.ED25519, bytes([seed]) * 32))


def _witness(number: int) -> Cosigner:
    seed = bytes([100 + number]) * 32
    return Cosigner(PrivateKey(f"witness{number}.example", KeyType.COSIGNATURE_ED25519, seed))


AUTHOR = _signer("author.example", 1)
STRANGER = _signer("stranger.example", 2)
NAMESAKE = _signer("author.example", 3)
LOG = _signer("log.example/实录", 4)
NEXT_LOG = _signer(LOG.name, 5)
WITNESSES = [_witness(number) for number in range(1, 4)]

ENTRIES = [
    encode_entry(
        Entry(
            type="vector.made",
            id=UUID(int=(7 << 76) | (2 << 62) | number),
            at=datetime(2026, 11, 21, 23, 21, 23, number * 1000, tzinfo=UTC),
            actor="service",
            subject=f"vector:{number}",
            commit=bytes([number]) * 32,
        )
    )
    for number in range(3)
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
PROVED = 1
"""Index of the entry that the proof vectors prove."""

CHECKPOINT = Checkpoint(LOG.name, 3, node_hash(node_hash(LEAVES[0], LEAVES[1]), LEAVES[2]))
PATH = (LEAVES[0], LEAVES[2])
POLICY = "".join(
    [
        f"log {LOG.verifier.vkey}\n",
        *(f"witness w{number} {witness.verifier.vkey}\n" for number, witness in enumerate(WITNESSES, start=1)),
        "group two 2 w1 w2 w3\n",
        "quorum two\n",
    ]
)
"""What the cosigned vectors are judged by."""


def notes() -> Vectors:
    """Notes, opened with the key of `AUTHOR`."""
    text = "甲\n\nb\n"
    raw = sign_note(text, [AUTHOR])
    line = AUTHOR.sign(text).line()
    yield "good/one-signature", raw
    yield "good/text-of-one-newline", sign_note("\n", [AUTHOR])
    yield "good/text-ending-in-empty-lines", sign_note("a\n\n\n", [AUTHOR])
    yield "good/text-with-a-signature-line-inside", sign_note(f"a\n\n{line}", [AUTHOR])
    yield "good/text-with-delete-and-next-line", sign_note("a\x7f\x85\u2028b\n", [AUTHOR])
    yield "good/same-signature-twice", format_note(Note(text, (AUTHOR.sign(text),) * 2))
    yield "good/a-hundred-signatures", sign_note(text, [STRANGER] * 99 + [AUTHOR])
    yield "good/stranger-false-signature-ignored", _two(text, Signature("stranger.example", b"abcd", b"false"))
    yield "good/namesake-ignored", sign_note(text, [NAMESAKE, AUTHOR])
    yield "good/same-key-id-under-another-name", _two(text, Signature("other.example", AUTHOR.sign(text).key_id, b"x"))

    for name, content in _malformed_notes(raw, text, line).items():
        yield f"note.malformed/{name}", content
    yield "note.unsigned/stranger-only", sign_note(text, [STRANGER])
    yield "note.unsigned/namesake-only", sign_note(text, [NAMESAKE])
    yield "note.unsigned/another-name-for-the-key", raw.replace(b"author.example ", b"author.examplf ")
    yield "note.signature/empty-line-between-signatures", raw + b"\n" + line.encode()
    yield "note.signature/text-changed", raw.replace(b"b\n", b"c\n")
    yield "note.signature/empty-line-moved", raw.replace("甲\n\nb\n\n".encode(), "甲\nb\n\n\n".encode())
    yield "note.signature/signature-of-another-text", format_note(Note(text, (AUTHOR.sign("a\n"),)))
    yield "note.signature/one-true-one-false", format_note(Note(text, (AUTHOR.sign(text), AUTHOR.sign("a\n"))))
    true = AUTHOR.sign(text)
    yield "note.signature/too-short", format_note(Note(text, (Signature(true.name, true.key_id, true.value[:-1]),)))
    yield "note.signature/too-long", format_note(Note(text, (Signature(true.name, true.key_id, true.value + b"\0"),)))


def _malformed_notes(raw: bytes, text: str, line: str) -> dict[str, bytes]:
    return {
        "empty": b"",
        "no-signature": text.encode(),
        "no-signature-after-the-empty-line": text.encode() + b"\n",
        "no-empty-line": raw.replace(b"\n\n\xe2", b"\n\xe2").replace(b"\n\n", b"\n"),
        "empty-line-at-the-end": raw + b"\n",
        "no-newline-at-the-end": raw[:-1],
        "carriage-returns": raw.replace(b"\n", b"\r\n"),
        "tab-in-text": raw.replace(b"b\n", b"\tb\n"),
        "nul-in-text": raw.replace(b"b\n", b"b\x00\n"),
        "not-utf-8": raw.replace(b"b\n", b"\xff\n"),
        "surrogate-in-utf-8": raw.replace(b"b\n", b"\xed\xa0\x80\n"),
        "over-long-utf-8": raw.replace(b"b\n", b"\xc1\xa2\n"),
        "hyphen-for-dash": raw.replace("— ".encode(), b"- "),
        "no-space-after-dash": raw.replace("— ".encode(), "—".encode()),
        "two-spaces-before-signature": raw.replace(b"author.example ", b"author.example  "),
        "space-at-the-end": raw[:-1] + b" \n",
        "no-name": raw.replace(b"author.example ", b" "),
        "name-with-plus": raw.replace(b"author.example ", b"author+example "),
        "name-with-no-break-space": raw.replace(b"author.example ", "author\u00a0example ".encode()),
        "name-of-256-bytes": raw.replace(b"author.example ", b"a" * 256 + b" "),
        "no-base64": raw.replace(line.encode(), "— author.example \n".encode()),
        "base64-with-stray-bits": raw[:-3] + bytes([raw[-3] + 1]) + raw[-2:],
        "base64-without-padding": raw.rstrip(b"=\n") + b"\n",
        "base64-of-the-url-alphabet": raw.replace(line.encode(), "— author.example _-__\n".encode()),
        "signature-of-key-id-alone": raw.replace(line.encode(), "— author.example AAAAAA==\n".encode()),
        "text-after-signatures": raw + b"more\n",
        "a-hundred-and-one-signatures": raw + line.encode() * 100,
    }


def _two(text: str, other: Signature) -> bytes:
    return format_note(Note(text, (other, AUTHOR.sign(text))))


def checkpoints() -> Vectors:
    """Checkpoints, opened with the key of `LOG`; hostile ones are signed by it too, so that only the text is wrong."""
    text = format_checkpoint(CHECKPOINT)
    origin, size, root = text.splitlines()
    empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    yield "good/three-entries", sign_checkpoint(CHECKPOINT, [LOG])
    yield "good/no-entry", sign_note(f"{origin}\n0\n{empty}\n", [LOG])
    yield "good/largest-size", sign_note(f"{origin}\n{2**63 - 1}\n{root}\n", [LOG])
    malformed = {
        "extension-line": f"{text}extension\n",
        "empty-extension-line": f"{text}\n",
        "two-lines": f"{origin}\n{size}\n",
        "origin-empty": f"\n{size}\n{root}\n",
        "origin-of-256-bytes": f"{'o' * 256}\n{size}\n{root}\n",
        "size-with-leading-zero": f"{origin}\n03\n{root}\n",
        "size-with-sign": f"{origin}\n+3\n{root}\n",
        "size-negative": f"{origin}\n-3\n{root}\n",
        "size-with-space": f"{origin}\n3 \n{root}\n",
        "size-in-hex": f"{origin}\n0x3\n{root}\n",
        "size-in-arabic-digits": f"{origin}\n٣\n{root}\n",
        "size-empty": f"{origin}\n\n{root}\n",
        "size-of-2-to-the-63": f"{origin}\n{2**63}\n{root}\n",
        "size-of-5000-digits": f"{origin}\n{'9' * 5000}\n{root}\n",
        "root-of-31-bytes": f"{origin}\n{size}\n{root[:40]}AA==\n",
        "root-of-33-bytes": f"{origin}\n{size}\n{root[:43]}A\n",
        "root-empty": f"{origin}\n{size}\n\n",
        "root-in-hex": f"{origin}\n{size}\n{CHECKPOINT.root.hex()}\n",
        "root-with-stray-bits": f"{origin}\n{size}\n{root[:-2]}{chr(ord(root[-2]) + 1)}=\n",
        "no-entry-but-a-root": f"{origin}\n0\n{root}\n",
    }
    for name, content in malformed.items():
        yield f"checkpoint.malformed/{name}", sign_note(content, [LOG])
    yield "checkpoint.origin/of-another-log", sign_note(f"other.example/log\n{size}\n{root}\n", [LOG])
    yield "note.unsigned/signed-by-a-stranger", sign_checkpoint(CHECKPOINT, [STRANGER])
    yield "note.signature/size-changed", sign_checkpoint(CHECKPOINT, [LOG]).replace(b"\n3\n", b"\n4\n")


def cosigned() -> Vectors:
    """Cosigned checkpoints, opened by `POLICY`: the log and two of three witnesses."""
    text = format_checkpoint(CHECKPOINT)
    log = LOG.sign(text)
    first, second, third = (witness.cosign(text, at=1_795_303_283 + n) for n, witness in enumerate(WITNESSES))
    unknown = Cosigner(PrivateKey("witness9.example", KeyType.COSIGNATURE_ED25519, b"9" * 32)).cosign(text, at=1)
    timeless = WITNESSES[1].cosign(text, at=0)
    yield "good/two-of-three", _signed(text, log, first, third)
    yield "good/all-three", _signed(text, third, second, first, log)
    yield "good/one-witness-at-two-times", _signed(text, log, first, second, WITNESSES[0].cosign(text, at=1))
    yield "good/time-zero-and-a-stranger", _signed(text, log, unknown, first, timeless)
    yield "policy.unmet/log-alone", _signed(text, log)
    yield "policy.unmet/one-of-three", _signed(text, log, first)
    yield "policy.unmet/one-twice", _signed(text, log, first, WITNESSES[0].cosign(text, at=1))
    yield "policy.unmet/one-and-a-stranger", _signed(text, log, first, unknown)
    yield "note.unsigned/no-log", _signed(text, first, second, third)
    other = format_checkpoint(Checkpoint(LOG.name, 4, CHECKPOINT.root))
    yield "note.signature/of-another-size", _signed(text, log, first, WITNESSES[1].cosign(other, at=1))
    yield "note.signature/time-changed", _signed(text, log, first, _retimed(second, b"\0" * 8))
    yield "note.signature/time-beyond-2-to-the-63", _signed(text, log, first, _retimed(second, b"\xff" * 8))
    yield (
        "note.signature/time-missing",
        _signed(text, log, first, Signature(second.name, second.key_id, second.value[8:])),
    )
    yield "note.signature/seven-bytes", _signed(text, log, first, Signature(second.name, second.key_id, b"\0" * 7))
    plain = Signer(PrivateKey(second.name, KeyType.ED25519, WITNESSES[1].key.seed)).sign(text)
    as_plain = Signature(second.name, second.key_id, second.value[:8] + plain.value)
    yield "note.signature/plain-signature-passed-off-as-cosignature", _signed(text, log, first, as_plain)


def _signed(text: str, *signatures: Signature) -> bytes:
    return format_note(Note(text, signatures))


def _retimed(signature: Signature, time: bytes) -> Signature:
    return Signature(signature.name, signature.key_id, time + signature.value[8:])


def proofs() -> Vectors:
    """Proof files, checked for `ENTRIES[PROVED]` with the key of `LOG`."""
    checkpoint = sign_checkpoint(CHECKPOINT, [LOG])
    raw = format_proof(LogProof(PROVED, PATH, checkpoint))
    extra = format_proof(LogProof(PROVED, PATH, checkpoint, extra=b"salt"))
    yield "good/plain", raw
    yield "good/with-extra", extra
    yield "good/with-empty-extra", format_proof(LogProof(PROVED, PATH, checkpoint, extra=b""))
    hash_line = raw.split(b"\n")[2] + b"\n"
    malformed = {
        "empty": b"",
        "checkpoint-only": checkpoint,
        "version-2": raw.replace(b"@v1", b"@v2"),
        "no-version": raw.split(b"\n", 1)[1],
        "no-index": raw.replace(b"index 1\n", b""),
        "no-line-after-version": b"c2sp.org/tlog-proof@v1\n\n" + checkpoint,
        "index-with-leading-zero": raw.replace(b"index 1", b"index 01"),
        "index-negative": raw.replace(b"index 1", b"index -1"),
        "index-of-2-to-the-63": raw.replace(b"index 1", b"index 9223372036854775808"),
        "index-without-keyword": raw.replace(b"index 1", b"1"),
        "index-keyword-in-capitals": raw.replace(b"index 1", b"Index 1"),
        "index-after-the-path": raw.replace(b"index 1\n" + hash_line, hash_line + b"index 1\n"),
        "extra-twice": extra.replace(b"extra ", b"extra AAAA\nextra "),
        "extra-after-index": raw.replace(b"index 1\n", b"index 1\nextra AAAA\n"),
        "extra-with-stray-bits": extra.replace(b"c2FsdA==", b"c2FsdB=="),
        "unknown-line": raw.replace(b"index 1\n", b"comment\nindex 1\n"),
        "hash-of-31-bytes": raw.replace(hash_line, b"A" * 42 + b"==\n"),
        "hashes-on-one-line": raw.replace(hash_line, hash_line.replace(b"\n", b"\r")),
        "hash-with-stray-bits": raw.replace(hash_line, hash_line[:42] + bytes([hash_line[42] + 1]) + b"=\n"),
        "hash-not-base64": raw.replace(hash_line, b"*" * 43 + b"=\n"),
        "sixty-four-hashes": raw.replace(hash_line, hash_line * 63),
        "carriage-returns": raw.replace(b"\n", b"\r\n"),
        "no-empty-line": raw.replace(b"\n\n", b"\n", 1).replace(b"\n\n", b"\n", 1),
        "no-checkpoint": raw.partition(b"\n\n")[0] + b"\n\n",
    }
    for name, content in malformed.items():
        yield f"proof.malformed/{name}", content
    yield "proof.invalid/path-swapped", format_proof(LogProof(PROVED, PATH[::-1], checkpoint))
    yield "proof.invalid/path-cut", format_proof(LogProof(PROVED, PATH[:1], checkpoint))
    yield "proof.invalid/path-longer", format_proof(LogProof(PROVED, (*PATH, PATH[0]), checkpoint))
    yield "proof.invalid/another-index", format_proof(LogProof(0, PATH, checkpoint))
    yield "proof.invalid/index-beyond-the-tree", format_proof(LogProof(3, PATH, checkpoint))
    yield "proof.invalid/no-path", format_proof(LogProof(PROVED, (), checkpoint))
    yield (
        "note.unsigned/checkpoint-of-another-log",
        format_proof(LogProof(PROVED, PATH, sign_checkpoint(CHECKPOINT, [STRANGER]))),
    )
    yield "note.signature/checkpoint-changed", raw.replace(b"\n3\n", b"\n4\n")
    yield "note.malformed/checkpoint-cut", raw[:-1]


def policies() -> Vectors:
    """Trust policies."""
    log, w1, w2, w3, *_ = (line + "\n" for line in POLICY.splitlines())
    vkey1 = WITNESSES[0].verifier.vkey
    good = {
        "two-of-three": POLICY,
        "quorum-none": "quorum none\n",
        "one-witness": w1 + "quorum w1\n",
        "comments-tabs-and-blank-lines": f"# 注释\n\n \t \n\t#x\n{w1.replace(' ', chr(9))}  quorum   w1\t\n",
        "logs-after-the-quorum": f"quorum none\n{log}",
        "groups-of-groups": f"{w1}{w2}{w3}group a any w1 w2\ngroup b all a w3\nquorum b\n",
        "urls": log.replace("\n", " https://log.example/\n")
        + w1.replace("\n", " https://w1.example\n")
        + "quorum w1\n",
        "names-that-are-keywords": w1.replace("w1", "any", 1) + "group all all any\nquorum all\n",
        "kelvin-is-not-k": w1.replace("w1", "K", 1)
        + w2.replace("w2", "\u212a", 1)
        + "group g all K \u212a\nquorum g\n",
    }
    for name, text in good.items():
        yield f"good/{name}", text.encode()
    yield "good/name-not-utf-8", w1.replace("w1", "w\udcff", 1).encode("utf-8", "surrogateescape") + b"quorum w\xff\n"
    malformed = {
        "empty": "",
        "no-quorum": log + w1,
        "two-quorums": "quorum none\nquorum none\n",
        "quorum-undefined": "quorum w1\n",
        "quorum-before-its-witness": "quorum w1\n" + w1,
        "quorum-of-two": w1 + w2 + "quorum w1 w2\n",
        "last-line-cut": POLICY[:-1],
        "last-line-cut-after-the-quorum": f"quorum none\n{log}"[:-1],
        "unknown-keyword": "trust none\nquorum none\n",
        "keyword-in-capitals": "Quorum none\n",
        "carriage-returns": POLICY.replace("\n", "\r\n"),
        "delete-character": "# \x7f\nquorum none\n",
        "no-break-space": "quorum\u00a0none\n",
        "log-without-key": "log\nquorum none\n",
        "log-with-two-urls": log.replace("\n", " a b\n") + "quorum none\n",
        "log-twice": log + log + "quorum none\n",
        "log-with-a-witness-key": f"log {vkey1}\nquorum none\n",
        "witness-with-a-log-key": f"witness w {LOG.verifier.vkey}\nquorum w\n",
        "witness-twice": w1 + w1.replace("w1", "w2", 1) + "quorum w1\n",
        "witness-key-under-another-name": w1 + f"witness w2 {_renamed(WITNESSES[0])}\nquorum w1\n",
        "witness-named-none": w1.replace("w1", "none", 1) + "quorum none\n",
        "witness-without-key": "witness w1\nquorum w1\n",
        "key-id-false": w1.replace(vkey1.split("+")[1], "00000000") + "quorum w1\n",
        "name-taken-by-a-witness": w1 + w2.replace("w2", "w1", 1) + "quorum w1\n",
        "group-named-like-a-witness": w1 + "group w1 all w1\nquorum w1\n",
        "group-without-member": w1 + "group g all\nquorum g\n",
        "group-of-itself": w1 + "group g any g w1\nquorum g\n",
        "group-before-its-member": f"group g any w1\n{w1}quorum g\n",
        "group-with-none": w1 + "group g any none w1\nquorum g\n",
        "member-twice-in-a-group": w1 + "group g 1 w1 w1\nquorum g\n",
        "member-of-two-groups": w1 + w2 + "group a any w1\ngroup b any w1 w2\nquorum b\n",
        "threshold-zero": w1 + "group g 0 w1\nquorum g\n",
        "threshold-above-the-members": w1 + w2 + "group g 3 w1 w2\nquorum g\n",
        "threshold-with-leading-zero": w1 + "group g 01 w1\nquorum g\n",
        "threshold-not-a-number": w1 + "group g most w1\nquorum g\n",
    }
    for name, text in malformed.items():
        yield f"policy.malformed/{name}", text.encode()


def _renamed(witness: Cosigner) -> str:
    return Cosigner(PrivateKey("renamed.example", witness.key.type, witness.key.seed)).verifier.vkey


def keys() -> Vectors:
    """Verifier keys."""
    vkey = AUTHOR.verifier.vkey
    name, key_id, material = vkey.split("+", 2)
    yield "good/ed25519", vkey.encode()
    yield "good/cosignature-of-ed25519", WITNESSES[0].verifier.vkey.encode()
    yield "good/name-of-255-bytes", _signer("n" * 255, 1).verifier.vkey.encode()
    malformed = {
        "empty": "",
        "name-only": name,
        "no-name": vkey.removeprefix(name),
        "name-with-space": vkey.replace(name, "a b"),
        "name-changed": vkey.replace(name, "other.example"),
        "key-id-false": vkey.replace(key_id, "00000000"),
        "key-id-in-capitals": vkey.replace(key_id, key_id.upper()),
        "key-id-of-three-bytes": vkey.replace(key_id, key_id[:6]),
        "key-changed": f"{name}+{key_id}+{material[:-1]}{'B' if material.endswith('A') else 'A'}",
        "key-cut": f"{name}+{key_id}+{material[:40]}",
        "key-empty": f"{name}+{key_id}+",
        "type-unknown": f"{name}+{key_id}+Ag{material[2:]}",
        "newline-at-the-end": vkey + "\n",
        "signer-key": AUTHOR.encoded(),
    }
    for wrong, text in malformed.items():
        yield f"key.malformed/{wrong}", text.encode()


def statements() -> Vectors:
    """Statements about the log's own key, opened without trust in any key: what they say of themselves."""
    succession = Succession(1, LOG.verifier, NEXT_LOG.verifier, 3)
    retirement = Retirement(1, LOG.verifier, NEXT_LOG.verifier, 3)
    follows = sign_succession(succession, old=LOG, new=NEXT_LOG)
    text = format_statement(succession)
    ends = sign_retirement(retirement, by=NEXT_LOG)
    yield "good/succession", follows
    yield "good/retirement", ends
    yield "good/of-an-empty-log", sign_succession(replace(succession, size=0), old=LOG, new=NEXT_LOG)
    version, body, _ = text.split("\n")
    old, new = LOG.verifier.vkey, NEXT_LOG.verifier.vkey
    malformed = {
        "version-2": text.replace("/v1", "/v2"),
        "version-of-the-other-kind": text.replace(version, RETIREMENT_VERSION),
        "no-version": f"{body}\n",
        "two-bodies": f"{text}{body}\n",
        "empty-line-behind": f"{text}\n",
        "spaces-in-the-json": text.replace(",", ", "),
        "fields-in-another-order": f'{version}\n{{"old":"{old}","new":"{new}",{body.split(",", 1)[1]}\n',
        "field-missing": text.replace(',"size":3', ""),
        "field-more": text.replace('"size":3', '"size":3,"x":0'),
        "number-zero": text.replace('"number":1', '"number":0'),
        "number-as-text": text.replace('"number":1', '"number":"1"'),
        "number-true": text.replace('"number":1', '"number":true'),
        "size-negative": text.replace('"size":3', '"size":-1'),
        "size-beyond-2-to-the-53": text.replace('"size":3', f'"size":{2**53}'),
        "size-of-5000-digits": text.replace('"size":3', f'"size":{"9" * 2000}'),
        "both-keys-one": text.replace(new, old),
        "key-of-another-log": text.replace(new, STRANGER.verifier.vkey),
        "origin-of-another-log": text.replace('"origin":"log.', '"origin":"lag.'),
        "key-of-a-witness": text.replace(new, WITNESSES[0].verifier.vkey),
        "key-empty": text.replace(new, ""),
    }
    for name, content in malformed.items():
        yield f"log_key.malformed/{name}", sign_note(content, [LOG, NEXT_LOG])
    yield "log_key.malformed/no-note", text.encode()
    yield "log_key.malformed/longer-than-4096-bytes", follows + NEXT_LOG.sign(text).line().encode() * 60
    yield "log_key.false/old-key-alone", sign_note(text, [LOG])
    yield "log_key.false/new-key-alone", sign_note(text, [NEXT_LOG])
    yield "log_key.false/in-the-other-order", sign_note(text, [NEXT_LOG, LOG])
    yield "log_key.false/a-third-signature", sign_note(text, [LOG, NEXT_LOG, STRANGER])
    yield "log_key.false/size-changed", follows.replace(b'"size":3', b'"size":4')
    yield "log_key.false/retired-by-itself", sign_note(format_statement(retirement), [LOG])
    yield "log_key.false/retirement-signed-by-both", sign_note(format_statement(retirement), [LOG, NEXT_LOG])
    yield "log_key.false/retirement-with-another-size", ends.replace(b'"size":3', b'"size":2')


KINDS: dict[str, Callable[[], Vectors]] = {
    "note": notes,
    "checkpoint": checkpoints,
    "cosigned": cosigned,
    "proof": proofs,
    "policy": policies,
    "key": keys,
    "statement": statements,
}


def vectors() -> dict[str, bytes]:
    """Return every vector by its path below `FOLDER`."""
    made = [(f"{kind}/{name}", content) for kind, make in KINDS.items() for name, content in make()]
    assert len(made) == len(dict(made)), "two vectors have one name"
    return dict(made)


def main() -> None:
    """Write the vectors, and remove those that are made no more."""
    wanted = vectors()
    for path in [path for kind in KINDS for path in (FOLDER / kind).rglob("*") if path.is_file()]:
        if path.relative_to(FOLDER).as_posix() not in wanted:
            path.unlink()
    for name, content in wanted.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
