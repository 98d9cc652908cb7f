from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from tonnage.web import openapi
from tonnage.web.json_list import Paging
from tonnage.web.routing import ApiRoute, AuthDependency, mount
from tonnage.web.schemas import RequestModel
from tonnage.web.swagger2 import to_swagger2

pytestmark = pytest.mark.anyio


@pytest.fixture
async def both(api: FastAPI) -> tuple[dict[str, Any], dict[str, Any]]:
    extension = APIRouter(prefix="/ext/v1", route_class=ApiRoute)

    @extension.get("/open", status_code=204)
    async def no_caller(page: Paging) -> Response:
        return Response(status_code=204)

    async def known(_: Request) -> None: ...

    @extension.get("/known", status_code=204)
    async def known_only(_: Annotated[None, Depends(AuthDependency(known))]) -> Response:
        return Response(status_code=204)

    openapi.install(api)
    mount(api, extension)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://t") as client:
        first, second = await client.get("/openapi.json"), await client.get("/swagger/doc.json")
        assert (await client.get("/openapi.json")).content == first.content
    return first.json(), second.json()


async def test_every_operation_lists_what_it_can_answer(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for document, prefix in ((both[0], "/v1"), (both[1], "")):
        paths = document["paths"]
        assert {
            (method, path): " ".join(operation["responses"])
            for path, item in paths.items()
            for method, operation in item.items()
            if not path.startswith("/ext")
        } == {
            ("get", f"{prefix}/thing/{{thingID}}"): "200 400 401 403 404 429 500 503",
            ("put", f"{prefix}/thing/{{thingID}}"): "200 400 401 403 404 409 413 415 422 429 500 503",
            ("post", f"{prefix}/thing"): "201 400 401 403 404 409 413 415 422 429 500 503",
            ("get", f"{prefix}/thing/list"): "200 401 403 429 500 503",
            ("get", f"{prefix}/thing/{{thingID}}/usage"): "200 400 404 422 500 503",
            ("get", f"{prefix}/fail/{{how}}"): "200 404 500 503",
        }


async def test_openapi(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    document, _ = both
    assert document["openapi"].startswith("3.1")
    assert document["info"] == {"title": "Things", "version": "7"}
    assert document["servers"] == [{"url": "/"}]
    extension = document["paths"]["/ext/v1/open"]["get"]
    assert " ".join(extension["responses"]) == "204 400 422 500 503"
    assert [parameter["name"] for parameter in extension["parameters"]] == ["limit", "cursor"]
    assert " ".join(document["paths"]["/ext/v1/known"]["get"]["responses"]) == "204 401 403 429 500 503"
    assert "HTTPValidationError" not in document["components"]["schemas"]
    day = document["paths"]["/v1/thing/{thingID}/usage"]["get"]["parameters"][1]["schema"]
    assert day["format"] == "date"
    assert document["paths"]["/v1/thing/list"]["get"]["security"] == [{"Bearer": []}]
    assert extension["security"] == []


async def test_swagger(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    _, document = both
    assert document["swagger"] == "2.0"
    assert document["basePath"] == "/v1"
    assert not {"host", "schemes"} & document.keys()
    assert sorted(document["definitions"]) == [
        "api.ClientAccount",
        "api.CreateThing",
        "api.Problem",
        "api.ThingResponse",
    ]
    bearer = document["securityDefinitions"]["Bearer"]
    assert (bearer["type"], bearer["in"], bearer["name"]) == ("apiKey", "header", "Authorization")
    assert "`Bearer <key>`: the word Bearer" in bearer["description"]
    post = document["paths"]["/thing"]["post"]
    assert post["parameters"] == [
        {"in": "body", "name": "thingDetails", "required": True, "schema": {"$ref": "#/definitions/api.CreateThing"}}
    ]
    assert post["responses"]["201"].pop("headers").keys() == {"X-Request-Id", "RateLimit", "RateLimit-Policy"}
    assert post["responses"]["201"] == {
        "description": "Created",
        "schema": {"$ref": "#/definitions/api.ThingResponse"},
    }
    thing = document["definitions"]["api.CreateThing"]
    assert thing["required"] == ["name", "allocatedCapacity", "contractId"]
    assert thing["properties"]["allocatedCapacity"] == {"type": "integer", "format": "int64", "minimum": 0}
    assert isinstance(thing["properties"]["allocatedCapacity"]["minimum"], int)
    assert thing["properties"]["allowOverdraft"] == {"type": "boolean"}
    assert thing["properties"]["clientAccount"] == {"$ref": "#/definitions/api.ClientAccount"}
    assert document["definitions"]["api.ThingResponse"]["properties"]["allow_overdraft"] == {"type": "boolean"}
    first = document["paths"]["/thing/{thingID}/usage"]["get"]["parameters"][1]
    assert first == {"type": "string", "format": "yyyy-mm-dd", "name": "from", "in": "query", "required": True}
    assert "null" not in {str(definition.get("type")) for definition in document["definitions"].values()}


async def test_references_lead_somewhere(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for document in both:
        references = list(_references(document))
        assert references
        for reference in references:
            node = document
            for name in reference.removeprefix("#/").split("/"):
                node = node[name]


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [reference for item in node for reference in _references(item)]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(node, dict):
        return []
    own = [str(node["$ref"])] if "$ref" in node else []  # pyright: ignore[reportUnknownArgumentType]
    return own + [reference for item in node.values() for reference in _references(item)]  # pyright: ignore[reportUnknownVariableType]


def test_features_missing_in_swagger_are_refused() -> None:
    class Odd(RequestModel):
        value: int | str

    schema = Odd.model_json_schema()
    document = {"info": {}, "paths": {}, "components": {"schemas": {"Odd": schema}, "responses": {}}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Odd"}}}}
    operation = {"requestBody": body, "x-codegen-request-body-name": "odd", "responses": {}}
    with pytest.raises(ValueError, match="anyOf"):
        to_swagger2(document | {"paths": {"/v1/odd": {"post": operation}}}, "/v1")
    schema["properties"]["value"] = {"type": "integer", "exclusiveMinimum": 0}
    with pytest.raises(ValueError, match="exclusiveMinimum"):
        to_swagger2(document | {"paths": {"/v1/odd": {"post": operation}}}, "/v1")
