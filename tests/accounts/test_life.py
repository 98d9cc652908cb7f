"""The life cycle of an account from its creation to its purge, by the API and with an S3 client on a real gateway."""

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.cast import ANY_AGE, TB
from tests.ceph_client import ClusterClient
from tests.storage.customer import Customer
from tonnage.access.actor import Actor
from tonnage.provisioning.jobs import purge_all
from tonnage.storage.backend import ClusterUser

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

KB = 1000


class PartnerClient:
    """API access with a partner's key; the jobs run after each request."""

    def __init__(self, client: ClusterClient, actor: Actor) -> None:
        self.client = client
        self.actor = actor

    async def request(self, method: str, path: str, status: int, body: dict[str, Any] | None = None) -> Any:
        more = {} if body is None else {"json": body}
        answer = await self.client.call(method, path, await self.client.key(self.actor), **more)
        assert answer.status_code == status, answer.text
        await self.client.work()
        return answer.json() if answer.content else None

    async def create_account(self, allocated: int, *, overdraft: bool = False) -> str:
        email = f"{uuid.uuid4().hex}@customer.example"
        details = {
            "name": "Customer",
            "allocatedCapacity": allocated,
            "allowOverdraft": overdraft,
            "clientAccount": {"contactEmail": email, "password": "Choose-1-yourself"},
        }
        made = await self.request("POST", "/v1/storage-account", 201, details)
        return made["clientAccountId"]

    async def create_key(self, account: str) -> tuple[str, str]:
        made = await self.request("POST", f"/ext/v1/storage-account/{account}/access-keys", 201, {})
        return made["accessKey"], made["secretKey"]


@pytest.fixture
async def partner(client: ClusterClient) -> PartnerClient:
    distributor = await client.cast.distributor()
    return PartnerClient(
        client, await client.cast.partner(distributor, await client.cast.contract(distributor), 10 * TB)
    )


@contextmanager
def using(client: ClusterClient, key: tuple[str, str]) -> Generator[Customer]:
    with client.customer(*key) as customer:
        yield customer


async def test_from_opening_to_purge(client: ClusterClient, partner: PartnerClient) -> None:
    account = await partner.create_account(100 * KB)
    one, extended = f"/v1/storage-account/{account}", f"/ext/v1/storage-account/{account}"
    assert (await partner.request("GET", extended, 200))["provisioning"] == "done"
    with using(client, await partner.create_key(account)) as customer:
        customer.s3.create_bucket(Bucket="data")
        assert customer.stores("data", 60 * KB, "first") == "done"
        assert customer.stores("data", 60 * KB, "second") == "QuotaExceeded"

        await partner.request("PATCH", extended, 200, {"allocatedCapacity": 120 * KB})
        assert customer.stores("data", 60 * KB, "second") == "done"
        assert customer.stores("data", 1, "third") == "QuotaExceeded"

        # Elastic: it may use the partner's remaining capacity beyond its allocation.
        await partner.request("PATCH", extended, 200, {"allowOverdraft": True})
        assert customer.stores("data", 500 * KB, "third") == "done"
        assert customer.attempt("delete_object", Bucket="data", Key="third") == "done"

        await partner.request("PUT", f"{extended}/suspension", 200, {"reason": "not paid"})
        assert customer.attempt("get_object", Bucket="data", Key="first") == "UserSuspended"
        await partner.request("DELETE", f"{extended}/suspension", 204)
        assert customer.attempt("get_object", Bucket="data", Key="first") == "done"

        await partner.request("DELETE", one, 204)
        assert customer.attempt("get_object", Bucket="data", Key="first") == "done"
        assert customer.stores("data", 1, "fourth") == "AccessDenied"
        assert customer.attempt("delete_object", Bucket="data", Key="first") == "AccessDenied"

        await partner.request("PATCH", one, 200, {"pendingDeletedAt": None})
        assert customer.stores("data", 1, "fourth") == "done"

        await partner.request("DELETE", one, 204)
        client.app.state.services = replace(client.services, deletion_grace_days=ANY_AGE.days)
        client.clock.now += timedelta(days=30)
        await purge_all(client.services, "")
        await client.work()
        assert customer.attempt("get_object", Bucket="data", Key="first") == "InvalidAccessKeyId"
    await partner.request("GET", one, 404)
    assert await (await client.backend()).state(ClusterUser(int(account))) is None
    assert await client.cast.row("select count(*) from access_key where account_id = %s", int(account)) == (0,)


async def test_bucket_names_are_private_to_an_account(client: ClusterClient, partner: PartnerClient) -> None:
    for content in (b"mine", b"yours"):
        with using(client, await partner.create_key(await partner.create_account(100 * KB))) as customer:
            customer.s3.create_bucket(Bucket="backup")
            customer.s3.put_object(Bucket="backup", Key="whose", Body=content)
            assert customer.s3.get_object(Bucket="backup", Key="whose")["Body"].read() == content


async def test_an_elastic_account_is_held_to_what_the_partner_has_left(
    client: ClusterClient, partner: PartnerClient
) -> None:
    """10 TB less all but 100 KB of it: another account has been allocated the rest."""
    await partner.create_account(10 * TB - 100 * KB)
    with using(client, await partner.create_key(await partner.create_account(0))) as customer:
        customer.s3.create_bucket(Bucket="data")
        assert customer.stores("data", 60 * KB, "first") == "done"
        assert customer.stores("data", 60 * KB, "second") == "QuotaExceeded"
