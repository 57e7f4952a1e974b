"""What a machine takes people to have said: the transcript of a clip, and captions made of it. A proposal, no record.

Nobody has listened. A transcript is kept and logged as any derivative is, says of itself that it is a proposal and by
which model, and goes into nobody's annotations; people take from it what they confirm, in their own name.

The file is canonical JSON (RFC 8785):

    {"clock": "review copy", "models": {...}, "proposal": true, "version": 1,
     "segments": [{"from_ms", "to_ms", "text", "speaker", "confidence"}, ...]}

Times are milliseconds of the review copy, rising; `speaker` is `S1`, `S2`, ... in the order of appearance, or null
where voices were not told apart; `confidence` is the model's own mean probability in thousandths, null where it has
none. A child process says it, which has decoded hostile bytes: it is parsed strictly and written anew.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ingest.media.errors import TranscriptMalformed
from ledger.canonical import JsonObject, JsonValue, canonical_json, parse_canonical
from ledger.errors import CodedError

VERSION: Final = 1
BYTES_MAX: Final = 8 * 1024 * 1024
SEGMENTS_MAX: Final = 20_000
TEXT_CHARACTERS_MAX: Final = 4096
TIME_MS_MAX: Final = 10 * 24 * 3600 * 1000
MEDIA_TYPES: Final = {"transcript": "application/json", "captions": "text/vtt"}

_CLOCK = "review copy"
_SPEAKER = re.compile(r"S[1-9][0-9]{0,3}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_NOTE = "NOTE\nProposed by a machine and checked by nobody. 机器生成，未经人工核对。"


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of speech as a machine takes it; see the module's page."""

    from_ms: int
    to_ms: int
    text: str
    speaker: str | None = None
    confidence: int | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that was said, and the models that say so."""

    segments: tuple[Said, ...]
    models: JsonObject

    @property
    def speakers(self) -> int:
        """How many voices were told apart."""
        return len({said.speaker for said in self.segments} - {None})


def format_transcript(transcript: Transcript) -> bytes:
    """Write a transcript."""
    segments: list[JsonValue] = [
        {
            "from_ms": said.from_ms,
            "to_ms": said.to_ms,
            "text": said.text,
            "speaker": said.speaker,
            "confidence": said.confidence,
        }
        for said in transcript.segments
    ]
    return canonical_json(
        {"clock": _CLOCK, "models": transcript.models, "proposal": True, "segments": segments, "version": VERSION}
    )


def parse_transcript(raw: bytes) -> Transcript:
    """Read what `format_transcript` writes, and nothing else.

    Raises:
        TranscriptMalformed: It is something else.
    """
    match _parsed(raw):
        case {
            "clock": "review copy",
            "models": dict(models),
            "proposal": True,
            "segments": list(items),
            "version": 1,
            **rest,
        } if not rest and len(items) <= SEGMENTS_MAX:
            segments = tuple(map(_said, items))
        case _:
            raise TranscriptMalformed("this is no transcript of the known version")
    if any(after.from_ms < before.to_ms for before, after in pairwise(segments)):
        raise TranscriptMalformed("what was said overlaps")
    return Transcript(segments, models)


def parse_spans(raw: bytes) -> list[tuple[int, int]]:
    """Read where somebody speaks, from the object `speech` (see `ingest.media.speech`), in milliseconds.

    Raises:
        TranscriptMalformed: It is something else, or the spans do not rise.
    """
    body = _parsed(raw)
    spans = body.get("segments") if isinstance(body, dict) else None
    if not isinstance(spans, list) or len(spans) > SEGMENTS_MAX:
        raise TranscriptMalformed("this is no list of speech segments")
    found: list[tuple[int, int]] = []
    for span in spans:
        match span:
            case [int(start), int(end)] if (found[-1][1] if found else 0) <= start < end <= TIME_MS_MAX:
                found.append((start, end))
            case _:
                raise TranscriptMalformed("a speech segment has no rising times")
    return found


def captions(segments: Sequence[Said]) -> bytes:
    """Write what was said as WebVTT, for players; segments without words are left out."""
    cues = [_NOTE]
    for said in segments:
        if said.text:
            voice = f"<v {said.speaker}>" if said.speaker else ""
            cues.append(f"{_clock(said.from_ms)} --> {_clock(said.to_ms)}\n{voice}{_escaped(said.text)}")
    return ("WEBVTT\n\n" + "\n\n".join(cues) + "\n").encode()


def plain(text: str) -> str:
    """Return what a model says as one line of text that can be kept: no control characters, and not too long."""
    readable = text.encode("utf-8", "replace").decode()
    return " ".join(_CONTROL.sub(" ", readable).split())[:TEXT_CHARACTERS_MAX]


def _parsed(raw: bytes) -> JsonValue:
    try:
        return parse_canonical(raw, bytes_max=BYTES_MAX)
    except CodedError as error:
        raise TranscriptMalformed("this is no canonical JSON") from error


def _said(item: JsonValue) -> Said:
    match item:
        case {
            "from_ms": int(start),
            "to_ms": int(end),
            "text": str(text),
            "speaker": None | str() as speaker,
            "confidence": None | int() as confidence,
            **rest,
        } if not rest:
            pass
        case _:
            raise TranscriptMalformed("a segment is not of the known form")
    times = not isinstance(start, bool) and not isinstance(end, bool) and 0 <= start < end <= TIME_MS_MAX
    voice = speaker is None or _SPEAKER.fullmatch(speaker) is not None
    sure = confidence is None or (not isinstance(confidence, bool) and 0 <= confidence <= 1000)
    if not (times and voice and sure and text == plain(text)):
        raise TranscriptMalformed("a segment states what cannot be")
    return Said(start, end, text, speaker, confidence)


def _clock(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
