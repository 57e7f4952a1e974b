"""An archive for the measurement of the search: drawn by weight, written by COPY, its documents by the service's code.

Clips with their sources, ten utterances of dialogue for every second one (five million for a million clips), markers,
speakers, a case for every tenth; days spread over three years, common and rare names and
words. As many processes draw and write as the machine has cores; the index of contents is made at the end, at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

from evidence.clips.document import DOCUMENT_FORM, DocumentParts, compose
from evidence.db.pool import Connection, open_pool
from evidence.deadlines.storing import StoringTerm

START = datetime(2024, 1, 1, tzinfo=UTC)
SECONDS = 3 * 365 * 86_400
RECORDERS, OFFICERS, CASES_EVERY = 400, 300, 10
BATCH = 2_000
SHARE = 25_000
"""Clips that one process draws at a time, each share from a seed of its own."""

SUBJECTS = "化工厂,养殖场,加油站,印染车间,锅炉房,垃圾填埋场,采石场,污水处理厂,木材加工厂,餐饮店"
DEEDS = "现场检查,查封设备,扣押物品,送达文书,询问笔录,抽样取证,听证,勘验现场,责令改正,先行登记保存"
SAYINGS = (
    "请出示营业执照和排污许可证,我们是县生态环境局的执法人员,这是我们的执法证件,设备昨天刚刚检修过,排污口在后面的围墙下,"
    "请在笔录上签字确认,我不同意这个说法,现在开始录音录像,你有权申请回避,监测数据超过了标准限值,这批货是上个月进的,"
    "门卫不让进"
)
RARE = "鎏金,氰化物,暗管,伪造,渗坑,稀释,篡改,旁路,倾倒,危废"
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴徐孙胡朱高林", "建国志强秀英海燕晓东文博玉兰立新春梅永辉"
MARKERS = ("credentials_shown", "recording_announced", "rights_explained", "evidence_taken", "document_served")

_CLIP = "clip,name,size,chunk_size,chunks,root,sha256,received_at,sealed_at,entry_id"
_ANNOTATION = "clip,version,content,annotated_by,annotated_at,entry_id"

ClipParts = tuple[DocumentParts, str]


def one_of(words: str, chance: random.Random) -> str:
    """Draw one of several words."""
    return chance.choice(words.split(","))


def clips(chance: random.Random, numbers: range, size: int) -> Iterator[ClipParts]:
    """Draw a part of an archive, in the order in which it was received, each clip with the name of its file."""
    dock = UUID(int=7 << 76)
    for number in numbers:
        recorded = START + timedelta(seconds=number * SECONDS // size)
        recorder = f"A{chance.randrange(RECORDERS):06}"
        name = f"DCAM_{recorder}_{recorded:%Y%m%d_%H%M%S}.mp4"
        clip = UUID(int=(0x0195A000 << 96) | (7 << 76) | (2 << 62) | number)
        case = number // CASES_EVERY
        cases = [
            {
                "case": str(UUID(int=case + 1)),
                "number": f"晋环罚〔2026〕{case}号",
                "title": one_of(SUBJECTS, chance) + "案",
                "kind": None,
            }
        ]
        source = {
            "name": name,
            "path": f"DCIM/{name}",
            "recorder": recorder,
            "dock": str(dock),
            "officer": f"{chance.randrange(OFFICERS):06}",
            "key_mark": chance.random() < 0.05,
        }
        parts = DocumentParts(
            clip=clip,
            sha256=number.to_bytes(32, "big"),
            size=chance.randrange(10**7, 2 * 10**9),
            received_at=recorded + timedelta(hours=9),
            recorded_at=recorded,
            ended_at=recorded,
            sources=[source],
            outcome="reviewable" if chance.random() < 0.95 else "still",
            probe=probe(chance),
            content=content(chance) if number % 2 else None,
            cases=cases if number % CASES_EVERY == 0 else None,
        )
        yield parts, name


def probe(chance: random.Random) -> dict[str, object]:
    """Draw what is known of a file: its length, and for every fourth a track of three positions in Shuozhou."""
    length = chance.randrange(1_000, 3_600_000)
    told: dict[str, object] = {"container": {"duration_ms": length}}
    if chance.random() < 0.25:
        latitude, longitude = chance.randrange(39_000_000, 40_000_000), chance.randrange(112_000_000, 113_500_000)
        track = [{"latitude_e6": latitude + 400 * step, "longitude_e6": longitude} for step in range(3)]
        told["positions"] = {"track": track}
    return told


def content(chance: random.Random) -> dict[str, object]:
    """Draw an annotation: a remark, two marks, two speakers, ten utterances (five a clip over all clips)."""
    person = chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=2))
    said = [one_of(SAYINGS, chance) + (one_of(RARE, chance) if chance.random() < 0.002 else "") for _ in range(10)]
    return {
        "remark": f"{one_of(DEEDS, chance)}，{one_of(SUBJECTS, chance)}，当事人{person}在场",
        "item": one_of(DEEDS, chance),
        "place": "朔州市朔城区",
        "markers": [
            {"kind": kind, "at_ms": chance.randrange(600_000), "until_ms": None, "note": None}
            for kind in chance.sample(MARKERS, 2)
        ],
        "speakers": [
            {"key": "s1", "role": "officer", "name": None, "identity": None, "description": None, "spans": []},
            {"key": "s2", "role": "party", "name": person, "identity": None, "description": None, "spans": []},
        ],
        "dialogue": [
            {
                "from_ms": place * 5_000,
                "to_ms": place * 5_000 + 4_000,
                "text": text,
                "speaker": f"s{1 + place % 2}",
                "source": "human",
                "confidence": None,
                "reviewed_by": None,
            }
            for place, text in enumerate(said)
        ],
        "not_needed_because": None,
    }


async def fill(dsn: str, size: int) -> None:
    """Write an archive; the triggers that keep evidence from being changed do not hinder that."""
    shares = [range(begin, min(begin + SHARE, size)) for begin in range(0, size, SHARE)]
    async with open_pool(dsn, program="bench", command_timeout_seconds=None) as pool, pool.acquire() as conn:
        made = await conn.fetchval("SELECT pg_get_indexdef('search_document_by_content'::regclass)")
        await conn.execute("DROP INDEX search_document_by_content")
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(max_workers=os.cpu_count()) as processes:
            await asyncio.gather(*(loop.run_in_executor(processes, fill_share, dsn, share, size) for share in shares))
        await conn.execute("SET maintenance_work_mem = '1GB'")
        await conn.execute(made)
        await conn.execute("VACUUM (ANALYZE)")


def fill_share(dsn: str, share: range, size: int) -> None:
    """Draw and write a share of an archive, in a process of its own."""
    asyncio.run(_fill_share(dsn, share, size))


async def _fill_share(dsn: str, share: range, size: int) -> None:
    async with open_pool(dsn, program="bench", command_timeout_seconds=None) as pool, pool.acquire() as conn:
        # COPY wants values as they are on the wire: version 1 of jsonb is its text.
        await conn.set_type_codec(
            "jsonb",
            schema="pg_catalog",
            format="binary",
            encoder=lambda value: b"\x01" + json.dumps(value, ensure_ascii=False).encode(),
            decoder=lambda wire: json.loads(wire[1:]),
        )
        chance = random.Random(f"{size} {share.start}")
        pending: list[ClipParts] = []
        for one in clips(chance, share, size):
            pending.append(one)
            if len(pending) == BATCH:
                await write(conn, pending)
                pending = []
        if pending:
            await write(conn, pending)


async def write(conn: Connection, some: list[ClipParts]) -> None:
    """Write one batch: the rows that a page shows, and the documents by which it is found."""
    entry = {parts.clip: UUID(int=parts.clip.int + (1 << 64)) for parts, _ in some}
    rows: dict[str, list[tuple[object, ...]]] = {
        "clip": [
            (p.clip, name, p.size, 1 << 20, 1, p.sha256, p.sha256, p.received_at, p.received_at, entry[p.clip])
            for p, name in some
        ],
        "clip_annotation": [
            (p.clip, 1, p.content, "staff:1", p.received_at, UUID(int=p.clip.int + (2 << 64)))
            for p, _ in some
            if p.content
        ],
    }
    columns = {
        "clip": _CLIP.split(","),
        "clip_annotation": _ANNOTATION.split(","),
    }
    rows["clip_source"], columns["clip_source"] = sources(some, entry)
    rows["search_document"], columns["search_document"] = documents(some)
    for table, values in rows.items():
        await conn.copy_records_to_table(table, records=values, columns=columns[table])


def sources(some: list[ClipParts], entry: dict[UUID, UUID]) -> tuple[list[tuple[object, ...]], list[str]]:
    """Return the rows of `clip_source` and their columns."""
    names = "entry_id clip repeated upload actor name path raw recorder dock officer key_mark recorded_at received_at"
    rows: list[tuple[object, ...]] = []
    for parts, name in some:
        source = parts.sources[0]
        known = (source["recorder"], UUID(source["dock"]), source["officer"], source["key_mark"])
        told = (entry[parts.clip], parts.clip, False, parts.clip, "dock:1", name, source["path"], False)
        rows.append((*told, *known, parts.recorded_at, parts.received_at))
    return rows, names.split()


def documents(some: list[ClipParts]) -> tuple[list[tuple[object, ...]], list[str]]:
    """Return the rows of the index and their columns."""
    names = "clip received_at recorded_at size duration_ms facets haystack grams places form"
    made = [compose(parts, StoringTerm()) for parts, _ in some]
    rows: list[tuple[object, ...]] = [
        (
            d.clip,
            d.received_at,
            d.recorded_at,
            d.size,
            d.duration_ms,
            d.facets,
            d.haystack,
            d.grams,
            d.places,
            DOCUMENT_FORM,
        )
        for d in made
    ]
    return rows, names.split()
