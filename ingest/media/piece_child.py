"""The process that cuts, redacts, marks, locates, transcribes, takes stills: `python -m ingest.media.piece_child JSON`.

Started by `ingest.media.pieces`. REQUEST is JSON: `{"task": "cut" | "redact" | "mark" | "locate" | "transcribe" |
"still" | "next_still", "source": <descriptor>, "folder": <path>, "parent": <process id>, "limits": {...}, ...}` and
what the task needs. It is bound as `ingest.media.child` is, before it loads the media library and before it looks at
the file; it answers in the same sayings, and its last word is `facts`, what was made in `probe`.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from evidence.export.order import chunk_runs
from ingest.media.child import Voice
from ingest.media.errors import MediaError, MemorySpent, NoSpace, NothingDecodes, OutputSpent
from ingest.media.limits import Limits, confine
from ingest.media.result import Facts, Failure, Saying
from ledger.canonical import JsonObject, canonical_json

PIECE_NAME = "piece"
"""What the one file is called that a task makes in its folder."""

SPEECH_NAME = "speech.json"
"""What the list of speech segments is called that `transcribe` finds in its folder."""


MARK_NAME = "mark.png"
"""What the picture of a watermark is called that `mark` finds in its folder, where there is one."""


def main(request: str) -> int:
    """Do what the request says; the exit code is 0 whenever a last word was said."""
    wanted = json.loads(request)
    confine(Limits(**wanted["limits"]), parent=int(wanted["parent"]))
    # Whatever a library prints must not get between the answers.
    with os.fdopen(os.dup(1), "wb") as line:
        os.dup2(2, 1)
        voice = Voice(line)
        voice.say(_word(wanted, voice))
    return 0


def _word(wanted: dict[str, Any], voice: Voice) -> Saying:
    import av.logging
    from av.error import FFmpegError

    from ingest.media.opening import tools

    av.logging.set_level(None)
    tasks = {
        "cut": _cut,
        "redact": _redact,
        "mark": _mark,
        "locate": _locate,
        "transcribe": _transcribe,
        "still": _still,
        "next_still": _next_still,
    }
    try:
        made = tasks[wanted["task"]](Path(f"/proc/self/fd/{int(wanted['source'])}"), wanted, voice)
    except MediaError as error:
        return Failure(code=error.code, message=error.message)
    except (FFmpegError, OSError, MemoryError) as error:
        told = _translated(error)
        return Failure(code=told.code, message=told.message)
    return Facts(probe=made, tools=tools(), parameters={"task": wanted["task"]})


def _cut(source: Path, wanted: dict[str, Any], voice: Voice) -> JsonObject:
    from ingest.media.cutting import make_cut

    made = make_cut(
        source,
        Path(wanted["folder"]) / PIECE_NAME,
        from_s=Fraction(wanted["from"]),
        to_s=Fraction(wanted["to"]),
        origin=Fraction(wanted["origin"]),
        report=voice.progress,
    )
    return {"container": made.container, "packets": made.packets, "from_ms": round(made.from_s * 1000)}


def _locate(source: Path, wanted: dict[str, Any], voice: Voice) -> JsonObject:
    from ingest.media.locating import locate

    origin = wanted["origin"]
    found = locate(
        source,
        spans=[(Fraction(begin), Fraction(end)) for begin, end in wanted["spans"]],
        origin=None if origin is None else Fraction(origin),
        report=voice.progress,
    )
    size = source.stat().st_size
    told: JsonObject = {
        "origin": [found[0].origin.numerator, found[0].origin.denominator],
        "places": [
            {
                "chunks": [number for run in chunk_runs(one.runs, size=size) for number in run],
                "from_ms": one.shown.from_ms,
                "to_ms": one.shown.to_ms,
            }
            for one in found
        ],
    }
    (Path(wanted["folder"]) / PIECE_NAME).write_bytes(canonical_json(told))
    return {"places": len(found)}


def _redact(source: Path, wanted: dict[str, Any], voice: Voice) -> JsonObject:
    from ingest.media.redacting import make_redacted

    return make_redacted(
        source,
        Path(wanted["folder"]) / PIECE_NAME,
        wanted["changes"],
        threads=int(wanted["limits"]["threads"]),
        report=voice.progress,
    )


def _mark(source: Path, wanted: dict[str, Any], voice: Voice) -> JsonObject:
    from ingest.media.marking import make_marked

    picture = Path(wanted["folder"]) / MARK_NAME
    return make_marked(
        source,
        Path(wanted["folder"]) / PIECE_NAME,
        wanted["mark"],
        picture=picture if picture.exists() else None,
        threads=int(wanted["limits"]["threads"]),
        report=voice.progress,
    )


def _transcribe(source: Path, wanted: dict[str, Any], voice: Voice) -> JsonObject:
    from ingest.media.transcribing import make_transcript

    return make_transcript(
        source,
        Path(wanted["folder"]) / PIECE_NAME,
        models=Path(wanted["models"]),
        speech=Path(wanted["folder"]) / SPEECH_NAME,
        threads=int(wanted["limits"]["threads"]),
        report=voice.progress,
    )


def _still(source: Path, wanted: dict[str, Any], voice: Voice) -> JsonObject:
    from ingest.media.geometry import Turn
    from ingest.media.picturing import Units, make_picture

    degrees, mirrored = wanted["turn"]
    made = make_picture(
        source,
        Path(wanted["folder"]) / PIECE_NAME,
        Units(**wanted["units"]),
        turn=Turn((degrees, mirrored)),
        report=voice.progress,
    )
    return asdict(made)


def _next_still(source: Path, wanted: dict[str, Any], voice: Voice) -> JsonObject:
    from ingest.media.picturing import Units, next_decodable

    found: JsonObject = {"pts": next_decodable(source, Units(**wanted["units"]), voice.progress)}
    (Path(wanted["folder"]) / PIECE_NAME).write_bytes(canonical_json(found))
    return found


def _translated(error: Exception) -> MediaError:
    number = getattr(error, "errno", None)
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return MemorySpent("the work needs more memory than one file may have")
    if number in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace("the disk for work in progress is full")
    if number == errno.EFBIG:
        return OutputSpent("the copy grows beyond the limit for an original of this size")
    return NothingDecodes(f"the media library gives up: {type(error).__name__}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
