"""Clips: what is known about one sealed original."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from evidence.cases.store import CaseLink, links_of_clip
from evidence.clips.preview_store import newest_preview
from evidence.clips.store import (
    AnnotationRow,
    ClipRow,
    ClipSource,
    Derivation,
    MadeObject,
    clip_row,
    clip_sources,
    newest_annotation,
    newest_derivation,
)
from evidence.core.digest import ClipDigest
from evidence.db.pool import Connection
from evidence.errors import ClipUnknown


class ClipState(StrEnum):
    """What a clip is good for: sealed (nothing derived yet), or the outcome of its newest derivation."""

    SEALED = "sealed"
    REVIEWABLE = "reviewable"
    STILL = "still"
    AUDIO = "audio"
    UNDECODABLE = "undecodable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One sealed original with all that hangs on it."""

    row: ClipRow
    sources: tuple[ClipSource, ...]
    derivation: Derivation | None
    annotation: AnnotationRow | None
    links: tuple[CaseLink, ...]
    preview: MadeObject | None = None

    @property
    def id(self) -> UUID:
        """The clip's id."""
        return self.row.clip

    @property
    def state(self) -> ClipState:
        """What it is good for."""
        return ClipState(self.derivation.outcome) if self.derivation else ClipState.SEALED

    @property
    def digest(self) -> ClipDigest:
        """Size and digests of the original."""
        return ClipDigest(
            size=self.row.size,
            chunk_bytes=self.row.chunk_size,
            chunks=self.row.chunks,
            root=self.row.root,
            sha256=self.row.sha256,
        )

    @property
    def version(self) -> int:
        """Version of the annotation that counts; 0 when nobody has annotated it."""
        return self.annotation.version if self.annotation else 0

    @property
    def revision(self) -> str:
        """The entry that changed it last: another one means that something about the clip is new."""
        changes = [source.entry_id for source in self.sources]
        changes += [link.entry_id for link in self.links]
        changes += [part.entry_id for part in (self.derivation, self.annotation) if part is not None]
        early = "-early" if self.derivation is None and self.preview is not None else ""
        return f"{len(changes)}-{max(changes)}{early}"

    def made(self, kind: str) -> MadeObject | None:
        """Return the object of a kind that was derived from it, for example `proxy`.

        Before the derivation is on record that is a first still at most, see `evidence.clips.preview_store`.
        """
        early = (self.preview,) if self.preview else ()
        objects = self.derivation.objects if self.derivation else early
        return next((made for made in objects if made.kind == kind), None)


async def get_clip(conn: Connection, clip: UUID) -> Clip:
    """Return a clip.

    Raises:
        ClipUnknown: There is none with this id.
    """
    row = await clip_row(conn, clip)
    if row is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    return Clip(
        row=row,
        sources=await clip_sources(conn, clip),
        derivation=await newest_derivation(conn, clip),
        annotation=await newest_annotation(conn, clip),
        links=await links_of_clip(conn, clip),
        preview=await newest_preview(conn, clip),
    )
