"""Parameter sets of H.264 (ITU-T H.264, 7.3.2.1 and 7.3.2.2), as far as slices and the order of pictures need."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.media.continuity.bits import Bits, Unreadable

_HIGH_PROFILES = frozenset((44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244))


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A sequence parameter set; the fields have the standard's names where they are not plain."""

    ident: int
    profile: int
    level: int
    chroma: int
    separate_planes: bool
    frame_num_bits: int
    order_type: int
    order_bits: int
    delta_always_zero: bool
    offset_not_reference: int
    offset_bottom: int
    offsets: tuple[int, ...]
    references: int
    gaps_allowed: bool
    blocks: tuple[int, int]
    frames_only: bool


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A picture parameter set."""

    ident: int
    sequence: int
    bottom_order_present: bool
    references: tuple[int, int]
    weighted_p: bool
    weighted_b: int
    redundant_present: bool


def sequence_set(unit: bytes) -> SequenceSet:
    """Read a unit of type 7.

    Raises:
        Unreadable: It is none.
    """
    bits = Bits(unit[1:])
    profile, _constraints, level = bits.take(8), bits.take(8), bits.take(8)
    ident = bits.at_most(31)
    chroma, separate = 1, False
    if profile in _HIGH_PROFILES:
        chroma = bits.at_most(3)
        separate = bits.flag() if chroma == 3 else False
        bits.at_most(6)
        bits.at_most(6)
        bits.take(1)
        if bits.flag():
            for number in range(12 if chroma == 3 else 8):
                if bits.flag():
                    _skip_scaling_list(bits, 16 if number < 6 else 64)
    frame_num_bits = bits.at_most(12) + 4
    order_type, order_bits = bits.at_most(2), 0
    always_zero, not_reference, bottom = False, 0, 0
    offsets: tuple[int, ...] = ()
    if order_type == 0:
        order_bits = bits.at_most(12) + 4
    elif order_type == 1:
        always_zero, not_reference, bottom = bits.flag(), bits.se(), bits.se()
        offsets = tuple(bits.se() for _ in range(bits.at_most(255)))
    return SequenceSet(
        ident=ident,
        profile=profile,
        level=level,
        chroma=chroma,
        separate_planes=separate,
        frame_num_bits=frame_num_bits,
        order_type=order_type,
        order_bits=order_bits,
        delta_always_zero=always_zero,
        offset_not_reference=not_reference,
        offset_bottom=bottom,
        offsets=offsets,
        references=bits.ue(),
        gaps_allowed=bits.flag(),
        blocks=(bits.ue() + 1, bits.ue() + 1),
        frames_only=bits.flag(),
    )


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def picture_set(unit: bytes) -> PictureSet:
    """Read a unit of type 8.

    Raises:
        Unreadable: It is none, or has slice groups, which no recorder uses.
    """
    bits = Bits(unit[1:])
    ident, sequence = bits.at_most(255), bits.at_most(31)
    bits.take(1)
    bottom_order = bits.flag()
    if bits.ue():
        raise Unreadable("slice groups are not known here")
    references = (bits.at_most(31) + 1, bits.at_most(31) + 1)
    weighted_p, weighted_b = bits.flag(), bits.take(2)
    bits.se()
    bits.se()
    bits.se()
    bits.take(2)
    return PictureSet(ident, sequence, bottom_order, references, weighted_p, weighted_b, bits.flag())
