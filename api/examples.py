"""Examples for the OpenAPI document, made from the models' own schemas: they cannot show what a model would refuse.

A field's own `examples` come first, then its default, then what fits its name (`WORDS`), its format or its bounds. Ids,
times and digests look like what the house makes. A test holds every example against its schema, and those of requests
against their model. What a request may leave out is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

ID = "019369e2-7c00-7a1b-8c3d-4e5f60718293"
TIME = "2026-11-22T02:30:00.000Z"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

WORDS: Mapping[str, object] = MappingProxyType(
    {
        "name": "王芳",
        "title": "某化工厂安全生产检查",
        "number": "城执案〔2026〕17号",
        "reason": "工作需要",
        "text": "执法人员出示证件并告知权利",
        "content": "执法人员出示证件并告知权利",
        "note": "现场检查全程",
        "login": "wang.fang",
        "password": "correct horse battery staple",
        "new": "another horse battery staple",
        "url": "https://platform.example.cn/hooks/shilu",
        "address": "192.0.2.17",
        "code": "7QK4-M2XP-9RTD",
        "type": "clip.sealed",
        "path": "DCIM/100MEDIA/0001.MP4",
        "media_type": "video/mp4",
        "citation": "《行政处罚法》第四十七条",
        "sha256": DIGEST,
        "at": TIME,
        "transcript": ID,
        "purpose": "litigation",
        "cursor": ID,
        "next": ID,
    }
)
"""Name of a text field -> what stands there, where the schema lets it."""

BY_PATTERN: Mapping[str, str] = MappingProxyType(
    {
        "clip": ID,
        "items": ID,
        "asset": "app.js",
        "account": "AUTH_9f86d081884c7d659a2feaa0c55ad015",
        "container": "user_serial_1700000000",
        "object": "1700000000_1.mkv",
        "ticket": "0193" * 8 + "_" + "Q" * 43,
        "version": "1",
        "register": "units",
        "kind": "proxy",
        "place": "1",
        "tile": "0/x001/067",
    }
)
"""Path parameter -> its example, where it is no id."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Idempotency-Key": "b1f2c3d4-case-17",
        "If-Match": '"1"',
        "Range": "bytes=0-1048575",
        "Upload-Length": "1048576",
        "Upload-Offset": "0",
        "Upload-Metadata": "path RENJTS8wMDAxLk1QNA==",
        "Tus-Resumable": "1.0.0",
    }
)
"""Request header -> its example; `1` where it is not here."""


def example_of(schema: Mapping[str, Any], definitions: Mapping[str, Any], *, name: str = "", whole: bool) -> Any:
    """Return an example of a JSON schema (2020-12, as pydantic writes it).

    Args:
        definitions: What its `$ref`s mean, by their last part.
        name: Name of the field it is the schema of.
        whole: Whether fields are shown that may be left out.
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(definitions[schema["$ref"].rpartition("/")[2]], definitions, name=name, whole=whole)
    if schema.get("default") is not None:
        return schema["default"]
    for fixed in ("const", "enum"):
        if fixed in schema:
            return schema[fixed] if fixed == "const" else schema[fixed][0]
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if options:
        chosen = next((one for one in options if one.get("type") != "null"), options[0])
        return example_of(chosen, definitions, name=name, whole=whole)
    match schema.get("type"):
        case "object":
            return _object(schema, definitions, whole=whole)
        case "array":
            return _array(schema, definitions, name=name, whole=whole)
        case "string":
            return _text(schema, name)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case _:
            return None if schema.get("type") == "null" else {}


def example_of_parameter(name: str, pattern: str) -> str:
    """Return an example of a path parameter: an id unless its pattern is another's."""
    return BY_PATTERN.get(name, ID) if "[0-9a-f]{8}-" not in pattern else ID


def _object(schema: Mapping[str, Any], definitions: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    required = schema.get("required", ())
    return {
        name: example_of(field, definitions, name=name, whole=whole)
        for name, field in schema.get("properties", {}).items()
        if whole or name in required or "examples" in field
    }


def _array(schema: Mapping[str, Any], definitions: Mapping[str, Any], *, name: str, whole: bool) -> list[Any]:
    if "prefixItems" in schema:
        return [example_of(one, definitions, name=name, whole=whole) for one in schema["prefixItems"]]
    if "items" not in schema or schema.get("maxItems") == 0:
        return []
    singular = name.removesuffix("s")
    one = example_of(schema["items"], definitions, name=singular, whole=whole)
    return [one] * max(1, schema.get("minItems", 0))


def _text(schema: Mapping[str, Any], name: str) -> str:
    match schema.get("format"):
        case "uuid":
            return ID
        case "date-time":
            return TIME
        case "date":
            return "2026-11-22"
        case _:
            pass
    text = str(WORDS.get(name, ""))
    if name.endswith("_at") or name in ("since", "until", "from", "to"):
        text = TIME
    elif "sha256" in name or name.endswith("digest"):
        text = DIGEST
    elif not text:
        text = name.replace("_", " ") or "a text"
    return (text + "x" * schema.get("minLength", 0) if len(text) < schema.get("minLength", 0) else text)[
        : schema.get("maxLength")
    ]


def _number(schema: Mapping[str, Any]) -> int | float:
    low: int | float = schema.get("minimum", schema.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in schema))
    high: int | float = schema.get("maximum", max(low, 1))
    return min(max(low, 1), high)
