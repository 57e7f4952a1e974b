"""Custody reports for requests and commands: one question, answered as pages, as one HTML file, or as PDF in parts.

Memory is bounded by a page whatever the length of a history: HTML is written page by page as it is read, and a PDF
holds at most `PDF_LINES_MAX` lines; the next part begins where it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from api.services import Services
from evidence.access.policy import Person
from evidence.calendar.loading import calendar_in_force
from evidence.clips.store import clip_row
from evidence.custody.report import PAGE_LINES, ReportLine, ReportPage, report_of_clip, report_of_person
from evidence.custody.report_store import names_of_people
from evidence.db.pool import Connection
from evidence.errors import ClipUnknown
from evidence.export.certificate.page import foot_html, head_html, section_html
from evidence.export.certificate.pdf import certificate_pdf
from evidence.export.custody_paper import ReportHead, both_times, heading, stretch
from evidence.parties.roles import Role
from ledger.publish import stored_checkpoint

PDF_LINES_MAX: Final = 500
"""Most lines of one PDF: some forty pages, and a few seconds of a processor."""

HOUSE: Final = Person(staff=UUID(int=0), roles=frozenset({Role.AUDITOR}), all_units=True, all_classes=True)
"""Who reads where nobody is asked who they are: on the host itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is wanted of: a clip, or a person; from and until when, and for whom."""

    clip: UUID | None = None
    staff: UUID | None = None
    since: datetime | None = None
    until: datetime
    reader: Person = HOUSE


async def read_page(services: Services, asked: Asked, *, after: UUID | None, limit: int) -> ReportPage:
    """Return a page of a report.

    Raises:
        ClipUnknown: There is no such clip.
    """
    async with services.pool.acquire() as conn:
        return await _page(conn, asked, after=after, limit=limit)


async def read_head(services: Services, asked: Asked) -> ReportHead:
    """Return what stands above a report's lines.

    Raises:
        ClipUnknown: There is no such clip.
    """
    log = stored_checkpoint(await services.reader.checkpoint())
    async with services.pool.acquire() as conn:
        zone = (await calendar_in_force(conn)).zone
        about = await (_about_clip(conn, asked.clip) if asked.clip else _about_person(conn, asked))
    if asked.since is not None:
        about = (*about, ("自", both_times(asked.since, zone), False))
    return ReportHead(about=about, origin=log.origin, size=log.size, root=log.root, zone=zone, made_at=asked.until)


async def html_of(services: Services, asked: Asked) -> AsyncIterator[str]:
    """Write a whole report as one self-contained HTML file, in pieces.

    Raises:
        ClipUnknown: There is no such clip; before the first piece.
    """
    head = await read_head(services, asked)
    document = heading(head)
    page = await read_page(services, asked, after=None, limit=PAGE_LINES)
    yield head_html(f"{document.title} {head.about[0][1]}", document) + "".join(map(section_html, document.sections))
    number = 0
    while True:
        yield section_html(stretch(page.lines, number=number, zone=head.zone, with_clips=asked.clip is None))
        number += len(page.lines)
        if page.following is None:
            break
        page = await read_page(services, asked, after=page.following, limit=PAGE_LINES)
    yield foot_html(document)


async def pdf_of(services: Services, asked: Asked, *, after: UUID | None = None) -> tuple[bytes, UUID | None]:
    """Return a part of a report as PDF, and where the next part begins, None after the last.

    Raises:
        ClipUnknown: There is no such clip.
        CertificateImpossible: No PDF can be written on this machine; the HTML says the same.
    """
    head = await read_head(services, asked)
    page = await read_page(services, asked, after=after, limit=PDF_LINES_MAX)
    document = heading(head)
    lines = stretch(page.lines, number=0, zone=head.zone, with_clips=asked.clip is None)
    whole = replace(document, sections=(*document.sections, lines))
    return await asyncio.to_thread(certificate_pdf, whole), page.following


async def every_line(services: Services, asked: Asked) -> AsyncIterator[ReportLine]:
    """Read all lines of a report, a page at a time.

    Raises:
        ClipUnknown: There is no such clip; before the first line.
    """
    after: UUID | None = None
    while True:
        page = await read_page(services, asked, after=after, limit=PAGE_LINES)
        for line in page.lines:
            yield line
        if page.following is None:
            return
        after = page.following


async def _page(conn: Connection, asked: Asked, *, after: UUID | None, limit: int) -> ReportPage:
    if asked.clip is not None:
        return await report_of_clip(conn, asked.clip, reader=asked.reader, until=asked.until, after=after, limit=limit)
    if asked.staff is None:
        raise ValueError("a report is of a clip or of a person")
    return await report_of_person(
        conn,
        asked.staff,
        reader=asked.reader,
        since=asked.since,
        until=asked.until,
        after=after,
        limit=limit,
    )


async def _about_clip(conn: Connection, clip: UUID) -> tuple[tuple[str, str, bool], ...]:
    row = await clip_row(conn, clip)
    if row is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    return (("片段标识", str(clip), True), ("原始文件名", row.name, False), ("SHA-256", row.sha256.hex(), True))


async def _about_person(conn: Connection, asked: Asked) -> tuple[tuple[str, str, bool], ...]:
    staff = asked.staff or UUID(int=0)
    name = (await names_of_people(conn, [staff])).get(staff, "（无姓名）")
    return (("人员", name, False), ("人员标识", str(staff), True))
