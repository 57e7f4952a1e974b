"""Pictures of an H.265 stream: slices put together, the order of showing, and what each picture leans on.

Follows ITU-T H.265, 7.3.6.1 (slice headers), 8.3.1 (order count) and 8.3.2 (reference picture set). Long-term
references are only counted: a picture that has some is said to keep more than is known here. Layers above the base are
left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingest.media.continuity.bits import HEAD_BYTES, PARAMETER_BYTES_MAX, Bits, Unreadable
from ingest.media.continuity.h265_sets import (
    PictureSet,
    ReferenceSet,
    SequenceSet,
    picture_set,
    reference_set,
    sequence_set,
)
from ingest.media.continuity.observation import Place
from ingest.media.continuity.pictures import Picture, stronger

_SEQUENCE, _PICTURE, _PREFIX_SEI = 33, 34, 39
_ENDS = (36, 37)
_RADL, _RASL, _BLA, _IDR, _CRA = (6, 7), (8, 9), (16, 17, 18), (19, 20), 21
_ENTRIES = range(16, 24)
_CODED_LAST = 31
_KINDS = ("B", "P", "I")


@dataclass(frozen=True, slots=True)
class _Slice:
    unit_type: int
    temporal: int
    kind: str
    order_lsb: int
    order_bits: int
    references: ReferenceSet
    more: bool


class H265:
    """Takes units in decoding order, gives pictures in decoding order, each as soon as the next one begins.

    Attributes:
        unread: Slices whose header could not be read.
    """

    def __init__(self) -> None:
        self.sequences: dict[int, SequenceSet] = {}
        self.pictures: dict[int, PictureSet] = {}
        self.unread = 0
        self._held: Picture | None = None
        self._anchor = 0  # order of the picture that the next one's high bits are counted from
        self._fresh = True  # nothing came yet, or the stream said that it ended

    @staticmethod
    def set_of(unit: bytes) -> tuple[str, int] | None:
        """Return kind and number of the parameter set that a unit holds."""
        try:
            match _type(unit):
                case 32:
                    return "video", unit[2] >> 4 if len(unit) > 2 else 0
                case 33:
                    return "sequence", sequence_set(unit[:PARAMETER_BYTES_MAX]).ident
                case 34:
                    return "picture", picture_set(unit[:PARAMETER_BYTES_MAX]).ident
        except Unreadable:
            return None
        return None

    @staticmethod
    def sei_of(unit: bytes) -> bytes | None:
        """Return the messages of a unit of supplemental information."""
        return unit[2:] if _type(unit) in (_PREFIX_SEI, _PREFIX_SEI + 1) else None

    def feed(self, unit: bytes, where: Place) -> Iterator[Picture]:
        """Take a unit; yield the picture that it shows to be complete."""
        if len(unit) < 3 or (unit[0] & 1) << 5 | unit[1] >> 3:
            return
        kind = _type(unit)
        try:
            if kind == _SEQUENCE:
                found = sequence_set(unit[:PARAMETER_BYTES_MAX])
                self.sequences[found.ident] = found
            elif kind == _PICTURE:
                known = picture_set(unit[:PARAMETER_BYTES_MAX])
                self.pictures[known.ident] = known
            elif kind in _ENDS:
                self._fresh = True
            elif kind <= _CODED_LAST and not 9 < kind < 16 and kind < 22:
                yield from self._take(unit, where)
        except Unreadable:
            self.unread += kind <= _CODED_LAST

    def finish(self) -> Iterator[Picture]:
        """Yield the last picture."""
        if self._held is not None:
            yield self._held
        self._held = None

    def _take(self, unit: bytes, where: Place) -> Iterator[Picture]:
        bits = Bits(unit[2:HEAD_BYTES])
        first = bits.flag()
        header = self._header(bits, unit, first=first)
        held = self._held
        if not first:
            if held is not None and header is not None:
                held.kind = stronger(held.kind, header.kind)
            return
        if header is None:
            raise Unreadable("a picture begins with a dependent slice")
        if held is not None:
            yield held
        self._held = self._picture(header, where)

    def _header(self, bits: Bits, unit: bytes, *, first: bool) -> _Slice | None:
        """Read a slice's header; None for one that shares the header of the slice before."""
        kind = _type(unit)
        if kind in _ENTRIES:
            bits.take(1)
        try:
            known = self.pictures[bits.ue()]
            sequence = self.sequences[known.sequence]
        except KeyError as error:
            raise Unreadable("a slice names parameters that did not come") from error
        if not first:
            dependent = bits.flag() if known.dependent_slices else False
            bits.take(sequence.address_bits)
            if dependent:
                return None
        bits.take(known.extra_bits)
        slice_kind = _KINDS[bits.at_most(2)]
        bits.take(known.output_flag + 2 * sequence.separate_planes)
        lsb, references, more = 0, ReferenceSet(), False
        if kind not in _IDR:
            lsb = bits.take(sequence.order_bits)
            references = _references(bits, sequence)
            more = _long_term(bits, sequence) if sequence.long_term else False
        temporal = (unit[1] & 7) - 1
        return _Slice(kind, temporal, slice_kind, lsb, sequence.order_bits, references, more)

    def _picture(self, header: _Slice, where: Place) -> Picture:
        kind = header.unit_type
        opens = kind in _IDR or kind in _BLA or (kind == _CRA and self._fresh)
        limit = 1 << header.order_bits
        if opens:
            order = header.order_lsb
        else:
            low = self._anchor & (limit - 1)
            high = self._anchor - low
            if header.order_lsb < low and low - header.order_lsb >= limit // 2:
                high += limit
            elif header.order_lsb > low and header.order_lsb - low > limit // 2:
                high -= limit
            order = high + header.order_lsb
        unreferenced = kind < 16 and kind % 2 == 0
        if header.temporal == 0 and kind not in _RADL + _RASL and not unreferenced:
            self._anchor = order
        self._fresh = False
        return Picture(
            kind=header.kind,
            opens=opens,
            entry=kind in _ENTRIES,
            reference=not unreferenced,
            order=order,
            needs=frozenset(order + far for far, used in header.references.all if used),
            keeps=frozenset(order + far for far, _used in header.references.all),
            keeps_more=header.more,
            leads=kind in _RASL,
            where=where,
        )


def _type(unit: bytes) -> int:
    return unit[0] >> 1 & 0x3F


def _references(bits: Bits, sequence: SequenceSet) -> ReferenceSet:
    sets = sequence.reference_sets
    if not bits.flag():
        return reference_set(bits, sets, number=len(sets), count=len(sets))
    if not sets:
        raise Unreadable("a slice chooses a reference set where there is none")
    return sets[min(bits.take((len(sets) - 1).bit_length()), len(sets) - 1)]


def _long_term(bits: Bits, sequence: SequenceSet) -> bool:
    """Return whether a picture keeps pictures for long."""
    chosen = bits.at_most(32) if sequence.long_term_choices else 0
    return chosen + bits.at_most(32) > 0
