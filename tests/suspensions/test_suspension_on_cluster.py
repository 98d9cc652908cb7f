"""Suspending a partner, as its customers' S3 clients observe it."""

import uuid
from contextlib import ExitStack
from typing import Any

import pytest

from tests.api.conftest import AccountData
from tests.cast import TB
from tests.ceph_client import ClusterClient
from tests.provisioning.test_reconcile import actual_of
from tests.storage.customer import Customer
from tonnage.storage.backend import Access, ClusterUser

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


async def test_all_keys_refuse_until_it_is_resumed_and_one_account_stays_suspended(client: ClusterClient) -> None:
    data = await client.data()
    accounts = [data.account, *[await client.cast.account(data.partner, TB) for _ in range(2)]]
    await client.work()
    with ExitStack() as stack:
        customers: list[Customer] = []
        for account in accounts:
            made = await (await client.backend()).create_key(ClusterUser(account), f"PARTNER{uuid.uuid4().hex.upper()}")
            customers.append(stack.enter_context(client.customer(made.access_key, made.secret_key)))
        await _observed(client, data, accounts, customers)


async def _observed(client: ClusterClient, data: AccountData, accounts: list[int], customers: list[Customer]) -> None:
    distributor, partner = await client.key(data.distributor), await client.key(data.partner)

    def works() -> list[bool]:
        return [customer.attempt("list_buckets") == "done" for customer in customers]

    async def send(method: str, path: str, key: str, **more: Any) -> None:
        answer = await client.call(method, f"/ext/v1{path}", key, **more)
        assert answer.status_code in {200, 204}, answer.text
        await client.work()

    of_account = f"/storage-account/{accounts[2]}/suspension"
    await send("PUT", of_account, partner, json={"reason": "Own"})
    assert works() == [True, True, False]
    of_partner = f"/partner/{data.partner.organisation_id}/suspension"
    await send("PUT", of_partner, distributor, json={"reason": "Unpaid"})
    assert works() == [False, False, False]
    assert [(await actual_of(client, account)).access for account in accounts] == [Access.SUSPENDED] * 3
    await send("DELETE", of_partner, distributor)
    assert works() == [True, True, False]
    # An account that is resumed meanwhile is resumed with its partner.
    await send("PUT", of_partner, distributor, json={"reason": "Unpaid"})
    as_distributor = f"/partner/{data.partner.organisation_id}/storage-accounts/{accounts[2]}/suspension"
    await send("DELETE", as_distributor, distributor)
    assert works() == [False, False, False]
    await send("DELETE", of_partner, distributor)
    assert works() == [True, True, True]
