"""sherpa-onnx, the library that writes down speech; loaded in the child process alone, from models that were checked.

It reads model files by name and ends the process (exit code 255) when they are not what it expects; so it is given the
names of open descriptors, and the service's side knows that exit code (`ingest.media.pieces`).
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.media.errors import ModelsRefused, SpeechMissing
from ingest.media.models import LIBRARY_MODULE, Model, Models, library_name, open_models
from ingest.media.transcript import plain

SAMPLE_RATE: Final = 16_000
TAIL_SAMPLES: Final = SAMPLE_RATE
"""Silence behind each stretch: recognisers that end with the sound swallow the last word."""

_VOICE_SAMPLES_MIN: Final = SAMPLE_RATE // 2


@dataclass(frozen=True, slots=True)
class Heard:
    """Words of one stretch, and the mean probability of its tokens in thousandths, if the model tells."""

    text: str
    confidence: int | None


class Recogniser:
    """Turns stretches of sound into words, and tells voices apart.

    Args:
        folder: Where the models lie.
        models: Its manifest.
        threads: Threads of the library.

    Raises:
        SpeechMissing: The library is not installed.
        ModelsDiffer: A file is not the one that the manifest names.
        ModelsRefused: The library does not take one.
    """

    def __init__(self, folder: Path, models: Models, *, threads: int) -> None:
        library_name()
        try:
            # Its types are not all told.
            self._sherpa: Any = importlib.import_module(LIBRARY_MODULE)
        except ImportError as error:
            raise SpeechMissing(f"sherpa-onnx cannot be loaded here: {error}") from error
        self._distance = (models.speakers.distance if models.speakers else None) or 500
        self._words = self._loaded(
            folder, models.recogniser, lambda names: self._recogniser(models.recogniser, names, threads)
        )
        self._voices = None
        if models.speakers is not None:
            self._voices = self._loaded(folder, models.speakers, lambda names: self._extractor(names, threads))

    def words(self, samples: NDArray[np.float32]) -> Heard:
        """Return what is said in a stretch."""
        stream = self._words.create_stream()
        stream.accept_waveform(SAMPLE_RATE, np.concatenate([samples, np.zeros(TAIL_SAMPLES, np.float32)]))
        self._words.decode_stream(stream)
        told = [float(number) for number in stream.result.ys_log_probs]
        sure = (
            round(1000 * min(1.0, math.exp(sum(told) / len(told)))) if told and all(map(math.isfinite, told)) else None
        )
        return Heard(plain(stream.result.text), sure)

    def voice(self, samples: NDArray[np.float32]) -> Sequence[float] | None:
        """Return the direction of a voice, None where no voices are told apart or the stretch is too short."""
        if self._voices is None or len(samples) < _VOICE_SAMPLES_MIN:
            return None
        stream = self._voices.create_stream()
        stream.accept_waveform(SAMPLE_RATE, samples)
        stream.input_finished()
        if not self._voices.is_ready(stream):
            return None
        direction = [float(number) for number in self._voices.compute(stream)]
        return direction if any(direction) and all(map(math.isfinite, direction)) else None

    def speakers(self, directions: Sequence[Sequence[float] | None]) -> list[str | None]:
        """Return a name for each voice, `S1`, `S2`, ... in the order of appearance; the same voice, the same name."""
        known = [direction for direction in directions if direction is not None]
        if not known:
            return [None] * len(directions)
        config = self._sherpa.FastClusteringConfig(num_clusters=-1, threshold=self._distance / 1000)
        groups = iter(self._sherpa.FastClustering(config)(np.array(known, np.float32)))
        numbers: dict[int, int] = {}
        names: list[str | None] = []
        for direction in directions:
            number = None if direction is None else numbers.setdefault(int(next(groups)), len(numbers) + 1)
            names.append(None if number is None else f"S{number}")
        return names

    def _loaded(self, folder: Path, model: Model, load: Callable[[dict[str, str]], Any]) -> Any:
        opened = open_models(folder, model)
        try:
            return load({role: f"/proc/self/fd/{descriptor}" for role, descriptor in opened.items()})
        except (RuntimeError, ValueError) as error:
            raise ModelsRefused(f"the library does not take {model.name}: {str(error)[:300]}") from error
        finally:
            for descriptor in opened.values():
                os.close(descriptor)

    def _recogniser(self, model: Model, names: dict[str, str], threads: int) -> Any:
        make = getattr(self._sherpa.OfflineRecognizer, f"from_{model.kind.replace('-', '_')}")
        if model.kind == "paraformer":
            names = {"paraformer": names["model"], "tokens": names["tokens"]}
        more: dict[str, str | bool] = {}
        if model.kind == "whisper":
            more = {"language": model.languages[0]}
        elif model.kind == "sense-voice":
            more = {"language": model.languages[0] if len(model.languages) == 1 else "auto", "use_itn": True}
        return make(**names, **more, num_threads=threads)

    def _extractor(self, names: dict[str, str], threads: int) -> Any:
        config = self._sherpa.SpeakerEmbeddingExtractorConfig(model=names["model"], num_threads=threads)
        return self._sherpa.SpeakerEmbeddingExtractor(config)
