"""Seeds and mutations for the fuzz of media files: a mutant is named by its number, and the same on every run."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.support.media import Film, Sound, write

FILM = Film(size=(96, 64), options={"preset": "ultrafast", "qp": "30"}, times_ms=range(0, 320, 40), keyframe_every=4)
SOUND = Sound(pieces_ms=((0, 300),))
PCM = replace(SOUND, codec="pcm_s16le", sample_rate=8000)

_NAMES = tuple(
    word.encode()
    for word in (
        *("moov", "mdat", "free", "trak", "mdia", "minf", "stbl", "stsd", "stts", "ctts", "stss", "stsz", "stsc"),
        *("stco", "co64", "edts", "elst", "udta", "meta", "ilst", "moof", "traf", "tfhd", "tfdt", "trun", "sidx"),
        *("uuid", "cmov", "dref", "url ", "hdlr", "vmhd", "avc1", "hvc1", "avcC", "hvcC", "esds", "mp4a", "sowt"),
        *("alaw", "RIFF", "LIST", "hdrl", "movi", "idx1", "strl", "strf", "00dc", "01wb", "JUNK", "GPMF", "gpmd"),
    )
)
_MARKS = (
    b"\x1a\x45\xdf\xa3",
    b"\x18\x53\x80\x67",
    b"\x1f\x43\xb6\x75",
    b"\0\0\1\x67",
    b"\0\0\1\x65",
    b"\xff\xd8\xff\xe0",
)
WORDS = (*_NAMES, *_MARKS)
LENGTHS = (0, 1, 7, 8, 2**31 - 1, 2**31, 2**32 - 1)


def write_seeds(folder: Path) -> None:
    """Write the files that mutants are made of, one per kind of container and codec; a third of a second each."""
    faststart = {"movflags": "+faststart"}
    mpeg4, mjpeg = replace(FILM, codec="mpeg4", options=None), replace(FILM, codec="mjpeg", options=None)
    mjpeg = replace(mjpeg, pixel_format="yuvj420p")
    hevc = replace(FILM, codec="libx265", options={"x265-params": "log-level=none:pools=none:frame-threads=1"})
    turned = replace(FILM, matrix=(0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000))
    write(folder / "a.mp4", film=FILM, sound=SOUND)
    write(folder / "b.mp4", film=turned, sound=SOUND, muxer=faststart, tags={"title": "t"})
    write(folder / "c.fmp4", film=FILM, sound=SOUND, muxer={"movflags": "+frag_keyframe+empty_moov"})
    write(folder / "d.mov", film=FILM, sound=PCM, container="mov")
    write(folder / "e.ts", film=FILM, sound=SOUND, container="mpegts")
    write(folder / "f.avi", film=mpeg4, sound=replace(SOUND, codec="mp2"), container="avi")
    write(folder / "g.mkv", film=FILM, sound=replace(SOUND, codec="flac"), container="matroska")
    write(
        folder / "h.3gp", film=replace(mpeg4, size=(176, 144)), sound=replace(SOUND, sample_rate=8000), container="3gp"
    )
    write(folder / "i.mp4", film=hevc, muxer=faststart)
    write(folder / "j.avi", film=mjpeg, sound=PCM, container="avi")
    write(folder / "k.mjpeg", film=mjpeg, container="mjpeg")
    write(folder / "l.wav", sound=PCM, container="wav")
    write(folder / "m.m4a", sound=SOUND, container="ipod")
    write(folder / "n.mov", sound=replace(PCM, codec="pcm_alaw"), container="mov")


def read_seeds(folder: Path) -> list[bytes]:
    """Return the seeds in the order of their names."""
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def mutant(seeds: Sequence[bytes], batch: int, number: int) -> bytes:
    """Return mutant `number` of a batch: a seed with one to twenty things wrong with it."""
    chance = random.Random(f"{batch}:{number}")
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice([1, 1, 1, 2, 2, 5, 20])):
        if len(data) > 8:
            chance.choice(_MUTATIONS)(data, chance, seeds)
    return bytes(data)


def _place(data: bytearray, chance: random.Random) -> int:
    """Choose a place, most often in the head or the tail, where the structure is."""
    reach = min(chance.choice([64, 512, 4096, len(data)]), len(data))
    at = chance.randrange(reach)
    return len(data) - 1 - at if chance.random() < 0.4 else at


def _boxes(data: bytearray) -> list[tuple[int, int]]:
    """Return place and length of everything that looks like a box, at any depth."""
    found: list[tuple[int, int]] = []
    ends = [(0, len(data))]
    while ends and len(found) < 400:
        at, end = ends.pop()
        while at + 8 <= end:
            (size,) = struct.unpack_from(">I", data, at)
            if not 8 <= size <= end - at or not data[at + 4 : at + 8].strip(b" ").isalnum():
                break
            found.append((at, size))
            ends.append((at + 8, at + size))
            at += size
    return found


def _flip(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _number(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    at, value = _place(data, chance), chance.choice(LENGTHS)
    data[at : at + 4] = value.to_bytes(4, chance.choice(["big", "little"]))


def _length(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    if boxes := _boxes(data):
        at, size = chance.choice(boxes)
        wrong = chance.choice([*LENGTHS, size - 1, size + 1, size * 2, len(data)])
        struct.pack_into(">I", data, at, min(max(wrong, 0), 2**32 - 1))


def _repeat(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    if boxes := _boxes(data):
        at, size = chance.choice(boxes)
        data[at:at] = bytes(data[at : at + size]) * chance.choice([1, 1, 2, 30 if size < 2000 else 1])


def _remove(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    at = _place(data, chance)
    del data[at : at + chance.choice([1, 4, 8, 188, 1000])]


def _insert(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    at = _place(data, chance)
    data[at:at] = chance.randbytes(chance.randrange(1, 64))


def _move(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    at, other, size = _place(data, chance), chance.randrange(len(data)), chance.choice([4, 32, 188, 600])
    data[at : at + size] = data[other : other + size]


def _cut(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    del data[max(_place(data, chance), 16) :]


def _splice(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    other = chance.choice(seeds)
    at, start = _place(data, chance), chance.randrange(len(other))
    data[at : at + chance.choice([0, 100, 2000])] = other[start : start + chance.choice([50, 500, 5000])]


def _word(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    at = _place(data, chance)
    if (boxes := _boxes(data)) and chance.random() < 0.7:
        at = chance.choice(boxes)[0] + 4
    word = chance.choice(WORDS)
    data[at : at + len(word)] = word


def _noise(data: bytearray, chance: random.Random, _seeds: Sequence[bytes]) -> None:
    at = _place(data, chance)
    data[at : at + 8] = chance.randbytes(8)


_MUTATIONS: tuple[Callable[[bytearray, random.Random, Sequence[bytes]], None], ...] = (
    *(_flip, _number, _length, _length, _repeat, _remove, _insert, _move, _cut, _splice, _word, _noise),
)
