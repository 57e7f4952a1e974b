"""Examples of the document: every operation has them, and none shows what its schema or its model would refuse."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from api.bodies import JSON, JsonBody
from api.openapi import make_document
from api.route import Route
from api.routes.table import ROUTES

DOCUMENT: dict[str, Any] = make_document(None)
JSON_LIKE = (JSON, "application/problem+json")


def fits(schema: dict[str, Any], example: Any) -> list[str]:
    whole = {**schema, "components": DOCUMENT["components"]}
    return [error.message for error in jsonschema_rs.validator_for(whole).iter_errors(example)]


def operation_of(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return found


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_operation_has_examples_that_fit(route: Route) -> None:
    operation = operation_of(route)
    for parameter in operation["parameters"]:
        assert "example" in parameter, parameter["name"]
        assert fits(parameter["schema"], parameter["example"]) == [], parameter["name"]
    contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
    contents += [answer["content"] for status, answer in operation["responses"].items() if status < "400"]
    for content in contents:
        for media_type, said in content.items():
            if media_type in JSON_LIKE and "schema" in said:
                assert "example" in said, media_type
                assert fits(said["schema"], said["example"]) == [], (media_type, said["example"])


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if isinstance(route.body, JsonBody)], ids=lambda route: route.name
)
def test_an_example_of_a_request_is_one_that_its_model_takes(route: Route) -> None:
    assert isinstance(route.body, JsonBody)
    example = operation_of(route)["requestBody"]["content"][route.body.media_type]["example"]
    route.body.model.model_validate_json(json.dumps(example))
