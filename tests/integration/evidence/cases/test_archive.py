"""Archiving (R22, R23): refused with every reason at once, frozen whole, closed for good, in every order of events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from evidence.cases.archive import Archived, archive_case, evidence_root, files_to_verify, readiness
from evidence.cases.cases import link_clip, unlink_clip
from evidence.cases.errors import ArchiveRefused, CaseIsArchived
from evidence.cases.file import Amendment, amend, dossier_of, open_file, state
from evidence.clips.annotations import annotate
from evidence.clips.content import read_content
from evidence.core.wire.case_manifest import files_of, manifest_root
from evidence.custody.replay import Side, replay
from evidence.db.pool import Connection, open_pool
from evidence.errors import EvidenceError
from tests.support.case_files import (
    CONCLUDED,
    STATEMENT,
    activity,
    at,
    gap,
    item,
    item_list,
    keep_case_files,
    opened,
    publish,
    say,
    text,
)
from tests.support.payloads import STAFF, Scribe

LIST = item_list(
    item("seizure", mode="full", when="stated"), item("visit", exemptible=True), item("talk", elements=["place"])
)


async def ready_case(scribe: Scribe) -> tuple[UUID, list[UUID]]:
    """Return a case against which nothing stands, and its exhibits."""
    await publish(scribe, LIST)
    case = await opened(scribe, kind="penalty")
    clips = [await scribe.seal(recorded_at=text(0)), await scribe.seal(recorded_at=text(20))]
    for clip, word in zip(clips, ("visit", "talk"), strict=True):
        await scribe.annotate(clip, remark=f"摄录{word}", item=word, place="厂区")
        await scribe.link(case, clip)
    await say(scribe, case, CONCLUDED)
    return case, clips


async def archive(
    scribe: Scribe, case: UUID, *, conn: Connection | None = None, faults: Mapping[UUID, Sequence[str]] | None = None
) -> Archived:
    conn = conn or scribe.conn
    async with conn.transaction():
        files = await files_to_verify(conn, case)
        return await archive_case(
            conn,
            case_id=case,
            verified=dict.fromkeys(files, ()) | dict(faults or {}),
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def codes(scribe: Scribe, case: UUID, **verified: Any) -> list[str]:
    files = await files_to_verify(scribe.conn, case)
    found = await readiness(scribe.conn, case, verified=dict.fromkeys(files, ()))
    return [reason.code for reason in found]


async def test_r23_a_case_is_frozen_whole_and_the_manifest_verifies(scribe: Scribe) -> None:
    case, clips = await ready_case(scribe)
    root = await evidence_root(scribe.conn, case)
    done = await archive(scribe, case)
    assert done.root == manifest_root(done.manifest) == root
    exhibits: Any = done.manifest["exhibits"]
    assert [(one["exhibit"], one["clip"], one["remark"]) for one in exhibits] == [
        (1, str(clips[0]), "摄录visit"),
        (2, str(clips[1]), "摄录talk"),
    ]
    assert len(list(files_of(done.manifest))) == 2
    assert (await dossier_of(scribe.conn, case)).state == "archived"
    async with aclosing(replay(scribe.conn)) as found:
        assert [one async for one in found] == []


async def test_r13_an_exhibit_without_remark_keeps_the_case_open(scribe: Scribe) -> None:
    case, _ = await ready_case(scribe)
    await scribe.link(case, await scribe.seal())
    assert await codes(scribe, case) == ["remark_missing", "item_unnamed"]
    with pytest.raises(ArchiveRefused) as caught:
        await archive(scribe, case)
    reasons: Any = caught.value.details["reasons"]
    assert [(one["code"], one["exhibit"]) for one in reasons] == [("remark_missing", 3), ("item_unnamed", 3)]
    assert (await dossier_of(scribe.conn, case)).archived is None


async def test_r23_every_reason_is_told_at_once(scribe: Scribe) -> None:
    await publish(scribe, LIST)
    case = await opened(scribe)
    clip, stray = await scribe.seal(recorded_at=text(0)), await scribe.seal(recorded_at=text(1))
    await scribe.derive(clip, probe={"duration_ms": 60_000})
    await scribe.annotate(clip, remark="查封", item="seizure")
    await scribe.annotate(stray, remark="航拍", item="航拍")
    for one in (clip, stray):
        await scribe.link(case, one)
    assert await codes(scribe, case) == [
        "not_concluded",
        "activity_unstated",
        "item_missing",
        "item_missing",
        "argument_missing",
    ]
    await say(scribe, case, activity("seizure", 0, 2))
    await say(scribe, case, {"kind": "argument", "clip": str(stray), "reference": "r", "reason": "w", "approver": "a"})
    assert await codes(scribe, case) == ["not_concluded", "gap_unexplained", "item_missing", "item_missing"]
    await say(scribe, case, gap("seizure", 1, 2))
    await say(scribe, case, CONCLUDED)
    assert await codes(scribe, case) == ["item_missing", "item_missing"]


async def test_r12_a_missing_element_keeps_the_case_open(scribe: Scribe) -> None:
    case, clips = await ready_case(scribe)
    await scribe.annotate(clips[1], expected_version=1, remark="无地点", item="talk")
    found = await readiness(scribe.conn, case, verified=dict.fromkeys(clips, ()))
    assert [(one.code, one.about["element"]) for one in found] == [("element_missing", "place")]


async def test_r23_what_fails_verification_or_was_not_verified_keeps_the_case_open(scribe: Scribe) -> None:
    case, clips = await ready_case(scribe)
    with pytest.raises(ArchiveRefused) as caught:
        await archive(scribe, case, faults={clips[0]: ["clip.sha256_differs"]})
    reasons: Any = caught.value.details["reasons"]
    assert [(one["code"], one["codes"]) for one in reasons] == [("verification_failed", ["clip.sha256_differs"])]
    found = await readiness(scribe.conn, case, verified={clips[0]: ()})
    assert [(one.code, one.about["exhibit"]) for one in found] == [("not_verified", 2)]


async def test_r23_a_missing_segment_between_two_recordings_keeps_the_case_open(scribe: Scribe) -> None:
    case, clips = await ready_case(scribe)
    for clip in clips:
        await scribe.derive(clip, probe={"duration_ms": 60_000})
    await held(scribe, {"DCIM/between.mp4": at(10), "DCIM/afterwards.mp4": at(300)})
    found = await readiness(scribe.conn, case, verified=dict.fromkeys(clips, ()))
    assert [(one.code, one.about["path"]) for one in found] == [("not_ingested", "DCIM/between.mp4")]


async def test_what_a_recorder_with_a_wrong_clock_still_holds_is_missed_by_its_own_clock(scribe: Scribe) -> None:
    """Its files that never came bear its clock; its exhibits are placed by the service's, ten minutes earlier."""
    case, clips = await ready_case(scribe)
    for clip, begins in zip(clips, (-10, 10), strict=True):
        await scribe.derive(clip, probe={"duration_ms": 60_000})
        await scribe.attribute(clip, recorded_at=text(begins))
    await held(scribe, {"DCIM/between.mp4": at(19), "DCIM/before.mp4": at(-5)})
    found = await readiness(scribe.conn, case, verified=dict.fromkeys(clips, ()))
    assert [(one.code, one.about["path"]) for one in found] == [("not_ingested", "DCIM/between.mp4")]
    file = await open_file(scribe.conn, case)
    assert [one.time and one.time.start for one in file.footage] == [at(-10), at(10)]


async def held(scribe: Scribe, files: Mapping[str, datetime]) -> None:
    """Let a dock see files on the recorder, of which none comes."""
    inventory = scribe.new_id()
    await scribe.conn.execute(
        """INSERT INTO dock_inventory
               (inventory, dock, recorder, seen_at, dock_clock, profile, files, note, received_at, entry_id)
           VALUES ($1, $1, 'A100001', now(), now(), 'generic', 2, '', now(), $1)""",
        inventory,
    )
    for place, (path, recorded_at) in enumerate(files.items(), 1):
        await scribe.conn.execute(
            """INSERT INTO dock_inventory_file (inventory, place, path, raw, size, modified_at, recorded_at, key_mark)
               VALUES ($1, $2, $3, false, 5, now(), $4, false)""",
            inventory,
            place,
            path,
            recorded_at,
        )


async def test_an_archived_case_changes_no_more_and_takes_addenda(scribe: Scribe) -> None:
    case, clips = await ready_case(scribe)
    done = await archive(scribe, case)
    another = await scribe.seal()
    more: dict[str, Any] = {"actor": STAFF, "clock": scribe.clock, "entropy": scribe.entropy}
    attempts: list[Callable[[], Awaitable[object]]] = [
        lambda: archive(scribe, case),
        lambda: scribe.link(case, another),
        lambda: say(scribe, case, activity("seizure", 0, 1)),
        lambda: say(scribe, case, CONCLUDED),
        lambda: amend(
            scribe.conn, case_id=case, amendment=Amendment(reason="x", title="y"), expected_version=1, **more
        ),
        lambda: unlink_clip(scribe.conn, case_id=case, exhibit=1, reason="x", **more),
    ]
    for attempt in attempts:
        with pytest.raises(CaseIsArchived):
            await attempt()
    assert (await scribe.link(case, clips[0])).repeated
    await say(scribe, case, {"kind": "addendum", "text": "判决维持", "reference": "（2026）行终1号"})
    await scribe.annotate(clips[0], expected_version=1, remark="更正", item="visit")
    dossier = await dossier_of(scribe.conn, case)
    assert [one.text for one in dossier.addenda] == ["判决维持"]
    assert dossier.archived is not None
    assert dossier.archived.content["manifest"] == done.manifest


@pytest.mark.parametrize("first", ["archive", "other"])
@pytest.mark.parametrize("kind", ["link", "annotate", "state", "unlink"])
async def test_an_archive_against_another_change_is_one_after_the_other(
    database: str, scribe: Scribe, kind: str, first: str
) -> None:
    case, clips = await ready_case(scribe)
    another = await scribe.seal()
    more: dict[str, Any] = {"actor": STAFF, "clock": scribe.clock, "entropy": scribe.entropy}
    verified = dict.fromkeys(clips, ())
    changes: dict[str, Callable[[Connection], Awaitable[object]]] = {
        "link": lambda conn: link_clip(conn, case_id=case, clip=another, **more),
        "annotate": lambda conn: annotate(
            conn,
            clip=clips[0],
            content=read_content({"remark": "新说明", "item": "visit", "place": "厂区"}),
            expected_version=1,
            **more,
        ),
        "state": lambda conn: state(
            conn, case_id=case, statement=STATEMENT.validate_python(activity("seizure", 0, 1)), **more
        ),
        "unlink": lambda conn: unlink_clip(conn, case_id=case, exhibit=2, reason="x", **more),
    }
    outcomes: dict[str, object] = {}
    async with open_pool(database, size_max=3) as pool:

        async def run(name: str, work: Callable[[Connection], Awaitable[object]], held: asyncio.Event) -> None:
            try:
                async with pool.acquire() as conn, conn.transaction():
                    outcomes[name] = await work(conn)
                    held.set()
                    # The other one comes while this transaction holds its locks.
                    await asyncio.sleep(0.2)
            except EvidenceError as error:
                outcomes[name] = error
                held.set()

        async def seal_off(conn: Connection) -> object:
            return await archive_case(conn, case_id=case, verified=verified, **more)

        work = {"archive": seal_off, "other": changes[kind]}
        order = [first, "other" if first == "archive" else "archive"]
        held = asyncio.Event()
        leading = asyncio.create_task(run(order[0], work[order[0]], held))
        await held.wait()
        await run(order[1], work[order[1]], asyncio.Event())
        await leading
    archived, other = outcomes["archive"], outcomes["other"]
    if first == "archive":
        assert isinstance(archived, Archived)
        assert isinstance(other, CaseIsArchived) is (kind != "annotate")
    elif kind == "annotate":
        # It waited for the new version, and froze that.
        assert isinstance(archived, Archived)
        exhibits: Any = archived.manifest["exhibits"]
        assert (exhibits[0]["version"], exhibits[0]["remark"]) == (2, "新说明")
    else:
        assert isinstance(archived, ArchiveRefused)


async def test_much_said_about_cases_is_replayed_as_it_stands(scribe: Scribe) -> None:
    """The cases that the tamper drill keeps."""
    await keep_case_files(scribe, await scribe.seal())
    async with aclosing(replay(scribe.conn)) as found:
        assert [one async for one in found] == []
    kinds = await scribe.conn.fetch("SELECT DISTINCT kind FROM case_statement")
    assert {"amended", "unlinked", "archived", "addendum", "withdrawal"} <= {row["kind"] for row in kinds}


async def test_the_database_itself_refuses_a_second_archive(scribe: Scribe) -> None:
    case, _ = await ready_case(scribe)
    done = await archive(scribe, case)
    payload: dict[str, Any] = {"case": str(case), "root": done.root.hex(), "manifest": done.manifest}
    with pytest.raises(asyncpg.UniqueViolationError):
        await scribe.write("case.archived", f"case:{case}", payload)


async def test_a_changed_statement_is_found_by_the_replay(scribe: Scribe) -> None:
    case, _ = await ready_case(scribe)
    await scribe.conn.execute("ALTER TABLE case_statement DISABLE TRIGGER USER")
    await scribe.conn.execute(
        "UPDATE case_statement SET content = jsonb_set(content, '{statement,on}', '\"2026-02-01\"') WHERE case_id = $1",
        case,
    )
    async with aclosing(replay(scribe.conn)) as found:
        assert [(one.table, one.side) async for one in found] == [("case_statement", Side.ALTERED)]
