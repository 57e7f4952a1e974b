"""The folder of speech models that an operator supplies, and its manifest `models.toml`.

Nothing is ever fetched: what is not in the folder is not used, and what is in it is used only as the manifest says.

    version = 1

    [recogniser]
    kind = "sense-voice"                # a key of RECOGNISERS
    name = "sense-voice small int8"     # as people know it
    licence = "..."                     # under which it may be used here
    languages = ["zh", "en"]

    [recogniser.files]                  # one per role, as the kind wants them
    model = { name = "model.int8.onnx", sha256 = "<64 hex digits>" }
    tokens = { name = "tokens.txt", sha256 = "..." }

    [speakers]                          # optional: tells voices apart
    kind = "embedding"
    name = "..."
    licence = "..."
    distance = 500                      # thousandths; voices further apart are two speakers

    [speakers.files]
    model = { name = "...", sha256 = "..." }

Strict and whole or nothing: an unknown key, a missing file, a path instead of a name refuse the folder. Digests are
compared by the process that loads the files, before it does, on the very descriptors that it then loads from.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ingest.media.errors import ModelsDiffer, ModelsMalformed, SpeechMissing
from ledger.canonical import JsonObject, canonical_json

_DISTRIBUTION, LIBRARY_MODULE = "sherpa-onnx", "sherpa_onnx"
MANIFEST_NAME: Final = "models.toml"
MANIFEST_BYTES_MAX: Final = 16 * 1024
VERSION: Final = 1
FILE_BYTES_MAX: Final = 2 * 1024**3
WORDS_MAX: Final = 32

RECOGNISERS: Final[Mapping[str, tuple[str, ...]]] = {
    "nemo-ctc": ("model", "tokens"),
    "paraformer": ("model", "tokens"),
    "sense-voice": ("model", "tokens"),
    "telespeech-ctc": ("model", "tokens"),
    "transducer": ("encoder", "decoder", "joiner", "tokens"),
    "wenet-ctc": ("model", "tokens"),
    "whisper": ("encoder", "decoder", "tokens"),
    "zipformer-ctc": ("model", "tokens"),
}
"""Kinds of recognisers, and the files that each is made of."""

SPEAKERS: Final[Mapping[str, tuple[str, ...]]] = {"embedding": ("model",)}

_READ_BYTES = 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model: its plain name in the folder, and its SHA-256 in hex."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model; `files` by role, `distance` in thousandths for speakers alone."""

    kind: str
    name: str
    licence: str
    languages: tuple[str, ...]
    files: Mapping[str, ModelFile]
    distance: int | None = None

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical JSON of kind and files: names this very model, whatever it is called."""
        files: JsonObject = {role: file.sha256 for role, file in self.files.items()}
        return hashlib.sha256(canonical_json({"kind": self.kind, "files": files})).hexdigest()

    def as_json(self) -> JsonObject:
        """Return what a transcript and the log say of it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "licence": self.licence,
            "languages": list(self.languages),
            "digest": self.digest,
        }


@dataclass(frozen=True, slots=True)
class Models:
    """What a folder of models offers."""

    recogniser: Model
    speakers: Model | None

    def as_json(self) -> JsonObject:
        """Return what a transcript and the log say of them."""
        return {
            "recogniser": self.recogniser.as_json(),
            "speakers": None if self.speakers is None else self.speakers.as_json(),
        }


def library_name() -> str:
    """Return name and version of the library that loads the models, without loading it.

    Raises:
        SpeechMissing: It is not installed.
    """
    if importlib.util.find_spec(LIBRARY_MODULE) is None:
        raise SpeechMissing(
            "sherpa-onnx is not installed; it comes with the extra `speech`: pip install 'shilu[speech]'"
        )
    return f"{_DISTRIBUTION} {importlib.metadata.version(_DISTRIBUTION)}"


def read_models(folder: Path) -> Models:
    """Read the manifest of a folder; the files themselves are not touched.

    Raises:
        ModelsMalformed: There is none, or it is not of the form above.
    """
    try:
        with (folder / MANIFEST_NAME).open("rb") as file:
            raw = file.read(MANIFEST_BYTES_MAX + 1)
    except OSError as error:
        raise ModelsMalformed(f"{MANIFEST_NAME} cannot be read: {error.strerror}") from error
    return parse_models(raw)


def parse_models(raw: bytes) -> Models:
    """Parse a manifest.

    Raises:
        ModelsMalformed: It is not of the form above.
    """
    if len(raw) > MANIFEST_BYTES_MAX:
        raise ModelsMalformed(f"the manifest is longer than {MANIFEST_BYTES_MAX} bytes")
    try:
        body = tomllib.loads(raw.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ModelsMalformed("the manifest is no TOML") from error
    _only(body, "the manifest", needed={"version", "recogniser"}, allowed={"speakers"})
    if type(body["version"]) is not int or body["version"] != VERSION:
        raise ModelsMalformed(f"the manifest is not of version {VERSION}")
    speakers = body.get("speakers")
    return Models(
        _model(body["recogniser"], "recogniser", RECOGNISERS),
        None if speakers is None else _model(speakers, "speakers", SPEAKERS),
    )


def open_models(folder: Path, model: Model) -> dict[str, int]:
    """Open the files of a model and return their descriptors by role, each compared with its digest.

    The caller loads from the descriptors and closes them.

    Raises:
        ModelsDiffer: A file is not there, is no file, or is another one.
    """
    opened: dict[str, int] = {}
    try:
        for role, file in model.files.items():
            opened[role] = _opened(folder / file.name, role)
            _compare(opened[role], file)
    except ModelsDiffer:
        for descriptor in opened.values():
            os.close(descriptor)
        raise
    return opened


def _opened(path: Path, role: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ModelsDiffer(f"the {role} file {path.name} cannot be opened: {error.strerror}") from error


def _compare(descriptor: int, file: ModelFile) -> None:
    try:
        if os.fstat(descriptor).st_size > FILE_BYTES_MAX:
            raise ModelsDiffer(f"{file.name} is larger than {FILE_BYTES_MAX} bytes")
        digest, place = hashlib.sha256(), 0
        while piece := os.pread(descriptor, _READ_BYTES, place):
            digest.update(piece)
            place += len(piece)
    except OSError as error:
        raise ModelsDiffer(f"{file.name} cannot be read: {error.strerror}") from error
    if digest.hexdigest() != file.sha256:
        raise ModelsDiffer(f"{file.name} is not the file that the manifest names: its SHA-256 is {digest.hexdigest()}")


def _model(body: Any, where: str, kinds: Mapping[str, tuple[str, ...]]) -> Model:
    if not isinstance(body, dict):
        raise ModelsMalformed(f"{where} is no table")
    own = {"languages"} if kinds is RECOGNISERS else {"distance"}
    _only(body, where, needed={"kind", "name", "licence", "files"} | own, allowed=set())
    kind = body["kind"]
    if not isinstance(kind, str) or kind not in kinds:
        raise ModelsMalformed(f"{where}.kind is none of {', '.join(kinds)}")
    return Model(
        kind=kind,
        name=_text(body["name"], f"{where}.name"),
        licence=_text(body["licence"], f"{where}.licence"),
        languages=_languages(body["languages"], where) if "languages" in body else (),
        files=_files(body["files"], where, kinds[kind]),
        distance=_distance(body["distance"], where) if "distance" in body else None,
    )


def _files(body: Any, where: str, roles: tuple[str, ...]) -> Mapping[str, ModelFile]:
    if not isinstance(body, dict):
        raise ModelsMalformed(f"{where}.files is no table")
    _only(body, f"{where}.files", needed=set(roles), allowed=set())
    files = {}
    for role in roles:
        match body[role]:
            case {"name": str(name), "sha256": str(sha256), **rest} if not rest:
                if not _NAME.fullmatch(name) or not _DIGEST.fullmatch(sha256):
                    raise ModelsMalformed(f"{where}.files.{role} has no plain name, or no SHA-256 in lower-case hex")
                files[role] = ModelFile(name, sha256)
            case _:
                raise ModelsMalformed(f"{where}.files.{role} is not name and sha256")
    return files


def _languages(body: Any, where: str) -> tuple[str, ...]:
    words = body if isinstance(body, list) else []
    if not 0 < len(words) <= WORDS_MAX or not all(
        isinstance(word, str) and _LANGUAGE.fullmatch(word) for word in words
    ):
        raise ModelsMalformed(f"{where}.languages is no list of language codes")
    return tuple(words)


def _distance(body: Any, where: str) -> int:
    if type(body) is not int or not 0 < body < 2000:
        raise ModelsMalformed(f"{where}.distance is no number of thousandths between 0 and 2000")
    return body


def _text(body: Any, where: str) -> str:
    if not isinstance(body, str) or not _TEXT.fullmatch(body):
        raise ModelsMalformed(f"{where} is no line of text")
    return body


def _only(body: Mapping[str, object], where: str, *, needed: set[str], allowed: set[str]) -> None:
    if missing := needed - body.keys():
        raise ModelsMalformed(f"{where} lacks {', '.join(sorted(missing))}")
    if unknown := body.keys() - needed - allowed:
        raise ModelsMalformed(f"{where} has keys that are not known: {', '.join(sorted(unknown))[:200]}")
