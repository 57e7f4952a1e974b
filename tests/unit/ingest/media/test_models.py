from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.errors import ModelsDiffer, ModelsMalformed
from ingest.media.models import MANIFEST_BYTES_MAX, MANIFEST_NAME, RECOGNISERS, open_models, parse_models, read_models
from tests.support.tiny_models import write_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"), languages=("zh", "yue-Hant"))


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / MANIFEST_NAME).read_text()


def test_a_manifest_says_what_is_in_a_folder(folder: Path) -> None:
    models = read_models(folder)
    assert models.speakers is not None
    assert (models.recogniser.kind, models.recogniser.languages) == ("wenet-ctc", ("zh", "yue-Hant"))
    assert (models.speakers.kind, models.speakers.distance) == ("embedding", 500)
    assert set(models.recogniser.files) == set(RECOGNISERS["wenet-ctc"])
    assert models.recogniser.digest != models.speakers.digest
    for descriptor in open_models(folder, models.recogniser).values():
        os.close(descriptor)


def test_the_digest_names_files_and_not_words(text: str) -> None:
    one, other = parse_models(text.encode()), parse_models(text.replace("tones 1", "tones 2").encode())
    assert one.recogniser.digest == other.recogniser.digest
    swapped = text.replace('kind = "wenet-ctc"', 'kind = "nemo-ctc"')
    assert parse_models(swapped.encode()).recogniser.digest != one.recogniser.digest


BROKEN = {
    "no TOML": ("version = 1", "version = "),
    "another version": ("version = 1", "version = 2"),
    "a version that is no number": ("version = 1", "version = true"),
    "an unknown key": ("version = 1", "version = 1\ntrust = true"),
    "an unknown kind": ('kind = "wenet-ctc"', 'kind = "parrot"'),
    "a kind that wants other files": ('kind = "wenet-ctc"', 'kind = "whisper"'),
    "a kind that is no text": ('kind = "wenet-ctc"', "kind = 1"),
    "no licence": ('licence = "Apache-2.0"\nlanguages', "languages"),
    "an empty licence": ('licence = "Apache-2.0"\nlanguages', 'licence = ""\nlanguages'),
    "a name of two lines": ('name = "tones 1"', 'name = "tones\\n1"'),
    "no languages": ('languages = ["zh", "yue-Hant"]', "languages = []"),
    "a language in words": ('languages = ["zh", "yue-Hant"]', 'languages = ["Chinese"]'),
    "a path": ('name = "tones.onnx"', 'name = "../tones.onnx"'),
    "a hidden file": ('name = "tones.onnx"', 'name = ".tones"'),
    "a digest in capitals": ('sha256 = "', 'sha256 = "A'),
    "a distance beyond measure": ("distance = 500", "distance = 2000"),
    "a distance that is no number": ("distance = 500", "distance = true"),
    "a role of another kind": ("tokens = {", "encoder = {"),
    "one role too many": ("tokens = {", 'decoder = { name = "a", sha256 = "b" }\ntokens = {'),
    "more about a file": ('{ name = "tones.onnx",', '{ url = "x", name = "tones.onnx",'),
    "a file that is a name": ("[speakers.files]\nmodel =", '[speakers.files]\nmodel = "x"\nother ='),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_not_of_the_form_is_refused_as_a_whole(text: str, what: str) -> None:
    before, after = BROKEN[what]
    assert before in text
    with pytest.raises(ModelsMalformed):
        parse_models(text.replace(before, after, 1).encode())


@given(st.binary(max_size=300), st.integers(0, 2000))
def test_no_bytes_break_the_reading(noise: bytes, place: int) -> None:
    raw = b"version = 1\n[recogniser]\nkind = 'whisper'\n[recogniser.files]\n"
    with contextlib.suppress(ModelsMalformed):
        parse_models(raw[:place] + noise + raw[place + len(noise) :])


def test_folders_without_and_with_too_long_a_manifest_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelsMalformed):
        read_models(tmp_path)
    (tmp_path / MANIFEST_NAME).write_bytes(b"#" * (MANIFEST_BYTES_MAX + 1))
    with pytest.raises(ModelsMalformed):
        read_models(tmp_path)
    with pytest.raises(ModelsMalformed):
        parse_models(b"a" + b".a" * 5_000 + b" = 1")


def test_a_file_that_is_another_leaves_nothing_open(tmp_path: Path) -> None:
    folder = write_models(tmp_path / "models")
    models = read_models(folder)
    (folder / "tokens.txt").write_text("other\n")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(ModelsDiffer, match="tokens"):
        open_models(folder, models.recogniser)
    (folder / "tokens.txt").unlink()
    (folder / "tokens.txt").mkdir()
    with pytest.raises(ModelsDiffer):
        open_models(folder, models.recogniser)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
