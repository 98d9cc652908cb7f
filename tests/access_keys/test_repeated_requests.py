"""Requests with an Idempotency-Key that wait for a cluster: sent again, they make no second key."""

import asyncio
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.access_keys.faulty_proxy import FaultyProxy
from tests.access_keys.keys import create_key, keys_path, list_keys
from tests.access_keys.test_drills import DELETING, PENDING, clean_up, keys_on_gateway, states
from tests.api.conftest import AccountData
from tests.ceph_client import ClusterClient
from tonnage.access.actor import Role

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


async def send(
    client: ClusterClient, data: AccountData, headers: dict[str, str], method: str = "POST", path: str = "", **more: Any
) -> httpx.Response:
    key = await client.key(data.partner, Role.STAFF)
    return await client.call(method, keys_path(data) + path, key, headers=headers, **more)


async def test_a_key_is_created_once_and_its_secret_is_in_each_response(client: ClusterClient) -> None:
    data, headers = await client.data(), new_key()
    first = await send(client, data, headers, json={"description": "Backup"})
    assert first.status_code == 201
    again = await send(client, data, headers, json={"description": "Backup"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await keys_on_gateway(client, data)) == 1
    with client.customer(again.json()["accessKey"], again.json()["secretKey"]) as customer:
        assert customer.attempt("list_buckets") == "done"
    (stored,) = await client.cast.row("select string_agg(i::text, ' ') from idempotency_key i")
    assert first.json()["secretKey"] not in stored
    # The operator has replaced the key file, and kept none of its lines.
    client.key_file.write_bytes(b"A" * 43 + b"=\n")
    lost = await send(client, data, headers, json={"description": "Backup"})
    assert lost.status_code == 422  # not even the request can be recognised


async def test_the_same_request_meanwhile_is_in_progress(client: ClusterClient, proxy: FaultyProxy) -> None:
    data, headers = await client.data(), new_key()
    proxy.delay_prefix = PENDING
    creating = asyncio.create_task(send(client, data, headers, json={}))
    await proxy.delayed.wait()
    meanwhile = await send(client, data, headers, json={})
    assert meanwhile.status_code == 409, meanwhile.text
    assert "in progress" in meanwhile.json()["detail"]
    assert meanwhile.headers["retry-after"] == "5"
    proxy.resume.set()
    made = await creating
    assert made.status_code == 201
    assert (await send(client, data, headers, json={})).json() == made.json()
    assert len(await keys_on_gateway(client, data)) == 1


async def test_a_process_that_ends_meanwhile_leaves_one_key_in_the_end(
    client: ClusterClient, proxy: FaultyProxy
) -> None:
    data, headers = await client.data(), new_key()
    proxy.drop_prefix, proxy.hang = PENDING, True
    creating = asyncio.create_task(send(client, data, headers, json={}))
    await proxy.dropped.wait()
    creating.cancel()
    with suppress(asyncio.CancelledError):
        await creating
    proxy.drop_prefix = b""
    client.clock.now += timedelta(seconds=59)
    assert (await send(client, data, headers, json={})).status_code == 409
    client.clock.now += timedelta(seconds=1)
    made = await send(client, data, headers, json={})
    assert made.status_code == 201
    await clean_up(client)
    assert (await states(client, data), await keys_on_gateway(client, data)) == (
        ["active"],
        (made.json()["accessKey"],),
    )


async def test_after_a_failure_the_same_request_tries_again_at_once(client: ClusterClient, proxy: FaultyProxy) -> None:
    data, headers = await client.data(), new_key()
    proxy.drop_prefix = PENDING
    assert (await send(client, data, headers, json={})).status_code == 503
    proxy.drop_prefix = b""
    made = await send(client, data, headers, json={})
    assert made.status_code == 201
    assert "idempotency-replayed" not in made.headers
    assert [key["accessKey"] for key in await list_keys(client, data)] == [made.json()["accessKey"]]


async def test_a_deletion_is_done_once(client: ClusterClient) -> None:
    data, headers = await client.data(), new_key()
    path = f"/{(await create_key(client, data))['accessKey']}"
    assert (await send(client, data, headers, "DELETE", path)).status_code == 204
    assert (await send(client, data, new_key(), "DELETE", path)).status_code == 404
    again = await send(client, data, headers, "DELETE", path)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (204, "true")


async def test_a_deletion_that_a_job_has_finished_has_succeeded(client: ClusterClient, proxy: FaultyProxy) -> None:
    data, headers = await client.data(), new_key()
    path = f"/{(await create_key(client, data))['accessKey']}"
    proxy.drop_prefix, proxy.hang = DELETING, True
    deleting = asyncio.create_task(send(client, data, headers, "DELETE", path))
    await proxy.dropped.wait()
    deleting.cancel()
    with suppress(asyncio.CancelledError):
        await deleting
    proxy.drop_prefix = b""
    await clean_up(client)
    assert await states(client, data) == []
    assert (await send(client, data, new_key(), "DELETE", path)).status_code == 404
    assert (await send(client, data, headers, "DELETE", path)).status_code == 204
