"""What is changed through the doors, as a customer with an ordinary S3 client comes to feel it."""

import uuid
from typing import Any

import pytest

from tests.api.conftest import Business
from tests.clustered import ClusterHouse
from tests.provisioning.test_reconcile import told
from tests.storage.customer import Customer
from tonnage.storage.backend import Access

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

KB = 1000


class Opened:
    """An account of 5 KB with a key and a bucket, and its partner's door."""

    def __init__(self, house: ClusterHouse, business: Business) -> None:
        self.house = house
        self.business = business

    async def call(self, method: str, more: str = "", **body: Any) -> Any:
        key = await self.house.key(self.business.partner)
        path = f"/ext/v1/storage-account/{self.business.account}{more}"
        answer = await self.house.call(method, path, key, **({"json": body} if body else {}))
        assert answer.status_code in {200, 204}, answer.text
        if method != "GET":
            await self.house.work()
        return answer

    async def provisioning(self) -> str:
        return (await self.call("GET")).json()["provisioning"]

    async def customer(self) -> Customer:
        made = await (await self.house.backend()).create_key(
            self.business.account, f"CHANGES{uuid.uuid4().hex.upper()}"
        )
        return self.house.customer(made.access_key, made.secret_key)


@pytest.fixture
async def opened(cluster_house: ClusterHouse) -> Opened:
    opened = Opened(cluster_house, await cluster_house.business())
    await opened.call("PATCH", allocatedCapacity=5 * KB)
    return opened


async def test_another_allocation_holds_from_the_next_write_on(opened: Opened) -> None:
    with await opened.customer() as customer:
        customer.s3.create_bucket(Bucket="data")
        assert [customer.stores("data", 4 * KB, "first"), customer.stores("data", 4 * KB, "second")] == [
            "done",
            "QuotaExceeded",
        ]
        await opened.call("PATCH", allocatedCapacity=8 * KB)
        assert customer.stores("data", 4 * KB, "second") == "done"
        await opened.call("PATCH", allocatedCapacity=6 * KB)
        assert customer.tries("get_object", Bucket="data", Key="first") == "done"
        assert customer.stores("data", 1, "third") == "QuotaExceeded"
        assert customer.tries("delete_object", Bucket="data", Key="first") == "done"
        assert customer.stores("data", 1, "third") == "done"
        await opened.call("PATCH", allowOverdraft=True)
        assert customer.stores("data", 9 * KB, "more than its own") == "done"
    assert await opened.provisioning() == "done"


async def test_another_name_is_known_there(opened: Opened) -> None:
    await opened.call("PATCH", name="Renamed \N{GRINNING FACE} & co")
    assert (await told(opened.house, opened.business.account)).display_name == "Renamed \N{GRINNING FACE} & co"
    assert await opened.provisioning() == "done"


async def test_suspended_and_waiting_for_deletion_in_every_order(opened: Opened) -> None:
    account, house = opened.business.account, opened.house
    published, key = f"/v1/storage-account/{account}", await house.key(opened.business.partner)

    async def access() -> Access | None:
        await house.work()
        return (await told(house, account)).access

    with await opened.customer() as customer:
        customer.s3.create_bucket(Bucket="data")
        assert customer.stores("data", KB) == "done"

        def tries() -> list[str]:
            return [customer.tries("get_object", Bucket="data", Key="object"), customer.stores("data", KB, "another")]

        await opened.call("PUT", "/suspension", reason="Unpaid")
        assert tries() == ["UserSuspended"] * 2
        await house.call("DELETE", published, key)
        assert await access() == Access.SUSPENDED
        await opened.call("DELETE", "/suspension")
        assert tries() == ["done", "AccessDenied"]
        await opened.call("PUT", "/suspension", reason="Unpaid again")
        await house.call("PATCH", published, key, json={"pendingDeletedAt": None})
        assert await access() == Access.SUSPENDED
        assert tries() == ["UserSuspended"] * 2
        await opened.call("DELETE", "/suspension")
        assert tries() == ["done", "done"]
    assert (await told(house, account)).quota == 5 * KB
