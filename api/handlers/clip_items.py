"""What the domain knows of a clip, as the JSON shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from api.models.clips import (
    AnnotationItem,
    CaseLinkItem,
    ClipDetail,
    ClipItem,
    DerivationItem,
    HistoryItem,
    HitItem,
    RenditionItem,
    SourceItem,
)
from evidence.access.masking import masked, may_identify
from evidence.access.policy import Person
from evidence.cases.store import CaseLink
from evidence.clips.clips import Clip, ClipState
from evidence.clips.hits import Hit
from evidence.clips.page_store import ClipSummary
from evidence.clips.store import AnnotationRow, ClipSource, Derivation, MadeObject
from evidence.custody.history import CustodyLine


def clip_item(summary: ClipSummary, hits: Sequence[Hit] = ()) -> ClipItem:
    """Show a clip in a list."""
    return ClipItem(
        clip=summary.clip,
        name=summary.name,
        size=summary.size,
        sha256=summary.sha256,
        received_at=summary.received_at,
        recorded_at=summary.recorded_at,
        recorder=summary.recorder,
        dock=summary.dock,
        officer=summary.officer,
        key_mark=summary.key_mark,
        state=ClipState(summary.state),
        reason=summary.reason,
        version=summary.version,
        remark=summary.remark,
        cases=list(summary.cases),
        entry=summary.entry_id,
        hits=[HitItem(field=hit.field, text=hit.text, at_ms=hit.at_ms) for hit in hits],
    )


def clip_detail(clip: Clip, index: int | None, person: Person) -> ClipDetail:
    """Show all that is known about a clip."""
    row = clip.row
    return ClipDetail(
        clip=clip.id,
        name=row.name,
        size=row.size,
        chunk_size=row.chunk_size,
        chunks=row.chunks,
        root=row.root,
        sha256=row.sha256,
        sm3=row.sm3,
        received_at=row.received_at,
        sealed_at=row.sealed_at,
        entry=row.entry_id,
        index=index,
        state=clip.state,
        sources=[_source(source) for source in clip.sources],
        preview=None if clip.preview is None or clip.derivation is not None else rendition_item(clip.preview),
        derivation=None if clip.derivation is None else _derivation(clip.derivation),
        annotation=None if clip.annotation is None else annotation_item(clip.annotation, person),
        cases=[_link(link) for link in clip.links],
    )


def annotation_item(row: AnnotationRow, person: Person) -> AnnotationItem:
    """Show one version of an annotation; who speaks only to who may read it."""
    return AnnotationItem(
        version=row.version,
        content=dict(row.content) if may_identify(person) else masked(row.content),
        annotated_by=row.annotated_by,
        annotated_at=row.annotated_at,
        entry=row.entry_id,
        reason=row.reason,
    )


def history_item(line: CustodyLine, person: Person) -> HistoryItem:
    """Show one event of a history; who speaks only to who may read it."""
    event = line.event
    payload = cast("dict[str, object]", event.payload)
    content = payload.get("content")
    if isinstance(content, dict) and not may_identify(person):
        payload = {**payload, "content": masked(content)}
    return HistoryItem(
        entry=event.entry_id,
        type=event.type,
        actor=event.actor,
        at=event.at,
        index=line.index,
        payload=payload,
    )


def _source(source: ClipSource) -> SourceItem:
    return SourceItem(
        entry=source.entry_id,
        repeated=source.repeated,
        upload=source.upload,
        actor=source.actor,
        name=source.name,
        path=source.path,
        raw=source.raw,
        recorder=source.recorder,
        dock=source.dock,
        inventory=source.inventory,
        recorded_at=source.recorded_at,
        officer=source.officer,
        key_mark=source.key_mark,
        received_at=source.received_at,
    )


def _derivation(derivation: Derivation) -> DerivationItem:
    return DerivationItem(
        entry=derivation.entry_id,
        outcome=derivation.outcome,
        reason=derivation.reason,
        attempt=derivation.attempt,
        derived_at=derivation.derived_at,
        tools=dict(derivation.tools),
        parameters=dict(derivation.parameters),
        probe=dict(derivation.probe),
        renditions=[rendition_item(made) for made in derivation.objects],
    )


def rendition_item(made: MadeObject) -> RenditionItem:
    """Show an object that was made of a clip."""
    return RenditionItem(kind=made.kind, size=made.size, sha256=made.sha256, media_type=made.media_type)


def _link(link: CaseLink) -> CaseLinkItem:
    return CaseLinkItem(
        case=link.case_id,
        number=link.number,
        title=link.title,
        exhibit=link.exhibit,
        linked_by=link.linked_by,
        linked_at=link.linked_at,
        entry=link.entry_id,
    )
