"""`shilu export --excerpt CLIP=FROM-TO`: what it reads, and what it refuses before it opens anything."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
import typer

from api.cli.look import span_of
from evidence.export.parts import Wanted
from tests.support.commands import shilu_here

CLIP = "0195a000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("seconds", "begin", "end"),
    [("12-20", 12_000, 20_000), ("12:30-13:00.5", 750_000, 780_500), ("1:00:01-1:00:02", 3_601_000, 3_602_000)],
)
def test_times_are_those_of_the_player(seconds: str, begin: int, end: int) -> None:
    assert span_of(f"{CLIP}={seconds}") == Wanted(UUID(CLIP), begin, end)


@pytest.mark.parametrize("text", ["", CLIP, f"{CLIP}=12", f"{CLIP}=a-b", f"{CLIP}=-5-6", f"{CLIP}=1-2-3", "clip=1-2"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        span_of(text)


def test_a_folder_for_each_clip_takes_no_excerpts(tmp_path: Path) -> None:
    ran = shilu_here("export", "--to", str(tmp_path / "out"), CLIP, "--excerpt", f"{CLIP}=1-2")
    assert ran.code == 2
    assert "--package" in ran.err
    assert not (tmp_path / "out").exists()
