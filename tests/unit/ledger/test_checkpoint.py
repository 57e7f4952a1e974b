"""Checkpoints: three lines, and a log speaks for itself alone. Hostile checkpoints: test_vectors.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checkpoint import Checkpoint, format_checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from ledger.errors import CheckpointMalformed
from ledger.tree import EMPTY_ROOT, SIZE_MAX
from tests.vectors.generate import CHECKPOINT, LOG, STRANGER

origins = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=60)


@given(origin=origins, size=st.integers(1, SIZE_MAX), root=st.binary(min_size=32, max_size=32))
def test_checkpoints_round_trip(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint


@given(st.text("ab0123456789=+/\n", max_size=60))
def test_whatever_is_read_is_written_the_same(text: str) -> None:
    try:
        checkpoint = parse_checkpoint(text)
    except CheckpointMalformed:
        return
    assert format_checkpoint(checkpoint) == text


def test_a_checkpoint_is_opened_among_other_signatures() -> None:
    assert open_checkpoint(sign_checkpoint(CHECKPOINT, [STRANGER, LOG]), LOG.verifier) == CHECKPOINT


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("", 1, bytes(32)),
        Checkpoint("a\nb", 1, bytes(32)),
        Checkpoint("\ud800", 1, bytes(32)),
        Checkpoint("长" * 86, 1, bytes(32)),
        Checkpoint("a", -1, bytes(32)),
        Checkpoint("a", SIZE_MAX + 1, bytes(32)),
        Checkpoint("a", 1, bytes(31)),
        Checkpoint("a", 1, EMPTY_ROOT + b"\0"),
        Checkpoint("a", 0, bytes(32)),
    ],
)
def test_a_checkpoint_out_of_form_is_not_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(CheckpointMalformed):
        format_checkpoint(checkpoint)


@pytest.mark.parametrize("end", ["x", "x\n", "\n", " "])
def test_nothing_follows_the_third_line(end: str) -> None:
    with pytest.raises(CheckpointMalformed):
        parse_checkpoint(format_checkpoint(CHECKPOINT) + end)
