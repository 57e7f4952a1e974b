"""Routes of controllers of body worn systems: the part of OpenStack Swift they use, off unless a setting says so."""

from __future__ import annotations

from api.bodies import Stream
from api.handlers import swift
from api.models.swift import SwiftQuery
from api.route import Answer, Header, Route
from api.routes.access import ANYBODY, CONTROLLERS
from api.routes.codes import BODY_ERRORS

SETTING = "axis_destination"
PLACE_ERRORS = ("swift.foreign", "swift.name_invalid", "swift.unsupported")
SEAL_ERRORS = (
    *("swift.nothing_recorded", "swift.lost", "swift.elsewhere", "swift.sealed", "swift.metadata_invalid"),
    *("upload.busy", "upload.storage_failed", "upload.no_space", "object.damaged", "controller.unknown"),
)
PUT_ERRORS = (
    *("swift.container_unknown", "swift.metadata_invalid", "swift.etag_mismatch", "swift.too_large", "swift.sealed"),
    *("swift.elsewhere", "swift.kept", "upload.name_invalid", "upload.empty", "upload.busy", "upload.stalled"),
    *("upload.no_space", "upload.storage_failed", "upload.length_exceeded", *BODY_ERRORS),
)
CONTAINER = "/v1/{account}/{container}"
OBJECT = "/v1/{account}/{container}/{object}"
CONTAINER_META = Header(name="X-Container-Meta-*", means="What is said about it, URL-encoded UTF-8")
OBJECT_META = Header(name="X-Object-Meta-*", means="What is said about it, URL-encoded UTF-8")

SWIFT_ROUTES: tuple[Route, ...] = (
    Route(
        name="swift_auth",
        method="GET",
        path="/auth/v1.0",
        summary="Open a session; user name and key of the connection file are the credential",
        roles=ANYBODY,
        handle=swift.authenticate,
        answers=(Answer(status=200, means="See the headers X-Auth-Token and X-Storage-Url"),),
        errors=("auth.unknown_token", "request.header"),
        headers=(
            Header(name="X-Auth-User", means="BlobAPIUserName", required=True),
            Header(name="X-Auth-Key", means="BlobAPIKey", required=True),
        ),
        tag="swift",
        setting=SETTING,
    ),
    Route(
        name="swift_account",
        method="HEAD",
        path="/v1/{account}",
        summary="Whether the account is there",
        roles=CONTROLLERS,
        handle=swift.head_account,
        query=SwiftQuery,
        answers=(Answer(status=204, means="It is"),),
        errors=("swift.foreign",),
        tag="swift",
        setting=SETTING,
    ),
    Route(
        name="swift_create_container",
        method="PUT",
        path=CONTAINER,
        summary="Create a container, one for each recording",
        roles=CONTROLLERS,
        handle=swift.put_container,
        query=SwiftQuery,
        answers=(Answer(status=201, means="Created"), Answer(status=202, means="It was there, and is described so")),
        errors=(*PLACE_ERRORS, *SEAL_ERRORS, "swift.container_unknown"),
        headers=(CONTAINER_META,),
        tag="swift",
        setting=SETTING,
    ),
    Route(
        name="swift_describe_container",
        method="POST",
        path=CONTAINER,
        summary="Say more about a container; `X-Container-Meta-Status: Complete` seals the recording",
        roles=CONTROLLERS,
        handle=swift.post_container,
        query=SwiftQuery,
        answers=(Answer(status=204, means="Done; of a recording that is complete: sealed"),),
        errors=(*PLACE_ERRORS, *SEAL_ERRORS, "swift.container_unknown"),
        headers=(CONTAINER_META,),
        tag="swift",
        setting=SETTING,
    ),
    Route(
        name="swift_container",
        method="HEAD",
        path=CONTAINER,
        summary="What is said about a container, and how much is in it",
        roles=CONTROLLERS,
        handle=swift.head_container,
        query=SwiftQuery,
        answers=(Answer(status=204, means="See the headers"),),
        errors=(*PLACE_ERRORS, "swift.container_unknown"),
        tag="swift",
        setting=SETTING,
    ),
    Route(
        name="swift_put_object",
        method="PUT",
        path=OBJECT,
        summary="Take an object whole: a clip, a bookmark, a trail of places, a key, a user, a device",
        roles=CONTROLLERS,
        handle=swift.put_object,
        body=Stream("application/octet-stream"),
        query=SwiftQuery,
        answers=(Answer(status=201, means="It is on disk; the header ETag is its MD5"),),
        errors=(*PLACE_ERRORS, *PUT_ERRORS),
        headers=(OBJECT_META, Header(name="ETag", means="MD5 that the bytes have to have")),
        tag="swift",
        setting=SETTING,
    ),
    Route(
        name="swift_describe_object",
        method="POST",
        path=OBJECT,
        summary="Replace what is said about an object",
        roles=CONTROLLERS,
        handle=swift.post_object,
        query=SwiftQuery,
        answers=(Answer(status=202, means="Done"),),
        errors=(
            *PLACE_ERRORS,
            *("swift.container_unknown", "swift.object_unknown", "swift.metadata_invalid", "swift.sealed"),
        ),
        headers=(OBJECT_META,),
        tag="swift",
        setting=SETTING,
    ),
    Route(
        name="swift_object",
        method="GET",
        path=OBJECT,
        summary="HEAD: what is said about an object; GET: the bytes of what is in `System`, of nothing else",
        roles=CONTROLLERS,
        handle=swift.get_object,
        query=SwiftQuery,
        answers=(Answer(status=200, means="See the headers; the body", media_type="*/*"),),
        errors=(*PLACE_ERRORS, "swift.object_unknown"),
        tag="swift",
        setting=SETTING,
    ),
)
