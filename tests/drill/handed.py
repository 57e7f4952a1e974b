"""Parts of recordings as victims hold them: an excerpt, a beginning, and a redacted copy on record."""

from __future__ import annotations

import hashlib
from pathlib import Path

from evidence.clips.redaction import read_redaction
from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.receipt import format_receipt
from evidence.export.clip import Exporter
from evidence.export.excerpt import export_excerpt
from evidence.export.order import Order
from evidence.receipts import build_receipt
from evidence.verify.excerpt_statement import Span
from ledger.canonical import JsonObject
from ledger.tree import leaf_hash, root_of
from tests.support.evidence_folder import content_of
from tests.support.small_house import CONTENTS, SmallHouse

BEGUN = content_of(chunks=2)[: 2 * CHUNK_BYTES]
"""What a recorder that never came back had sent; the first chunk and both are on record."""

REST = b"what came after it, and nobody sealed"
COPY = b"a copy with a face that nobody recognises"
_CUT = b"the same seconds to look at"


def begun_root(chunks: int) -> str:
    """Return the root of the beginning's first chunks, as a payload states it."""
    begin = range(0, chunks * CHUNK_BYTES, CHUNK_BYTES)
    return root_of([leaf_hash(BEGUN[start : start + CHUNK_BYTES]) for start in begin]).hex()


async def redact_one(house: SmallHouse) -> None:
    """Put a redacted copy of the first clip on record."""
    name, content = next(iter(CONTENTS.items()))
    changes = read_redaction({"reason": "公开前处理", "mute": [{"from_ms": 0, "to_ms": 900, "why": "身份证号"}]})
    stated: JsonObject = {
        "clip": str(house.clips[name]),
        "redaction": str(house.new_id()),
        "parent": hashlib.sha256(content).hexdigest(),
        "sha256": house.objects.put(COPY),
        "size": len(COPY),
        "media_type": "video/mp4",
        "changes": changes.as_json(),
        "tools": {"ffmpeg": "8.1.2"},
        "made": {"muted": 44_100},
    }
    await house.write("clip.redacted", f"clip:{house.clips[name]}", stated)


async def hand_out_parts(house: SmallHouse, exporter: Exporter, folder: Path) -> None:
    """Write an excerpt of the first clip without its middle chunk, and a beginning with its receipt and more bytes."""
    folder.mkdir()
    cut = house.root / "cut"
    cut.write_bytes(_CUT)
    order = Order(
        asked=Span(1000, 4000),
        shown=Span(0, 4000),
        chunks=((0, 1), (2, 3)),
        cut=cut,
        cut_sha256=hashlib.sha256(_CUT).digest(),
        cut_suffix=".mp4",
    )
    clip = house.clips[next(iter(CONTENTS))]
    await export_excerpt(
        exporter, clip=clip, order=order, target=folder / "excerpt", actor="service", purpose="litigation"
    )
    cut.unlink()
    async with house.pool.acquire() as conn:
        receipt = await build_receipt(conn, house.reader, house.entries["clip.prefix"])
    assert receipt
    begun = folder / "beginning"
    begun.mkdir()
    (begun / "growing.mp4").write_bytes(BEGUN + REST)
    (begun / "growing.mp4.receipt").write_bytes(format_receipt(receipt))
    (begun / "log.policy").write_bytes(exporter.policy.format())
