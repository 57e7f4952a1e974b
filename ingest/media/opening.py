"""The one way a foreign file is opened: by descriptor, in formats that cameras write, with nothing else in reach.

FFmpeg knows formats that are lists of other files (HLS, DASH, concat, image patterns, SDP) and protocols that go out
to the network. A file from a recorder must never make the service read another file or call a host, so:

- only the demuxers in `DEMUXERS` may look at it; none of them needs a second file;
- the only protocol is `fd`, an open descriptor: the name of the file is not known here, no other file can be named,
  and no socket can be opened;
- external references inside MP4 (`dref`) stay shut.

Tags are read with surrogate escapes, since old phones write other encodings than UTF-8 (see `ingest.media.tags`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer

from ledger.canonical import JsonValue

STILL_DEMUXERS = frozenset(("bmp_pipe", "jpeg_pipe", "jpegxl_pipe", "png_pipe", "tiff_pipe", "webp_pipe"))

_FILM_DEMUXERS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2"),  # MP4 and its kin: one demuxer with six names
    *("asf", "avi", "dhav", "dv", "flv", "ivf", "matroska", "mpeg", "mpegts", "mxf", "ogg", "rm", "webm"),
    *("apng", "gif", "h263", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu", "vvc"),  # bare pictures
)
_SOUND_DEMUXERS = ("aac", "ac3", "aiff", "amr", "amrnb", "amrwb", "au", "caf", "eac3", "flac", "mp3", "w64", "wav")
DEMUXERS = STILL_DEMUXERS.union(_FILM_DEMUXERS, _SOUND_DEMUXERS)

PIXELS_MAX = 256 * 1024 * 1024
"""Largest picture a decoder may be asked for: phones make stills of 200 megapixels."""


@contextmanager
def opened(source: Path) -> Iterator[InputContainer]:
    """Open a file for reading and close it again.

    Raises:
        OSError: The file cannot be opened.
        av.error.FFmpegError: It is in no format of the list, or broken beyond opening.
    """
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with av.open(
            "fd:",
            container_options={
                "fd": str(descriptor),
                "protocol_whitelist": "fd",
                "format_whitelist": ",".join(sorted(DEMUXERS)),
                "enable_drefs": "0",
            },
            options=decoder_options(),
            metadata_errors="surrogateescape",
        ) as container:
            yield container
    finally:
        os.close(descriptor)


def decoder_options() -> dict[str, str]:
    """Return the options every decoder is opened with."""
    return {"max_pixels": str(PIXELS_MAX)}


def tools() -> dict[str, JsonValue]:
    """Return the versions of the libraries that decode and encode here."""
    libraries = {name: ".".join(map(str, version)) for name, version in sorted(av.library_versions.items())}
    return {"pyav": av.__version__, "ffmpeg": av.ffmpeg_version_info, **libraries}
