"""The OpenAPI 3.1 document, made from the routes table and the models: it cannot say anything else than the code."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

from openapi_pydantic.v3.v3_1 import OpenAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.bodies import JsonBody, NoteBody, Nothing, Stream
from api.cookies import COOKIE
from api.examples import HEADERS, example_of, example_of_parameter
from api.permits import codes_of_permit
from api.problems import MEDIA_TYPE, PROBLEMS, Problem
from api.route import PATH_PATTERNS, Answer, Route
from api.routes.table import ROUTES
from evidence.parties.roles import STAFF_ROLES, Role

REF = "#/components/schemas/{model}"

AUTH_CODES = (
    *("auth.missing", "auth.malformed", "auth.unknown_token", "auth.signature", "auth.audience", "auth.revoked"),
    *("auth.expired", "auth.role", "auth.scope", "auth.cross_site"),
)
ALWAYS_CODES = (
    "internal",
    "database.unreachable",
    "database.unwritable",
    "service.unavailable",
    "request.query",
    "route.unknown",
    "route.method",
)
BODY_CODES = ("request.too_large", "request.timeout", "request.cut_short", "request.media_type", "request.encoding")
JSON_CODES = ("request.malformed", "request.invalid")


def codes_of(route: Route) -> tuple[str, ...]:
    """Return every code a route can answer with: its own, and those of its gate."""
    codes = {*ALWAYS_CODES, *route.errors}
    if route.roles is not None:
        codes.update(AUTH_CODES, codes_of_permit(route))
    match route.body:
        case JsonBody():
            codes.update(BODY_CODES, JSON_CODES)
        case NoteBody():
            codes.update(BODY_CODES)
        case Stream():
            codes.update(("request.encoding",))
    return tuple(sorted(codes))


@cache
def write_document(public_url: str | None) -> bytes:
    """Return the document as JSON; made once in a process, it depends on nothing but the table and the address.

    Raises:
        ValidationError: The table has led to something that is no OpenAPI document; our bug, found at the start.
    """
    document = make_document(public_url)
    OpenAPI.model_validate(document)
    return json.dumps(document, ensure_ascii=False).encode()


def make_document(public_url: str | None) -> dict[str, Any]:
    """Build the document."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in ROUTES:
        paths[route.path][route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Shilu",
            "version": "1",
            "summary": "Evidence-chain media service for body-worn camera footage",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url or "/"}],
        "paths": dict(paths),
        "components": {
            "schemas": _generated()[1],
            "securitySchemes": {
                "staff": {"type": "http", "scheme": "bearer", "description": "A person's opaque token"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": "A person's session in a browser, see POST /v1/session; else as a bearer",
                },
                "dock": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A short-lived token signed by the dock's own key",
                },
                "controller": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Auth-Token",
                    "description": "A body worn system's session, see /auth/v1.0",
                },
            },
        },
    }


@cache
def _generated() -> tuple[Mapping[tuple[Any, str], str], dict[str, Any]]:
    """Return the reference of each model, requests and answers apart, and what they refer to.

    Two models of one name in two modules get longer names by themselves; who refers to them asks here.
    """
    requests = {route.body.model for route in ROUTES if isinstance(route.body, JsonBody)}
    answers = {answer.model for route in ROUTES for answer in route.answers if answer.model is not None} | {Problem}
    modes = [(model, "validation") for model in requests] + [(model, "serialization") for model in answers]
    modes.sort(key=lambda mode: (mode[0].__name__, mode[0].__module__))
    references, definitions = models_json_schema(modes, ref_template=REF)  # type: ignore[arg-type]  # the modes are literals
    return {key: said["$ref"] for key, said in references.items()}, _in_base64(definitions["$defs"])


def _in_base64(schema: Any) -> Any:
    """State the lengths of bytes as those of their text: pydantic counts bytes, JSON holds base64."""
    if isinstance(schema, list):
        return [_in_base64(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") != "binary":
        return {key: _in_base64(value) for key, value in schema.items()}
    said = {key: value for key, value in schema.items() if key != "format"}
    lengths = {key: -(-said[key] // 3) * 4 for key in ("minLength", "maxLength") if key in said}
    return {**said, **lengths, "contentEncoding": "base64"}


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "security": _security(route),
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)],
        "responses": _responses(route),
    }
    body = _request_body(route)
    return operation if body is None else {**operation, "requestBody": body}


def _responses(route: Route) -> dict[str, Any]:
    responses: dict[str, dict[str, Any]] = {}
    for answer in route.answers:
        # One status may come as several types.
        response = responses.setdefault(str(answer.status), {"description": "", "content": {}})
        response["description"] = ". ".join(filter(None, [response["description"], answer.means]))
        response["content"].update(_content(answer))
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes_of(route):
        by_status[PROBLEMS[code].status].append(code)
    for status, codes in sorted(by_status.items()):
        response = responses.setdefault(str(status), {"description": "", "content": {}})
        response["description"] = " ".join(filter(None, [response["description"], "One of: " + ", ".join(codes)]))
        response["content"][MEDIA_TYPE] = _content_of(Problem, answers=True)
    return responses


def _content(answer: Answer) -> dict[str, Any]:
    if answer.media_type is None:
        return {}
    if answer.model is None:
        return {answer.media_type.partition(";")[0]: {}}
    return {answer.media_type.partition(";")[0]: _shown(answer.model, answers=True)}


def _content_of(model: type[BaseModel], *, answers: bool) -> dict[str, Any]:
    reference = _generated()[0][model, "serialization" if answers else "validation"]
    return {"schema": {"$ref": reference}}


def _shown(model: type[BaseModel], *, answers: bool) -> dict[str, Any]:
    """Return a model's schema with an example: an answer shows every field, a request what it has to have."""
    content = _content_of(model, answers=answers)
    return {**content, "example": example_of(content["schema"], _generated()[1], whole=answers)}


def _request_body(route: Route) -> dict[str, Any] | None:
    match route.body:
        case Nothing():
            return None
        case JsonBody(model=model, media_type=media_type):
            return {"required": True, "content": {media_type: _shown(model, answers=False)}}
        case NoteBody(media_type=media_type):
            return {"required": True, "description": "A note signed by the dock", "content": {media_type: {}}}
        case _:
            return {"required": True, "content": {str(route.body.media_type): {}}}


def _security(route: Route) -> list[dict[str, list[str]]]:
    roles = route.roles or frozenset()
    people = sorted(role.value for role in roles & STAFF_ROLES)
    schemes = [{"staff": people}, {"session": people}] if people else []
    return schemes + [{role.value: [role.value]} for role in (Role.DOCK, Role.CONTROLLER) if role in roles]


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{PATH_PATTERNS[name]}$"},
            "example": example_of_parameter(name, PATH_PATTERNS[name]),
        }
        for name in route.parameters
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    schema: Mapping[str, Any] = route.query.model_json_schema(ref_template=REF)
    definitions = schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": field.get("description", ""),
            "schema": _inlined(field, definitions),
            "example": example_of(field, definitions, name=name, whole=False),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": header.name,
            "in": "header",
            "required": header.required,
            "description": header.means,
            "schema": {"type": "string"},
            "example": HEADERS.get(header.name, "1"),
        }
        for header in route.headers
    ]


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Put definitions where they are referred to; a query parameter's schema stands alone."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {key: _inlined(value, definitions) for key, value in schema.items()}
    return [_inlined(item, definitions) for item in schema] if isinstance(schema, list) else schema
