"""How often a key can be used: the headers of every response, and the refusal of what is too much."""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.conftest import AccountData, AppClient, account_data, application
from tests.authentication.members import Person
from tests.authentication.members import client as guest
from tests.authentication.test_from_everywhere import guess
from tests.cast import NOW, TB, Cast
from tonnage.access.actor import Actor
from tonnage.api_keys.actions import limit_key, revoke_key
from tonnage.api_keys.api_key import new_key
from tonnage.api_keys.rate_limit import KeyLimit
from tonnage.api_keys.rate_limit_middleware import Buckets
from tonnage.sealing import create_key_file

pytestmark = pytest.mark.anyio

HEADERS = ("ratelimit-policy", "ratelimit")
_LEFT = re.compile(r'"default";r=(\d+);t=(\d+)')


def left_of(response: Any) -> int:
    """How many requests can still be made, by the headers, which must be there."""
    assert re.fullmatch(r'"default";q=\d+;w=10', response.headers["ratelimit-policy"])
    match = _LEFT.fullmatch(response.headers["ratelimit"])
    assert match is not None, response.headers["ratelimit"]
    return int(match[1])


async def limited(client: AppClient, actor: Actor, requests_per_second: int | None) -> str:
    """A new key with that limit."""
    key = await client.cast.key(actor)
    await limit(client, key, requests_per_second)
    return key


async def limit(client: AppClient, key: str, requests_per_second: int | None) -> None:
    (key_id,) = await client.cast.row("select id from api_key where prefix = %s order by seq desc", key[:8])
    await client.cast.database.run(limit_key, client.cast.operator, key_id, KeyLimit(requests_per_second))


async def test_every_response_to_a_key_says_what_is_left(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.distributor)
    partner = f"/v1/partner/{data.partner.organisation_id}"
    new = {"name": "A", "allocatedCapacity": 0, "distributorContractId": str(data.contract)}
    json_headers = {"Content-Type": "application/json"}
    requests: list[tuple[int, str, str, dict[str, Any]]] = [
        (200, "GET", "/v1/contract/list", {}),
        (200, "GET", "/v1/contract/list", {"params": {"limit": "1"}}),
        (200, "GET", "/ext/v1/me", {}),
        (200, "HEAD", "/ext/v1/me", {}),
        (200, "GET", "/v1/integration/regions/list", {}),
        (201, "POST", "/v1/partner", {"json": new}),
        (200, "PUT", partner, {"json": {"name": "B"}}),
        (204, "OPTIONS", partner, {}),
        (400, "POST", "/v1/partner", {"content": b"{", "headers": json_headers}),
        (403, "GET", "/v1/storage-account/list", {}),
        (404, "GET", f"/v1/partner/{uuid4()}", {}),
        (404, "GET", "/v1/nothing", {}),
        (404, "OPTIONS", "/ext/v1/nothing", {}),
        (405, "DELETE", "/ext/v1/me", {}),
        (409, "POST", "/v1/partner", {"json": {**new, "allocatedCapacity": 1000 * TB}}),
        (412, "PUT", partner, {"json": {"name": "C"}, "headers": {"If-Match": '"99"'}}),
        (413, "POST", "/v1/partner", {"content": b" " * (2**20 + 1), "headers": json_headers}),
        (415, "POST", "/v1/partner", {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
        (422, "POST", "/v1/partner", {"json": {}}),
    ]
    before = left_of(await client.call("GET", "/ext/v1/me", key))
    for count, (status, method, path, more) in enumerate(requests, 1):
        response = await client.call(method, path, key, **more)
        assert (response.status_code, method, path) == (status, method, path)
        assert left_of(response) == before - count, (method, path)


async def test_who_has_no_key_that_works_is_told_nothing(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.distributor)
    operator = await client.key(client.cast.operator)
    revoked = await client.cast.key(data.distributor)
    (key_id,) = await client.cast.row("select id from api_key where prefix = %s order by seq desc", revoked[:8])
    await client.cast.database.run(revoke_key, client.cast.operator, key_id, NOW)
    before = left_of(await client.call("GET", "/ext/v1/me", operator))
    for path, bearer in (
        ("/ext/v1/me", None),
        ("/ext/v1/me", "nonsense"),
        ("/ext/v1/me", revoked),
        ("/v1/integration/regions/list", None),
        ("/v1/nothing", "nonsense"),
        ("/openapi.json", key),
        ("/healthz", operator),
        ("/readyz", operator),
        ("/metrics", operator),
        ("/sign-in", key),
    ):
        response = await client.call("GET", path, bearer)
        assert not set(HEADERS) & set(response.headers), path
    assert left_of(await client.call("GET", "/ext/v1/me", operator)) == before - 1


async def test_too_many_requests_are_refused_until_there_is_room(client: AppClient, data: AccountData) -> None:
    key = await limited(client, data.distributor, 1)
    lefts = [left_of(await client.call("GET", "/ext/v1/me", key)) for _ in range(10)]
    assert lefts == [*range(9, -1, -1)]
    refused = await client.call("GET", "/ext/v1/me", key)
    assert (refused.status_code, refused.headers["retry-after"], left_of(refused)) == (429, "1", 0)
    problem = refused.json()
    assert (problem["code"], problem["limit"], problem["burst"]) == ("too_many_requests", 1, 10)
    assert "1 a second on average, and 10 at once" in problem["detail"]
    for method, path in (("HEAD", "/ext/v1/me"), ("OPTIONS", "/v1/partner"), ("GET", "/v1/nothing")):
        response = await client.http.request(method, path, headers={"Authorization": f"Bearer {key}"})
        assert (response.status_code, left_of(response)) == (429, 0)
    # Neither the same organisation's other keys nor what is no operation.
    assert (await client.call("GET", "/ext/v1/me", await client.key(data.distributor))).status_code == 200
    assert (await client.call("GET", "/healthz", key)).status_code == 200
    client.clock.now += timedelta(seconds=1)
    assert (await client.call("GET", "/ext/v1/me", key)).status_code == 200
    assert (await client.call("GET", "/ext/v1/me", key)).status_code == 429


async def test_the_refusal_comes_after_the_key_and_before_the_body(client: AppClient, data: AccountData) -> None:
    key = await limited(client, data.distributor, 1)
    for _ in range(10):
        await client.call("GET", "/ext/v1/me", key)

    async def body() -> AsyncGenerator[bytes]:
        raise AssertionError("the body is read")
        yield b""

    refused = await client.call("POST", "/v1/partner", key, content=body())
    assert refused.json()["code"] == "too_many_requests"
    (key_id,) = await client.cast.row("select id from api_key where prefix = %s order by seq desc", key[:8])
    await client.cast.database.run(revoke_key, client.cast.operator, key_id, NOW)
    client.clock.now += timedelta(seconds=1)
    for _ in range(20):
        assert (await client.call("GET", "/ext/v1/me", key)).status_code == 401


async def test_a_refused_request_can_be_sent_again_with_its_idempotency_key(
    conninfo: str, cast: Cast, tmp_path: Path
) -> None:
    keys = tmp_path / "secret.key"
    create_key_file(keys)
    async with application(conninfo, cast, key_file=keys) as client:
        data = await account_data(client)
        key = await limited(client, data.distributor, 1)
        for _ in range(10):
            await client.call("GET", "/ext/v1/me", key)
        request = {
            "json": {"name": "A", "allocatedCapacity": 0, "distributorContractId": str(data.contract)},
            "headers": {"Idempotency-Key": str(uuid4())},
        }
        assert (await client.call("POST", "/v1/partner", key, **request)).status_code == 429
        client.clock.now += timedelta(seconds=2)
        made = await client.call("POST", "/v1/partner", key, **request)
        assert (made.status_code, "idempotency-replayed" in made.headers) == (201, False)
        again = await client.call("POST", "/v1/partner", key, **request)
        assert (again.headers["idempotency-replayed"], left_of(again)) == ("true", 0)


async def test_another_limit_holds_within_a_second(client: AppClient, data: AccountData) -> None:
    key = await limited(client, data.distributor, 1)
    statuses = [(await client.call("GET", "/ext/v1/me", key)).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]
    await limit(client, key, None)
    client.clock.now += timedelta(seconds=1)
    response = await client.call("GET", "/ext/v1/me", key)
    assert response.headers["ratelimit-policy"] == '"default";q=500;w=10'
    assert left_of(response) > 480


async def test_failures_at_the_same_address_refuse_no_right_key(client: AppClient, data: AccountData) -> None:
    """Too many wrong passwords lead to a block of the address; wrong keys lead to nothing."""
    shared = guest()
    strangers = [Person(client.cast.database, uuid4(), f"{uuid4().hex}@example.org", data.partner) for _ in range(101)]
    assert [await guess(stranger, shared) for stranger in strangers] == ["wrong"] * 100 + ["blocked"]
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(client.app, client=(shared.address, 1)), base_url="http://tonnage"
    ) as http:
        at = replace(client, http=http)
        for wrong in ("nonsense", new_key()):
            for _ in range(50):
                assert (await at.call("GET", "/ext/v1/me", wrong)).status_code == 401
        assert (await at.call("GET", "/ext/v1/me", await client.key(data.distributor))).status_code == 200


def test_the_number_of_buckets_is_bounded_and_the_recent_ones_are_kept() -> None:
    buckets, own = Buckets(most=6), uuid4()
    for count in range(1, 51):
        assert buckets.take(own, 50, NOW).used == count
        buckets.take(uuid4(), 50, NOW)
        assert len(buckets) <= 6
