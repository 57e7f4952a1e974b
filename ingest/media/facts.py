"""What a file says about itself, as plain values: the input of every decision and the `probe` part of `clip.derived`.

Whole numbers and text only, since the facts go into canonical JSON: durations and positions in milliseconds, rates as
`"30000/1001"`, colours as code points of ITU-T H.273 (2 = not stated). What the file states and what was found by
decoding one picture are both here; a fact that is not known is null, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ingest.media.geometry import Size, Turn
from ingest.media.tags import Tags
from ledger.canonical import INTEGER_MAX, JsonObject, JsonValue

# ITU-T H.273 table 3: perceptual quantiser (HDR10) and hybrid log-gamma.
HIGH_DYNAMIC_RANGE_TRANSFERS = frozenset({16, 18})
UNSTATED = 2


@dataclass(frozen=True, slots=True)
class Colours:
    """Code points of ITU-T H.273; `full_range` is whether luma uses 0..255 and not 16..235."""

    primaries: int = UNSTATED
    transfer: int = UNSTATED
    matrix: int = UNSTATED
    full_range: bool = False

    @property
    def high_dynamic_range(self) -> bool:
        """Whether the picture must be tone-mapped for an ordinary display."""
        return self.transfer in HIGH_DYNAMIC_RANGE_TRANSFERS

    def as_json(self) -> JsonObject:
        """Return the code points by name."""
        return {
            "primaries": self.primaries,
            "transfer": self.transfer,
            "matrix": self.matrix,
            "full_range": self.full_range,
        }


@dataclass(frozen=True, slots=True)
class PictureTrack:
    """One track of pictures.

    Attributes:
        index: Number of the track in the file.
        codec: FFmpeg's name of the codec, for example `h264`.
        profile: Codec profile in the words of FFmpeg, if any.
        size: Stored size, before turning.
        pixel_format: FFmpeg's name, for example `yuv420p10le`.
        pixel_aspect: Width to height of a stored pixel, if stated.
        frame_rate: Average pictures per second, if known.
        frames: Number of pictures the container states, 0 if it does not.
        duration_ms: Length the track states.
        start_ms: Time of the first picture.
        keyframe_gap_ms: Longest time without a key frame according to the container's index; None without an index.
        trimmed: Whether an edit list hides pictures.
        interlaced: Whether the first decoded picture is interlaced.
        turn: How the picture must be turned to stand upright.
        colours: As decoded, else as stated.
        cover: Whether this is a picture attached to something else (cover art).
        still: Whether it is one photograph and not a film.
        tile: Whether this is a part of a larger still (HEIF tiles).
        decoded: Whether at least one picture could be decoded while probing.
    """

    index: int
    codec: str
    size: Size
    profile: str | None = None
    pixel_format: str | None = None
    pixel_aspect: Fraction | None = None
    frame_rate: Fraction | None = None
    frames: int = 0
    duration_ms: int | None = None
    start_ms: int | None = None
    bits_per_second: int | None = None
    keyframe_gap_ms: int | None = None
    trimmed: bool = False
    interlaced: bool = False
    turn: Turn = Turn.NONE
    colours: Colours = Colours()
    cover: bool = False
    still: bool = False
    tile: bool = False
    default: bool = False
    decoded: bool = True
    language: str | None = None
    tags: Tags = field(default_factory=lambda: Tags({}, 0))

    def as_json(self) -> JsonObject:
        """Return the facts under stable names."""
        return {
            "index": self.index,
            "codec": self.codec,
            "profile": self.profile,
            "width": self.size.width,
            "height": self.size.height,
            "pixel_format": self.pixel_format,
            "pixel_aspect": _ratio(self.pixel_aspect),
            "frame_rate": _ratio(self.frame_rate),
            "frames": self.frames,
            "duration_ms": self.duration_ms,
            "start_ms": self.start_ms,
            "bits_per_second": self.bits_per_second,
            "keyframe_gap_ms": self.keyframe_gap_ms,
            "trimmed": self.trimmed,
            "interlaced": self.interlaced,
            "turn_degrees": self.turn.degrees,
            "mirrored": self.turn.mirrored,
            "colours": self.colours.as_json(),
            "cover": self.cover,
            "still": self.still,
            "decoded": self.decoded,
            "language": self.language,
            "tags": self.tags.as_json(),
        }


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """One track of sound; rates in samples per second, `layout` in the words of FFmpeg."""

    index: int
    codec: str
    sample_rate: int
    channels: int
    profile: str | None = None
    layout: str | None = None
    sample_format: str | None = None
    duration_ms: int | None = None
    start_ms: int | None = None
    bits_per_second: int | None = None
    default: bool = False
    decodable: bool = True
    language: str | None = None
    tags: Tags = field(default_factory=lambda: Tags({}, 0))

    def as_json(self) -> JsonObject:
        """Return the facts under stable names."""
        return {
            "index": self.index,
            "codec": self.codec,
            "profile": self.profile,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "layout": self.layout,
            "sample_format": self.sample_format,
            "duration_ms": self.duration_ms,
            "start_ms": self.start_ms,
            "bits_per_second": self.bits_per_second,
            "decodable": self.decodable,
            "language": self.language,
            "tags": self.tags.as_json(),
        }


@dataclass(frozen=True, slots=True)
class OtherTrack:
    """A track that is neither picture nor sound: subtitles, timecode, telemetry."""

    index: int
    kind: str
    tags: Tags

    def as_json(self) -> JsonObject:
        """Return the facts under stable names."""
        return {"index": self.index, "kind": self.kind, "tags": self.tags.as_json()}


@dataclass(frozen=True, slots=True)
class Container:
    """What encloses the tracks.

    Attributes:
        names: FFmpeg's names of the format, comma-separated, for example `mov,mp4,m4a,3gp,3g2,mj2`.
        size: Bytes of the file.
        missing_bytes: How many bytes the file is shorter than its own boxes or index say; 0 if nothing is missing.
        index_first: Whether playback can start before the end has arrived (`moov` before `mdat`).
        fragmented: Whether the index is spread over the file (`moof`).
    """

    names: str
    size: int
    duration_ms: int | None = None
    bits_per_second: int | None = None
    created_at: str | None = None
    missing_bytes: int = 0
    index_first: bool = False
    fragmented: bool = False
    tags: Tags = field(default_factory=lambda: Tags({}, 0))

    @property
    def iso(self) -> bool:
        """Whether it is of the MP4 and QuickTime family (ISO/IEC 14496-12)."""
        return "mp4" in self.names.split(",")

    def as_json(self) -> JsonObject:
        """Return the facts under stable names."""
        return {
            "format": self.names,
            "size": self.size,
            "duration_ms": self.duration_ms,
            "bits_per_second": self.bits_per_second,
            "created_at": self.created_at,
            "missing_bytes": self.missing_bytes,
            "index_first": self.index_first,
            "fragmented": self.fragmented,
            "tags": self.tags.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Probe:
    """Everything known about a file before it is decoded as a whole."""

    container: Container
    pictures: tuple[PictureTrack, ...] = ()
    sounds: tuple[SoundTrack, ...] = ()
    others: tuple[OtherTrack, ...] = ()
    tracks_omitted: int = 0

    def as_json(self) -> dict[str, JsonValue]:
        """Return the facts as a JSON object without floats."""
        return {
            "container": self.container.as_json(),
            "pictures": [track.as_json() for track in self.pictures],
            "sounds": [track.as_json() for track in self.sounds],
            "others": [track.as_json() for track in self.others],
            "tracks_omitted": self.tracks_omitted,
        }


@dataclass(slots=True)
class Damage:
    """What went wrong while a file was decoded; counts only, so that damage is stated and never judged here.

    Attributes:
        read_errors: Times the container could not be read on.
        corrupt_packets: Packets that the container itself marks as damaged or cut.
        picture_errors: Pieces of a picture track the decoder refused.
        sound_errors: Pieces of a sound track the decoder refused.
        corrupt_pictures: Pictures the decoder delivered but marked as damaged.
        time_repairs: Times of pictures or sound that ran backwards or were missing and had to be set.
        time_breaks: Jumps of the clock that could not be true and were closed.
    """

    read_errors: int = 0
    corrupt_packets: int = 0
    picture_errors: int = 0
    sound_errors: int = 0
    corrupt_pictures: int = 0
    time_repairs: int = 0
    time_breaks: int = 0

    @property
    def any(self) -> bool:
        """Whether bytes were lost or refused (a repaired time alone does not count)."""
        lost = (self.read_errors, self.corrupt_packets, self.picture_errors, self.sound_errors, self.corrupt_pictures)
        return any(lost)

    def as_json(self) -> Mapping[str, int]:
        """Return the counts by name."""
        return {
            "read_errors": self.read_errors,
            "corrupt_packets": self.corrupt_packets,
            "picture_errors": self.picture_errors,
            "sound_errors": self.sound_errors,
            "corrupt_pictures": self.corrupt_pictures,
            "time_repairs": self.time_repairs,
            "time_breaks": self.time_breaks,
        }


def milliseconds(ticks: int | None, unit: Fraction | None) -> int | None:
    """Return `ticks` of `unit` seconds in milliseconds, rounded; None where either is not known."""
    return None if ticks is None or unit is None else whole(round(ticks * unit * 1000))


def whole(value: int | None) -> int | None:
    """Return a number that a file stated, or None if it is too large to be meant (and for canonical JSON)."""
    return None if value is None or abs(value) > INTEGER_MAX else value


def _ratio(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"
