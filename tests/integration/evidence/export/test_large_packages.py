"""Packages of many exhibits: what is made piece by piece is what would be made at once, and memory does not follow."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from evidence.errors import CertificateImpossible
from evidence.export.archive import write_archive
from evidence.export.case_uco import case_uco
from evidence.export.certificate import volumes
from evidence.export.certificate.page import certificate_html
from evidence.export.certificate.pdf import certificate_pdf, certificate_pdf_apart, font_family
from evidence.export.clip import Exporter
from evidence.export.gathering import Exhibit, Subject, gather, subject_of
from evidence.export.members import Payload
from evidence.export.packing import Packing, certificate_of, plan_of
from evidence.export.spool import Spool, spooling
from tests.support.packages import case_of, exporter_of
from tests.support.small_house import CONTENTS, SmallHouse

MIB = 1024 * 1024
STILL = list(CONTENTS)[-1]


async def planted(house: SmallHouse, count: int) -> tuple[Exporter, Subject, Exhibit]:
    """Return one exhibit, and a subject that has it so many times."""
    exporter = replace(exporter_of(house), asof=await house.reader.checkpoint())
    async with house.pool.acquire() as conn:
        subject = await subject_of(conn, case=await case_of(house), clips=[])
        exhibit = await gather(exporter, conn, number=1, clip=house.clips[STILL])
    numbered = tuple((number, exhibit.clip) for number in range(1, count + 1))
    return exporter, replace(subject, numbered=numbered), exhibit


def exhibits_of(subject: Subject, exhibit: Exhibit) -> Iterator[Exhibit]:
    return (replace(exhibit, number=number) for number, _ in subject.numbered)


def pack(exporter: Exporter, subject: Subject, exhibit: Exhibit, spool: Spool) -> Payload:
    packing = Packing(exporter.showing, subject, spool)
    for one in exhibits_of(subject, exhibit):
        packing.add(one)
    return packing.finish()


async def test_made_in_pieces_it_is_what_it_would_be_at_once(house: SmallHouse, tmp_path: Path) -> None:
    for count in (1, 3):
        exporter, subject, exhibit = await planted(house, count)
        every = list(exhibits_of(subject, exhibit))
        folder = tmp_path / f"{count}"
        folder.mkdir()
        with spooling(folder) as spool:
            payload = pack(exporter, subject, exhibit, spool)
            made = {member.path: b"".join(member.pieces()) for member in payload.members if member.path.count("/") == 1}
        certificate = certificate_of(exporter.showing, subject, every)
        assert made["data/certificate.html"].decode() == certificate_html(certificate)
        graph = case_uco(subject, every, origin=certificate.origin)
        whole = json.dumps(graph, ensure_ascii=False, indent=1, sort_keys=True)
        assert made["data/case-uco.jsonld"].decode() == whole + "\n"
        listed = json.loads(made["data/package.json"])
        assert (
            made["data/package.json"].decode()
            == json.dumps(listed, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        )
        assert [one["number"] for one in listed["exhibits"]] == list(range(1, count + 1))
        assert list(folder.iterdir()) == [], "a crash has nothing to leave"


@pytest.mark.skipif(font_family() is None, reason="no font with Chinese here")
async def test_paper_comes_in_volumes(house: SmallHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "VOLUME_EXHIBITS", 2)
    exporter, subject, exhibit = await planted(house, 3)
    with spooling(tmp_path) as spool:
        payload = pack(exporter, subject, exhibit, spool)
        papers = {member.path: b"".join(member.pieces()) for member in payload.members if member.path.endswith(".pdf")}
    assert sorted(papers) == ["data/certificate-001.pdf", "data/certificate-002.pdf"]
    assert all(paper.startswith(b"%PDF-") for paper in papers.values())
    document = certificate_of(exporter.showing, subject, list(exhibits_of(subject, exhibit))[:1]).document
    assert certificate_pdf(document) == certificate_pdf_apart(document)


def memory(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.parametrize(
    ("count", "growth_mib"),
    [(300, 24), pytest.param(10_000, 250, marks=pytest.mark.slow)],
)
async def test_memory_does_not_follow_the_exhibits(
    house: SmallHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, growth_mib: int
) -> None:
    """As on a machine without a font with Chinese: typst works in processes of its own, and would take minutes."""
    monkeypatch.setattr(volumes, "certificate_pdf_apart", _no_font)
    exporter, subject, exhibit = await planted(house, count)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    with spooling(tmp_path) as spool:
        payload = pack(exporter, subject, exhibit, spool)
        plan = plan_of(
            exporter.showing, subject, payload, export="e", purpose="litigation", at=house.clock(), trace=None
        )

        def locate(sha256: bytes) -> Path:
            return house.objects.open_path(sha256.hex())

        write_archive(plan, tmp_path / "p.zip", locate=locate, stop=Event())
    grown = memory("VmHWM") - before
    in_memory = {id(one.source): one.size for one in payload.members if isinstance(one.source, bytes)}
    assert sum(in_memory.values()) < 10_000, "policy and keys, once for all exhibits"
    assert grown < growth_mib * MIB
    assert (tmp_path / "p.zip").stat().st_size > count * 10_000
    with zipfile.ZipFile(tmp_path / "p.zip") as packed:
        assert len(packed.namelist()) == len(plan.members)


def _no_font(_document: object) -> bytes:
    raise CertificateImpossible("no font")
