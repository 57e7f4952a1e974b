"""Parameter sets of H.265 (ITU-T H.265, 7.3.2.2, 7.3.2.3, 7.3.3, 7.3.4, 7.3.7), as far as slice headers need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.media.continuity.bits import Bits, Unreadable

REFERENCES_MAX = 16


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """A short-term reference picture set: distances in order of showing, and whether the picture leans on each itself.

    `before` holds the negative distances, nearest first; `after` the positive ones.
    """

    before: tuple[tuple[int, bool], ...] = ()
    after: tuple[tuple[int, bool], ...] = ()

    @property
    def all(self) -> tuple[tuple[int, bool], ...]:
        """Both."""
        return self.before + self.after


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A sequence parameter set."""

    ident: int
    chroma: int
    separate_planes: bool
    size: tuple[int, int]
    depths: tuple[int, int]
    order_bits: int
    block_bits: int
    reference_sets: tuple[ReferenceSet, ...]
    long_term: bool
    long_term_choices: int

    @property
    def address_bits(self) -> int:
        """How long the address of a slice is."""
        block = 1 << self.block_bits
        blocks = -(-self.size[0] // block) * -(-self.size[1] // block)
        return (blocks - 1).bit_length()


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A picture parameter set."""

    ident: int
    sequence: int
    dependent_slices: bool
    output_flag: bool
    extra_bits: int


def sequence_set(unit: bytes) -> SequenceSet:
    """Read a unit of type 33.

    Raises:
        Unreadable: It is none.
    """
    bits = Bits(unit[2:])
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    _skip_profile(bits, layers)
    ident, chroma = bits.at_most(15), bits.at_most(3)
    separate = bits.flag() if chroma == 3 else False
    size = (bits.at_most(65_535), bits.at_most(65_535))
    if bits.flag():
        for _ in range(4):
            bits.ue()
    depths = (bits.at_most(8) + 8, bits.at_most(8) + 8)
    order_bits = bits.at_most(12) + 4
    for _ in range(layers + 1 if bits.flag() else 1):
        for _ in range(3):
            bits.ue()
    block_bits = bits.at_most(3) + 3 + bits.at_most(3)
    for _ in range(4):
        bits.at_most(8)
    if bits.flag() and bits.flag():
        _skip_scaling_lists(bits)
    bits.take(2)
    if bits.flag():
        bits.take(8)
        bits.ue()
        bits.ue()
        bits.take(1)
    sets: list[ReferenceSet] = []
    count = bits.at_most(64)
    for number in range(count):
        sets.append(reference_set(bits, sets, number=number, count=count))
    long_term, choices = bits.flag(), 0
    if long_term:
        choices = bits.at_most(32)
        bits.take(choices * (order_bits + 1))
    return SequenceSet(ident, chroma, separate, size, depths, order_bits, block_bits, tuple(sets), long_term, choices)


def picture_set(unit: bytes) -> PictureSet:
    """Read a unit of type 34.

    Raises:
        Unreadable: It is none.
    """
    bits = Bits(unit[2:])
    return PictureSet(bits.at_most(63), bits.at_most(15), bits.flag(), bits.flag(), bits.take(3))


def reference_set(bits: Bits, known: Sequence[ReferenceSet], *, number: int, count: int) -> ReferenceSet:
    """Read a short-term reference picture set, the `number`th of `count`; that of a slice is the `count`th."""
    if number and bits.flag():
        back = bits.ue() + 1 if number == count else 1
        if back > number:
            raise Unreadable("a reference set is built on one that is not there")
        return _derived(bits, known[number - back])
    befores, afters = bits.at_most(REFERENCES_MAX), bits.at_most(REFERENCES_MAX)
    return ReferenceSet(_stepped(bits, befores, -1), _stepped(bits, afters, 1))


def _stepped(bits: Bits, count: int, sign: int) -> tuple[tuple[int, bool], ...]:
    found, distance = [], 0
    for _ in range(count):
        distance += sign * (bits.at_most(32_767) + 1)
        found.append((distance, bits.flag()))
    return tuple(found)


def _derived(bits: Bits, base: ReferenceSet) -> ReferenceSet:
    """Build a set by shifting another one (7.4.8, equations 7-61 and 7-62)."""
    sign = -1 if bits.flag() else 1
    shift = sign * (bits.at_most(32_767) + 1)
    used, taken = [], []
    for _ in range(len(base.all) + 1):
        used.append(bits.flag())
        taken.append(used[-1] or bits.flag())
    first = len(base.before)
    ahead = [(distance + shift, first + place) for place, (distance, _) in enumerate(base.after)]
    behind = [(distance + shift, place) for place, (distance, _) in enumerate(base.before)]
    own = [(shift, len(base.all))]
    before = [(far, used[place]) for far, place in [*ahead[::-1], *own, *behind] if far < 0 and taken[place]]
    after = [(far, used[place]) for far, place in [*behind[::-1], *own, *ahead] if far > 0 and taken[place]]
    if len(before) + len(after) > REFERENCES_MAX:
        raise Unreadable("a reference set names more pictures than there may be")
    return ReferenceSet(tuple(before), tuple(after))


def _skip_profile(bits: Bits, layers: int) -> None:
    bits.take(96)
    present = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)


def _skip_scaling_lists(bits: Bits) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():
                bits.ue()
                continue
            if size > 1:
                bits.se()
            for _ in range(min(64, 1 << (4 + 2 * size))):
                bits.se()
