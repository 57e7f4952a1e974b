"""Packages of archived cases (R23): they verify as the case that was frozen, and whatever was changed is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import bagit
import pytest

from evidence.verify.archived import CASE_NAME
from evidence.verify.cli import main
from evidence.verify.rounds import REVIEW_NAME
from ledger.findings import Severity
from tests.support.archived_cases import SPOILED, archived_case, fit_lists, write
from tests.support.packages import case_of, make, order, unpack
from tests.support.payloads import Scribe
from tests.support.reviews import keep_reviews
from tests.support.small_house import SmallHouse


def remarks(folder: Path, key: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()  # what was logged while the package was made
    code = main(["--json", "--log-key", key, str(folder)])
    return code, json.loads(capsys.readouterr().out)["remarks"]


async def test_r23_the_archived_package_stays_verifiable(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = await archived_case(house)
    await house.publish()
    folder = unpack(await make(house, await order(house, case=case)), tmp_path / "out")
    assert bagit.Bag(str(folder)).validate()
    code, told = remarks(folder, house.signer.verifier.vkey, capsys)
    assert code == 0, told
    assert [one["code"] for one in told] == ["bag.traced", "bag.listed", "archive.proved", "archive.complete"]
    assert (told[-1]["details"]["exhibits"], told[-1]["details"]["documents"]) == (2, 1)


def wrong(told: list[dict[str, Any]]) -> set[str]:
    """Return codes about the archived case that are not fine."""
    return {one["code"] for one in told if one["code"].startswith("archive.") and one["severity"] != Severity.OK.value}


async def test_r23_every_way_of_spoiling_an_archived_case_is_named(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [await archived_case(house, number) for number in ("1号", "2号")]
    await house.publish()
    key = house.signer.verifier.vkey
    folder, other = [
        unpack(await make(house, await order(house, case=case)), tmp_path / f"out{number}")
        for number, case in enumerate(cases)
    ]

    def of_another_case(copy: Path) -> None:
        write(copy / "data" / CASE_NAME, (other / "data" / CASE_NAME).read_bytes())

    another = ("archive.other_case", "archive.file_differs", "archive.number_unproved", "archive.annotation_differs")
    for number, (spoil, expected) in enumerate([*SPOILED.items(), (of_another_case, another)]):
        copy = tmp_path / f"{number}" / "package"
        shutil.copytree(folder, copy)
        spoil(copy)
        fit_lists(copy)
        code, told = remarks(copy, key, capsys)
        assert wrong(told) == set(expected), spoil.__name__
        assert "archive.complete" not in {one["code"] for one in told}, spoil.__name__
        assert code == 1, spoil.__name__


async def test_r32_a_package_carries_the_rounds_of_its_case(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, *_ = house.clips.values()
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        await keep_reviews(scribe, first)
        case = await conn.fetchval("SELECT case_id FROM decision")
    await house.publish()
    folder = unpack(await make(house, await order(house, case=case)), tmp_path / "whole")
    code, told = remarks(folder, house.signer.verifier.vkey, capsys)
    rounds = ["declared", "declared", "objected", "declared", "approved", "decided", "revoked", "revoked"]
    assert [one["code"] for one in told] == ["bag.traced", "bag.listed", *(f"rounds.{one}" for one in rounds)]
    assert code == 0, told
    path = folder / "data" / REVIEW_NAME
    lines = path.read_bytes().split(b"\n")
    write(path, b"\n".join([*lines[:-5], *lines[-3:]]))
    code, told = remarks(folder, house.signer.verifier.vkey, capsys)
    wrong = {one["code"] for one in told if one["severity"] == Severity.ERROR.value}
    assert (code, wrong) == (1, {"bag.file_differs", "rounds.entry_missing"})
    async with house.pool.acquire() as conn:
        await Scribe(conn=conn, clock=house.clock, entropy=house.entropy).link(case, second)
    await house.publish()
    part = unpack(await make(house, await order(house, case=case, clips=[first])), tmp_path / "part")
    assert not (part / "data" / REVIEW_NAME).exists()


async def test_words_after_the_archive_are_told_as_later(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = await archived_case(house)
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        await scribe.annotate(house.clips["1号检查"], expected_version=2, remark="更正", item="visit")
    await house.publish()
    folder = unpack(await make(house, await order(house, case=case)), tmp_path / "out")
    code, told = remarks(folder, house.signer.verifier.vkey, capsys)
    assert (code, wrong(told)) == (0, {"archive.annotation_newer"})


async def test_some_exhibits_of_an_archived_case_do_not_claim_to_be_it(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = await archived_case(house)
    early = await order(house, case=await case_of(house, "晋环罚〔2026〕1号"))
    await house.publish()
    for number, job in enumerate([early, await order(house, case=case, clips=[house.clips["1号检查"]])]):
        folder = unpack(await make(house, job), tmp_path / f"out{number}")
        assert not (folder / "data" / CASE_NAME).exists()
        code, told = remarks(folder, house.signer.verifier.vkey, capsys)
        assert code == 0
        assert not [one for one in told if one["code"].startswith("archive.")]
