"""Packages in `verify.html`: their lists and archived cases are judged in the browser as `shilu-verify` judges them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from evidence.db.pool import Pool
from tests.support.archived_cases import SPOILED as SPOILED_CASES
from tests.support.archived_cases import archived_case, fit_lists
from tests.support.browser import Tab
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.packages import case_of, make, order, part_of, unpack
from tests.support.small_house import CONTENTS, SmallHouse, open_small_house
from tests.support.spoiled_packages import (
    LISTS,
    SPOILED,
    excerpt_beside,
    excerpt_in_its_place,
    linked,
    spoiled_excerpts,
)
from tests.support.verify_page import comparable, judge, judge_here


@pytest.fixture
async def house(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[SmallHouse]:
    async with open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as opened:
        yield opened


async def package(house: SmallHouse, target: Path) -> Path:
    """Return a package of an archived case."""
    case = await archived_case(house)
    await house.publish()
    return unpack(await make(house, await order(house, case=case)), target)


async def compare(tab: Tab, folder: Path, capsys: pytest.CaptureFixture[str], *, log_key: str) -> dict[str, Any]:
    here = judge_here(capsys, folder, log_key=log_key)
    there = await judge(tab, folder, log_key=log_key)
    assert comparable(there, above=folder.parent) == comparable(here, above=folder.parent)
    return there


async def test_the_page_judges_lists_and_the_archived_case(
    tab: Tab, house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, key = await package(house, tmp_path / "out"), house.signer.verifier.vkey
    report = await compare(tab, folder, capsys, log_key=key)
    assert report["verified"]
    assert [one["code"] for one in report["remarks"]] == [
        *("bag.traced", "bag.listed", "archive.proved", "archive.complete"),
    ]
    for spoil in list(SPOILED)[:2]:
        copy = tmp_path / spoil.__name__ / "package"
        shutil.copytree(folder, copy)
        spoil(copy)
        assert not (await compare(tab, copy, capsys, log_key=key))["consistent"]


@pytest.mark.slow
async def test_the_page_and_the_command_agree_on_every_spoiled_package(
    tab: Tab, house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, key = await package(house, tmp_path / "out"), house.signer.verifier.vkey
    for number, spoil in enumerate([*SPOILED, *SPOILED_CASES]):
        if spoil is linked:
            continue  # a browser reads what a link leads to
        copy = tmp_path / f"{number}" / "package"
        shutil.copytree(folder, copy)
        spoil(copy)
        if spoil in SPOILED_CASES:
            fit_lists(copy)
        await compare(tab, copy, capsys, log_key=key)


@pytest.mark.slow
async def test_the_page_and_the_command_agree_on_every_hostile_list(
    tab: Tab, house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, key = await package(house, tmp_path / "out"), house.signer.verifier.vkey
    for number, (name, change) in enumerate(LISTS):
        copy = tmp_path / f"{number}" / "package"
        shutil.copytree(folder, copy)
        path = copy / name
        path.chmod(0o644)
        path.write_bytes(change(path.read_bytes()))
        report = await compare(tab, copy, capsys, log_key=key)
        assert "bag.malformed" in {one["code"] for one in report["remarks"]}, number


async def test_the_page_judges_excerpts_in_packages(
    tab: Tab, house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, key = await archived_case(house), house.signer.verifier.vkey
    await house.publish()
    part = part_of(house.clips["1号检查"], (0, 1), spans=((0, 1000), (5000, 6000)))
    folder = unpack(await make(house, await order(house, case=case, parts=[part])), tmp_path / "out")
    report = await compare(tab, folder, capsys, log_key=key)
    assert report["verified"]
    assert {"bag.excerpts", "archive.excerpted", "archive.file_excerpted"} <= {one["code"] for one in report["remarks"]}


async def test_the_page_and_the_command_agree_on_spoiled_excerpts(
    tab: Tab, house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, key, (name, content) = await case_of(house), house.signer.verifier.vkey, next(iter(CONTENTS.items()))
    part = part_of(house.clips[name], (0, 1), (2, 3), spans=((0, 1000), (5000, 6000)))
    partly = unpack(await make(house, await order(house, case=case, parts=[part])), tmp_path / "partly")
    whole = unpack(await make(house, await order(house, case=case)), tmp_path / "whole")
    spoiled = [(partly, spoil) for spoil in spoiled_excerpts(content)]
    for number, (source, spoil) in enumerate([*spoiled, (whole, excerpt_beside), (whole, excerpt_in_its_place)]):
        copy = shutil.copytree(source, tmp_path / f"{number}" / "package")
        spoil(copy)
        assert not (await compare(tab, copy, capsys, log_key=key))["consistent"], spoil.__name__
