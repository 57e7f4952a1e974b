"""The exhibit certificate: Art. 12 on paper, the same bytes every time, people's words never markup."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evidence.export.case_uco import CONTEXT, case_uco
from evidence.export.certificate.facts import Certificate, short_code
from evidence.export.certificate.page import certificate_html
from evidence.export.certificate.pdf import certificate_pdf, font_family
from evidence.export.gathering import Exhibit, Subject, gather, subject_of
from evidence.export.packing import certificate_of
from tests.support.packages import OBSERVATION, case_of, exporter_of
from tests.support.payloads import Scribe
from tests.support.small_house import CONTENTS, SmallHouse

FIRST, SECOND, STILL = CONTENTS

PUBLISHED = frozenset(
    {
        *("case-investigation:InvestigativeAction", "case-investigation:Investigation"),
        *("case-investigation:ProvenanceRecord", "case-investigation:exhibitNumber", "uco-action:object"),
        *("uco-action:performer", "uco-action:startTime", "uco-core:ExternalReference", "uco-core:description"),
        *("uco-core:externalIdentifier", "uco-core:externalReference", "uco-core:hasFacet", "uco-core:name"),
        *("uco-core:object", "uco-identity:Identity", "uco-observable:ContentDataFacet", "uco-observable:File"),
        *("uco-observable:FileFacet", "uco-observable:fileName", "uco-observable:hash", "uco-observable:sizeInBytes"),
        *("uco-types:Hash", "uco-types:hashMethod", "uco-types:hashValue", "uco-vocabulary:HashNameVocab"),
    }
)
"""Classes and properties of UCO and CASE 1.4 as they were published; what is not here is not used."""


async def read(house: SmallHouse) -> tuple[Certificate, Subject, list[Exhibit]]:
    exporter = replace(exporter_of(house), asof=await house.reader.checkpoint())
    async with house.pool.acquire() as conn:
        subject = await subject_of(conn, case=await case_of(house), clips=[])
        exhibits = [await gather(exporter, conn, number=number, clip=clip) for number, clip in subject.numbered]
    exhibits[0] = replace(exhibits[0], observations=(OBSERVATION,))
    return certificate_of(exporter.showing, subject, exhibits), subject, exhibits


async def test_it_says_what_article_12_and_the_check_ask_for(house: SmallHouse) -> None:
    certificate, _, exhibits = await read(house)
    page = certificate_html(certificate)
    sealed = exhibits[0].proven.sealed
    for words in (
        *("制作方法", "制作时间", "制作人", "证明对象", "时钟偏差", "衍生件", "签章", "亮证后检查排污口"),
        *("4A00123", "013579", "一楼采集站", "暂停录制", "未设见证方", "shilu-verify --log-key"),
        *(FIRST, sealed.digest.sha256.hex(), sealed.digest.root.hex(), short_code(exhibits[0])),
        f"第 {exhibits[0].proven.index} 条",
    ):
        assert words in page, words
    assert "<script" not in page
    assert "src=" not in page


async def test_the_same_record_is_the_same_paper(house: SmallHouse) -> None:
    first, again = (await read(house))[0], (await read(house))[0]
    assert certificate_html(first) == certificate_html(again)
    if font_family() is None:
        pytest.skip("no font with Chinese on this machine")
    pdf = certificate_pdf(first.document)
    assert pdf == certificate_pdf(again.document)
    assert pdf.startswith(b"%PDF-")


async def test_peoples_words_are_never_markup(house: SmallHouse) -> None:
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        for words in ("<b>x</b>", "#panic()", "$x", "\u202etxt", "*a* _b_ `c` @d </td>", "\\", "a\nb"):
            clip = await house.seal(f"{words.replace('/', '')}.mp4", words.encode())
            await scribe.link(await case_of(house), clip)
    await house.publish()
    certificate, _, _ = await read(house)
    page = certificate_html(certificate)
    assert "<b>x" not in page
    assert "\u202e" not in page
    if font_family() is not None:
        assert certificate_pdf(certificate.document).startswith(b"%PDF-")


async def test_case_uco_uses_words_that_were_published(house: SmallHouse) -> None:
    _, subject, exhibits = await read(house)
    graph = case_uco(subject, exhibits, origin="shilu.test/log")
    used = set[str]()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            used.update(name for name in value if not name.startswith("@"))
            if isinstance(value.get("@type"), str):
                used.add(value["@type"])
            for one in value.values():
                walk(one)
        if isinstance(value, list):
            for one in value:
                walk(one)

    walk(graph["@graph"])
    assert {name for name in used if not name.startswith("xsd:")} <= PUBLISHED
    assert {name.partition(":")[0] for name in used} <= set(CONTEXT)
    identified = [node["@id"] for node in graph["@graph"]]  # type: ignore[index,union-attr,call-overload]
    assert len(set(identified)) == len(identified)
