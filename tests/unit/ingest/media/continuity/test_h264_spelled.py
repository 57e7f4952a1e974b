"""H.264 headers spelled bit by bit, for what common encoders do not write: order type 1, marking, allowed gaps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ingest.media.continuity.bitstream import PictureWatch
from ingest.media.continuity.h264 import H264
from ingest.media.continuity.observation import Notebook, Place

Field = tuple[int, int]  # value and bits; 0 bits: unsigned exp-Golomb, -1: signed

SIGNED, GOLOMB = -1, 0


def spelled(head: int, fields: Sequence[Field]) -> bytes:
    word = ""
    for value, width in fields:
        if width > 0:
            word += f"{value:0{width}b}"
            continue
        number = value if width == GOLOMB else (2 * value - 1 if value > 0 else -2 * value)
        digits = f"{number + 1:b}"
        word += "0" * (len(digits) - 1) + digits
    word += "1" + "0" * (-(len(word) + 1) % 8)
    return bytes([head]) + int(word, 2).to_bytes(len(word) // 8).replace(b"\0\0", b"\0\0\3")


def ue(value: int) -> Field:
    return value, GOLOMB


def se(value: int) -> Field:
    return value, SIGNED


def sets(order: Sequence[Field], *, gaps: bool = False) -> list[bytes]:
    sequence = [(66, 8), (0, 8), (30, 8), ue(0), ue(0), *order, ue(4), (gaps, 1), ue(9), ue(7), (1, 1), (0, 3)]
    picture = [ue(0), ue(0), (0, 1), (0, 1), ue(0), ue(0), ue(0), (0, 3), se(0), se(0), se(0), (0, 3)]
    return [spelled(0x67, sequence), spelled(0x68, picture)]


TYPE_0 = [ue(0), ue(0)]  # four bits of order in each slice
TYPE_1 = [ue(1), (1, 1), se(-2), se(0), ue(1), se(4)]
TYPE_2 = [ue(2)]


def full(lsb: Sequence[Field] = ()) -> bytes:
    return spelled(0x65, [ue(0), ue(7), ue(0), (0, 4), ue(0), *lsb, (0, 2)])


def leaning(
    count: int, lsb: Sequence[Field] = (), *, marks: Sequence[Field] | None = None, reference: int = 2
) -> bytes:
    marking = [] if not reference else [(0, 1)] if marks is None else [(1, 1), *marks, ue(0)]
    return spelled(reference << 5 | 1, [ue(0), ue(5), ue(0), (count, 4), *lsb, (0, 1), (0, 1), *marking, (0x55, 8)])


def orders(units: Sequence[bytes]) -> list[int | None]:
    reader = H264()
    pictures = [picture for unit in units for picture in reader.feed(unit, Place())]
    assert reader.unread == 0
    return [picture.order for picture in [*pictures, *reader.finish()]]


def noted(units: Sequence[bytes]) -> dict[str, int]:
    notebook = Notebook()
    watch = PictureWatch(notebook, "h264", b"")
    for unit in units:
        watch.feed(b"\0\0\1" + unit, Place())
    watch.finish()
    return dict(notebook.counts)


def test_order_by_cycle() -> None:
    units = [*sets(TYPE_1), full(), leaning(1), leaning(2, reference=0), leaning(2), leaning(3, reference=0)]
    assert orders(units) == [0, 4, 2, 8, 6]
    assert noted(units) == {}


def test_order_by_count_goes_on_where_the_count_begins_anew() -> None:
    units = [*sets(TYPE_2), full(), *(leaning(number % 16) for number in range(1, 20))]
    assert orders(units) == list(range(0, 40, 2))
    assert noted(units) == {}


def test_order_by_low_bits_goes_on_where_they_begin_anew() -> None:
    places = [4, 2, 8, 6, 12, 10, 16, 14, 20, 18]
    units = [*sets(TYPE_0), full([(0, 4)])]
    for number, place in enumerate(places):
        units.append(leaning((number // 2 + 1) % 16, [(place % 16, 4)], reference=2 * (number % 2 == 0)))
        if number % 2:
            units[-1] = leaning((number // 2 + 2) % 16, [(place % 16, 4)], reference=0)
    assert orders(units) == [0, *places]
    assert noted(units) == {}


@pytest.mark.parametrize(
    "marks",
    [[ue(5)], [ue(1), ue(0), ue(5)], [ue(4), ue(2), ue(6), ue(0), ue(5)], [ue(3), ue(0), ue(1), ue(5)]],
    ids=range(4),
)
def test_a_picture_that_makes_the_count_begin_anew(marks: list[Field]) -> None:
    after = [leaning(1, [(2, 4)]), leaning(2, [(4, 4)])]
    units = [*sets(TYPE_0), full([(0, 4)]), leaning(1, [(2, 4)]), leaning(2, [(4, 4)], marks=marks), *after]
    assert orders(units) == [0, 2, 4, 2, 4]
    assert noted(units) == {}
    # Without the operation the same count is a repetition.
    plain = [*sets(TYPE_0), full([(0, 4)]), leaning(1, [(2, 4)]), leaning(2, [(4, 4)]), *after]
    assert noted(plain)


def test_other_marks_change_nothing() -> None:
    units = [*sets(TYPE_2), full(), leaning(1, marks=[ue(1), ue(0)]), leaning(2, marks=[ue(2), ue(1)]), leaning(3)]
    assert noted(units) == {}


def test_marks_that_cannot_be_read_conclude_nothing() -> None:
    endless = [mark for _ in range(80) for mark in (ue(1), ue(0))]
    units = [*sets(TYPE_2), full(), leaning(1, marks=endless), leaning(9), leaning(10)]
    assert noted(units) == {}


@pytest.mark.parametrize(("gaps", "code"), [(False, "bitstream.frame_gap"), (True, "bitstream.frame_gap_allowed")])
def test_a_gap_weighs_by_what_the_stream_announces(gaps: bool, code: str) -> None:
    units = [*sets(TYPE_2, gaps=gaps), full(), leaning(1), leaning(4), leaning(5)]
    assert noted(units) == {code: 1}


def test_a_count_that_stands_still() -> None:
    # Two pictures of one count and order would be one picture, so the order tells them apart.
    units = [*sets(TYPE_0), full([(0, 4)]), leaning(1, [(2, 4)]), leaning(1, [(4, 4)]), leaning(2, [(6, 4)])]
    assert noted(units) == {"bitstream.frame_repeated": 1}
