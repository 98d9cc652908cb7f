import logging
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import Response

pytestmark = pytest.mark.anyio

ID = "606f031c-0f85-4444-8c7d-4a8f1ede7cd3"


@pytest.mark.parametrize(
    ("how", "status", "title", "code", "detail", "numbers"),
    [
        ("conflict", 409, "Conflict", "contract_full", "Only 5 bytes remain.", {"remaining": 5}),
        ("unknown", 404, "Not Found", "not_found", "There is no such thing.", {}),
        ("away", 503, "Service Unavailable", "cluster_unavailable", "The cluster cannot be reached; try again.", {}),
    ],
)
async def test_domain_errors(
    client: httpx.AsyncClient, how: str, status: int, title: str, code: str, detail: str, numbers: dict[str, int]
) -> None:
    response = await client.get(f"/v1/fail/{how}")
    assert response.status_code == status
    assert response.headers.get("retry-after") == ("5" if status == 503 else None)
    assert response.json() == {
        "type": f"http://t/errors/{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "message": detail,
        **numbers,
        "requestId": response.headers["x-request-id"],
    }


async def test_a_throttled_client_gets_a_retry_after(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/fail/guessing")
    assert (response.status_code, response.headers["retry-after"]) == (429, "61")
    assert response.json()["title"] == "Too Many Requests"


async def test_every_field_at_once_by_its_name_on_the_wire(client: httpx.AsyncClient) -> None:
    secret = "hunter2\0"
    response = await client.post(
        "/v1/thing",
        json={
            "name": " ",
            "allocatedCapacity": "5",
            "contractId": "1",
            "allowOverdraft": 1,
            "clientAccount": {"contactEmail": "x", "password": secret},
        },
    )
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"field": "name", "message": "must not be empty"},
        {"field": "allocatedCapacity", "message": "must be a whole number"},
        {"field": "contractId", "message": "must be a UUID of 36 characters"},
        {"field": "allowOverdraft", "message": "must be true or false"},
        {"field": "clientAccount.contactEmail", "message": "must be an e-mail address, such as name@company.com"},
        {"field": "clientAccount.password", "message": "must not contain a NUL character or an unpaired surrogate"},
    ]
    assert response.json()["detail"].startswith("name: must not be empty; allocatedCapacity: must be")
    assert "hunter2" not in response.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "must not be null"),
        ({"name": 5}, "must be text"),
        ({"name": "x" * 201}, "must have at most 200 characters"),
        ({"allocatedCapacity": -1}, "must be 0 or more"),
        ({"allocatedCapacity": 2**63}, "must be 9223372036854775807 or less"),
        ({"allocatedCapacity": 10**400}, "must be 9223372036854775807 or less"),
        ({"allocatedCapacity": None}, "must not be null"),
        ({"allocatedCapacity": 5.5}, "must be a whole number"),
        ({"allocatedCapacity": 1e16}, "must be written with digits alone if it is more than 9007199254740992"),
        ({"clientAccount": {"contactEmail": None, "password": "x"}}, "must not be null"),
        ({"allocatedCapacity": True}, "must be a whole number"),
        ({"contractId": 5}, "must be a UUID of 36 characters"),
        ({"clientAccount": "x"}, "must be an object"),
    ],
)
async def test_sentences(client: httpx.AsyncClient, change: dict[str, Any], message: str) -> None:
    good = {"name": "A", "allocatedCapacity": 5, "contractId": ID}
    response = await client.post("/v1/thing", json=good | change)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["field"].partition(".")[0], error["message"]) == (next(iter(change)), message)


async def test_a_crash_discloses_no_internals(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = await client.get("/v1/fail/crash", headers={"X-Request-Id": "my.id-1"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["requestId"] == "my.id-1"
    assert "secret internals" not in response.text
    assert "my.id-1" in caplog.text
    assert "secret internals" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        PoolTimeout("x"),
        psycopg.OperationalError("x"),
        psycopg.InterfaceError("x"),
        psycopg.errors.QueryCanceled("x"),
        psycopg.errors.ReadOnlySqlTransaction("x"),
    ],
)
async def test_no_database(bare: FastAPI, error: Exception) -> None:
    async def fail(_: Request) -> Response:
        raise error

    bare.add_route("/", fail)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bare), base_url="http://t") as client:
        response = await client.get("/")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("abc-1._X", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("ü", False), ("", False)],
)
async def test_request_ids(client: httpx.AsyncClient, sent: str, kept: bool) -> None:
    response = await client.get("/v1/thing/list", headers=[(b"X-Request-Id", sent.encode())])
    assert (response.headers["x-request-id"] == sent) is kept
    assert response.headers.get_list("x-request-id") == [response.headers["x-request-id"]]


async def test_headers_of_every_reply(bare: FastAPI) -> None:
    kept = Response("x", headers={"Cache-Control": "max-age=5"})

    async def same_again(_: Request) -> Response:
        return kept

    bare.add_route("/", same_again)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(bare), base_url="http://t") as client:
        first, second, missing = [await client.get(path) for path in ("/", "/", "/x")]
    assert first.headers["cache-control"] == "max-age=5"
    assert missing.headers["cache-control"] == "no-store"
    assert missing.headers["x-content-type-options"] == "nosniff"
    assert len(first.headers.get_list("x-content-type-options")) == 1
    assert len(second.headers.get_list("x-content-type-options")) == 1
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
