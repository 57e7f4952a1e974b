"""Watch the coded pictures of one H.264 or H.265 track, and the coded sound of one AAC track, as packets pass by.

Packets come in file order with their place. Nothing is decoded; of each unit only the head is read, which costs some
dozen microseconds a picture. What a header does not tell is counted as unread and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Literal, TypeAlias

from ingest.media.continuity.bits import PARAMETER_BYTES_MAX, Unreadable, units_by_length, units_by_mark
from ingest.media.continuity.h264 import H264
from ingest.media.continuity.h265 import H265
from ingest.media.continuity.messages import Messages
from ingest.media.continuity.observation import NOWHERE, Notebook, Place
from ingest.media.continuity.pictures import Picture
from ingest.media.continuity.rule_entries import Entries
from ingest.media.continuity.rule_order import Order
from ingest.media.continuity.rule_references import Count, References

PictureCodec: TypeAlias = Literal["h264", "hevc"]

_SETS_MAX = 512
_SOUND_HEAD_BYTES = 64
_SOUND_WORDS = b"Lavc"


def picture_codec(name: str) -> PictureCodec | None:
    """Return the codec of that name if its pictures can be followed here."""
    match name:
        case "h264" | "hevc":
            return name
        case _:
            return None


class PictureWatch:
    """Follows one track of pictures.

    Attributes:
        pictures: How many came.
        entries: How many of them decoding may begin at.
    """

    def __init__(self, notebook: Notebook, codec: PictureCodec, configuration: bytes) -> None:
        self._notebook = notebook
        self._reader: H264 | H265 = H264() if codec == "h264" else H265()
        self._length_bytes = 0
        self._sets: dict[tuple[str, int], tuple[bytes, bool]] = {}
        self._messages = Messages(notebook)
        self._order, self._entries = Order(notebook), Entries(notebook)
        self._rules = (Count(notebook), self._order, References(notebook), self._entries)
        self._where = NOWHERE
        self.pictures = self.entries = 0
        for unit in self._configured(codec, configuration):
            self._take(unit, configured=True)

    def feed(self, data: bytes, where: Place) -> None:
        """Take a packet."""
        self._where = where
        try:
            # A packet that is cut short still tells of the units before the cut.
            for unit in units_by_length(data, self._length_bytes) if self._length_bytes else units_by_mark(data):
                self._take(unit, configured=False)
        except Unreadable:
            self._reader.unread += 1

    def finish(self) -> None:
        """Take what is left and note what only the whole can tell."""
        self._judge(self._reader.finish())
        self._order.finish()
        self._entries.finish()
        self._messages.finish(self.entries)
        if self._reader.unread:
            self._notebook.note("bitstream.unread", Place(track=self._where.track), units=self._reader.unread)

    def _configured(self, codec: PictureCodec, raw: bytes) -> Iterator[bytes]:
        """Yield the units of the track's configuration, and learn how units are told apart (ISO/IEC 14496-15)."""
        if codec == "h264" and len(raw) >= 7 and raw[0] == 1:
            self._length_bytes = (raw[4] & 3) + 1
            place = yield from _counted(raw, 6, raw[5] & 31)
            if place < len(raw):
                yield from _counted(raw, place + 1, raw[place])
        elif codec == "hevc" and len(raw) >= 23 and raw[0] == 1:
            self._length_bytes = (raw[21] & 3) + 1
            place = 23
            for _ in range(raw[22]):
                place = yield from _counted(raw, place + 3, int.from_bytes(raw[place + 1 : place + 3]))
        else:
            yield from units_by_mark(raw)

    def _take(self, unit: bytes, *, configured: bool) -> None:
        if not unit:
            return
        messages = self._reader.sei_of(unit)
        if messages is not None:
            self._messages.take(messages, self._where, picture=self.pictures)
            return
        self._compare_sets(unit, configured=configured)
        self._judge(self._reader.feed(unit, self._where))

    def _compare_sets(self, unit: bytes, *, configured: bool) -> None:
        """Note parameters that are not what they were; those of the configuration may be written differently."""
        name = self._reader.set_of(unit)
        if name is None or len(self._sets) >= _SETS_MAX:
            return
        content = unit[:PARAMETER_BYTES_MAX].rstrip(b"\0")
        before = self._sets.get(name)
        if before is not None and before[0] != content and not before[1]:
            code = "bitstream.picture_parameters" if name[0] == "picture" else "bitstream.parameters_changed"
            self._notebook.note(code, self._where, kind=name[0], number=name[1])
        self._sets[name] = (content, configured)

    def _judge(self, pictures: Iterable[Picture]) -> None:
        for picture in pictures:
            self.pictures += 1
            self.entries += picture.entry
            for rule in self._rules:
                rule.take(picture)


def _counted(raw: bytes, place: int, count: int) -> Generator[bytes, None, int]:
    """Yield a number of units that each follow their length in two bytes; return where they end."""
    for _ in range(count):
        if place + 2 > len(raw):
            break
        end = place + 2 + int.from_bytes(raw[place : place + 2])
        yield raw[place + 2 : end]
        place = end
    return place


class SoundWatch:
    """Follows one track of AAC: a common encoder writes its name into the first packet, and only there."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._count = 0
        self._named = 0

    def feed(self, data: bytes, where: Place) -> None:
        """Take a packet."""
        if _SOUND_WORDS in data[:_SOUND_HEAD_BYTES]:
            self._named += 1
            if self._count:
                self._notebook.note("bitstream.sound_restarted", where, packet=self._count)
        self._count += 1

    def finish(self) -> None:
        """Nothing is left to tell."""
