"""Routes that bring bytes: tus 1.0.0, and the manifest that seals."""

from __future__ import annotations

from api import tus
from api.bodies import NoteBody, Stream
from api.handlers import receipts, uploads
from api.handlers.receipts import RECEIPT_TYPE
from api.models.clips import SealedClip
from api.route import Answer, Header, Route, json_of
from api.routes.access import DOCKS, SENDERS
from api.routes.codes import APPEND_ERRORS, DECLARE_ERRORS, NOTE_ERRORS, PROOF_ERRORS, UPLOAD_ERRORS

TUS_HEADERS = {"Tus-Resumable": tus.VERSION, "Cache-Control": "no-store"}
TUS_VERSION = Header(name="Tus-Resumable", means="1.0.0", required=True)
CHECKSUM = Header(name="Upload-Checksum", means="What the body comes to: sha256 or sha1, a blank, base64")

UPLOAD_ROUTES: tuple[Route, ...] = (
    Route(
        name="upload_options",
        method="OPTIONS",
        path="/uploads",
        summary="What of tus is spoken here",
        roles=SENDERS,
        handle=uploads.options,
        answers=(Answer(status=204, means="See the headers"),),
        always=TUS_HEADERS,
        tag="uploads",
    ),
    Route(
        name="create_upload",
        method="POST",
        path="/uploads",
        summary="Announce a file (tus 1.0.0 creation), with its first bytes if they come along",
        roles=SENDERS,
        handle=uploads.create,
        answers=(Answer(status=201, means="Its address is in the header Location"),),
        errors=(
            *("tus.version", "tus.metadata", "upload.name_invalid", "upload.metadata_invalid"),
            *("upload.not_inventoried", "upload.empty", "upload.too_large", *APPEND_ERRORS),
            *("upload.concat_invalid", "upload.incomplete", "upload.part_taken", "upload.length_declared"),
        ),
        headers=(
            TUS_VERSION,
            Header(name="Upload-Length", means="Bytes of the file"),
            Header(name="Upload-Defer-Length", means="1 when the length is not known yet"),
            Header(name="Upload-Concat", means="partial, or final; and the addresses of the parts in order"),
            Header(name="Upload-Metadata", means="Docks: inventory, path, recorder, raw; people: filename"),
            CHECKSUM,
        ),
        always=TUS_HEADERS,
        tag="uploads",
    ),
    Route(
        name="upload_status",
        method="HEAD",
        path="/uploads/{upload}",
        summary="How far an upload is",
        roles=SENDERS,
        handle=uploads.head,
        answers=(
            Answer(status=200, means="See the headers"),
            Answer(status=204, means="The same, to a client of the IETF's draft"),
        ),
        errors=UPLOAD_ERRORS,
        headers=(TUS_VERSION,),
        always=TUS_HEADERS,
        tag="uploads",
    ),
    Route(
        name="append_upload",
        method="PATCH",
        path="/uploads/{upload}",
        summary="Send the bytes that follow an offset; what is acknowledged never has to be sent again",
        roles=SENDERS,
        handle=uploads.patch,
        body=Stream(tus.OFFSET_MEDIA_TYPE),
        answers=(
            Answer(status=204, means="The header Upload-Offset acknowledges"),
            Answer(status=201, means="These were the last bytes, from a client of the IETF's draft"),
        ),
        errors=(*UPLOAD_ERRORS, *APPEND_ERRORS, *DECLARE_ERRORS, "upload.incomplete"),
        headers=(TUS_VERSION, Header(name="Upload-Offset", means="Where the bytes belong", required=True), CHECKSUM),
        always=TUS_HEADERS,
        tag="uploads",
    ),
    Route(
        name="terminate_upload",
        method="DELETE",
        path="/uploads/{upload}",
        summary="Give an upload up (tus 1.0.0 termination)",
        roles=SENDERS,
        handle=uploads.delete,
        answers=(Answer(status=204, means="Its bytes are gone"),),
        errors=(*UPLOAD_ERRORS, "upload.finished", "upload.elsewhere", "upload.part_taken"),
        headers=(TUS_VERSION,),
        always=TUS_HEADERS,
        tag="uploads",
    ),
    Route(
        name="override_upload",
        method="POST",
        path="/uploads/{upload}",
        summary="PATCH or DELETE for clients whose way lets neither through",
        roles=SENDERS,
        handle=uploads.override,
        body=Stream(tus.OFFSET_MEDIA_TYPE),
        answers=(Answer(status=204, means="As for the method named"),),
        errors=(*UPLOAD_ERRORS, *APPEND_ERRORS, *DECLARE_ERRORS),
        headers=(TUS_VERSION, Header(name="X-HTTP-Method-Override", means="PATCH or DELETE", required=True)),
        always=TUS_HEADERS,
        tag="uploads",
    ),
    Route(
        name="post_manifest",
        method="POST",
        path="/v1/uploads/{upload}/manifest",
        summary="State what was read and sent; the service compares, seals and answers with the receipt",
        roles=DOCKS,
        handle=receipts.seal,
        body=NoteBody(),
        answers=(
            Answer(status=200, means="The receipt", media_type=RECEIPT_TYPE),
            json_of(202, SealedClip, "Sealed; ask again for the receipt"),
        ),
        errors=(
            *(*NOTE_ERRORS, "upload.unknown", "upload.incomplete", "upload.terminated", "upload.finished"),
            "upload.expired",
            *("manifest.disagrees", "manifest.misplaced", "upload.spool_lost", "upload.spool_damaged"),
            *("dock.not_in_force", "upload.elsewhere", "upload.storage_failed", "object.damaged", *PROOF_ERRORS),
        ),
        tag="uploads",
    ),
)
