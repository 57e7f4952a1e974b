"""Intact recordings of many makes, small and made in memory, and what a walk through one of them notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.media.continuity.codes import CODES
from ingest.media.continuity.container import note_container
from ingest.media.continuity.meaning import Severity
from ingest.media.continuity.observation import Notebook
from ingest.media.continuity.source import source_of
from tests.support.media import Film, Sound, write

SIZE = (160, 120)
EVEN = tuple(range(0, 2400, 40))
UNEVEN = (0, 40, 90, 120, 210, 240, 330, 345, 400, 480, 500, 620, 700, 733, 800, 850, 960, 1040, 1100, 1200)
X264 = {"preset": "veryfast"}


@dataclass(frozen=True)
class Make:
    """One way to record: container, codec, options of encoder and muxer."""

    container: str
    codec: str = "libx264"
    sound: str | None = "aac"
    options: Mapping[str, str] | None = None
    muxer: Mapping[str, str] | None = None
    times_ms: tuple[int, ...] = EVEN
    keyframe_every: int = 12
    pixel_format: str = "yuv420p"
    suffix: str = ".mp4"

    def write(self, path: Path) -> Path:
        """Record, and return where."""
        film = Film(
            size=SIZE,
            times_ms=self.times_ms,
            codec=self.codec,
            options=self.options,
            keyframe_every=self.keyframe_every,
            pixel_format=self.pixel_format,
        )
        sound = Sound(codec=self.sound, pieces_ms=((0, self.times_ms[-1] + 40),)) if self.sound else None
        dated = {"creation_time": "2026-11-21T08:00:00Z"}
        return write(path, film=film, sound=sound, container=self.container, muxer=self.muxer, tags=dated)


_HEVC = {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"}
_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}

MAKES: Mapping[str, Make] = {
    "mp4": Make("mp4", options={**X264, "bf": "0"}),
    "mp4 with B-pictures": Make("mp4", options={**X264, "bf": "3", "b-pyramid": "normal"}),
    "mp4 with many references": Make("mp4", options={**X264, "refs": "4", "bf": "2"}),
    "mp4 with open groups": Make("mp4", options={**X264, "bf": "3", "x264-params": "open-gop=1"}),
    "mp4 with intra refresh": Make("mp4", options={**X264, "bf": "0", "intra-refresh": "1"}),
    "mp4 with slices": Make("mp4", options={**X264, "slices": "4", "bf": "1"}),
    "mp4 interlaced": Make("mp4", options={**X264, "x264-params": "interlaced=1:bframes=1"}),
    "mp4 baseline": Make("mp4", options={**X264, "profile": "baseline", "weightp": "0"}),
    "mp4 weighted": Make("mp4", options={**X264, "weightp": "2", "bf": "2", "weightb": "1"}),
    "mp4 lossless": Make("mp4", options={"preset": "ultrafast", "qp": "0"}, pixel_format="yuv444p"),
    "mp4 index first": Make("mp4", options=X264, muxer={"movflags": "faststart"}),
    "mp4 in fragments": Make("mp4", options=X264, muxer=_FRAGMENTS),
    "mp4 in fragments, older": Make("mp4", options=X264, muxer={"movflags": "frag_keyframe"}),
    "mp4 variable rate": Make("mp4", options={**X264, "bf": "2"}, times_ms=UNEVEN),
    "mp4 late start": Make("mp4", options=X264, times_ms=tuple(time + 120 for time in EVEN)),
    "mp4 of H.265": Make("mp4", codec="libx265", options=_HEVC),
    "mp4 of H.265, one group": Make("mp4", codec="libx265", options=_HEVC, keyframe_every=250),
    "mp4 of H.265, one group, long": Make(
        "mp4", codec="libx265", options=_HEVC, sound=None, times_ms=tuple(range(0, 12_000, 40)), keyframe_every=400
    ),
    "mp4 silent": Make("mp4", options=X264, sound=None),
    "mov": Make("mov", options=X264, suffix=".mov"),
    "mov with PCM": Make("mov", options=X264, sound="pcm_s16le", suffix=".mov"),
    "mov of MJPEG": Make("mov", codec="mjpeg", pixel_format="yuvj420p", sound="pcm_s16le", suffix=".mov"),
    "mp4 of MPEG-4": Make("mp4", codec="mpeg4"),
    "mkv": Make("matroska", options={**X264, "bf": "2"}, suffix=".mkv"),
    "mkv live": Make("matroska", options=X264, muxer={"live": "1"}, suffix=".mkv"),
    "mkv of H.265": Make("matroska", codec="libx265", options=_HEVC, suffix=".mkv"),
    "avi": Make("avi", options={**X264, "bf": "0"}, sound="pcm_s16le", suffix=".avi"),
    "avi of MPEG-4": Make("avi", codec="mpeg4", sound="mp3", suffix=".avi"),
    "avi of MJPEG": Make("avi", codec="mjpeg", pixel_format="yuvj420p", sound="pcm_s16le", suffix=".avi"),
    "ts": Make("mpegts", options={**X264, "bf": "2"}, suffix=".ts"),
    "ts of H.265": Make("mpegts", codec="libx265", options=_HEVC, suffix=".ts"),
    "m2ts": Make("mpegts", options=X264, muxer={"mpegts_m2ts_mode": "1"}, suffix=".m2ts"),
}


def container_notes(path: Path) -> Notebook:
    """Walk the structure of a file."""
    notebook = Notebook()
    with source_of(path) as source:
        note_container(source, notebook)
    return notebook


def heavy(notebook: Notebook) -> set[str]:
    """Return the codes that weigh high."""
    return notebook.codes(Severity.HIGH)


def telling(notebook: Notebook) -> set[str]:
    """Return the codes that are more than information."""
    return {code for code in notebook.counts if CODES[code].severity is not Severity.INFO}
