"""The smallest JSON body that a model takes, made from its schema: for tests of what stands before any handler."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel

_STRINGS = {"uuid": str(UUID(int=9)), "date-time": "2030-01-01T00:00:00.000Z", "date": "2026-01-01"}


def smallest(model: type[BaseModel], **given: Any) -> dict[str, Any]:
    """Return a body with the required fields only, and what is given."""
    schema = model.model_json_schema()
    return {**_value(schema, schema.get("$defs", {})), **given}


def _value(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "const" in schema or "enum" in schema:
        return schema.get("const", *schema.get("enum", ())[:1])
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        return _value(choice, definitions)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: _value(properties[name], definitions) for name in schema.get("required", ())}
        case "array":
            return [_value(schema["items"], definitions)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return False
        case "string":
            if schema.get("format") in _STRINGS or schema.get("maxLength", 36) >= 36:
                return _STRINGS.get(schema.get("format", ""), _STRINGS["uuid"])
            return "a" * max(1, schema.get("minLength", 1))
        case _:
            return None
