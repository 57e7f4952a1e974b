"""Packages with excerpts in the place of originals (E.8): said everywhere, proved as far as they go, and no further."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import bagit
import pytest

from evidence.access.grants import classify_clip
from evidence.access.policy import Person
from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.bag import parse_manifest
from evidence.core.wire.receipt import parse_receipt
from evidence.custody.report import ReportLine, report_of_clip
from evidence.custody.seen import seen_lines
from evidence.errors import ExportSpansInvalid, ExportTooManySpans, LeaseLost
from evidence.export import copying
from evidence.export.custody_paper import stretch
from evidence.export.enclosing import enclose
from evidence.export.gathering import gather
from evidence.export.orders import find_export, repeat_export
from evidence.export.parts import PACKAGE_SPANS_MAX, Wanted, spans_by_clip
from evidence.export.trail import read_history, trail_of
from evidence.parties.roles import Role
from evidence.verify.cli import main
from evidence.verify.excerpt_statement import Span, parse_excerpt
from ledger.findings import Severity
from tests.support.archived_cases import archived_case
from tests.support.crash import Crash
from tests.support.packages import case_of, exporter_of, make, maker_of, order, part_of, take, unpack
from tests.support.payloads import STAFF
from tests.support.small_house import CONTENTS, SmallHouse
from tests.support.spoiled_packages import spoiled_excerpts

FIRST, SECOND, STILL = CONTENTS
CONTENT = CONTENTS[FIRST]
HELD = CONTENT[:CHUNK_BYTES] + CONTENT[2 * CHUNK_BYTES : 3 * CHUNK_BYTES]
TWO_SPANS = ((1000, 2000), (61_500, 62_000))


async def packed(house: SmallHouse, target: Path) -> Path:
    """Return a package of a case with its one exhibit as an excerpt: the outer ones of three chunks."""
    part = part_of(house.clips[FIRST], (0, 1), (2, 3), spans=TWO_SPANS)
    return unpack(await make(house, await order(house, case=await case_of(house), parts=[part])), target)


def judged(folder: Path, key: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()  # what was logged while the package was made
    code = main(["--json", "--log-key", key, str(folder)])
    return code, json.loads(capsys.readouterr().out)


def codes(report: dict[str, Any]) -> set[str]:
    """Return codes of everything that is not fine."""
    found = [*report["remarks"], *(one for item in report["items"] for one in item["findings"])]
    return {one["code"] for one in found if one["severity"] != Severity.OK.value} - {"time.none", "dock.none"}


async def test_e8_an_excerpt_lies_in_the_place_of_an_original_and_verifies_as_far_as_it_goes(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = await packed(house, tmp_path / "out")
    assert bagit.Bag(str(folder)).validate()
    exhibit = folder / "data" / "exhibits" / "0001"
    assert not (exhibit / FIRST).exists()
    assert not (exhibit / f"{FIRST}.leaves").exists()
    assert (exhibit / f"{FIRST}.chunks").read_bytes() == HELD
    statement = parse_excerpt((exhibit / f"{FIRST}.excerpt").read_bytes())
    assert [one.asked for one in statement.spans] == [Span(*span) for span in TWO_SPANS]
    code, report = judged(folder, house.signer.verifier.vkey, capsys)
    assert code == 0
    assert [one["code"] for one in report["remarks"]] == ["bag.traced", "bag.listed", "bag.excerpts"]
    assert codes(report) == {"bag.excerpts", "excerpt.left_out"}
    assert report["remarks"][-1]["details"] | {"excerpts": 1, "of": 1} == report["remarks"][-1]["details"]
    told = [one["details"] for one in report["items"][0]["findings"] if one["code"] == "excerpt.seconds"]
    assert [(one["asked_from"], one["asked_to"]) for one in told] == [
        ("0:00:01.000", "0:00:02.000"),
        ("0:01:01.500", "0:01:02.000"),
    ]
    alone = shutil.copytree(exhibit, tmp_path / "alone")
    assert main(["--log-key", house.signer.verifier.vkey, str(alone)]) == 0


async def test_e8_everything_that_speaks_of_the_package_says_so(house: SmallHouse, tmp_path: Path) -> None:
    folder = await packed(house, tmp_path / "out")
    left_out = len(CONTENT) - len(HELD)
    said = json.loads(parse_receipt((folder / "export.trace").read_bytes()).payload)
    assert said["excerpts"] == [
        {
            "clip": str(house.clips[FIRST]),
            "spans": [{"from_ms": begin, "to_ms": end} for begin, end in TWO_SPANS],
            "chunks": 2,
            "bytes": len(HELD),
            "left_out": left_out,
        }
    ]
    (listed,) = json.loads((folder / "data/package.json").read_bytes())["exhibits"]
    assert (listed["enclosed"], listed["file"]) == ("excerpt", None)
    assert listed["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert listed["excerpt"]["left_out_bytes"] == left_out
    assert listed["excerpt"]["seconds"][1]["asked"] == {"from_ms": 61_500, "to_ms": 62_000}
    chunks = (folder / listed["excerpt"]["chunks"]).read_bytes()
    assert hashlib.sha256(chunks).hexdigest() == listed["excerpt"]["sha256"]
    assert (folder / listed["excerpt"]["statement"]).is_file()
    page = (folder / "data/certificate.html").read_text()
    share = f"{left_out} 字节（{left_out * 1000 // len(CONTENT) / 10} %）"
    for words in ("节选，并非原始文件全文", "00:01:01.500 至 00:01:02.000", "秒数未经证明", share):
        assert words in page
    graph = json.loads((folder / "data/case-uco.jsonld").read_bytes())["@graph"]
    (node,) = [one for one in graph if one["@id"] == f"kb:excerpt-{house.clips[FIRST]}"]
    assert f"{left_out} left out" in node["uco-core:description"]
    values = [one["uco-types:hashValue"]["@value"] for one in node["uco-core:hasFacet"][1]["uco-observable:hash"]]
    assert values[0] == hashlib.sha256(HELD).hexdigest()


async def test_e8_the_lists_are_of_what_is_really_there(house: SmallHouse, tmp_path: Path) -> None:
    folder = await packed(house, tmp_path / "out")
    files = {str(path.relative_to(folder)): path for path in (folder / "data").rglob("*") if path.is_file()}
    listed = parse_manifest((folder / "manifest-sha256.txt").read_bytes())
    assert listed == {name: hashlib.sha256(path.read_bytes()).digest() for name, path in files.items()}
    known = parse_manifest((folder / "checksums-sm3.txt").read_bytes())
    assert known[f"data/exhibits/0001/{FIRST}.chunks"] == hashlib.new("sm3", HELD).digest()


async def test_a_package_of_originals_says_that_they_are(house: SmallHouse, tmp_path: Path) -> None:
    folder = unpack(await make(house, await order(house, case=await case_of(house))), tmp_path / "out")
    assert "excerpts" not in json.loads(parse_receipt((folder / "export.trace").read_bytes()).payload)
    (listed,) = json.loads((folder / "data/package.json").read_bytes())["exhibits"]
    assert listed["enclosed"] == "original"
    assert "原始文件全文" in (folder / "data/certificate.html").read_text()


async def test_whatever_is_done_to_an_excerpt_is_named(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = await packed(house, tmp_path / "whole")
    for number, (spoil, expected) in enumerate(spoiled_excerpts(CONTENT).items()):
        copy = tmp_path / f"{number}" / "package"
        shutil.copytree(folder, copy)
        spoil(copy)
        code, report = judged(copy, house.signer.verifier.vkey, capsys)
        assert codes(report) - {"excerpt.left_out"} == set(expected) - {"excerpt.left_out"}, spoil.__name__
        assert code == 1, spoil.__name__


async def test_only_the_wanted_chunks_are_read_and_each_is_held_against_its_leaf(
    house: SmallHouse, tmp_path: Path
) -> None:
    path = house.object_path(FIRST)
    path.chmod(0o644)
    path.write_bytes(CONTENT[: CHUNK_BYTES + 5] + b"\x00\x01\x02" + CONTENT[CHUNK_BYTES + 8 :])
    folder = await packed(house, tmp_path / "out")
    assert (folder / f"data/exhibits/0001/{FIRST}.chunks").read_bytes() == HELD
    damaged = await order(house, clips=[house.clips[FIRST]], parts=[part_of(house.clips[FIRST], (1, 2))])
    assert await maker_of(house).attempt()
    refused = await find_export(house.pool, damaged.export)
    assert (refused.state, refused.code) == ("refused", "evidence.damaged")
    traced = "SELECT count(*) FROM custody_payload WHERE type = 'clips.exported'"
    assert await house.pool.fetchval(traced) == 0, "found before anything was said to leave"


async def test_nothing_is_written_before_the_trace_and_a_kill_at_a_chunk_costs_that_chunk(
    house: SmallHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever goes on after a kill writes the bytes that would have been there, under the one trace."""
    job = await order(
        house, case=await case_of(house), parts=[part_of(house.clips[FIRST], (0, 1), (2, 3), spans=TWO_SPANS)]
    )
    whole = (await make(house, job)).read_bytes()
    again = await repeated(house, job.export)
    taken = await take(house, seconds=-1.0)
    assert taken.export == again
    assert taken.parts == job.parts
    seen = list[int]()

    def stopping(view: memoryview, leaves: bytes, first: int, also: Any) -> int:
        seen.append(first)
        if len(seen) == 2:
            raise Crash
        return check(view, leaves, first, also)

    check = copying._check
    with monkeypatch.context() as patch:
        patch.setattr(copying, "_check", stopping)
        with pytest.raises(Crash):
            await maker_of(house, lease_seconds=-1.0).attempt()
    assert sorted(seen) == [0, 2]
    assert await house.pool.fetchval("SELECT state FROM export_job WHERE export = $1", again) == "running"
    archive = maker_of(house).archive_of(again)
    assert not archive.exists()
    traces = await house.pool.fetchval("SELECT count(*) FROM custody_payload WHERE type = 'case.exported'")
    assert await maker_of(house).attempt()
    assert archive.exists()
    assert await house.pool.fetchval("SELECT count(*) FROM custody_payload WHERE type = 'case.exported'") == traces
    (tmp_path / "whole.zip").write_bytes(whole)
    first, second = unpack(tmp_path / "whole.zip", tmp_path / "one"), unpack(archive, tmp_path / "two")
    names = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    differing = {str(name) for name in names if (first / name).read_bytes() != (second / name).read_bytes()}
    assert differing == {"bag-info.txt", "export.trace", "tagmanifest-sha256.txt"}


async def repeated(house: SmallHouse, export: UUID) -> UUID:
    async with house.pool.acquire() as conn, conn.transaction():
        again = await repeat_export(
            conn, export=export, purpose="litigation", actor=STAFF, clock=house.clock, entropy=house.entropy
        )
    return again.export


async def test_giving_up_ends_the_reading_before_the_list(house: SmallHouse) -> None:
    async with house.pool.acquire() as conn:
        read = await gather(exporter_of(house), conn, number=1, clip=house.clips[FIRST])
    stop = threading.Event()
    stop.set()
    part, original = part_of(house.clips[FIRST], (0, 3)), house.object_path(FIRST)
    with pytest.raises(LeaseLost):
        enclose(part, read.proven.sealed, leaves=read.leaves, original=original, stop=stop)


async def test_r23_an_archived_case_with_an_excerpt_is_not_told_as_complete(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = await archived_case(house)
    await house.publish()
    part = part_of(house.clips["1号检查"], (0, 1))
    folder = unpack(await make(house, await order(house, case=case, parts=[part])), tmp_path / "out")
    assert json.loads((folder / "data/package.json").read_bytes())["documents"][0]["enclosed"] == "original"
    code, report = judged(folder, house.signer.verifier.vkey, capsys)
    assert code == 0
    assert [one["code"] for one in report["remarks"]] == [
        *("bag.traced", "bag.listed", "bag.excerpts", "archive.proved", "archive.excerpted", "archive.file_excerpted"),
    ]
    assert report["remarks"][4]["details"]["excerpts"] == 1


async def test_parts_of_no_exhibit_are_refused_when_they_are_asked_for(house: SmallHouse) -> None:
    with pytest.raises(ExportSpansInvalid):
        await order(house, case=await case_of(house), parts=[part_of(house.clips[STILL], (0, 1))])


@pytest.mark.parametrize(
    ("spans", "refused"),
    [
        ([(5, 5)], ExportSpansInvalid),
        ([(-1, 5)], ExportSpansInvalid),
        ([(9, 5)], ExportSpansInvalid),
        ([(0, 10), (9, 20)], ExportSpansInvalid),
        ([(5, 10), (0, 20)], ExportSpansInvalid),
        ([(at, at + 1) for at in range(10_000)], ExportTooManySpans),
    ],
)
def test_spans_that_are_none_are_refused(spans: list[tuple[int, int]], refused: type[Exception]) -> None:
    clip = UUID(int=1)
    with pytest.raises(refused):
        spans_by_clip([Wanted(clip, *span) for span in spans], among=[clip])


def test_spans_come_in_order_and_may_touch() -> None:
    clip, other = UUID(int=1), UUID(int=2)
    wanted = [Wanted(clip, 10, 20), Wanted(other, 0, 5), Wanted(clip, 0, 10)]
    assert spans_by_clip(wanted, among=[clip, other]) == {clip: (Span(0, 10), Span(10, 20)), other: (Span(0, 5),)}
    with pytest.raises(ExportSpansInvalid):
        spans_by_clip(wanted, among=[clip])
    many = [Wanted(clip, at * 10, at * 10 + 10) for at in range(PACKAGE_SPANS_MAX)]
    assert len(spans_by_clip(many, among=[clip])[clip]) == PACKAGE_SPANS_MAX


async def test_each_clip_tells_of_its_own_seconds_and_hides_those_of_others(house: SmallHouse, tmp_path: Path) -> None:
    mine, other = house.clips[FIRST], house.clips[SECOND]
    parts = [part_of(mine, (0, 1), spans=TWO_SPANS), part_of(other, (0, 1))]
    folder = unpack(await make(house, await order(house, clips=[mine, other], parts=parts)), tmp_path / "out")
    assert len(json.loads(parse_receipt((folder / "export.trace").read_bytes()).payload)["excerpts"]) == 2
    reader = Person(staff=uuid4(), roles=frozenset({Role.INVESTIGATOR}), all_units=True)
    async with house.pool.acquire() as conn:
        async with conn.transaction():
            secret = partial(classify_clip, conn, other, classes=("minors",), reason="涉及未成年人", actor=STAFF)
            await secret(clock=house.clock, entropy=house.entropy)
        history = await read_history(conn, mine)
        lines = await seen_lines(conn, reader, history.lines)
        office = replace(reader, all_classes=True)
        page = await report_of_clip(conn, mine, reader=office, until=house.clock(), after=None, limit=100)
    handed: Any = trail_of(history)["handed_over"]
    assert handed[-1]["excerpt"]["spans"] == [{"from_ms": begin, "to_ms": end} for begin, end in TWO_SPANS]
    shown: Any
    (shown,) = [line.event.payload for line in lines if line.event.type == "clips.exported"]
    assert (shown["clips"], [one["clip"] for one in shown["excerpts"]]) == ([str(mine)], [str(mine)])
    (told,) = [line for line in page.lines if line.type == "clips.exported"]
    assert told.served["excerpts"] == [{"clip": str(mine), "from_ms": begin, "to_ms": end} for begin, end in TWO_SPANS]
    assert any("61500–62000 毫秒" in cell for cell in _cells(told))


def _cells(line: ReportLine) -> list[str]:
    (block,) = stretch([line], number=0, zone=ZoneInfo("Asia/Shanghai"), with_clips=False).blocks
    return [cell for row in block.cells for cell in row]
