"""Time stamps in `verify.html`: the page and `shilu-verify` come to the same findings, good and hostile."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.support.browser import Tab
from tests.support.evidence_folder import make_evidence_folder
from tests.support.stamped_folder import STAMP_CASES, make_stamped_folder
from tests.support.time_authority import Stamper, make_stamper
from tests.support.verify_page import comparable, judge, judge_here


@pytest.fixture(scope="module")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> Stamper:
    return make_stamper(tmp_path_factory.mktemp("tsa"))


@pytest.mark.parametrize("case", STAMP_CASES)
async def test_time_stamps_are_judged_alike(
    tab: Tab, tmp_path: Path, case: str, stamper: Stamper, capsys: pytest.CaptureFixture[str]
) -> None:
    stamped = make_stamped_folder(tmp_path / "evidence", stamper)
    STAMP_CASES[case][0](stamped)
    folder = stamped.evidence.folder
    for roots in (None, stamper.roots):
        here = judge_here(capsys, folder, log_key=stamped.evidence.vkey, roots=roots)
        there = await judge(tab, folder, log_key=stamped.evidence.vkey, roots=roots)
        assert comparable(there, above=tmp_path) == comparable(here, above=tmp_path)


@pytest.mark.slow
async def test_random_damage_to_a_time_stamp_gets_the_same_findings(
    tab: Tab, tmp_path: Path, stamper: Stamper, capsys: pytest.CaptureFixture[str]
) -> None:
    random = Random(12)
    stamped = make_stamped_folder(tmp_path / "evidence", stamper)
    honest, folder = stamped.stamp_file().read_bytes(), stamped.evidence.folder
    for _ in range(120):
        spoilt, start = bytearray(honest), random.randrange(len(honest))
        match random.randrange(3):
            case 0:
                spoilt[start] ^= 1 << random.randrange(8)
            case 1:
                del spoilt[start : start + random.randrange(1, 20)]
            case _:
                spoilt[start : start + 3] = random.randbytes(3)
        stamped.stamp_file().write_bytes(spoilt)
        here = judge_here(capsys, folder, log_key=stamped.evidence.vkey, roots=stamper.roots)
        there = await judge(tab, folder, log_key=stamped.evidence.vkey, roots=stamper.roots)
        assert comparable(there, above=tmp_path) == comparable(here, above=tmp_path), (start, bytes(spoilt))


async def test_roots_that_are_none_give_no_verdict(tab: Tab, tmp_path: Path) -> None:
    folder = make_evidence_folder(tmp_path / "evidence", b"footage")
    report = await judge(tab, folder.folder, log_key=folder.vkey, roots=folder.leaves_file)
    assert report == {"stopped": "verify.tsa_roots"}
