"""The served document against the published one: every operation, parameter, field, type and code is there."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import AppClient

pytestmark = pytest.mark.anyio

PUBLISHED: dict[str, Any] = json.loads(Path(__file__).with_name("published.json").read_text())
PERMITTED = {
    ("api.DistributorContractResponse", "costStorageGBCents"),
    ("api.DistributorContractResponse", "costEgressGBCents"),
}
"""Decimal strings here, numbers in the published document: the only difference."""

OPERATIONS = [(path, method) for path, methods in PUBLISHED["paths"].items() for method in methods]


@pytest.fixture
async def ours(client: AppClient) -> dict[str, Any]:
    return (await client.call("GET", "/swagger/doc.json")).json()


async def test_there_are_just_the_24_operations(ours: dict[str, Any]) -> None:
    assert len(OPERATIONS) == 24
    assert sorted(OPERATIONS) == sorted((path, method) for path, methods in ours["paths"].items() for method in methods)
    assert ours["basePath"] == PUBLISHED["basePath"]
    assert not {"host", "schemes"} & set(ours)


async def test_parameters(ours: dict[str, Any]) -> None:
    for path, method in OPERATIONS:
        mine = {(p["in"], p["name"]): p for p in ours["paths"][path][method].get("parameters", [])}
        for published in PUBLISHED["paths"][path][method].get("parameters", []):
            own = mine.pop((published["in"], published["name"]))
            assert own["required"] == published["required"]
            assert own.get("type") == published.get("type")
            assert own.get("schema") == published.get("schema")
            if "format" in published:
                assert own["format"] == published["format"], (path, method)
        assert all(not extra.get("required") for extra in mine.values()), (path, method)


async def test_successes(ours: dict[str, Any]) -> None:
    for path, method in OPERATIONS:
        published = PUBLISHED["paths"][path][method]
        own = ours["paths"][path][method]
        successes = {code: answer for code, answer in own["responses"].items() if code < "400"}
        assert set(successes) == set(published["responses"])
        for code, answer in published["responses"].items():
            assert successes[code].get("schema") == answer.get("schema"), (path, method)
        assert own["tags"] == published["tags"]
        assert own.get("security", []) == published.get("security", [])


async def test_every_operation_lists_its_errors(ours: dict[str, Any]) -> None:
    for path, method in OPERATIONS:
        own = ours["paths"][path][method]
        codes = {code for code in own["responses"] if code >= "400"}
        assert {"500", "503"} <= codes
        assert {"401", "403"} <= codes or not own["security"]
        assert "404" in codes or "{" not in path
        assert {"400", "413", "415", "422"} <= codes or not any(p["in"] == "body" for p in own.get("parameters", []))


async def test_definitions(ours: dict[str, Any]) -> None:
    for name, published in PUBLISHED["definitions"].items():
        own = ours["definitions"][name]
        assert set(own["properties"]) >= set(published["properties"])
        if name.endswith("ReqBody") or name == "api.StorageAccountClientAccount":
            assert sorted(own.get("required", [])) == sorted(published.get("required", []))
        for field, shape in published["properties"].items():
            mine = own["properties"][field]
            if (name, field) in PERMITTED:
                assert (shape["type"], mine["type"]) == ("number", "string")
                continue
            for fact in ("type", "$ref", "items", "minimum", "x-nullable"):
                assert mine.get(fact) == shape.get(fact), (name, field, fact)
