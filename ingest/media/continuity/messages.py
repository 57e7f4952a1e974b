"""Supplemental messages inside the pictures (SEI): who coded them, whether that begins anew, and signed media.

Followed are user data without registration (payload type 5 of H.264 annex D and H.265 annex D), told apart by their
first 16 bytes: the banners of x264 and x265, and the two ways in which cameras sign what they record.
"""

from __future__ import annotations

from collections import Counter

from ingest.media.continuity.observation import Notebook, Place

_USER_DATA = 5
_MESSAGES_MAX = 64
_BANNER_BYTES_MAX = 120
_PLACES_MAX = 64
ENCODERS = {
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef"): "x264",
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e"): "x265",
}
SIGNATURES = {
    bytes.fromhex("5369676e656420566964656f2e2e2e30"): "Axis signed video",
    bytes.fromhex("005bc93f2d715e95ada4796f90877a6f"): "ONVIF media signing",
}


class Messages:
    """Follows the messages of one track."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._signed: Counter[str] = Counter()
        self._banner: bytes | None = None
        self._again: list[tuple[Place, int, bool]] = []
        self._count = 0

    def take(self, payload: bytes, where: Place, *, picture: int) -> None:
        """Take the messages of a unit; `picture` is how many pictures came before."""
        place = 0
        for _ in range(_MESSAGES_MAX):
            kind, place = _number(payload, place)
            size, place = _number(payload, place)
            if place >= len(payload):
                return
            if kind == _USER_DATA:
                self._user_data(payload[place : place + size], where, picture)
            place += size

    def finish(self, entries: int) -> None:
        """Note signatures, and banners in the middle unless they come with every full picture."""
        for scheme, count in self._signed.items():
            self._notebook.note("bitstream.signed", scheme=scheme, messages=count)
        # Streams for broadcast repeat their headers, banner included, at every entry.
        if entries >= 2 and self._count >= max(entries - 1, 3):
            return
        for where, picture, same in self._again:
            self._notebook.note("bitstream.encoder_restarted", where, picture=picture, same_words=same)

    def _user_data(self, data: bytes, where: Place, picture: int) -> None:
        # Both signed schemes escape start codes after their name; the name itself stands as it is.
        name = data[:16].replace(b"\x00\x00\x03", b"\x00\x00")
        if name in SIGNATURES:
            self._signed[SIGNATURES[name]] += 1
        if name not in ENCODERS:
            return
        self._count += 1
        if self._banner is None:
            words = data[16 : 16 + _BANNER_BYTES_MAX].decode("latin-1").partition("\0")[0]
            self._notebook.note("bitstream.encoder", where, program=ENCODERS[name], words=words)
            self._banner = data
        if picture and len(self._again) < _PLACES_MAX:
            self._again.append((where, picture, data == self._banner))


def _number(payload: bytes, place: int) -> tuple[int, int]:
    """Read a number that is written as a row of 255 and a rest (7.3.2.3.1)."""
    total = 0
    while place < len(payload):
        byte, place = payload[place], place + 1
        total += byte
        if byte != 0xFF:
            break
    return total, place
