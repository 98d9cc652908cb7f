"""Changes through the API, as a customer's S3 client observes them."""

import uuid
from typing import Any

import pytest

from tests.api.conftest import AccountData
from tests.ceph_client import ClusterClient
from tests.provisioning.test_reconcile import actual_of
from tests.storage.customer import Customer
from tonnage.storage.backend import Access, ClusterUser

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

KB = 1000


class SmallAccount:
    """An account of 5 KB with a key and a bucket, and API access for its partner."""

    def __init__(self, client: ClusterClient, data: AccountData) -> None:
        self.client = client
        self.data = data

    async def call(self, method: str, more: str = "", **body: Any) -> Any:
        key = await self.client.key(self.data.partner)
        path = f"/ext/v1/storage-account/{self.data.account}{more}"
        answer = await self.client.call(method, path, key, **({"json": body} if body else {}))
        assert answer.status_code in {200, 204}, answer.text
        if method != "GET":
            await self.client.work()
        return answer

    async def provisioning(self) -> str:
        return (await self.call("GET")).json()["provisioning"]

    async def customer(self) -> Customer:
        made = await (await self.client.backend()).create_key(
            ClusterUser(self.data.account), f"CHANGES{uuid.uuid4().hex.upper()}"
        )
        return self.client.customer(made.access_key, made.secret_key)


@pytest.fixture
async def data(client: ClusterClient) -> SmallAccount:
    data = SmallAccount(client, await client.data())
    await data.call("PATCH", allocatedCapacity=5 * KB)
    return data


async def test_a_new_allocation_applies_from_the_next_write_on(data: SmallAccount) -> None:
    with await data.customer() as customer:
        customer.s3.create_bucket(Bucket="data")
        assert [customer.stores("data", 4 * KB, "first"), customer.stores("data", 4 * KB, "second")] == [
            "done",
            "QuotaExceeded",
        ]
        await data.call("PATCH", allocatedCapacity=8 * KB)
        assert customer.stores("data", 4 * KB, "second") == "done"
        await data.call("PATCH", allocatedCapacity=6 * KB)
        assert customer.attempt("get_object", Bucket="data", Key="first") == "done"
        assert customer.stores("data", 1, "third") == "QuotaExceeded"
        assert customer.attempt("delete_object", Bucket="data", Key="first") == "done"
        assert customer.stores("data", 1, "third") == "done"
        await data.call("PATCH", allowOverdraft=True)
        assert customer.stores("data", 9 * KB, "more than its own") == "done"
    assert await data.provisioning() == "done"


async def test_a_new_name_is_applied(data: SmallAccount) -> None:
    await data.call("PATCH", name="Renamed \N{GRINNING FACE} & co")
    assert (await actual_of(data.client, data.data.account)).display_name == "Renamed \N{GRINNING FACE} & co"
    assert await data.provisioning() == "done"


async def test_suspended_and_waiting_for_deletion_in_every_order(data: SmallAccount) -> None:
    account, client = data.data.account, data.client
    published, key = f"/v1/storage-account/{account}", await client.key(data.data.partner)

    async def access() -> Access | None:
        await client.work()
        return (await actual_of(client, account)).access

    with await data.customer() as customer:
        customer.s3.create_bucket(Bucket="data")
        assert customer.stores("data", KB) == "done"

        def attempt() -> list[str]:
            return [customer.attempt("get_object", Bucket="data", Key="object"), customer.stores("data", KB, "another")]

        await data.call("PUT", "/suspension", reason="Unpaid")
        assert attempt() == ["UserSuspended"] * 2
        await client.call("DELETE", published, key)
        assert await access() == Access.SUSPENDED
        await data.call("DELETE", "/suspension")
        assert attempt() == ["done", "AccessDenied"]
        await data.call("PUT", "/suspension", reason="Unpaid again")
        await client.call("PATCH", published, key, json={"pendingDeletedAt": None})
        assert await access() == Access.SUSPENDED
        assert attempt() == ["UserSuspended"] * 2
        await data.call("DELETE", "/suspension")
        assert attempt() == ["done", "done"]
    assert (await actual_of(client, account)).quota == 5 * KB
