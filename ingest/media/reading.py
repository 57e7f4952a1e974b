"""Read a damaged file as far as it goes: demuxing and decoding that count what they lose and carry on.

A bad sector, a card pulled out while recording or a flipped bit must not cost the hour around it. FFmpeg answers damage
in two ways: reading a packet fails, or decoding one does. Both are counted in `ingest.media.facts.Damage` and reading
goes on, as long as it gets anywhere. A third way it does not answer at all: a demuxer that finds its place again (AVI),
or a decoder that lacks a picture, says nothing. Whether pictures are missing is for the continuity observations.

Two failures are not the file's and end the work: no memory, and a disk that does not give its bytes.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import Flags, ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ingest.media.errors import MemorySpent, SourceUnreadable
from ingest.media.facts import Damage
from ingest.media.opening import decoder_options

# Failures in a row, without a packet between them, after which the rest of the file is given up.
FAILURES_MAX = 8
_SCAN_BYTES = 1024 * 1024


def packets(
    container: InputContainer, streams: Sequence[Stream], damage: Damage, *, counted: Container[int] | None = None
) -> Iterator[Packet[Stream]]:
    """Yield the packets of some streams in file order, without the empty ones that mark the end.

    Damaged packets are counted in all of them, or in the streams `counted` by number.

    Raises:
        MemorySpent: Reading on needs more memory than there is.
    """
    failures = 0
    while failures < FAILURES_MAX:
        try:
            for packet in container.demux(*streams):
                failures = 0
                if packet.size:
                    if counted is None or packet.stream_index in counted:
                        damage.corrupt_packets += packet.is_corrupt
                    yield packet
        except av.error.MemoryError as error:
            raise MemorySpent("reading the container needs more memory than one file may have") from error
        except IndexError:
            # PyAV knows no track that a demuxer finds only in the middle. Its packet is passed over and reading goes on
            # behind it, so this ends where the file does.
            continue
        except FFmpegError:
            # The demuxer keeps its place; asking again goes on behind the damage, or fails again and is given up.
            failures += 1
            damage.read_errors += 1
        else:
            return


class PictureDecoding:
    """A picture track's decoder; refused packets and damaged pictures are counted."""

    def __init__(self, stream: VideoStream, damage: Damage, *, threads: int) -> None:
        self.stream = stream
        self._damage = damage
        self._unseen = 0
        _open_up(stream, threads)
        # Damaged pictures are shown and counted: a torn picture can still be the one that matters.
        stream.codec_context.flags |= Flags.output_corrupt

    def decode(self, packet: Packet[Stream] | None) -> Sequence[VideoFrame]:
        """Return the pictures that come out for a packet, or with None what the decoder still holds.

        Raises:
            MemorySpent: Decoding needs more memory than there is.
        """
        # What an edit list hides is decoded for what leans on it, but nobody misses it if it cannot be. Several threads
        # report late, so it is the number that counts and not the packet at hand.
        self._unseen += packet is not None and packet.is_discard
        try:
            frames = self.stream.decode(packet)
        except FFmpegError as error:
            refused = _refused(error)
            forgiven = min(refused, self._unseen)
            self._unseen -= forgiven
            self._damage.picture_errors += refused - forgiven
            return ()
        self._damage.corrupt_pictures += sum(frame.is_corrupt for frame in frames)
        return frames


class SoundDecoding:
    """A sound track's decoder; refused packets are counted."""

    def __init__(self, stream: AudioStream, damage: Damage) -> None:
        self.stream = stream
        self._damage = damage
        _open_up(stream, 1)

    def decode(self, packet: Packet[Stream] | None) -> Sequence[AudioFrame]:
        """Return the pieces of sound that come out for a packet, or with None what the decoder still holds.

        Raises:
            MemorySpent: Decoding needs more memory than there is.
        """
        try:
            return [frame for frame in self.stream.decode(packet) if frame.samples and frame.sample_rate]
        except FFmpegError as error:
            self._damage.sound_errors += _refused(error)
            return ()


def _open_up(stream: VideoStream | AudioStream, threads: int) -> None:
    context = stream.codec_context
    context.options = decoder_options()
    context.thread_count = threads
    context.thread_type = ThreadType.AUTO if threads > 1 else ThreadType.NONE


def _refused(error: FFmpegError) -> int:
    """Return how much a decoder's error counts: the end of the stream is none, and no memory is not the file's."""
    if isinstance(error, av.error.MemoryError):
        raise MemorySpent("decoding needs more memory than one file may have") from error
    return 0 if isinstance(error, av.error.EOFError) else 1


def check_disk(source: Path, report: Callable[[int], None]) -> None:
    """Read a file from end to end, to tell a disk that fails from a container that is broken.

    FFmpeg answers both with the same input/output error. `report` is called with the bytes read so far.

    Raises:
        SourceUnreadable: The disk does not give the bytes.
    """
    try:
        with source.open("rb", buffering=0) as file:
            read = 0
            while piece := file.read(_SCAN_BYTES):
                read += len(piece)
                report(read)
    except OSError as error:
        raise SourceUnreadable(
            f"the disk does not give the original's bytes: {error.strerror}",
            errno=errno.errorcode.get(error.errno or 0, "unknown"),
        ) from error
