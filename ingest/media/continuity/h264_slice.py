"""Slice headers of H.264 (ITU-T H.264, 7.3.3), from the first bit to the marking of reference pictures.

Read are the fields that tell one picture from the next, its count, its order, and whether it makes count and order
begin anew (memory management control operation 5). What lies behind a weighting table or a list modification that does
not fit into the head of the unit is stated as unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.media.continuity.bits import HEAD_BYTES, Bits, Unreadable
from ingest.media.continuity.h264_sets import PictureSet, SequenceSet

IDR = 5
_KINDS = ("P", "B", "I", "P", "I")  # P, B, I, SP, SI
_OPERATIONS_MAX = 66
_BEGIN_ANEW = 5


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice header; `anew` is None where it could not be read."""

    unit_type: int
    reference: int
    kind: str
    pictures: PictureSet
    sequence: SequenceSet
    frame_num: int
    field: str
    idr_id: int | None
    order_lsb: int
    order_delta_bottom: int
    order_deltas: tuple[int, int]
    redundant: int
    anew: bool | None

    def begins_picture(self, before: Slice) -> bool:
        """Tell whether this is the first slice of another picture (7.4.1.2.4)."""
        mine = (self.frame_num, self.pictures.ident, self.field, self.unit_type == IDR, self.idr_id)
        other = (before.frame_num, before.pictures.ident, before.field, before.unit_type == IDR, before.idr_id)
        orders = (self.order_lsb, self.order_delta_bottom, self.order_deltas)
        return (
            mine != other
            or (self.reference == 0) != (before.reference == 0)
            or orders != (before.order_lsb, before.order_delta_bottom, before.order_deltas)
        )


def slice_header(unit: bytes, sequences: Mapping[int, SequenceSet], pictures: Mapping[int, PictureSet]) -> Slice:
    """Read the header of a unit of type 1, 2 or 5.

    Raises:
        Unreadable: It names sets that did not come, or is not of the standard's form.
    """
    unit_type, reference = unit[0] & 0x1F, (unit[0] >> 5) & 3
    bits = Bits(unit[1:HEAD_BYTES])
    bits.ue()
    kind = _KINDS[bits.at_most(9) % 5]
    try:
        known = pictures[bits.ue()]
        sequence = sequences[known.sequence]
    except KeyError as error:
        raise Unreadable("a slice names parameters that did not come") from error
    if sequence.separate_planes:
        bits.take(2)
    frame_num = bits.take(sequence.frame_num_bits)
    field = "" if sequence.frames_only or not bits.flag() else ("bottom" if bits.flag() else "top")
    idr_id = bits.at_most(65_535) if unit_type == IDR else None
    lsb, bottom, deltas = _order(bits, sequence, known, field)
    redundant = bits.ue() if known.redundant_present else 0
    return Slice(
        unit_type=unit_type,
        reference=reference,
        kind=kind,
        pictures=known,
        sequence=sequence,
        frame_num=frame_num,
        field=field,
        idr_id=idr_id,
        order_lsb=lsb,
        order_delta_bottom=bottom,
        order_deltas=deltas,
        redundant=redundant,
        anew=_anew(bits, kind, known, sequence, field) if reference and unit_type != IDR else False,
    )


def _order(bits: Bits, sequence: SequenceSet, known: PictureSet, field: str) -> tuple[int, int, tuple[int, int]]:
    both = known.bottom_order_present and not field
    if sequence.order_type == 0:
        return bits.take(sequence.order_bits), bits.se() if both else 0, (0, 0)
    if sequence.order_type == 1 and not sequence.delta_always_zero:
        return 0, 0, (bits.se(), bits.se() if both else 0)
    return 0, 0, (0, 0)


def _anew(bits: Bits, kind: str, known: PictureSet, sequence: SequenceSet, field: str) -> bool | None:
    """Return whether the marking of a reference picture holds operation 5."""
    try:
        counts = list(known.references)
        if kind == "B":
            bits.take(1)
        if kind != "I":
            if bits.flag():
                counts = [bits.at_most(31) + 1, bits.at_most(31) + 1 if kind == "B" else 0]
            lists = 2 if kind == "B" else 1
            for _ in range(lists):
                _skip_modification(bits)
            if (known.weighted_p and kind == "P") or (known.weighted_b == 1 and kind == "B"):
                _skip_weights(bits, counts[:lists], colour=sequence.chroma != 0 and not sequence.separate_planes)
        return _marks_anew(bits)
    except Unreadable:
        return None


def _skip_modification(bits: Bits) -> None:
    if not bits.flag():
        return
    for _ in range(_OPERATIONS_MAX):
        if bits.at_most(5) == 3:
            return
        bits.ue()
    raise Unreadable("a list is modified without end")


def _skip_weights(bits: Bits, counts: list[int], *, colour: bool) -> None:
    bits.ue()
    if colour:
        bits.ue()
    for count in counts:
        for _ in range(count):
            if bits.flag():
                bits.se()
                bits.se()
            if colour and bits.flag():
                for _ in range(4):
                    bits.se()


def _marks_anew(bits: Bits) -> bool:
    if not bits.flag():
        return False
    anew = False
    for _ in range(_OPERATIONS_MAX):
        operation = bits.at_most(6)
        if operation == 0:
            return anew
        anew |= operation == _BEGIN_ANEW
        if operation in (1, 2, 3, 4, 6):
            bits.ue()
        if operation == 3:
            bits.ue()
    raise Unreadable("reference pictures are marked without end")
