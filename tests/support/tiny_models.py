"""Neural networks of a few numbers in the form that the speech library loads, written by hand.

They are what a recogniser and a speaker model are to the library - features in, log probabilities or a direction out -
and tell no more than a low tone from a high one. Source: the ONNX specification (onnx.proto3, IR version 8, opset 13).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

MELS = 80
LOW, HIGH = range(4, 20), range(50, 66)
TOKENS = ("<blk>", "低", "高")

_FLOAT, _INT64 = 1, 7


def write_models(folder: Path, *, speakers: bool = True, languages: Sequence[str] = ("zh",)) -> Path:
    """Write a model folder as an operator would, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tones.onnx").write_bytes(tone_recogniser())
    (folder / "tokens.txt").write_text("".join(f"{word} {number}\n" for number, word in enumerate(TOKENS)))
    (folder / "voices.onnx").write_bytes(tone_directions())
    write_manifest(folder, speakers=speakers, languages=languages)
    return folder


def write_manifest(folder: Path, *, speakers: bool = True, languages: Sequence[str] = ("zh",)) -> None:
    """Write the manifest of a model folder anew, with the digests of what lies in it."""

    def entry(name: str) -> str:
        return f'{{ name = "{name}", sha256 = "{hashlib.sha256((folder / name).read_bytes()).hexdigest()}" }}'

    text = f"""version = 1

[recogniser]
kind = "wenet-ctc"
name = "tones 1"
licence = "Apache-2.0"
languages = [{", ".join(f'"{language}"' for language in languages)}]

[recogniser.files]
model = {entry("tones.onnx")}
tokens = {entry("tokens.txt")}
"""
    if speakers:
        text += f"""
[speakers]
kind = "embedding"
name = "directions 1"
licence = "Apache-2.0"
distance = 500

[speakers.files]
model = {entry("voices.onnx")}
"""
    (folder / "models.toml").write_text(text)


def tone_recogniser() -> bytes:
    """Return a CTC model: loud low features say the second token, loud high ones the third, all else is blank."""
    weights = [0.0] * (MELS * 3)
    for mel in LOW:
        weights[mel * 3 + 1] = 1 / len(LOW)
    for mel in HIGH:
        weights[mel * 3 + 2] = 1 / len(HIGH)
    nodes = [
        _node("MatMul", ["features", "weights"], ["sums"]),
        _node("Add", ["sums", "bias"], ["scores"]),
        _node("LogSoftmax", ["scores"], ["log_probs"], axis=-1),
        _node("Identity", ["lengths"], ["log_probs_lengths"]),
    ]
    constants = [_tensor("weights", [MELS, 3], weights), _tensor("bias", [3], [12.0, 0.0, 0.0])]
    inputs = [_value("features", _FLOAT, ["N", "T", MELS]), _value("lengths", _INT64, ["N"])]
    outputs = [_value("log_probs", _FLOAT, ["N", "T", 3]), _value("log_probs_lengths", _INT64, ["N"])]
    return _model(nodes, constants, inputs, outputs, {"vocab_size": "3", "subsampling_factor": "1"})


def tone_directions() -> bytes:
    """Return a speaker model: its direction is how much louder low features are than high ones, and the reverse."""
    weights = [0.0] * (MELS * 2)
    for mel in (*LOW, *HIGH):
        sign = 1 if mel in LOW else -1
        weights[mel * 2], weights[mel * 2 + 1] = sign / 16, -sign / 16
    nodes = [
        _node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=0),
        _node("MatMul", ["mean", "weights"], ["embedding"]),
    ]
    told = {
        "output_dim": "2",
        "sample_rate": "16000",
        "normalize_samples": "0",
        "language": "zh",
        "framework": "wespeaker",
    }
    inputs, outputs = [_value("x", _FLOAT, ["N", "T", MELS])], [_value("embedding", _FLOAT, ["N", 2])]
    return _model(nodes, [_tensor("weights", [MELS, 2], weights)], inputs, outputs, told)


def _model(
    nodes: list[bytes], constants: list[bytes], inputs: list[bytes], outputs: list[bytes], told: dict[str, str]
) -> bytes:
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, b"tiny")
    graph += b"".join(_bytes(5, constant) for constant in constants)
    graph += b"".join(_bytes(11, value) for value in inputs) + b"".join(_bytes(12, value) for value in outputs)
    opset = _bytes(1, b"") + _number(2, 13)
    words = b"".join(_bytes(14, _bytes(1, key.encode()) + _bytes(2, word.encode())) for key, word in told.items())
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, opset) + words


def _node(kind: str, inputs: list[str], outputs: list[str], **attributes: int | list[int]) -> bytes:
    parts = [_bytes(1, name.encode()) for name in inputs] + [_bytes(2, name.encode()) for name in outputs]
    parts.append(_bytes(4, kind.encode()))
    for name, value in attributes.items():
        if isinstance(value, int):
            parts.append(_bytes(5, _bytes(1, name.encode()) + _number(3, value) + _number(20, 2)))
        else:
            numbers = b"".join(_number(8, item) for item in value)
            parts.append(_bytes(5, _bytes(1, name.encode()) + numbers + _number(20, 7)))
    return b"".join(parts)


def _tensor(name: str, shape: list[int], values: list[float]) -> bytes:
    sizes = b"".join(_number(1, side) for side in shape)
    return sizes + _number(2, _FLOAT) + _bytes(8, name.encode()) + _bytes(9, struct.pack(f"<{len(values)}f", *values))


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    sides = b"".join(
        _bytes(1, _number(1, side) if isinstance(side, int) else _bytes(2, side.encode())) for side in shape
    )
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, sides)))


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value & (2**64 - 1))


def _varint(value: int) -> bytes:
    spelled = bytearray()
    while value > 127:
        spelled.append(value & 127 | 128)
        value >>= 7
    return bytes([*spelled, value])
