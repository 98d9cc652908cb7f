"""The texts of the OpenAPI documents: names, descriptions, examples."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

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
    # Only the partner keeps profiles of its customers.
    assert own.pop("getAccountsBillingProfile")
    assert own.pop("setAccountsBillingProfile")
    # What an account may cost is between the partner and its customer; the partner's own cap has another body.
    for name in ("getAccountOverdraftCap", "setAccountOverdraftCap", "removeAccountOverdraftCap", "getOwnOverdraftCap"):
        assert own.pop(name)
    # Only the partner has customers whose contacts are mailed.
    assert own.pop("getContactMails")
    assert own.pop("setContactMails")
    assert len(own) == 22
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
        assert set(example) >= set(swagger["definitions"]["api.Problem"]["required"]), name
        assert set(example) <= set(swagger["definitions"]["api.Problem"]["properties"]), name
        assert example["detail"] == example["message"]
        assert example["title"].replace(" ", "") == name.rstrip("0123456789")


def lacking(document: dict[str, Any]) -> list[str]:
    """The operations, parameters, bodies, responses, headers and properties without a description, and the titles."""
    found: list[str] = []

    def resolved(node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return found

    def described(node: dict[str, Any], where: str) -> None:
        choices = [choice for choice in (*node.get("anyOf", ()), *node.get("allOf", ())) if "$ref" in choice]
        if not any(of.get("description", "").strip() for of in (node, *map(resolved, [node, *choices]))):
            found.append(f"{where} has no description")

    def schema(node: dict[str, Any], where: str) -> None:
        if isinstance(node.get("title"), str):
            found.append(f"{where} has a title")
        for name, member in node.get("properties", {}).items():
            described(member, f"{where}.{name}")
            schema(member, f"{where}.{name}")
        for part in [*node.get("anyOf", ()), *node.get("allOf", ()), *([node["items"]] if "items" in node else [])]:
            schema(part, where)

    for path, item in document["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            described(operation, where)
            for parameter in operation.get("parameters", ()):
                described(parameter, f"{where} {parameter['name']}")
                schema(parameter.get("schema", {}), f"{where} {parameter['name']}")
            if "requestBody" in operation:
                described(operation["requestBody"], f"{where} body")
            for status, response in operation["responses"].items():
                described(response, f"{where} {status}")
                for name, header in resolved(response).get("headers", {}).items():
                    described(header, f"{where} {status} {name}")
    for name, definition in {
        **document.get("definitions", {}),
        **document.get("components", {}).get("schemas", {}),
    }.items():
        described(definition, name)
        schema(definition, name)
    return found


async def test_everything_is_described_and_nothing_has_an_automatic_title(both: list[dict[str, Any]]) -> None:
    for document in both:
        assert len(document["paths"]) > 10
        assert lacking(document) == []


LIMITS = {"enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "required"}


def limits(schema: dict[str, Any], where: str) -> Iterator[tuple[str, str, str]]:
    for keyword, value in schema.items():
        if keyword in LIMITS:
            yield where, keyword, json.dumps(value)
        elif keyword == "const":
            yield where, "enum", json.dumps([value])
        elif keyword in {"schema", "items", "additionalProperties"} and isinstance(value, dict):
            yield from limits(cast("dict[str, Any]", value), where)
        elif keyword in {"anyOf", "allOf"}:
            for one in value:
                yield from limits(one, where)
        elif keyword == "properties":
            for name, one in value.items():
                yield from limits(one, f"{where}.{name}")


async def test_both_documents_set_the_same_limits(both: list[dict[str, Any]]) -> None:
    openapi, swagger = both
    of_swagger = {name.removeprefix("api."): schema for name, schema in swagger["definitions"].items()}
    of_openapi = {name: openapi["components"]["schemas"][name] for name in of_swagger}
    shared = {operation["operationId"] for operation in operations(swagger)}
    for document, schemas in ((openapi, of_openapi), (swagger, of_swagger)):
        for operation in operations(document):
            if operation["operationId"] in shared:
                for parameter in operation.get("parameters", ()):
                    if parameter["in"] != "body":
                        schemas[f"{operation['operationId']} {parameter['name']}"] = parameter
    found = [
        {limit for name in schemas for limit in limits(schemas[name], name)} for schemas in (of_openapi, of_swagger)
    ]
    assert len(found[0]) > 100
    assert found[0] == found[1]


async def test_replies_have_their_headers(both: list[dict[str, Any]]) -> None:
    openapi, swagger = both
    assert openapi["servers"] == [{"url": "/"}]
    for document in both:
        shared = {**document.get("responses", {}), **document.get("components", {}).get("responses", {})}
        for operation in operations(document):
            paged = any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))
            for status, response in operation["responses"].items():
                headers = (
                    shared[response["$ref"].rpartition("/")[2]]["headers"]
                    if "$ref" in response
                    else response["headers"]
                )
                assert "X-Request-Id" in headers
                assert ("Link" in headers) is (paged and status == "200")
    assert swagger["paths"]["/contract/list"]["get"]["responses"]["200"]["headers"]["Link"]["type"] == "string"


async def test_formats_say_what_ids_are(both: list[dict[str, Any]]) -> None:
    for schemas in (both[0]["components"]["schemas"], both[1]["definitions"]):
        names = {name.removeprefix("api."): schema["properties"] for name, schema in schemas.items()}
        assert names["DistributorPartnerResponse"]["id"]["format"] == "uuid"
        assert names["StorageAccountResponse"]["clientAccountId"]["pattern"] == "^[0-9]{12}$"
        assert names["CreateMemberReqBody"]["role"]["enum"] == ["admin", "staff", "viewer"]
        assert "8 to 128 characters" in names["CreateMemberReqBody"]["password"]["description"]
        assert "contract_full" in names["Problem"]["code"]["enum"]
