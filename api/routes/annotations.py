"""Routes about what people say of clips: versions, what they change, writing the next one."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import annotating, bulk, marks
from api.models.annotations import DifferenceItem, DifferenceQuery, DocumentItems, MarkItems, WriteAnnotation
from api.models.bulk import AnnotateMany, BulkAnswer
from api.models.clips import AnnotationItem, AnnotationItems, AnnotationMade
from api.models.common import PageQuery
from api.route import Header, Route, json_of
from api.routes.access import VIEWERS, WRITERS
from api.routes.clips import IDEMPOTENCY
from evidence.clips.proposals import AcceptProposals

IF_MATCH = Header(name="If-Match", means='Version the change is based on, `"0"` for none', required=True)

ANNOTATION_ROUTES: tuple[Route, ...] = (
    Route(
        name="list_annotations",
        method="GET",
        path="/v1/clips/{clip}/annotations",
        summary="Versions of a clip's annotation, the newest first",
        roles=VIEWERS,
        handle=annotating.versions,
        query=PageQuery,
        answers=(json_of(200, AnnotationItems, "A page; the header ETag is the newest version"),),
        errors=("clip.unknown", "request.cursor"),
        tag="annotations",
    ),
    Route(
        name="annotate_clip",
        method="POST",
        path="/v1/clips/{clip}/annotations",
        summary="Write the next version of a clip's annotation; it replaces the one before as a whole",
        roles=WRITERS,
        handle=annotating.add,
        body=JsonBody(WriteAnnotation),
        answers=(json_of(201, AnnotationMade, "On record"),),
        errors=(
            *("clip.unknown", "annotation.stale", "annotation.invalid", "idempotency.conflict"),
            *("request.header", "request.precondition_required"),
        ),
        headers=(IF_MATCH, IDEMPOTENCY),
        tag="annotations",
    ),
    Route(
        name="get_annotation",
        method="GET",
        path="/v1/clips/{clip}/annotations/{version}",
        summary="One version of a clip's annotation",
        roles=VIEWERS,
        handle=annotating.get,
        answers=(json_of(200, AnnotationItem, "The version"),),
        errors=("clip.unknown", "annotation.unknown"),
        tag="annotations",
    ),
    Route(
        name="compare_annotations",
        method="GET",
        path="/v1/clips/{clip}/annotations/{version}/difference",
        summary="What a version changed, field by field, against the one before it or another one",
        roles=VIEWERS,
        handle=annotating.difference,
        query=DifferenceQuery,
        answers=(json_of(200, DifferenceItem, "The differences; none if both say the same"),),
        errors=("clip.unknown", "annotation.unknown"),
        tag="annotations",
    ),
    Route(
        name="accept_proposals",
        method="POST",
        path="/v1/clips/{clip}/proposals/accept",
        summary="Take over what a machine proposed, in your own name, as proposed or corrected; only adds words",
        roles=WRITERS,
        handle=annotating.accept,
        body=JsonBody(AcceptProposals),
        answers=(json_of(201, AnnotationMade, "On record"),),
        errors=(
            *(
                "object.store_unreachable",
                "clip.unknown",
                "proposal.unknown",
                "proposal.taken",
                "proposal.unseen",
                "object.missing",
                "object.damaged",
            ),
            *("annotation.stale", "annotation.invalid", "idempotency.conflict", "request.header"),
        ),
        headers=(
            Header(name="If-Match", means="Version the caller has seen; without it, words are added to the newest"),
            IDEMPOTENCY,
        ),
        tag="annotations",
    ),
    Route(
        name="list_marks",
        method="GET",
        path="/v1/clips/{clip}/marks",
        summary="What people and devices marked in a clip, each with its source and entry",
        roles=VIEWERS,
        handle=marks.marks,
        answers=(json_of(200, MarkItems, "The marks"),),
        errors=("clip.unknown", "object.store_unreachable"),
        tag="annotations",
    ),
    Route(
        name="compare_documents",
        method="GET",
        path="/v1/clips/{clip}/documents",
        summary="Times of the documents that the annotation names against the clip's own: both deltas",
        roles=VIEWERS,
        handle=marks.documents,
        answers=(json_of(200, DocumentItems, "The documents; none if the annotation names none"),),
        errors=("clip.unknown",),
        tag="annotations",
    ),
    Route(
        name="annotate_many",
        method="POST",
        path="/v1/annotations",
        summary="Add to the annotations of up to 1,000 clips: fill in what is empty, add what is not there",
        roles=WRITERS,
        handle=bulk.annotate_many,
        body=JsonBody(AnnotateMany),
        answers=(json_of(200, BulkAnswer, "What became of each clip"),),
        errors=("annotation.bulk_refused", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="annotations",
    ),
)
