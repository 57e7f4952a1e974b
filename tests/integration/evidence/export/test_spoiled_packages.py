"""A package is verified as a whole: whatever was changed after the hand-over is named, lists made to fit or not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from evidence.verify.cli import main
from ledger.findings import Severity
from tests.support.packages import case_of, make, order, unpack
from tests.support.small_house import SmallHouse
from tests.support.spoiled_packages import ONLY_WARNED, SPOILED


def remarks(folder: Path, key: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()  # what was logged while the package was made
    code = main(["--json", "--log-key", key, str(folder)])
    return code, json.loads(capsys.readouterr().out)["remarks"]


async def test_every_way_of_spoiling_is_named(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = house.signer.verifier.vkey
    folder = unpack(await make(house, await order(house, case=await case_of(house))), tmp_path / "whole")
    code, told = remarks(folder, key, capsys)
    assert code == 0
    assert [one["code"] for one in told] == ["bag.traced", "bag.listed"]
    for number, (spoil, expected) in enumerate(SPOILED.items()):
        copy = tmp_path / f"{number}" / "package"
        shutil.copytree(folder, copy)
        spoil(copy)
        code, told = remarks(copy, key, capsys)
        wrong = {one["code"] for one in told if one["severity"] != Severity.OK.value}
        assert wrong == set(expected), spoil.__name__
        assert code == (0 if spoil in ONLY_WARNED else 1), spoil.__name__


async def test_one_exhibit_of_it_stands_alone(house: SmallHouse, tmp_path: Path) -> None:
    folder = unpack(await make(house, await order(house, case=await case_of(house))), tmp_path / "out")
    exhibit = shutil.copytree(folder / "data" / "exhibits" / "0001", tmp_path / "alone")
    assert main(["--log-key", house.signer.verifier.vkey, str(exhibit)]) == 0
