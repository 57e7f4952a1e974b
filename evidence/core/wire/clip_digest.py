"""The five fields that state a clip's digests, spelled alike in manifests, ledger payloads and receipts.

A payload may state a sixth, `sm3`; manifests do not.
"""

from __future__ import annotations

from collections.abc import Mapping

from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.core.wire.fields import check_integer, take_digest, take_integer
from evidence.errors import WireMalformed
from ledger.canonical import JsonObject, JsonValue

DIGEST_NAMES = frozenset({"size", "chunk_size", "chunks", "root", "sha256"})

_HASH_BYTES = 32


def digest_body(digest: ClipDigest) -> JsonObject:
    """Write the digest fields; sizes in bytes, digests as lower-case hex."""
    return {
        "size": digest.size,
        "chunk_size": digest.chunk_bytes,
        "chunks": digest.chunks,
        "root": digest.root.hex(),
        "sha256": digest.sha256.hex(),
    }


def take_clip_digest(body: Mapping[str, JsonValue]) -> ClipDigest:
    """Read the digest fields out of an object that may have others.

    Raises:
        WireMalformed: A field is missing or mistyped, or the numbers contradict each other.
        WireLimit: The size is not positive or beyond what JSON holds.
    """
    if missing := sorted(DIGEST_NAMES - body.keys()):
        raise WireMalformed(f"the digest lacks {missing[0]!r}")
    digest = ClipDigest(
        size=take_integer(body["size"], where="size"),
        chunk_bytes=take_integer(body["chunk_size"], where="chunk_size"),
        chunks=take_integer(body["chunks"], where="chunks"),
        root=take_digest(body["root"], where="root"),
        sha256=take_digest(body["sha256"], where="sha256"),
        sm3=None if body.get("sm3") is None else take_digest(body["sm3"], where="sm3"),
    )
    check_digest(digest)
    return digest


def check_digest(digest: ClipDigest) -> None:
    """Refuse a digest that no file can have.

    Raises:
        WireMalformed: Another chunk size than this version's, a wrong chunk count, a hash of another length.
        WireLimit: The size is not positive or beyond what JSON holds.
    """
    check_integer(digest.size, where="size", low=1)
    if digest.chunk_bytes != CHUNK_BYTES:
        raise WireMalformed(f"chunk_size is {digest.chunk_bytes}, this version has {CHUNK_BYTES}")
    if digest.chunks != -(-digest.size // CHUNK_BYTES):
        raise WireMalformed(f"{digest.size} bytes do not make {digest.chunks} chunks")
    if len(digest.root) != _HASH_BYTES or len(digest.sha256) != _HASH_BYTES:
        raise WireMalformed(f"a digest has {_HASH_BYTES} bytes")
