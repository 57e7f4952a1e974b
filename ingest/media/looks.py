"""From a decoded picture to one that any display shows rightly: upright, square pixels, ordinary range and colours.

One filter graph does it: deinterlace where needed, scale (and map high dynamic range to BT.709), turn, pad if the
picture changed its shape on the way. The graph is built from the pictures that really come, not from the header, and
built anew when they change: some recorders switch resolution within a file.

A graph is used and not `VideoFrame.reformat()`, whose memory grows in PyAV 18.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from ingest.media.facts import HIGH_DYNAMIC_RANGE_TRANSFERS, UNSTATED
from ingest.media.geometry import Size, Turn, review_size, within

# Where a file does not state its colour matrix, players take BT.601 for small pictures and BT.709 for large ones.
_SMALL_LINES_MAX = 576
_BT709, _BT601, _STUDIO_RANGE, _FULL_RANGE = 1, 5, 1, 2

TURN_FILTERS: dict[Turn, tuple[tuple[str, str], ...]] = {
    Turn.NONE: (),
    Turn.CLOCKWISE: (("transpose", "clock"),),
    Turn.HALF: (("hflip", ""), ("vflip", "")),
    Turn.COUNTER_CLOCKWISE: (("transpose", "cclock"),),
    Turn.MIRROR: (("hflip", ""),),
    Turn.CLOCKWISE_MIRROR: (("transpose", "cclock_flip"),),
    Turn.HALF_MIRROR: (("vflip", ""),),
    Turn.COUNTER_CLOCKWISE_MIRROR: (("transpose", "clock_flip"),),
}


class Look(Enum):
    """What the pictures are for: the value is (matrix, range) in the words of FFmpeg's scaler."""

    FILM = ("bt709", "tv")
    PHOTOGRAPH = ("bt601", "pc")  # what JFIF prescribes
    UNMAPPED = ("", "")  # `rgb48le`, whatever the range of brightness: for `tones`


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a graph was built for."""

    size: Size
    pixel_format: str
    matrix: int
    colour_range: int
    high_dynamic_range: bool


class Dressing:
    """Turns decoded pictures into review pictures of one size, `yuv420p`, keeping their times.

    Args:
        target: Size of the review pictures.
        pixel_aspect: Width to height of a stored pixel, if stated.
        turn: How the pictures must be turned; the track's, once for all. To ask each picture for its side data would
            tie a knot between the two Python objects that only the garbage collector undoes, a hundred pictures later:
            gigabytes, at 4K.
        unit: Seconds per tick of the pictures' times.
        deinterlace: Whether to deinterlace those pictures that say they are interlaced.
        look: What the pictures are for.
        threads: Filter threads.
    """

    def __init__(
        self,
        *,
        target: Size,
        pixel_aspect: Fraction | None,
        turn: Turn,
        unit: Fraction,
        deinterlace: bool = False,
        look: Look = Look.FILM,
        threads: int = 1,
    ) -> None:
        self._target, self._pixel_aspect, self._turn, self._unit = target, pixel_aspect, turn, unit
        self._deinterlace, self._look, self._threads = deinterlace, look, threads
        self._shape: _Shape | None = None
        self._graph: Graph | None = None

    def dress(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Yield the review pictures that are ready after one more picture; its `pts` counts in units.

        Raises:
            FFmpegError: The picture is of a kind that cannot be converted.
        """
        state_colours(frame)
        shape = _shape_of(frame)
        if self._graph is None or shape != self._shape:
            yield from self.rest()
            self._graph, self._shape = self._build(shape), shape
        self._graph.push(frame)
        yield from self._pull(self._graph)

    def rest(self) -> Iterator[VideoFrame]:
        """Yield what the graph still holds and let it go."""
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.push(None)
            yield from self._pull(graph)

    def _pull(self, graph: Graph) -> Iterator[VideoFrame]:
        while True:
            try:
                frame = graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            # Deinterlacing doubles the ticks per second.
            if frame.pts is not None and frame.time_base is not None and frame.time_base != self._unit:
                frame.pts = round(frame.pts * frame.time_base / self._unit)
            frame.time_base = self._unit
            yield frame

    def _build(self, shape: _Shape) -> Graph:
        graph = Graph()
        graph.threads = self._threads
        nodes = [graph.add(name, arguments) for name, arguments in self._filters(shape)]
        graph.link_nodes(*nodes).configure()
        return graph

    def _filters(self, shape: _Shape) -> Iterator[tuple[str, str]]:
        picture = f"video_size={shape.size.width}x{shape.size.height}:pix_fmt={shape.pixel_format}:pixel_aspect=1/1"
        colours = f"colorspace={shape.matrix}:range={shape.colour_range}"
        yield "buffer", f"{picture}:{colours}:time_base={self._unit}"
        if self._deinterlace:
            yield "bwdif", "mode=send_frame:deint=interlaced"
        fitted = within(review_size(shape.size, pixel_aspect=self._pixel_aspect, turn=self._turn), self._target)
        lying = Size(fitted.height, fitted.width) if self._turn.swaps_sides else fitted
        if self._look is Look.UNMAPPED:
            yield "scale", f"w={lying.width}:h={lying.height}:flags=bicubic"
            yield "format", "rgb48le"
            yield from TURN_FILTERS[self._turn]
            yield "buffersink", ""
            return
        matrix, colour_range = self._look.value
        tones = ":out_transfer=bt709:out_primaries=bt709:intent=perceptual" if shape.high_dynamic_range else ""
        yield (
            "scale",
            f"w={lying.width}:h={lying.height}:flags=bicubic:out_color_matrix={matrix}:out_range={colour_range}{tones}",
        )
        yield from TURN_FILTERS[self._turn]
        yield "format", "yuv420p"
        if fitted != self._target:
            yield "pad", f"w={self._target.width}:h={self._target.height}:x=-1:y=-1"
        yield "setsar", "1"
        yield "sidedata", "mode=delete"  # else the display matrix would turn the picture a second time
        yield "buffersink", ""


def _shape_of(frame: VideoFrame) -> _Shape:
    return _Shape(
        size=Size(frame.width, frame.height),
        pixel_format=frame.format.name,
        matrix=frame.colorspace,
        colour_range=frame.color_range,
        high_dynamic_range=frame.color_trc in HIGH_DYNAMIC_RANGE_TRANSFERS,
    )


def state_colours(frame: VideoFrame) -> None:
    """Write the customary values where the file states none, so that the scaler does not have to guess."""
    if frame.format.is_rgb:
        return
    if frame.colorspace == UNSTATED:
        frame.colorspace = _BT601 if frame.height <= _SMALL_LINES_MAX else _BT709
    if frame.color_range not in (_STUDIO_RANGE, _FULL_RANGE):
        frame.color_range = _FULL_RANGE if frame.format.name.startswith("yuvj") else _STUDIO_RANGE
