"""A change is made once for each Idempotency-Key, even if its response was lost."""

import asyncio
import hashlib
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi.routing import APIRoute

from tests.api.changes import CHANGES, prepared
from tests.api.conftest import AccountData, AppClient, account_data, application
from tests.api.wire import Wire
from tests.cast import TB, Cast
from tests.unchanged import assert_same, snapshot
from tonnage.access.actor import Role
from tonnage.idempotency import jobs as idempotency_jobs
from tonnage.sealing import read_keys

pytestmark = pytest.mark.anyio

SENT_AGAIN = {"x-request-id", "idempotency-replayed", "ratelimit"}


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


def comparable(response: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in response.headers.items() if name not in SENT_AGAIN}
    return response.status_code, response.content, headers


async def create_partner(
    client: AppClient, data: AccountData, headers: dict[str, str], allocated: int = TB, **more: Any
) -> httpx.Response:
    body = {"name": "A", "allocatedCapacity": allocated, "distributorContractId": str(data.contract)}
    key = await client.key(data.distributor)
    return await client.call("POST", "/v1/partner", key, json=body, headers=headers, **more)


async def partners(client: AppClient, data: AccountData) -> int:
    (count,) = await client.cast.row("select count(*) from partner where contract_id = %s", data.contract)
    return count


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: f"{route.name} {route.path}")
async def test_the_same_request_again_gets_the_same_response(
    route: APIRoute, client: AppClient, data: AccountData
) -> None:
    operation, key = await prepared(route, client, data)
    headers = new_key()
    first = await client.call(operation.method, operation.path, key, headers=headers, **operation.more)
    assert first.status_code < 300, first.text
    assert "idempotency-replayed" not in first.headers
    before = await client.cast.database.run(snapshot)
    for _ in range(2):
        again = await client.call(operation.method, operation.path, key, headers=headers, **operation.more)
        assert comparable(again) == comparable(first)
        assert again.headers["idempotency-replayed"] == "true"
    assert_same(before, await client.cast.database.run(snapshot))


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: f"{route.name} {route.path}")
async def test_it_costs_no_statement_of_its_own(route: APIRoute, client: AppClient) -> None:
    counts: list[int] = []
    for headers in ({}, new_key()):
        operation, key = await prepared(route, client, await account_data(client))
        assert (await client.call("GET", "/ext/v1/usage/freshness", key)).status_code == 200  # the key is cached
        async with Wire.traced(client) as wire:
            response = await client.call(operation.method, operation.path, key, headers=headers, **operation.more)
            assert response.status_code < 300, response.text
        counts.append(len(wire.statements))
    assert counts[0] == counts[1]


@pytest.mark.oldest_postgresql
async def test_twenty_at_once_make_one(client: AppClient, data: AccountData) -> None:
    headers = new_key()
    responses = await asyncio.gather(*(create_partner(client, data, headers) for _ in range(20)))
    made = {response.content for response in responses if response.status_code == 201}
    assert len(made) == 1
    assert {response.status_code for response in responses} <= {201, 409, 503}
    assert all("retry-after" in response.headers for response in responses if response.status_code != 201)
    assert await partners(client, data) == 2  # with that of the test data
    again = await create_partner(client, data, headers)
    assert {again.content} == made


@pytest.mark.oldest_postgresql
async def test_a_change_that_its_own_success_would_refuse(client: AppClient, data: AccountData) -> None:
    headers = new_key()
    first = await create_partner(client, data, headers, 90 * TB)  # all that is left
    assert first.status_code == 201
    assert (await create_partner(client, data, new_key(), 90 * TB)).status_code == 409
    assert comparable(await create_partner(client, data, headers, 90 * TB)) == comparable(first)
    path, key = f"/v1/partner/{first.json()['id']}", await client.key(data.distributor)
    headers = new_key()
    assert (await client.call("DELETE", path, key, headers=headers)).status_code == 204
    assert (await client.call("DELETE", path, key)).status_code == 404
    assert (await client.call("DELETE", path, key, headers=headers)).status_code == 204


async def test_a_refusal_is_not_kept(client: AppClient, data: AccountData) -> None:
    headers = new_key()
    assert (await create_partner(client, data, headers, 91 * TB)).status_code == 409
    await client.cast.row(
        "update contract set reserved_capacity = %s where id = %s returning id", 200 * TB, data.contract
    )
    accepted = await create_partner(client, data, headers, 91 * TB)
    assert accepted.status_code == 201
    assert "idempotency-replayed" not in accepted.headers


async def test_a_key_belongs_to_one_request(client: AppClient, data: AccountData) -> None:
    headers, key = new_key(), await client.key(data.distributor)
    first = await create_partner(client, data, headers)
    partner = f"/v1/partner/{first.json()['id']}"
    others = [
        await create_partner(client, data, headers, 2 * TB),
        await create_partner(client, data, headers, params={"n": "1"}),
        await client.call("PUT", partner, key, json={"name": "B"}, headers=headers),
        await client.call("DELETE", partner, key, headers=headers),
    ]
    for other in others:
        assert other.status_code == 422, other.text
        assert "different request" in other.json()["detail"]
    assert comparable(await create_partner(client, data, headers)) == comparable(first)


async def test_it_belongs_to_one_organisation(client: AppClient, data: AccountData) -> None:
    headers, other = new_key(), await account_data(client)
    first = await create_partner(client, data, headers)
    second = await create_partner(client, other, headers)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


async def test_the_right_to_the_change_is_needed_again(client: AppClient, data: AccountData) -> None:
    headers = new_key()
    assert (await create_partner(client, data, headers)).status_code == 201
    body = {"name": "A", "allocatedCapacity": TB, "distributorContractId": str(data.contract)}
    viewer = await client.key(data.distributor, Role.VIEWER)
    assert (await client.call("POST", "/v1/partner", viewer, json=body, headers=headers)).status_code == 403
    assert (await client.call("POST", "/v1/partner", None, json=body, headers=headers)).status_code == 401


async def test_after_a_day_it_can_be_used_again(client: AppClient, data: AccountData) -> None:
    headers = new_key()
    first = await create_partner(client, data, headers)
    client.clock.now += timedelta(hours=23, minutes=59)
    assert (await create_partner(client, data, headers)).json() == first.json()
    client.clock.now += timedelta(minutes=1)
    second = await create_partner(client, data, headers)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


async def test_a_job_deletes_what_is_older(client: AppClient, data: AccountData) -> None:
    used = "select count(*) from idempotency_key where organisation_id = %s"
    assert (await create_partner(client, data, new_key())).status_code == 201
    client.clock.now += timedelta(hours=1)
    assert (await create_partner(client, data, new_key())).status_code == 201
    client.clock.now += timedelta(hours=23)
    await idempotency_jobs.delete_expired(client.app.state.services, "")
    assert await client.cast.row(used, data.distributor.organisation_id) == (1,)


@pytest.mark.parametrize("values", [[""], ["a b"], ["ü"], ["x" * 256], ["a", "a"], ['""']], ids=repr)
async def test_a_malformed_key_is_refused(client: AppClient, data: AccountData, values: list[str]) -> None:
    key, path = await client.key(data.distributor), f"/v1/partner/{data.partner.organisation_id}"
    headers = httpx.Headers(
        [("Authorization", f"Bearer {key}"), *(("Idempotency-Key", value) for value in values)], encoding="utf-8"
    )
    response = await client.http.request("PUT", path, json={"name": "B"}, headers=headers)
    assert response.status_code == 400, response.text
    assert "Idempotency-Key" in response.json()["detail"]


async def test_a_key_with_and_without_quotes_is_the_same(client: AppClient, data: AccountData) -> None:
    first = await create_partner(client, data, {"Idempotency-Key": '"8e03978e-40d5"'})
    second = await create_partner(client, data, {"Idempotency-Key": "8e03978e-40d5"})
    assert second.json() == first.json()


async def test_reads_ignore_it(client: AppClient, data: AccountData) -> None:
    headers = new_key()
    assert (await create_partner(client, data, headers)).status_code == 201
    read = await client.call("GET", "/v1/contract/list", await client.key(data.distributor), headers=headers)
    assert read.status_code == 200


async def test_no_password_can_be_guessed_from_what_is_stored(client: AppClient, data: AccountData) -> None:
    owner = {"contactEmail": f"{uuid.uuid4().hex}@example.org", "password": "Sesame-opens-1"}
    body = {"name": "A", "allocatedCapacity": 0, "allowOverdraft": False, "clientAccount": owner}
    headers, key = new_key(), await client.key(data.partner)
    assert (await client.call("POST", "/v1/storage-account", key, json=body, headers=headers)).status_code == 201
    stored = await client.cast.row(
        "select i::text, request_digest from idempotency_key i where key = %s", headers["Idempotency-Key"]
    )
    assert "Sesame" not in stored[0]
    raw = httpx.Request("POST", "http://tonnage/v1/storage-account", json=body).content
    content = b"\0".join((b"POST", b"/v1/storage-account", b"", raw))
    assert stored[1] != hashlib.sha256(content).digest()
    keys = read_keys(client.app.state.services.key_file)
    assert stored[1] == keys.hmacs(b"idempotency", content)[0]


async def test_a_rotation_of_the_keys_forgets_nothing(client: AppClient, data: AccountData) -> None:
    headers = new_key()
    first = await create_partner(client, data, headers)
    key_file = client.app.state.services.key_file
    lines = key_file.read_bytes()
    key_file.write_bytes(Fernet.generate_key() + b"\n" + lines)
    assert (await create_partner(client, data, headers)).json() == first.json()


async def test_without_a_key_file_it_is_refused(conninfo: str, cast: Cast) -> None:
    async with application(conninfo, cast) as client:
        data = await account_data(client)
        refused = await create_partner(client, data, new_key())
        assert refused.status_code == 422
        assert "key file" in refused.json()["detail"]
        assert (await create_partner(client, data, {})).status_code == 201


@pytest.mark.oldest_postgresql
async def test_a_lock_of_somebody_else_is_no_response(client: AppClient, data: AccountData) -> None:
    """While another request holds the row of the key, the same request is in progress."""
    headers = new_key()
    async with client.cast.database.pool.connection() as conn, conn.transaction(force_rollback=True):
        await conn.execute(
            """
            insert into idempotency_key (organisation_id, key, attempt, request_digest, status, created_at)
            values (%s, %s, gen_random_uuid(), '', 201, %s)
            """,
            [data.distributor.organisation_id, headers["Idempotency-Key"], client.clock.now],
        )
        waiting = await create_partner(client, data, headers)
    assert waiting.status_code == 409, waiting.text
    assert "in progress" in waiting.json()["detail"]
    assert waiting.headers["retry-after"] == "5"
    assert (await create_partner(client, data, headers)).status_code == 201
