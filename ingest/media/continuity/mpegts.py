"""Walk an MPEG transport stream (ITU-T H.222.0): the counters of its packets and the jumps of its clock.

Every packet is looked at, in blocks of `BLOCK_PACKETS`, with arrays: a stream of hours has tens of millions. Packets of
188 bytes and those with a time in front of them (192 bytes, Blu-ray and many recorders) are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.source import Source
from ingest.media.continuity.tail import note_tail

BLOCK_PACKETS = 8192
CLOCK_JUMP_MS = 2000
RESYNCS_MAX = 1000
_NULL_PID = 0x1FFF
_CLOCK_HZ = 90_000
_CLOCK_WRAP = 1 << 33
_SYNC = 0x47
_RESYNC_BYTES = 64 * 1024

_Bytes = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(slots=True)
class _State:
    notebook: Notebook
    stride: int
    lead: int
    counters: dict[int, int] = field(default_factory=dict)
    repeated: set[int] = field(default_factory=set)
    clocks: dict[int, int] = field(default_factory=dict)


def stride_of(head: bytes) -> tuple[int, int] | None:
    """Return the length of a packet and what stands before its first byte, or None if it is no transport stream."""
    for stride, lead in ((188, 0), (192, 4)):
        places = [lead + stride * number for number in range(5)]
        inside = [place for place in places if place < len(head)]
        if len(inside) >= 2 and all(head[place] == _SYNC for place in inside):
            return stride, lead
    return None


def note_mpegts(source: Source, notebook: Notebook) -> None:
    """Walk a stream and write down what is worth it; never raises for what is in the file."""
    shape = stride_of(source.read(0, 1024))
    if shape is None:
        notebook.note("container.not_walked")
        return
    state = _State(notebook, *shape)
    offset, resyncs = 0, 0
    while offset + state.stride <= source.size:
        block = source.read(offset, state.stride * BLOCK_PACKETS)
        packets = np.frombuffer(block, np.uint8, len(block) // state.stride * state.stride).reshape(-1, state.stride)
        packets = packets[:, state.lead :]
        bad = np.flatnonzero(packets[:, 0] != _SYNC)
        good = int(bad[0]) if bad.size else len(packets)
        _note_packets(state, packets[:good], offset)
        offset += good * state.stride
        if bad.size:
            found = _resync(source, offset + 1, state)
            resyncs += 1
            if found is None or resyncs > RESYNCS_MAX:
                break
            notebook.note("container.sync_lost", Place(first_byte=offset, end_byte=found), bytes=found - offset)
            offset = found
    note_tail(source, offset, notebook)


def _resync(source: Source, offset: int, state: _State) -> int | None:
    """Return where the rhythm begins again."""
    while offset + 2 * state.stride <= source.size:
        window = source.read(offset, _RESYNC_BYTES)
        place = window.find(_SYNC, state.lead)
        while place >= 0:
            after = window[place : place + 4 * state.stride + 1]
            if len(after) > state.stride and all(byte == _SYNC for byte in after[:: state.stride]):
                return offset + place - state.lead
            place = window.find(_SYNC, place + 1)
        offset += max(len(window) - 4 * state.stride, 1)
    return None


def _note_packets(state: _State, packets: _Bytes, offset: int) -> None:
    if not len(packets):
        return
    pids = ((packets[:, 1].astype(np.uint16) & 0x1F) << 8) | packets[:, 2]
    has_payload = (packets[:, 3] & 0x10) != 0
    adapted = ((packets[:, 3] & 0x20) != 0) & (packets[:, 4] > 0)
    breaks = adapted & ((packets[:, 5] & 0x80) != 0)
    timed = adapted & ((packets[:, 5] & 0x10) != 0) & (packets[:, 4] >= 7)
    counters: _Bytes = np.bitwise_and(packets[:, 3], np.uint8(0x0F))
    for pid in np.unique(pids).tolist():
        if pid == _NULL_PID:
            continue
        where = np.flatnonzero((pids == pid) & (has_payload | breaks))
        _note_counters(state, pid, where, counters, breaks, offset)
    for number in np.flatnonzero(timed).tolist():
        _note_clock(state, packets[number], int(pids[number]), offset + number * state.stride, bool(breaks[number]))


def _note_counters(
    state: _State,
    pid: int,
    where: np.ndarray[Any, np.dtype[np.intp]],
    counters: _Bytes,
    breaks: np.ndarray[Any, np.dtype[np.bool_]],
    offset: int,
) -> None:
    """Compare each counter with the one before: one more, or once the same (2.4.3.3), unless a break is announced."""
    if not where.size:
        return
    own = counters[where].astype(np.int16)
    before = np.concatenate(([state.counters.get(pid, int(own[0]) - 1)], own[:-1]))
    steps = (own - before) & 0x0F
    same_twice = np.concatenate(([pid in state.repeated], steps[:-1] == 0)) & (steps == 0)
    odd = ((steps > 1) | same_twice) & ~breaks[where]
    for number in np.flatnonzero(odd).tolist():
        place = offset + int(where[number]) * state.stride
        expected = (int(before[number]) + 1) % 16
        state.notebook.note(
            "container.packets_lost", Place(first_byte=place), pid=pid, expected=expected, found=int(own[number])
        )
    state.counters[pid] = int(own[-1])
    (state.repeated.add if steps[-1] == 0 else state.repeated.discard)(pid)


def _note_clock(state: _State, packet: _Bytes, pid: int, place: int, announced: bool) -> None:  # noqa: FBT001
    raw = int.from_bytes(packet[6:11].tobytes())
    clock = raw >> 7
    last = state.clocks.get(pid)
    state.clocks[pid] = clock
    if last is None or announced:
        return
    step = (clock - last) % _CLOCK_WRAP
    step = step - _CLOCK_WRAP if step > _CLOCK_WRAP // 2 else step
    step_ms = step * 1000 // _CLOCK_HZ
    if not 0 <= step_ms <= CLOCK_JUMP_MS:
        state.notebook.note("container.clock_jump", Place(first_byte=place), pid=pid, milliseconds=step_ms)
