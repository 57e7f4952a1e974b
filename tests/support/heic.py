"""Photographs as telephones write them (HEIF, ISO/IEC 23008-12), made box by box: no muxer at hand writes them.

`heic` holds one H.265 picture; with `tiles` the picture is a grid of that many equal ones, side by side.
"""

from __future__ import annotations

import struct

import av
import numpy as np

from tests.support.media import Plane

_CONFIGURATION = bytes.fromhex("01 01 60000000 900000000000 1e f000 fc fd f8 f8 0000 0f")
"""Main profile, 4:2:0, 8 bits; NAL unit lengths of four bytes. The arrays of parameter sets follow."""
_PARAMETER_SETS = (32, 33, 34)


def heic(picture: Plane, *, tiles: int = 1) -> bytes:
    """Return a HEIC file of an RGB picture whose sides are even; each tile holds all of it."""
    height, width = picture.shape[:2]
    configuration, coded = _coded(picture)
    items = [(1 + number, b"hvc1") for number in range(tiles)]
    grid = [(tiles + 1, b"grid")] if tiles > 1 else []
    layout = struct.pack(">BBBBHH", 0, 0, 0, tiles - 1, width * tiles, height)
    payloads = [coded] * tiles + [layout] * len(grid)
    primary = tiles + 1 if grid else 1

    def meta(media_at: int) -> bytes:
        entries, at = b"", media_at
        for (item, _), payload in zip(items + grid, payloads, strict=True):
            entries += struct.pack(">HHHII", item, 0, 1, at, len(payload))
            at += len(payload)
        names = b"".join(_full(b"infe", struct.pack(">HH4sx", item, 0, kind), version=2) for item, kind in items + grid)
        sizes = [_full(b"ispe", struct.pack(">II", width, height))]
        sizes += [_full(b"ispe", struct.pack(">II", width * tiles, height))] if grid else []
        properties = _box(b"ipco", _box(b"hvcC", configuration) + b"".join(sizes))
        holds = b"".join(struct.pack(">HBBB", item, 2, 0x81, 2) for item, _ in items)
        holds += b"".join(struct.pack(">HBB", item, 1, 3) for item, _ in grid)
        belongs = _full(b"ipma", struct.pack(">I", len(items + grid)) + holds)
        made_of = struct.pack(">HH", tiles + 1, tiles) + b"".join(struct.pack(">H", item) for item, _ in items)
        return _full(
            b"meta",
            _full(b"hdlr", struct.pack(">I4s12xx", 0, b"pict"))
            + _full(b"pitm", struct.pack(">H", primary))
            + _full(b"iloc", struct.pack(">BBH", 0x44, 0, len(payloads)) + entries)
            + _full(b"iinf", struct.pack(">H", len(payloads)) + names)
            + (_full(b"iref", _box(b"dimg", made_of)) if grid else b"")
            + _box(b"iprp", properties + belongs),
        )

    head = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", b"".join(payloads))


def _coded(picture: Plane) -> tuple[bytes, bytes]:
    """Return the decoder configuration of one full picture, and the picture as units with their lengths before them."""
    height, width = picture.shape[:2]
    encoder = av.CodecContext.create("libx265", "w")
    assert isinstance(encoder, av.video.codeccontext.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = 1  # type: ignore[assignment]
    encoder.options = {"x265-params": "log-level=none:info=0:keyint=1:crf=10"}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(format="yuv420p")
    frame.pts = 0
    stream = b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
    units = [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1") if unit.rstrip(b"\0")]
    sets = [unit for unit in units if unit[0] >> 1 in _PARAMETER_SETS]
    arrays = b"".join(struct.pack(">BHH", 0x80 | unit[0] >> 1, 1, len(unit)) + unit for unit in sets)
    shown = [unit for unit in units if unit not in sets]
    return (
        _CONFIGURATION + bytes([len(sets)]) + arrays,
        b"".join(struct.pack(">I", len(unit)) + unit for unit in shown),
    )


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def _full(kind: bytes, payload: bytes, *, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + payload)
