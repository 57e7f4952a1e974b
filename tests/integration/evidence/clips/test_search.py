"""Search (R16): Chinese of one and two characters, facets alone and together, pages, plans, two writers at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from api.housekeeping import sweep
from evidence.clips import search_store
from evidence.clips.clips import ClipState
from evidence.clips.query import ClipQuery
from evidence.clips.search import list_clips
from evidence.db.pool import Pool
from evidence.errors import SearchInvalid
from ledger.canonical import JsonObject
from tests.support.payloads import Scribe


async def found(scribe: Scribe, **asked: object) -> set[UUID]:
    page = await list_clips(scribe.conn, ClipQuery(**asked), limit=200)  # type: ignore[arg-type]
    return {item.clip for item in page.items}


@pytest.fixture
async def clips(scribe: Scribe) -> list[UUID]:
    """Three clips that differ in everything a facet can ask for."""
    first = await scribe.seal(
        recorder="A100001", officer="000042", key_mark=True, recorded_at="2026-03-01T00:00:00.000Z", sha256="a" * 64
    )
    second = await scribe.seal(
        recorder="B200002", officer="000043", name="IMG_0001.JPG", path="DCIM/IMG_0001.JPG",
        recorded_at="2026-03-02T00:00:00.000Z", sha256="b" * 64,
    )  # fmt: skip
    nothing = dict.fromkeys(("recorder", "dock", "inventory", "officer", "recorded_at"))
    third = await scribe.seal(name="证人 录音.m4a", path="证人 录音.m4a", **nothing)
    await scribe.derive(first)
    await scribe.derive(second, outcome="still")
    await scribe.annotate(
        first,
        remark="执法人员现场检查，查封排污设备",
        place="朔州市",
        markers=[{"kind": "credentials_shown", "at_ms": 0, "note": "证件 ＮＯ.１２"}],
        speakers=[{"key": "s1", "role": "party", "name": "李建国"}],
        dialogue=[{"from_ms": 0, "to_ms": 10, "speaker": "s1", "text": "100% 达标了"}],
    )
    return [first, second, third]


TEXTS: list[tuple[str, set[int]]] = [
    ("", {0, 1, 2}),
    ("查封", {0}),
    ("封", {0}),
    ("查 封", {0}),
    ("封查", set()),
    ("排污设备", {0}),
    ("查封 朔州", {0}),
    ("查封 北京", set()),
    ('"现场检查，查封"', {0}),
    ("亮证", {0}),
    ("CREDENTIALS", {0}),
    ("当事人 李建国", {0}),
    ("no.12", {0}),
    ("ＮＯ．１２", {0}),
    ("100%", {0}),
    ("1_0%", set()),
    ("%", {0}),
    ("_", {0, 1}),
    ("img_0001", {1}),
    ("dcam", {0}),
    ('"证人 录音"', {2}),
    ("\\", set()),
    ("'", set()),
    ("检查朔州", set()),
    ("b200002", {1}),
]
"""What is asked, and which of the three clips hold it."""


async def test_text(scribe: Scribe, clips: list[UUID]) -> None:
    for text, hits in TEXTS:
        assert await found(scribe, text=text) == {clips[hit] for hit in hits}, text


async def test_every_facet_alone_and_together(scribe: Scribe, clips: list[UUID]) -> None:
    case_id = await scribe.open_case("晋环罚〔2026〕9号", "查封案")
    await scribe.link(case_id, clips[1])
    dock = await scribe.conn.fetchval("SELECT dock FROM clip_source WHERE clip = $1", clips[0])
    first, second, third = ({clip} for clip in clips)
    assert await found(scribe, recorder="A100001") == await found(scribe, recorder="ａ100001") == first
    assert await found(scribe, recorder="A10000") == set()
    assert await found(scribe, officer="000043") == second
    assert await found(scribe, dock=dock) == first
    assert await found(scribe, case=case_id) == second
    assert await found(scribe, case=clips[0]) == set()
    assert await found(scribe, state=ClipState.SEALED) == third
    assert await found(scribe, state=ClipState.REVIEWABLE) == first
    assert await found(scribe, key_mark=True) == first
    assert await found(scribe, key_mark=False) == second | third
    assert await found(scribe, sha256="b" * 64) == second
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    assert await found(scribe, recorded_from=moment) == second
    assert await found(scribe, recorded_to=moment) == first
    assert await found(scribe, recorded_from=moment - timedelta(days=1), recorded_to=moment) == first
    assert await found(scribe, text="查封", case=case_id, state=ClipState.STILL) == second
    assert await found(scribe, text="查封", key_mark=True, officer="000042", recorded_to=moment) == first
    assert await found(scribe, recorder="A100001", officer="000043") == set()


ASKED: list[tuple[str, set[int]]] = [
    ("查封 OR 录音", {0, 2}),
    ("-查封", {1, 2}),
    ("-(查封 OR 录音)", {1}),
    ("(查封 OR 录音) 证人", {2}),
    ("recorder:A100001,B200002", {0, 1}),
    ("-recorder:A100001", {1, 2}),
    ("案号:晋环罚〔2026〕9号", {1}),
    ("marker:亮证", {0}),
    ("-marker:亮证", {1, 2}),
    ("缺:亮证", {1, 2}),
    ("speaker:当事人", {0}),
    ("place:朔州市", {0}),
    ("missing:remark", {1, 2}),
    ("missing:case", {0, 2}),
    ("缺:备注 缺:案件", {2}),
    ("missing:officer", {2}),
    ("missing:recorded", {2}),
    ("recorded:2026-03-01", {0}),
    ("recorded:2026-03", {0, 1}),
    ("-recorded:2026-03-01", {1, 2}),
    ("recorded:<2026-03-02", {0}),
    ("recorded:2026-03-01T08:00", {0}),
    ("received:>2000", {0, 1, 2}),
    ("duration:6s", {0, 1}),
    ("duration:>6s", set()),
    ("duration:<1m state:still", {1}),
    ("-duration:>1s", {2}),
    ("size:>0", {0, 1, 2}),
    ("key_mark:是 OR state:still", {0, 1}),
    ("recorder:'", set()),
    ("recorder:x' OR '1'='1", set()),
    ("item:{}", set()),
]
"""What is asked in the query language, and which of the three clips answer it."""


async def test_the_query_language(scribe: Scribe, clips: list[UUID]) -> None:
    await scribe.link(await scribe.open_case("晋环罚〔2026〕9号", "某化工厂案"), clips[1])
    for text, hits in ASKED:
        assert await found(scribe, text=text) == {clips[hit] for hit in hits}, text


async def test_a_hit_names_the_moment_in_which_the_words_stand(scribe: Scribe, clips: list[UUID]) -> None:
    await scribe.annotate(
        clips[0],
        expected_version=1,
        remark="查封",
        markers=[{"kind": "credentials_shown", "at_ms": 2_000, "note": "查封前亮证"}],
        speakers=[{"key": "s1", "role": "officer"}],
        dialogue=[
            {"from_ms": 9_000, "to_ms": 9_500, "speaker": "s1", "text": "现在查封这台设备"},
            {"from_ms": 4_000, "to_ms": 5_000, "speaker": "s1", "text": "请出示许可证"},
        ],
    )
    page = await list_clips(scribe.conn, ClipQuery(text="查封 -许可 state:reviewable"))
    assert page.hits == {}, "the clip holds what the question does not want"
    page = await list_clips(scribe.conn, ClipQuery(text="查封 -北京 state:reviewable"))
    (hits,) = page.hits.values()
    assert [(hit.field, hit.at_ms) for hit in hits] == [("marker", 2_000), ("dialogue", 9_000), ("remark", None)]
    assert (await list_clips(scribe.conn, ClipQuery(text="recorder:A100001"))).hits == {}


async def test_documents_of_an_older_form_are_renewed_in_the_background(scribe: Scribe, clips: list[UUID]) -> None:
    before = await scribe.conn.fetch("SELECT * FROM search_document ORDER BY clip")
    await scribe.conn.execute("UPDATE search_document SET form = 0, facets = '{}', size = NULL, duration_ms = NULL")
    assert await found(scribe, text="missing:case") == set()
    stray = UUID(int=7 << 76)
    await scribe.conn.execute(
        "INSERT INTO search_document (clip, received_at, facets, haystack, grams) VALUES ($1, now(), '{}', '', '{}')",
        stray,
    )
    last = await search_store.renew(scribe.conn, batch=2)
    assert last == sorted([stray, *clips])[1], "a document of no clip holds nobody up"
    while last is not None:
        last = await search_store.renew(scribe.conn, after=last, batch=2)
    await scribe.conn.execute("DELETE FROM search_document WHERE clip = $1", stray)
    assert await scribe.conn.fetch("SELECT * FROM search_document ORDER BY clip") == before
    assert await found(scribe, text="missing:case") == set(clips)


async def test_a_service_renews_the_index_when_it_begins(pool: Pool, scribe: Scribe, clips: list[UUID]) -> None:
    await scribe.conn.execute("UPDATE search_document SET form = 0, facets = '{}'")
    stop = asyncio.Event()
    sweeping = asyncio.create_task(sweep(stop, pool=pool, clock=scribe.clock, entropy=scribe.entropy))
    async with asyncio.timeout(20):
        while await found(scribe, text="missing:case") != set(clips):
            await asyncio.sleep(0.02)
    stop.set()
    await sweeping


async def test_a_clip_is_found_by_any_of_its_sources(scribe: Scribe) -> None:
    payload = scribe.sealed()
    await scribe.write("clip.sealed", f"clip:{payload['clip']}", payload)
    again = payload | {"upload": str(scribe.new_id()), "recorder": "C300003", "path": "DCIM/第二次.mp4"}
    await scribe.write("clip.repeated", f"clip:{payload['clip']}", again)
    for asked in ({"recorder": "A100001"}, {"recorder": "C300003"}, {"text": "第二次"}):
        assert await found(scribe, **asked) == {UUID(str(payload["clip"]))}


async def test_a_summary_says_what_lists_show(scribe: Scribe, clips: list[UUID]) -> None:
    await scribe.link(await scribe.open_case(), clips[0])
    await scribe.derive(clips[2], outcome="undecodable", reason="moov is missing", objects=[])
    page = await list_clips(scribe.conn)
    by_clip = {item.clip: item for item in page.items}
    first, third = by_clip[clips[0]], by_clip[clips[2]]
    assert (first.state, first.version, first.key_mark, list(first.cases)) == (
        "reviewable",
        1,
        True,
        ["晋环罚〔2026〕1号"],
    )
    assert first.remark == "执法人员现场检查，查封排污设备"
    assert first.poster is not None
    assert (third.state, third.reason, third.recorder, third.remark) == ("undecodable", "moov is missing", None, None)


async def test_a_new_version_replaces_the_words_of_the_old_one(scribe: Scribe, clips: list[UUID]) -> None:
    await scribe.annotate(clips[0], expected_version=1, remark="扣押")
    assert await found(scribe, text="查封") == set()
    assert await found(scribe, text="扣押") == {clips[0]}


async def test_pages_hold_each_clip_once_while_new_ones_arrive(scribe: Scribe) -> None:
    moment = "2026-03-02T00:00:00.000Z"
    expected = {await scribe.seal(received_at=moment) for _ in range(7)}
    seen: list[UUID] = []
    cursor = None
    while True:
        page = await list_clips(scribe.conn, ClipQuery(text="dcam"), cursor=cursor, limit=3)
        seen += [item.clip for item in page.items]
        await scribe.seal(received_at="2026-03-03T00:00:00.000Z")
        if page.next is None:
            break
        cursor = page.next
    assert seen == sorted(expected, reverse=True)


@pytest.mark.parametrize("limit", [0, -1, 201, 10**9])
async def test_a_page_has_a_size(scribe: Scribe, limit: int) -> None:
    with pytest.raises(SearchInvalid):
        await list_clips(scribe.conn, limit=limit)


async def test_the_index_can_be_made_again_from_nothing(scribe: Scribe, clips: list[UUID]) -> None:
    before = await scribe.conn.fetch("SELECT * FROM search_document ORDER BY clip")
    await scribe.conn.execute("TRUNCATE search_document")
    assert await found(scribe) == set()
    assert await search_store.rebuild(scribe.conn, batch=2) == 3
    assert await scribe.conn.fetch("SELECT * FROM search_document ORDER BY clip") == before


async def test_two_writers_at_once_lose_neither_change_in_the_index(
    pool: Pool, scribe: Scribe, clips: list[UUID]
) -> None:
    """An annotation that is not committed yet, and a case link that begins meanwhile."""
    case_id = await scribe.open_case("7号", "合并案")
    async with pool.acquire() as conn:
        other = Scribe(conn=conn, clock=scribe.clock, entropy=scribe.entropy)
        async with scribe.conn.transaction():
            await scribe.annotate(clips[1], remark="尚未提交")
            linking = asyncio.create_task(other.link(case_id, clips[1]))
            await asyncio.sleep(0.2)
            assert not linking.done(), "it waits for the document's lock"
        await linking
    assert await found(scribe, text="尚未提交", case=case_id) == {clips[1]}


PLACED: JsonObject = {"latitude_e6": 39_331_300, "longitude_e6": 112_432_900}

NOTICED: list[tuple[str, set[int]]] = [
    ("near:39.3313,112.4329,1m", {0, 1}),
    ("near:39.3313，112.4329，1m", {0, 1}),
    ("附近:39.3358,112.4329,500m", set()),
    ("near:39.3358,112.4329,501m", {0, 1}),
    ("near:39.4213,112.4329,10公里", set()),
    ("near:39.4213,112.4329,10.1km", {0, 1}),
    ("-near:39.3313,112.4329,100km", {2}),
    ("near:39.3313,112.4329,100km 查封", {0}),
    ("kind:video", {0}),
    ("类型:照片,未知", {1, 2}),
    ("findings:损坏", {1}),
    ("findings:continuity", {0}),
    ("findings:open", {0, 1}),
    ("-findings:open", {2}),
    ("late:no", {0}),
    ("迟交:是", {1}),
    ("-late:yes", {0, 2}),
    ("duration:61m", {1}),
    ("duration:61m OR 不在这里", {1}),
    ("(near:39.3313,112.4329,1m OR 不在这里) -duration:61m", {0}),
    ("unit:没有 OR 处罚决定书", {0}),
    ("size:<0 OR recorded:2026-03-02 OR 不在这里", {0, 1}),
    ("unit:没有", set()),
    ("归属:待定", set()),
    ("文书:鲁应急罚〔2026〕3号", {0}),
    ("covert:是", {0}),
    ("covert:no", {1, 2}),
    ("action:penalty", {1}),
    ("-程序:penalty", {0, 2}),
]
"""What derivations and dates say: places, kinds, findings, lateness (Monday 2 March 2026: due by the 4th)."""


async def test_r16_places_kinds_findings_and_late_clips_are_found(scribe: Scribe) -> None:
    track: JsonObject = {"source": "gpmf", "positions": 1, "without_fix": 0, "track": [{"at_ms": 0, **PLACED}]}
    first = await scribe.seal(recorded_at="2026-03-02T15:30:00.000Z", received_at="2026-03-04T15:59:59.999Z")
    await scribe.derive(first, probe={"positions": track, "continuity": {"high": 1, "notice": 0, "info": 0}})
    document = {"kind": "处罚决定书", "number": "鲁应急罚〔2026〕3号"}
    covert = {"basis": "行政处罚法第四十一条", "approver": "局长"}
    await scribe.annotate(first, remark="查封", documents=[document], covert=covert)
    second = await scribe.seal(recorded_at="2026-03-02T14:00:00.000Z", received_at="2026-03-04T16:00:00.000Z")
    await scribe.derive(second, outcome="still", probe=_still(duration_ms=3_660_000))
    third = await scribe.seal(recorded_at=None)
    case_id = await scribe.open_case()
    await scribe.conn.execute("ALTER TABLE case_file DISABLE TRIGGER forbid_change")
    await scribe.conn.execute("UPDATE case_file SET kind = 'penalty'")
    await scribe.link(case_id, second)
    for text, hits in NOTICED:
        assert await found(scribe, text=text) == {[first, second, third][hit] for hit in hits}, text
    await scribe.derive(second, outcome="still", probe=_still(duration_ms=7_260_000))
    assert await found(scribe, text="late:yes") == set(), "it went on into the third, so the fifth is in time"


def _still(*, duration_ms: int) -> JsonObject:
    return {"place": PLACED, "container": {"missing_bytes": 1, "duration_ms": duration_ms}}


async def test_r16_what_is_noticed_about_a_recorder_is_found_until_it_is_explained(scribe: Scribe) -> None:
    clip, other = await scribe.seal(), await scribe.seal(recorder="B200002")
    source = await scribe.conn.fetchrow("SELECT dock, recorder, inventory FROM clip_source WHERE clip = $1", clip)
    assert source is not None
    finding = {"code": "recorder.numbers_missing", "weight": "high", "facts": {}}
    told = {"dock": str(source["dock"]), "recorder": source["recorder"], "inventory": str(source["inventory"])}
    compared = await scribe.write(
        "recorder.compared", f"dock:{source['dock']}", told | {"previous": None, "findings": [finding]}
    )
    assert other not in await found(scribe, text="findings:recorder")
    assert clip in await found(scribe, text="findings:recorder")
    explained = {"finding": str(compared.entry_id), "place": 0, "recorder": source["recorder"], "text": "换卡"}
    await scribe.write("recorder.finding_explained", f"finding:{compared.entry_id}", explained)
    assert await found(scribe, text="findings:recorder") == set()


@pytest.mark.parametrize(
    "text",
    [
        "near:39,112",
        "near:39,112,0m",
        "near:39,112,101km",
        "near:86,112,1m",
        "near:39,181,1m",
        "near:nan,inf,1m",
        "near:39,112,1m,2",
        "near:39,112,1e3m",
        "kind:film",
        "findings:guilty",
        "late:perhaps",
    ],
)
async def test_a_condition_that_makes_no_sense_is_refused(scribe: Scribe, text: str) -> None:
    with pytest.raises(SearchInvalid):
        await found(scribe, text=text)


async def test_r16_a_unit_is_asked_for_with_those_below_it(scribe: Scribe) -> None:
    bureau, squad, other = (UUID(int=number) for number in (1, 2, 3))
    tree = [(bureau, 1, "140600000000", "局", None), (squad, 1, None, "旧名", other), (other, 1, None, "别处", None)]
    for unit, version, code, name, parent in [*tree, (squad, 2, None, "一中队", bureau)]:
        await scribe.conn.execute(
            """INSERT INTO unit (entry_id, unit, version, code, name, parent, registered_at, registered_by)
               VALUES ($1, $2, $3, $4, $5, $6, now(), 'staff:1')""",
            *(scribe.new_id(), unit, version, code, name, parent),
        )
    clips = []
    belonging: list[tuple[UUID | None, bool]] = [(bureau, False), (squad, True), (other, False), (None, False)]
    for belongs_to, blocked in belonging:
        clips.append(await scribe.seal())
        await scribe.conn.execute(
            """INSERT INTO clip_attribution_version
                   (clip, version, unit, flags, blocked, attributed_at, attributed_by, entry_id)
               VALUES ($1, 1, $2, $3, $4, now(), 'service', $5)""",
            *(clips[-1], belongs_to, ["officer_unknown"] if blocked else [], blocked, scribe.new_id()),
        )
        await scribe.annotate(clips[-1], remark="查封")
    for text, hits in (
        ("unit:140600000000", {0, 1}),
        ("单位:局", {0, 1}),
        (f"unit:{squad}", {1}),
        ("unit:一中队,别处", {1, 2}),
        ("unit:旧名", set()),
        ("-unit:局", {2, 3}),
        ("unit:局 查封 -attribution:blocked", {0}),
        ("归属:待定", {1}),
        ("attribution:officer_unknown", {1}),
    ):
        assert await found(scribe, text=text) == {clips[hit] for hit in hits}, text
