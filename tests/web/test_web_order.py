"""The order of the checks of a request, and the one format of all refusals."""

import gzip
import json
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio

ID = "606f031c-0f85-4444-8c7d-4a8f1ede7cd3"
JSON = {"Content-Type": "application/json"}
GOOD: dict[str, Any] = {"name": "A", "allocatedCapacity": 5, "contractId": ID}


async def refused(client: httpx.AsyncClient, status: int, method: str, url: str, **request: Any) -> dict[str, Any]:
    response = await client.request(method, url, **request)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"] == f"http://t/errors/{body['code']}"
    assert body["detail"] == body["message"]
    assert body["requestId"] == response.headers["x-request-id"]
    return body


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/thing/", "/v1/thing/list/", "/v1/thing//usage", "/V1/thing/list"])
async def test_unknown_route(client: httpx.AsyncClient, path: str) -> None:
    await refused(client, 404, "GET", path, headers={"Authorization": ""})


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", f"/v1/thing/{ID}", "GET, HEAD, OPTIONS, PUT"),
        ("HEAD", "/v1/thing", "OPTIONS, POST"),
        ("POST", "/v1/thing/list", "GET, HEAD, OPTIONS"),
        ("PUT", "/v1/thing/list", "GET, HEAD, OPTIONS"),  # although "list" has the place of an id, which PUT takes
        ("PATCH", f"/v1/thing/{ID}/usage", "GET, HEAD, OPTIONS"),
    ],
)
async def test_wrong_method_names_those_of_every_route(
    client: httpx.AsyncClient, method: str, path: str, allow: str
) -> None:
    response = await client.request(method, path, content=b"[", headers={"Authorization": ""})
    assert response.status_code == 405
    assert response.headers["allow"] == allow


async def test_without_a_valid_key_the_body_is_not_checked(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    broken = {"content": b"x" * 2_000_000, "headers": {"Content-Type": "text/plain"}}
    body = await refused(client, 401, "PUT", "/v1/thing/not-an-id", **broken)
    assert body["detail"] == "Authorization header is missing"
    response = await client.get(f"/v1/thing/{ID}")
    assert response.headers["www-authenticate"] == "Bearer"
    client.headers["Authorization"] = "Bearer viewer"
    await refused(client, 403, "PUT", "/v1/thing/not-an-id", **broken)


async def test_415_then_413_then_400_then_422(client: httpx.AsyncClient) -> None:
    url = "/v1/thing/not-an-id"
    large = b"x" * (1024 * 1024 + 1)
    await refused(client, 415, "PUT", url, content=large, headers={"Content-Type": "text/plain"})
    await refused(client, 415, "PUT", url, content=large)
    await refused(client, 413, "PUT", url, content=large, headers=JSON)
    await refused(client, 400, "PUT", url, content=large[:1000], headers=JSON)
    body = await refused(client, 400, "PUT", url, json=GOOD | {"name": ""})
    assert [error["field"] for error in body["errors"]] == ["thingID"]
    await refused(client, 400, "PUT", url, json=[])
    await refused(client, 422, "PUT", f"/v1/thing/{ID}", json=GOOD | {"name": ""})
    assert (await client.put(f"/v1/thing/{ID}", json=GOOD)).status_code == 200


async def test_size_is_counted_when_it_is_not_announced(client: httpx.AsyncClient) -> None:
    async def chunks(count: int):
        for _ in range(count):
            yield b" " * 1024

    await refused(client, 413, "POST", "/v1/thing", content=chunks(1025), headers=JSON)
    await refused(client, 400, "POST", "/v1/thing", content=chunks(1024), headers=JSON)
    await refused(client, 413, "POST", "/v1/thing", content=b"{}", headers=JSON | {"Content-Length": "9" * 4000})


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "APPLICATION/JSON; charset=utf-8", "application/merge-patch+json", "application/json;"],
)
async def test_kinds_of_json(client: httpx.AsyncClient, media_type: str) -> None:
    response = await client.post("/v1/thing", content=json.dumps(GOOD), headers={"Content-Type": media_type})
    assert response.status_code == 201, response.text


@pytest.mark.parametrize("media_type", ["", "text/json", "application/x-www-form-urlencoded", "application/json/x"])
async def test_not_json(client: httpx.AsyncClient, media_type: str) -> None:
    await refused(client, 415, "POST", "/v1/thing", content=json.dumps(GOOD), headers={"Content-Type": media_type})


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "identity, gzip", "x", "zstd"])
async def test_a_compressed_body(client: httpx.AsyncClient, coding: str) -> None:
    content = gzip.compress(json.dumps(GOOD).encode())
    headers = JSON | {"Content-Encoding": coding}
    body = await refused(client, 415, "POST", "/v1/thing", content=content, headers=headers)
    assert body["detail"] == "The body must not be compressed. Send it as it is, without the header Content-Encoding."
    response = await client.post("/v1/thing", content=content, headers=headers)
    assert response.headers["accept-encoding"] == "identity"
    big = await refused(client, 415, "POST", "/v1/thing", content=b"x" * 2_000_000, headers=headers)
    assert big["detail"] == body["detail"]
    del client.headers["Authorization"]
    await refused(client, 401, "POST", "/v1/thing", content=content, headers=headers)


@pytest.mark.parametrize("coding", ["", "identity", "Identity", " identity , identity"])
async def test_a_body_that_is_not_compressed(client: httpx.AsyncClient, coding: str) -> None:
    response = await client.post("/v1/thing", json=GOOD, headers={"Content-Encoding": coding})
    assert response.status_code == 201


async def test_no_body_at_all(client: httpx.AsyncClient) -> None:
    body = await refused(client, 400, "POST", "/v1/thing")
    assert body["detail"] == "The body is empty. Send a JSON object."
    await refused(client, 400, "POST", "/v1/thing", headers=JSON)


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "1", "true"])
async def test_json_that_is_no_object(client: httpx.AsyncClient, body: str) -> None:
    answer = await refused(client, 422, "POST", "/v1/thing", content=body, headers=JSON)
    assert answer["detail"] == "The body must be a JSON object."


async def test_query(client: httpx.AsyncClient) -> None:
    missing = await refused(client, 422, "GET", f"/v1/thing/{ID}/usage")
    assert missing["errors"] == [{"field": "from", "message": "is required"}]
    for day in ("", "2026-1-1", "2026-02-30", "20260101", "2026-W01-1", "0000-01-01", "٢٠٢٦-01-01", "x\0"):
        await refused(client, 400, "GET", f"/v1/thing/{ID}/usage", params={"from": day})
    both = await refused(client, 400, "GET", "/v1/thing/1/usage")
    assert [error["field"] for error in both["errors"]] == ["thingID"]
    assert (await client.get(f"/v1/thing/{ID}/usage?from=2028-02-29")).text == "2028-02-29"


async def test_a_path_without_parameters_wins(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/thing/list")).text == "list"
