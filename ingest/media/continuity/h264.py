"""Pictures of an H.264 stream: slices put together, and the order of showing (ITU-T H.264, 8.2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ingest.media.continuity.bits import PARAMETER_BYTES_MAX, Unreadable
from ingest.media.continuity.h264_sets import PictureSet, SequenceSet, picture_set, sequence_set
from ingest.media.continuity.h264_slice import IDR, Slice, slice_header
from ingest.media.continuity.observation import Place
from ingest.media.continuity.pictures import Picture, stronger

_SLICES = (1, 2, IDR)
_SEQUENCE, _PICTURE = 7, 8
SEI = 6


class H264:
    """Takes units in decoding order, gives pictures in decoding order, each as soon as the next one begins.

    Attributes:
        unread: Slices whose header could not be read.
    """

    def __init__(self) -> None:
        self.sequences: dict[int, SequenceSet] = {}
        self.pictures: dict[int, PictureSet] = {}
        self.unread = 0
        self._slice: Slice | None = None
        self._held: Picture | None = None
        self._high = self._low = 0  # of the reference picture before: PicOrderCntMsb and pic_order_cnt_lsb
        self._offset = self._frame_num = 0  # FrameNumOffset and frame_num of the picture before
        self._was_anew = False

    @staticmethod
    def set_of(unit: bytes) -> tuple[str, int] | None:
        """Return kind and number of the parameter set that a unit holds."""
        try:
            match unit[0] & 0x1F:
                case 7:
                    return "sequence", sequence_set(unit[:PARAMETER_BYTES_MAX]).ident
                case 8:
                    return "picture", picture_set(unit[:PARAMETER_BYTES_MAX]).ident
        except Unreadable:
            return None
        return None

    @staticmethod
    def sei_of(unit: bytes) -> bytes | None:
        """Return the messages of a unit of supplemental information."""
        return unit[1:] if unit[0] & 0x1F == SEI else None

    def feed(self, unit: bytes, where: Place) -> Iterator[Picture]:
        """Take a unit; yield the picture that it shows to be complete."""
        kind = unit[0] & 0x1F
        try:
            if kind == _SEQUENCE:
                found = sequence_set(unit[:PARAMETER_BYTES_MAX])
                self.sequences[found.ident] = found
            elif kind == _PICTURE:
                known = picture_set(unit[:PARAMETER_BYTES_MAX])
                self.pictures[known.ident] = known
            elif kind in _SLICES:
                yield from self._take(slice_header(unit, self.sequences, self.pictures), where)
        except Unreadable:
            self.unread += kind in _SLICES

    def finish(self) -> Iterator[Picture]:
        """Yield the last picture."""
        if self._held is not None:
            yield self._held
        self._held = self._slice = None

    def _take(self, header: Slice, where: Place) -> Iterator[Picture]:
        if header.redundant:
            return
        before, self._slice = self._slice, header
        held = self._held
        if before is not None and held is not None and not header.begins_picture(before):
            held.kind = stronger(held.kind, header.kind)
            return
        order = self._order(header)
        if held is not None and _completes(held, header):
            held.kind, held.field = stronger(held.kind, header.kind), ""
            held.resets = held.resets or header.anew
            held.order = min(held.order or 0, order)
            return
        if held is not None:
            yield held
        self._held = Picture(
            kind=header.kind,
            opens=header.unit_type == IDR,
            entry=header.unit_type == IDR,
            reference=header.reference != 0,
            order=order,
            ordered=header.sequence.order_type == 0,
            frame_num=header.frame_num,
            frame_num_max=1 << header.sequence.frame_num_bits,
            gaps_allowed=header.sequence.gaps_allowed,
            resets=header.anew,
            idr_id=header.idr_id,
            field=header.field,
            where=replace(where),
        )

    def _order(self, header: Slice) -> int:
        """Return the picture order count, of a frame that of its earlier field."""
        if header.unit_type == IDR:
            self._high = self._low = self._offset = self._frame_num = 0
        elif self._was_anew:
            self._offset = self._frame_num = 0
        order = self._by_low_bits(header) if header.sequence.order_type == 0 else self._by_count(header)
        self._was_anew = bool(header.anew)
        self._frame_num = header.frame_num
        return order

    def _by_low_bits(self, header: Slice) -> int:
        """Clause 8.2.1.1."""
        limit = 1 << header.sequence.order_bits
        high, low = self._high, header.order_lsb
        if low < self._low and self._low - low >= limit // 2:
            high += limit
        elif low > self._low and low - self._low > limit // 2:
            high -= limit
        order = high + low + min(0, header.order_delta_bottom)
        if header.reference:
            self._high, self._low = high, low
            if header.anew:
                self._high = 0
                self._low = 0 if header.field == "bottom" else high + low - order
        return order

    def _by_count(self, header: Slice) -> int:
        """Clauses 8.2.1.2 and 8.2.1.3."""
        sequence = header.sequence
        if header.unit_type != IDR and self._frame_num > header.frame_num:
            self._offset += 1 << sequence.frame_num_bits
        count = self._offset + header.frame_num
        if sequence.order_type == 2:
            return 2 * count - (header.reference == 0)
        cycle = len(sequence.offsets)
        count = count if cycle else 0
        count -= header.reference == 0 and count > 0
        expected = 0
        if count > 0:
            rounds, place = divmod(count - 1, cycle)
            expected = rounds * sum(sequence.offsets) + sum(sequence.offsets[: place + 1])
        if header.reference == 0:
            expected += sequence.offset_not_reference
        top = expected + header.order_deltas[0]
        bottom = top + sequence.offset_bottom + header.order_deltas[1]
        if header.field == "bottom":
            return expected + sequence.offset_bottom + header.order_deltas[0]
        return top if header.field else min(top, bottom)


def _completes(held: Picture, header: Slice) -> bool:
    """Tell whether a field belongs to the field before it: the other one, same count, not a picture of its own."""
    if not held.field or not header.field or held.field == header.field or header.unit_type == IDR:
        return False
    return held.frame_num == header.frame_num and (held.reference or not header.reference)
