"""Speech written down by the real library from tiny models, in the real child: tones stand for words and for voices."""

from __future__ import annotations

import os
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ingest.media.errors import (
    MediaError,
    ModelsDiffer,
    ModelsMalformed,
    ModelsRefused,
    NothingDecodes,
    TranscriptMalformed,
)
from ingest.media.models import MANIFEST_NAME, read_models
from ingest.media.piece_child import SPEECH_NAME
from ingest.media.pieces import make_piece
from ingest.media.transcribing import parts
from ingest.media.transcript import Said, Transcript, captions, parse_transcript
from ledger.canonical import JsonObject, JsonValue, canonical_json
from tests.support.media import Film, Sound, write
from tests.support.tiny_models import write_manifest, write_models

pytest.importorskip("sherpa_onnx")

LOW, HIGH = 400, 3000


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def tones(path: Path, *spans: tuple[int, int, int], seconds: int = 6) -> Path:
    """Write a file of tones: hertz, from and to in milliseconds, and silence between."""
    samples = np.zeros(16_000 * seconds, np.int16)
    for hertz, start, end in spans:
        places = np.arange(16 * start, 16 * end)
        samples[places] = np.round(9000 * np.sin(2 * np.pi * hertz * places / 16_000)).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


async def transcribed(source: Path, workdir: Path, models: Path, spans: Sequence[Sequence[int]]) -> Transcript:
    """Have a child write down what is said between some times."""
    segments: list[JsonValue] = [list(span) for span in spans]
    file: JsonObject = {"detector": "test", "segments": segments, "version": 1, "window_ms": 32}
    (workdir / SPEECH_NAME).write_bytes(canonical_json(file))
    piece = await make_piece(source, workdir, {"task": "transcribe", "models": str(models)})
    return parse_transcript(piece.path.read_bytes())


async def test_words_and_voices_come_with_their_times(models: Path, workdir: Path, tmp_path: Path) -> None:
    source = tones(tmp_path / "in.wav", (LOW, 500, 1500), (HIGH, 2000, 3000), (LOW, 4000, 5000))
    told = await transcribed(source, workdir, models, [(480, 1520), (1984, 3008), (3990, 5010)])
    assert [(said.from_ms, said.to_ms, said.text, said.speaker) for said in told.segments] == [
        (480, 1520, "低", "S1"),
        (1984, 3008, "高", "S2"),
        (3990, 5010, "低", "S1"),
    ]
    assert told.models == read_models(models).as_json()
    assert told.speakers == 2


async def test_only_what_was_marked_as_speech_is_listened_to(models: Path, workdir: Path, tmp_path: Path) -> None:
    source = tones(tmp_path / "in.wav", (LOW, 500, 1500), (HIGH, 2000, 3000))
    told = await transcribed(source, workdir, models, [(3500, 4500), (4600, 90_000)])
    assert told.segments == (), "silence has no words, and what lies behind the end is silence"


async def test_without_a_model_of_voices_nobody_is_named(workdir: Path, tmp_path: Path) -> None:
    models = write_models(tmp_path / "models", speakers=False)
    source = tones(tmp_path / "in.wav", (LOW, 500, 1500))
    told = await transcribed(source, workdir, models, [(480, 1520)])
    assert [(said.text, said.speaker) for said in told.segments] == [("低", None)]


async def test_a_long_stretch_is_taken_in_parts(models: Path, workdir: Path, tmp_path: Path) -> None:
    source = tones(tmp_path / "in.wav", (LOW, 500, 16_000), (HIGH, 18_000, 33_000), (LOW, 34_000, 49_000), seconds=50)
    told = await transcribed(source, workdir, models, [(0, 50_000)])
    assert [said.text for said in told.segments] == ["低", "高", "低"]
    assert list(parts([(0, 20_000), (30_000, 50_001)])) == [(0, 20_000), (30_000, 40_000), (40_000, 50_001)]


async def test_a_review_copy_is_heard_as_well_as_a_plain_file(models: Path, workdir: Path, tmp_path: Path) -> None:
    sound = Sound(hertz=LOW, pieces_ms=((0, 2000),))
    source = write(tmp_path / "in.mp4", film=Film(), sound=sound, muxer={"movflags": "+frag_keyframe+delay_moov"})
    told = await transcribed(source, workdir, models, [(200, 1800)])
    assert [said.text for said in told.segments] == ["低"]


async def refused(source: Path, workdir: Path, models: Path, error: type[MediaError]) -> str:
    with pytest.raises(error) as caught:
        await transcribed(source, workdir, models, [(0, 1000)])
    assert not (workdir / "piece").exists()
    return str(caught.value)


async def test_models_that_are_not_those_of_the_manifest_are_not_loaded(workdir: Path, tmp_path: Path) -> None:
    source, models = tones(tmp_path / "in.wav", (LOW, 0, 1000)), write_models(tmp_path / "models")
    raw = bytearray((models / "tones.onnx").read_bytes())
    raw[-1] ^= 1
    (models / "tones.onnx").write_bytes(raw)
    assert "tones.onnx" in await refused(source, workdir, models, ModelsDiffer)
    (models / "tones.onnx").unlink()
    await refused(source, workdir, models, ModelsDiffer)
    os.mkfifo(models / "tones.onnx")
    await refused(source, workdir, models, ModelsDiffer)
    (models / MANIFEST_NAME).unlink()
    await refused(source, workdir, models, ModelsMalformed)


async def test_models_of_another_kind_than_stated_are_refused(workdir: Path, tmp_path: Path) -> None:
    """The library ends the process at some of them, and says so of others."""
    source, models = tones(tmp_path / "in.wav", (LOW, 0, 1000)), write_models(tmp_path / "models")
    whole = (models / "tones.onnx").read_bytes()
    for raw in (b"no network", whole[:200], (models / "voices.onnx").read_bytes()):
        (models / "tones.onnx").write_bytes(raw)
        write_manifest(models)
        await refused(source, workdir, models, ModelsRefused)


async def test_what_has_no_sound_and_what_is_no_list_of_segments(models: Path, workdir: Path, tmp_path: Path) -> None:
    await refused(write(tmp_path / "in.mp4", film=Film()), workdir, models, NothingDecodes)
    with pytest.raises(TranscriptMalformed):
        await transcribed(tones(tmp_path / "in.wav"), workdir, models, [(500, 400)])


def test_captions_show_voice_and_words() -> None:
    segments = (Said(0, 1500, "执法<记录>&", "S1", 900), Said(3_600_000, 3_601_234, "done", None, None))
    assert captions(segments).decode().split("\n\n")[2:] == [
        "00:00:00.000 --> 00:00:01.500\n<v S1>执法&lt;记录&gt;&amp;",
        "01:00:00.000 --> 01:00:01.234\ndone\n",
    ]
