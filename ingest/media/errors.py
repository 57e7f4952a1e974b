"""Why a file has no review copy, one class per stable code.

Two kinds, told apart by `blame`:

- `INPUT`: the file is what it is. The clip is undecodable, the sentence is sealed with it, no further try helps.
- `WAY`: disk, memory of the host or an operator's signal stood in the way. The job is worth another try.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.errors import Blame, CodedError


class MediaError(CodedError):
    """Base of the errors of media derivation."""

    blame: ClassVar[Blame] = Blame.INPUT


class NotMedia(MediaError):
    """The bytes are in no picture, sound or video format that this service reads; the original is kept as it is."""

    code = "media.not_media"


class FormatRefused(MediaError):
    """The file is a list that points to other files, or of a format no recorder writes; it is not followed."""

    code = "media.format_refused"


class IndexLost(MediaError):
    """The recording broke off before its index was written; the original may still be repaired by its maker's tools."""

    code = "media.index_lost"


class NoTracks(MediaError):
    """The file opens but holds neither pictures nor sound."""

    code = "media.no_tracks"


class TiledStill(MediaError):
    """The still is stored in tiles that cannot be put together here; look at the original."""

    code = "media.tiled_still"


class NothingDecodes(MediaError):
    """There are tracks, but not one picture or sound sample could be decoded."""

    code = "media.nothing_decodes"


class NothingBetween(MediaError):
    """No picture and no sound lies between the times that were asked for; look at how long the clip is."""

    code = "media.nothing_between"


class MemorySpent(MediaError):
    """Decoding needs more memory than one file may have."""

    code = "media.memory_limit"


class OutputSpent(MediaError):
    """The review copy grows out of all proportion to the original."""

    code = "media.output_limit"


class CpuSpent(MediaError):
    """Decoding took more processor time than the size of the file justifies."""

    code = "media.cpu_limit"


class TimeSpent(MediaError):
    """Decoding took longer than the size of the file justifies."""

    code = "media.time_limit"


class Stalled(MediaError):
    """Decoding made no progress for so long that it was ended."""

    code = "media.stalled"


class DecoderCrashed(MediaError):
    """The decoder crashed on this file, twice, the second time in its most careful way of working."""

    code = "media.decoder_crashed"


class FramesMalformed(MediaError):
    """The bytes are no frame index of the known version, or state what cannot be; nothing of it is used."""

    code = "media.frames_malformed"


class RangesUnknown(MediaError):
    """The original's container does not tell which bytes belong to which second; no excerpt by bytes can be made."""

    code = "media.ranges_unknown"


class PicturesMissing(MediaError):
    """The clip has no track of pictures with times, so there is no still to take from it."""

    code = "still.no_pictures"


class PictureOutside(MediaError):
    """No picture of the clip has this number or time; the answer says which there are."""

    code = "still.outside"


class PictureUndecodable(MediaError):
    """The bytes are as sealed, and no decoder makes a picture of them; `next_frame` names the next one that decodes."""

    code = "still.undecodable"


class PictureUnplaced(MediaError):
    """The picture is not found where the frame index states it; export the whole clip instead."""

    code = "still.unplaced"


class ContinuityMalformed(MediaError):
    """A kept report of continuity observations is not of a form that is known here."""

    code = "media.continuity_malformed"


class NoSpace(MediaError):
    """The disk for work in progress is full; make room, the job is tried again."""

    code = "media.no_space"
    blame: ClassVar[Blame] = Blame.WAY


class SourceUnreadable(MediaError):
    """The disk does not give the original's bytes; check the disk, the job is tried again."""

    code = "media.source_unreadable"
    blame: ClassVar[Blame] = Blame.WAY


class ChildLost(MediaError):
    """The decoding process could not be started, was killed from outside or broke off; the job is tried again."""

    code = "media.child_lost"
    blame: ClassVar[Blame] = Blame.WAY


class ChildBroken(MediaError):
    """The decoding process failed in our own code or gave no proper answer: a bug, or a child that was taken over."""

    code = "media.child_broken"
    blame: ClassVar[Blame] = Blame.BUG


class SpeechMissing(MediaError):
    """Speech cannot be written down here: the extra `speech` is not installed (`pip install 'shilu[speech]'`)."""

    code = "speech.library_missing"
    blame: ClassVar[Blame] = Blame.WAY


class ModelsMalformed(MediaError):
    """The folder of speech models has no manifest, or one that is not of the form in ingest/media/DESIGN.md."""

    code = "speech.manifest_malformed"
    blame: ClassVar[Blame] = Blame.WAY


class ModelsDiffer(MediaError):
    """A file of the speech models is not there, or not the one that the manifest names; nothing of it is loaded."""

    code = "speech.models_differ"
    blame: ClassVar[Blame] = Blame.WAY


class ModelsRefused(MediaError):
    """The speech library does not take the models: they are of another kind than the manifest says, or broken."""

    code = "speech.models_refused"
    blame: ClassVar[Blame] = Blame.WAY


class TranscriptMalformed(MediaError):
    """A transcript, or the list of segments that it is about, is not of a form that is known here."""

    code = "speech.transcript_malformed"
