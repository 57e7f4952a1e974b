"""What derivation has to say about a file, and how a child process says it.

`MediaResult` becomes the payload of `clip.derived`. Between child and parent it travels as one line of canonical JSON
(RFC 8785: no floats, one spelling), `{"said": "result", ...}`; a failure that is not the file's travels as
`{"said": "failure", "code", "message"}`, signs of life as `{"said": "progress", "read", "steps"}`, and what is known
before the decoding as `{"said": "facts", "probe", "tools", "parameters"}`, so that a crash does not take it along. A
first still, to be shown while the rest is being made, travels as `{"said": "early", "kind": "poster", "media_type"}`.

The parent trusts none of it: the child has just run decoders on hostile bytes. Lines have a length limit, values are
checked one by one, and a child names the *kind* of what it made, never a path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from ingest.media.errors import ChildBroken
from ledger.canonical import JsonObject, JsonValue, canonical_json, parse_canonical
from ledger.errors import CodedError

Outcome: TypeAlias = Literal["reviewable", "still", "audio", "undecodable"]
Kind: TypeAlias = Literal[
    "proxy", "poster", "frames", "storyboard", "storyboard-sheet", "waveform", "speech", "playlist", "continuity"
]


@dataclass(frozen=True, slots=True)
class Form:
    """What a kind of object looks like: its file in the work folder, its media types, the outcomes it may come with."""

    file_name: str
    media_types: tuple[str, ...]
    outcomes: frozenset[Outcome]


_FILM: frozenset[Outcome] = frozenset(("reviewable",))
_RUNS: frozenset[Outcome] = frozenset(("reviewable", "audio"))
_SEEN: frozenset[Outcome] = frozenset(("reviewable", "still"))
_TOLD: frozenset[Outcome] = frozenset(("reviewable", "audio", "undecodable"))

FORMS: Mapping[Kind, Form] = {
    "proxy": Form("proxy.mp4", ("video/mp4", "audio/mp4"), _RUNS),
    "poster": Form("poster.jpg", ("image/jpeg",), _SEEN),
    "frames": Form("frames.bin", ("application/octet-stream",), _RUNS),
    "storyboard": Form("storyboard.vtt", ("text/vtt",), _FILM),
    "storyboard-sheet": Form("storyboard.jpg", ("image/jpeg",), _FILM),
    "playlist": Form("playlist.m3u8", ("application/vnd.apple.mpegurl",), _RUNS),
    "waveform": Form("waveform.dat", ("application/octet-stream",), _RUNS),
    "speech": Form("speech.json", ("application/json",), _RUNS),
    "continuity": Form("continuity.json", ("application/json",), _TOLD),
}
NEEDED: Mapping[Outcome, Kind | None] = {
    "reviewable": "proxy",
    "audio": "proxy",
    "still": "poster",
    "undecodable": None,
}
"""The kind without which an outcome is not what it says."""

FILE_NAMES: Mapping[Kind, str] = {kind: form.file_name for kind, form in FORMS.items()}
LINE_BYTES_MAX = 1024 * 1024
REASON_CHARACTERS_MAX = 1000
EARLY_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MadeObject:
    """A finished file in the work folder: `kind`, where it lies, and its media type."""

    kind: Kind
    path: Path
    media_type: str


@dataclass(frozen=True, slots=True)
class MediaResult:
    """The outcome of derivation.

    Attributes:
        outcome: `reviewable` has a film to look at, `still` a photograph, `audio` only sound, `undecodable` nothing.
        reason: Code and sentence: why nothing could be made, or what was damaged; None when all is well.
        probe: Facts about the original, with what was decoded and what was lost; no floats.
        objects: What was made, in the work folder.
        tools: Names and versions of the libraries that made it.
        parameters: What was decided and with which settings it was made.
    """

    outcome: Outcome
    reason: str | None
    probe: JsonObject
    objects: tuple[MadeObject, ...]
    tools: JsonObject
    parameters: JsonObject


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life: bytes of the original read so far, and how many steps were taken in all."""

    read: int
    steps: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a child knows before it decodes; see the same fields of `MediaResult`."""

    probe: JsonObject
    tools: JsonObject
    parameters: JsonObject


@dataclass(frozen=True, slots=True)
class Early:
    """A finished file that need not wait for the rest; only a poster may be one."""

    made: MadeObject


@dataclass(frozen=True, slots=True)
class EarlyStill:
    """The bytes of an early poster, read once while the child still runs, so that what is shown is what was checked."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A child's statement that it could not do its work for a reason that is not the file's."""

    code: str
    message: str


Saying: TypeAlias = MediaResult | Progress | Facts | Early | Failure


def format_saying(saying: Saying) -> bytes:
    """Write one line, the newline included.

    Raises:
        CanonicalMalformed: Something in it has no canonical spelling; a bug.
    """
    body: dict[str, JsonValue]
    match saying:
        case Progress():
            body = {"said": "progress", "read": saying.read, "steps": saying.steps}
        case Facts():
            body = {
                "said": "facts",
                "probe": saying.probe,
                "tools": saying.tools,
                "parameters": saying.parameters,
            }
        case Early():
            body = {"said": "early", "kind": saying.made.kind, "media_type": saying.made.media_type}
        case Failure():
            body = {"said": "failure", "code": saying.code, "message": saying.message}
        case MediaResult():
            body = {
                "said": "result",
                "outcome": saying.outcome,
                "reason": saying.reason,
                "probe": saying.probe,
                "objects": [{"kind": made.kind, "media_type": made.media_type} for made in saying.objects],
                "tools": saying.tools,
                "parameters": saying.parameters,
            }
    return canonical_json(body) + b"\n"


def parse_saying(line: bytes, *, folder: Path) -> Saying:
    """Read what `format_saying` writes, and nothing else; what was made must lie in `folder`.

    Raises:
        ChildBroken: Anything else.
    """
    try:
        body = parse_canonical(line.removesuffix(b"\n"), bytes_max=LINE_BYTES_MAX)
    except CodedError as error:
        raise ChildBroken("the decoding process does not speak canonical JSON") from error
    match body:
        case {"said": "progress", "read": int(read), "steps": int(steps), **rest} if not rest:
            return Progress(read=read, steps=steps)
        case {"said": "facts", "probe": dict(probe), "tools": dict(tools), "parameters": dict(parameters), **rest} if (
            not rest
        ):
            return Facts(probe=probe, tools=tools, parameters=parameters)
        case {"said": "early", "kind": "poster" as kind, "media_type": str(media_type), **rest} if not rest:
            return Early(_made([{"kind": kind, "media_type": media_type}], folder)[0])
        case {"said": "failure", "code": str(code), "message": str(message), **rest} if not rest:
            return Failure(code=code, message=message[:REASON_CHARACTERS_MAX])
        case {
            "said": "result",
            "outcome": str(outcome),
            "reason": None | str() as reason,
            "probe": dict(probe),
            "objects": list(objects),
            "tools": dict(tools),
            "parameters": dict(parameters),
            **rest,
        } if not rest:
            made = _made(objects, folder)
            return MediaResult(_outcome(outcome, made, reason), reason, probe, made, tools, parameters)
        case _:
            raise ChildBroken("the decoding process says what was never agreed")


def read_early(early: Early) -> EarlyStill:
    """Read an early poster, whatever its child does meanwhile: the file itself, no link, and no more than is allowed.

    Raises:
        ChildBroken: It is not there any more, or is something else than a small file.
    """
    try:
        descriptor = os.open(early.made.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1 or not 0 < facts.st_size <= EARLY_BYTES_MAX:
                raise ChildBroken("the decoding process announces a still that is none")
            return EarlyStill(os.read(descriptor, EARLY_BYTES_MAX), early.made.media_type)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ChildBroken("the decoding process announces a still that cannot be read") from error


def _outcome(word: str, made: Sequence[MadeObject], reason: str | None) -> Outcome:
    for outcome in get_args(Outcome):
        if word == outcome:
            break
    else:
        raise ChildBroken("the decoding process names an unknown outcome")
    kinds = {item.kind for item in made}
    chosen: Outcome = outcome
    needed = NEEDED[chosen]
    fits = reason is not None if needed is None else needed in kinds
    strays = [kind for kind in kinds if chosen not in FORMS[kind].outcomes]
    if not fits or strays or (reason is not None and len(reason) > REASON_CHARACTERS_MAX):
        raise ChildBroken("the decoding process made something else than it says")
    return chosen


def _made(objects: Sequence[JsonValue], folder: Path) -> tuple[MadeObject, ...]:
    made: list[MadeObject] = []
    for item in objects:
        match item:
            case {"kind": str(word), "media_type": str(media_type), **rest} if not rest and word in FORMS:
                known = next(kind for kind in FORMS if kind == word)
                made.append(MadeObject(known, folder / FORMS[known].file_name, media_type))
            case _:
                raise ChildBroken("the decoding process names an object of no known kind")
    if len({item.kind for item in made}) < len(made) or not all(_is_whole(item) for item in made):
        raise ChildBroken("the decoding process names an object that is not there")
    return tuple(made)


def _is_whole(made: MadeObject) -> bool:
    """Tell whether it is a file of its own with something in it: no link to elsewhere, no device, not empty."""
    try:
        facts = made.path.lstat()
    except OSError:
        return False
    regular = stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1
    return regular and facts.st_size > 0 and made.media_type in FORMS[made.kind].media_types
