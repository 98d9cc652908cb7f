"""The texts of the OpenAPI documents: names, descriptions, examples."""

import json
import re
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from tests.api.conftest import AppClient

pytestmark = pytest.mark.anyio


@pytest.fixture
async def both(client: AppClient) -> list[dict[str, Any]]:
    return [(await client.call("GET", path)).json() for path in ("/openapi.json", "/swagger/doc.json")]


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for item in document["paths"].values() for operation in item.values()]


async def test_every_operation_has_a_name_and_a_line(both: list[dict[str, Any]]) -> None:
    for document in both:
        names = [operation["operationId"] for operation in operations(document)]
        assert len(set(names)) == len(names)
        assert {"listContracts", "createPartner", "getAccountUsage"} <= set(names)
        for operation in operations(document):
            assert operation["operationId"].isidentifier()
            assert "_" not in operation["operationId"]
            summary = operation["summary"]
            assert len(summary) <= 75, summary
            assert "\n" not in summary + operation.get("description", "")
            assert not summary.endswith(".")
            assert summary != operation["operationId"]


async def test_distributors_and_partners_get_the_same_operations(both: list[dict[str, Any]]) -> None:
    named = {operation["operationId"]: operation for operation in operations(both[0])}
    own = {name: operation for name, operation in named.items() if operation.get("tags") == ["Partners"]}
    # A distributor sees other things of a partner: it is another operation.
    assert own.pop("getOwnPartner")
    assert len(own) == 17
    for name, operation in own.items():
        words = re.split("(?=[A-Z])", name, maxsplit=1)
        twin = named[f"{words[0]}Partner{words[1]}"]
        assert twin["tags"] == ["Distributors"]
        assert twin["summary"] != operation["summary"]
        assert twin.get("requestBody") == operation.get("requestBody")
        partner, *others = twin["parameters"]
        assert (partner["name"], partner["in"]) == ("partnerID", "path")
        assert others == operation.get("parameters", [])


async def test_the_introduction_has_the_first_steps(both: list[dict[str, Any]]) -> None:
    for document in both:
        assert "paste `Bearer <key>`, including the word Bearer" in document["info"]["description"]
        described = {tag["name"] for tag in document["tags"] if tag["description"]}
        assert described == {tag for operation in operations(document) for tag in operation["tags"]}


async def test_example_bodies_are_accepted(client: AppClient) -> None:
    tried = 0
    for route in client.app.routes:
        if isinstance(route, APIRoute) and route.body_field is not None:
            model: type[BaseModel] = route.dependant.body_params[0].field_info.annotation  # pyright: ignore[reportAssignmentType]
            (example,) = model.model_json_schema()["examples"]
            assert model.model_validate_json(json.dumps(example))
            assert set(example) <= set(model.model_json_schema()["properties"])
            tried += 1
    assert tried >= 6


async def test_null_in_an_optional_field_is_no_field(client: AppClient) -> None:
    """In every body; only the deletion date can be removed by it."""
    removable: list[str] = []
    for route in client.app.routes:
        if isinstance(route, APIRoute) and route.body_field is not None:
            model: type[BaseModel] = route.dependant.body_params[0].field_info.annotation  # pyright: ignore[reportAssignmentType]
            (example,) = model.model_json_schema()["examples"]
            for field in model.model_fields.values():
                if not field.is_required():
                    body = {name: value for name, value in example.items() if name != field.alias}
                    without, null = (model.model_validate(one) for one in (body, {**body, field.alias: None}))
                    assert null == without
                    if null.model_fields_set != without.model_fields_set:
                        removable.append(f"{next(iter(route.methods or ()))} {field.alias}")
    assert set(removable) == {"PATCH pendingDeletedAt"}


async def test_every_shape_of_an_answer_has_an_example(both: list[dict[str, Any]]) -> None:
    _, swagger = both
    for name, definition in swagger["definitions"].items():
        if name.endswith("Response") and name != "api.ListRegionsResponse":
            assert set(definition["example"]) >= set(definition["required"]), name
    for name, response in swagger["responses"].items():
        example = response["examples"]["application/json"]
        assert set(example) == set(swagger["definitions"]["api.Problem"]["required"]), name
        assert example["detail"] == example["message"]
        assert example["title"].replace(" ", "") == name
