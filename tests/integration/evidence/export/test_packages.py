"""Packages: a bag that others' tools accept, every list true, on record before a byte leaves, the same bytes again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import bagit

from evidence.core.wire.bag import parse_manifest
from evidence.core.wire.receipt import parse_receipt
from evidence.custody.history import clip_history
from evidence.export.orders import repeat_export
from evidence.verify.page.page import page_bytes
from ledger.canonical import decode_entry
from tests.support.packages import case_of, make, order, unpack
from tests.support.payloads import STAFF
from tests.support.small_house import CONTENTS, SmallHouse

FIRST, SECOND, STILL = CONTENTS


async def test_anybodys_bag_tool_accepts_a_case(house: SmallHouse, tmp_path: Path) -> None:
    archive = await make(house, await order(house, case=await case_of(house)))
    folder = unpack(archive, tmp_path / "out")
    bag = bagit.Bag(str(folder))
    assert bag.validate()
    assert bag.info["External-Description"].endswith("litigation")
    assert (folder / "verify.html").read_bytes() == page_bytes()
    exhibit = folder / "data" / "exhibits" / "0001"
    assert (exhibit / FIRST).read_bytes() == CONTENTS[FIRST]
    listed = json.loads((folder / "data" / "package.json").read_bytes())
    assert [one["name"] for one in listed["exhibits"]] == [FIRST]
    assert listed["exhibits"][0]["observations"][0]["causes_zh"] == "暂停录制"
    annotation = json.loads((exhibit / "annotation.json").read_bytes())
    assert annotation["content"]["remark"] == "亮证后检查排污口"


async def test_the_lists_of_both_digests_are_true(house: SmallHouse, tmp_path: Path) -> None:
    clips = [house.clips[SECOND], house.clips[STILL]]
    folder = unpack(await make(house, await order(house, clips=clips)), tmp_path / "out")
    files = {str(path.relative_to(folder)): path for path in (folder / "data").rglob("*") if path.is_file()}
    listed = parse_manifest((folder / "manifest-sha256.txt").read_bytes())
    assert listed == {name: hashlib.sha256(path.read_bytes()).digest() for name, path in files.items()}
    known = parse_manifest((folder / "checksums-sm3.txt").read_bytes())
    assert known
    for name, digest in known.items():
        assert digest == hashlib.new("sm3", files[name].read_bytes()).digest()


async def test_it_is_on_record_before_and_the_package_can_show_it(house: SmallHouse, tmp_path: Path) -> None:
    case = await case_of(house)
    folder = unpack(await make(house, await order(house, case=case)), tmp_path / "out")
    trace = parse_receipt((folder / "export.trace").read_bytes())
    entry, said = decode_entry(trace.entry), json.loads(trace.payload)
    assert (entry.type, entry.subject, entry.actor) == ("case.exported", f"case:{case}", STAFF)
    assert said["manifest"] == hashlib.sha256((folder / "manifest-sha256.txt").read_bytes()).hexdigest()
    assert said["clips"] == [str(house.clips[FIRST])]
    async with house.pool.acquire() as conn:
        lines = await clip_history(conn, house.clips[FIRST])
    assert lines[-1].event.type == "case.exported", "the clip's own history tells of it"


async def test_the_custody_log_is_proved_entry_by_entry(house: SmallHouse, tmp_path: Path) -> None:
    folder = unpack(await make(house, await order(house, case=await case_of(house))), tmp_path / "out")
    raw = (folder / "data/exhibits/0001/custody.receipts").read_bytes().splitlines(keepends=True)
    pairs = [b"".join(raw[start : start + 2]) for start in range(0, len(raw), 2)]
    types = [decode_entry(parse_receipt(pair).entry).type for pair in pairs]
    assert types == [
        *("clip.sealed", "clip.repeated", "clip.derived", "clip.annotated", "case.clip_linked", "clip.viewed"),
    ]
    # A look at many clips names the others: the trail tells of it, and its receipt stays in the house.
    looks = json.loads((folder / "data/exhibits/0001/trail.json").read_bytes())["looks"]
    assert [(one["purpose"], one["renditions"]) for one in looks] == [("legal_review", ["poster"])]
    assert isinstance(looks[0]["index"], int)
    assert str(house.clips[SECOND]).encode() not in b"".join(raw)


async def test_the_same_export_twice_differs_in_its_own_time_alone(house: SmallHouse, tmp_path: Path) -> None:
    job = await order(house, case=await case_of(house))
    first = unpack(await make(house, job), tmp_path / "first")
    await house.publish()
    async with house.pool.acquire() as conn, conn.transaction():
        again = await repeat_export(
            conn, export=job.export, purpose="litigation", actor=STAFF, clock=house.clock, entropy=house.entropy
        )
    second = unpack(await make(house, again), tmp_path / "second")
    names = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert sorted(names) == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    differing = {str(name) for name in names if (first / name).read_bytes() != (second / name).read_bytes()}
    assert differing == {"bag-info.txt", "export.trace", "tagmanifest-sha256.txt"}


async def test_r19_from_the_exhibit_back_to_the_recorder_and_its_first_digest(
    house: SmallHouse, tmp_path: Path
) -> None:
    folder = unpack(await make(house, await order(house, case=await case_of(house))), tmp_path / "out")
    trail: Any = json.loads((folder / "data/exhibits/0001/trail.json").read_bytes())
    source = trail["sources"][0]
    assert source["recorder"] == source["inventory"]["recorder"] == "4A00123"
    assert source["first_digest"]["by"] == "dock"
    assert source["first_digest"]["sha256"] == hashlib.sha256(CONTENTS[FIRST]).hexdigest()
    assert "shilu/manifest" in source["first_digest"]["signed"]
    assert source["inventory"]["dock"]["name"] == "一楼采集站"
    assert None not in {source["index"], source["inventory"]["index"], source["inventory"]["dock"]["index"]}
    assert [one["exhibit"] for one in trail["cases"]] == [1]
    assert trail["derivatives"][0]["objects"][0]["kind"] == "proxy"


async def test_names_that_cannot_be_file_names_meet_nobody(house: SmallHouse, tmp_path: Path) -> None:
    names = ["..\\..\\CON\u202e", "a:b?", "%2e%2e%0A", "custody.receipts", "x" * 900, "log.policy", "名\n称"]
    clips = [await house.seal(name, f"{number}{name}".encode()) for number, name in enumerate([*names, *names])]
    await house.publish()
    folder = unpack(await make(house, await order(house, clips=clips)), tmp_path / "out")
    assert bagit.Bag(str(folder)).validate()
    listed = json.loads((folder / "data" / "package.json").read_bytes())
    assert [one["name"] for one in listed["exhibits"]] == [*names, *names]
    for one in listed["exhibits"]:
        assert hashlib.sha256((folder / one["file"]).read_bytes()).hexdigest() == one["sha256"]
