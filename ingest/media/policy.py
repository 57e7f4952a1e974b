"""What is done with a file so that it can be reviewed in any browser: a pure decision over `ingest.media.facts`.

| action | picture | sound | made when |
|---|---|---|---|
| keep | as it is | as it is | the file already is a review copy; the copy has the original's bytes and digest |
| remux | copied | copied | the tracks are fit, the container is not (index last, more tracks than one of a kind) |
| audio-only | copied, if there is one | encoded | only the sound is not fit: PCM and G.711 are common in recorders |
| full | encoded | encoded | anything else |
| still | one JPEG | - | the file is one photograph |
| none | - | - | nothing to look at or listen to; `refusal` says why |

Fit means: H.264, 8 bit, 4:2:0, progressive, upright, square pixels, standard dynamic range, at most 1280x720, key
frames at most two seconds apart, at most 6 Mbit/s; AAC with one or two channels; in an MP4 with one whole index.
Every rule that fails is named in `why`, so that the reason for a transcode can be read beside its result.

What is copied is still decoded once to see that it can be: if it cannot, the decision falls back to `full`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction

from ingest.media.errors import MediaError, NoTracks, TiledStill
from ingest.media.facts import Container, PictureTrack, Probe, SoundTrack
from ingest.media.geometry import Turn, review_size

KEYFRAME_GAP_MS_MAX = 2000
PICTURE_BITS_PER_SECOND_MAX = 6_000_000
SOUND_CHANNELS_MAX = 2
# Baseline without "Constrained" may use slice groups, which no browser decodes.
H264_PROFILES = frozenset(("Constrained Baseline", "Main", "High"))
AAC_PROFILES = frozenset(("LC", "HE-AAC", "HE-AACv2"))
AAC_SAMPLE_RATES = frozenset((8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000))
FRAGMENTS_APART_MAX = Fraction(1, 10)
_QUICKTIME_BRAND = "qt  "


class Action(Enum):
    """What is done with the file; see the module's table."""

    KEEP = "keep"
    REMUX = "remux"
    AUDIO_ONLY = "audio-only"
    FULL = "full"
    STILL = "still"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Decision:
    """The action, the tracks it is about, and the names of the rules that kept it from being less work.

    Attributes:
        action: See `Action`.
        picture: Chosen picture track, None for sound alone.
        sound: Chosen sound track, None for silent footage.
        why: Names of failed rules, `picture.`, `sound.` and `container.` in front.
        refusal: With `NONE`: the error that says why there is nothing to review.
    """

    action: Action
    picture: PictureTrack | None = None
    sound: SoundTrack | None = None
    why: tuple[str, ...] = ()
    refusal: type[MediaError] | None = None

    @property
    def copies_picture(self) -> bool:
        """Whether the picture's packets go into the review copy as they are."""
        return self.picture is not None and self.action in (Action.KEEP, Action.REMUX, Action.AUDIO_ONLY)

    @property
    def copies_sound(self) -> bool:
        """Whether the sound's packets go into the review copy as they are."""
        return self.sound is not None and self.action in (Action.KEEP, Action.REMUX)

    @property
    def copies(self) -> bool:
        """Whether anything is copied that decoding might show to be unfit."""
        return self.copies_picture or self.copies_sound


_PICTURE_RULES: tuple[tuple[str, Callable[[PictureTrack], bool]], ...] = (
    ("codec", lambda track: track.codec == "h264" and track.profile in H264_PROFILES),
    ("pixel_format", lambda track: track.pixel_format == "yuv420p" and not track.colours.full_range),
    ("dynamic_range", lambda track: not track.colours.high_dynamic_range),
    ("turn", lambda track: track.turn is Turn.NONE),
    ("interlaced", lambda track: not track.interlaced),
    ("size", lambda track: review_size(track.size, pixel_aspect=track.pixel_aspect, turn=Turn.NONE) == track.size),
    ("keyframes", lambda track: track.keyframe_gap_ms is not None and track.keyframe_gap_ms <= KEYFRAME_GAP_MS_MAX),
    (
        "bit_rate",
        lambda track: track.bits_per_second is not None and track.bits_per_second <= PICTURE_BITS_PER_SECOND_MAX,
    ),
    ("trimmed", lambda track: not track.trimmed),
    ("undecoded", lambda track: track.decoded),
)
_SOUND_RULES: tuple[tuple[str, Callable[[SoundTrack], bool]], ...] = (
    ("codec", lambda track: track.codec == "aac" and track.profile in AAC_PROFILES),
    ("channels", lambda track: track.channels <= SOUND_CHANNELS_MAX),
    ("sample_rate", lambda track: track.sample_rate in AAC_SAMPLE_RATES),
)
_COPY_RULES: tuple[tuple[str, Callable[[Container], bool]], ...] = (
    ("format", lambda container: container.iso),
    ("fragmented", lambda container: not container.fragmented),
    ("missing_bytes", lambda container: container.missing_bytes == 0),
)
_KEEP_RULES: tuple[tuple[str, Callable[[Probe], bool]], ...] = (
    ("index_last", lambda probe: probe.container.index_first),
    ("brand", lambda probe: probe.container.tags.kept.get("major_brand") != _QUICKTIME_BRAND),
    ("tracks", lambda probe: len(probe.pictures) <= 1 and len(probe.sounds) <= 1 and not probe.tracks_omitted),
)


def decide(probe: Probe) -> Decision:
    """Return what to do with a file of which these facts are known."""
    picture, sound = choose_picture(probe), choose_sound(probe)
    if picture is not None and picture.still:
        return Decision(Action.STILL, picture=picture)
    if picture is None and sound is None:
        tiles = any(track.tile for track in probe.pictures)
        return Decision(Action.NONE, refusal=TiledStill if tiles else NoTracks)
    container = _failed("container", _COPY_RULES, probe.container)
    picture_why = () if picture is None else _failed("picture", _PICTURE_RULES, picture)
    sound_why = () if sound is None else _failed("sound", _SOUND_RULES, sound)
    why = container + picture_why + sound_why
    if picture is not None and (container or picture_why):
        return Decision(Action.FULL, picture, sound, why)
    if sound is not None and (container or sound_why):
        return Decision(Action.AUDIO_ONLY, picture, sound, why)
    why = _failed("container", _KEEP_RULES, probe)
    return Decision(Action.REMUX if why else Action.KEEP, picture, sound, why)


def fragments_fit(decision: Decision, starts: tuple[Fraction | None, Fraction | None]) -> bool:
    """Tell whether a review copy can be written in fragments: all its tracks have to begin together.

    Sound that is encoded always begins with the picture, filled with silence; what is copied, and pictures, begin when
    they do. `starts` are the seconds at which picture and sound begin in the original.
    """
    picture, sound = starts
    if decision.picture is None or decision.sound is None or picture is None or sound is None:
        return True
    late = picture - sound if not decision.copies_sound else abs(picture - sound)
    return late <= FRAGMENTS_APART_MAX


def without_copies(decision: Decision) -> Decision:
    """Return the fallback for a file whose tracks looked fit for copying but did not decode cleanly."""
    action = Action.AUDIO_ONLY if decision.picture is None else Action.FULL
    return replace(decision, action=action, why=(*decision.why, "decoding.damaged"))


def choose_picture(probe: Probe) -> PictureTrack | None:
    """Return the picture track to review: one that decodes, then the largest, then the default, then the first."""
    usable = [
        track
        for track in probe.pictures
        if not track.cover and not track.tile and track.size.width > 0 and track.size.height > 0
    ]
    return max(
        usable,
        key=lambda track: (track.decoded, track.size.width * track.size.height, track.default, -track.index),
        default=None,
    )


def choose_sound(probe: Probe) -> SoundTrack | None:
    """Return the sound track to review: the default, then the highest sample rate, most channels, the first."""
    usable = [track for track in probe.sounds if track.decodable and track.sample_rate > 0 and track.channels > 0]
    return max(usable, key=lambda track: (track.default, track.sample_rate, track.channels, -track.index), default=None)


_Facts = PictureTrack | SoundTrack | Container | Probe


def _failed(about: str, rules: tuple[tuple[str, Callable[..., bool]], ...], facts: _Facts) -> tuple[str, ...]:
    return tuple(f"{about}.{name}" for name, holds in rules if not holds(facts))
