"""Caps of overdraft on a real gateway: the quota there is what the rule says once a worker has run."""

from decimal import Decimal
from uuid import UUID

import pytest

from tests.cast import TB
from tests.ceph_client import ClusterClient
from tests.provisioning.test_reconcile import actual_of
from tests.storage.customer import Customer
from tests.usage.steps import record
from tonnage.access.actor import Actor
from tonnage.overdraft_caps import actions
from tonnage.overdraft_caps.overdraft_cap import NewCap
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange
from tonnage.storage.backend import ClusterUser

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

KB, GB = 1000, 10**9


class Overdrawn:
    """A partner with 20 TB, and an account with 10; both with overdraft."""

    def __init__(self, client: ClusterClient, distributor: Actor, partner: Actor, account: int) -> None:
        self._client, self.distributor, self.partner, self.account = client, distributor, partner, account

    @classmethod
    async def of(cls, client: ClusterClient, allocated: int = 10 * TB, of_partner: int = 20 * TB) -> "Overdrawn":
        cast = client.cast
        distributor = await cast.distributor()
        contract = await cast.contract(distributor)
        partner = await cast.partner(distributor, contract, of_partner, overdraft=True)
        found = cls(client, distributor, partner, await cast.account(partner, allocated, overdraft=True))
        await client.work()
        await client.reconcile()
        return found

    @property
    def whose(self) -> UUID:
        return self.partner.organisation_id

    async def cap(self, cap: NewCap | None) -> None:
        run = self._client.database.run
        if cap is None:
            await run(actions.remove_of_account, self.partner, self.account)
        else:
            await run(actions.set_of_account, self.partner, self.account, cap, self._client.clock.now)

    async def cap_partner(self, cap: NewCap | None) -> None:
        run = self._client.database.run
        if cap is None:
            await run(actions.remove_of_partner, self.distributor, self.whose)
        else:
            await run(actions.set_of_partner, self.distributor, self.whose, cap, self._client.clock.now)

    async def quota(self, account: int | None = None) -> int | None:
        """On the cluster, once a worker has run."""
        await self._client.work()
        return (await actual_of(self._client, account or self.account)).quota


async def test_an_accounts_cap_is_its_quota_beyond_the_allocation(client: ClusterClient) -> None:
    data = await Overdrawn.of(client)
    assert await data.quota() is None
    await data.cap(NewCap(percent=10))
    assert (await actual_of(client, data.account)).quota is None  # not before a worker has run
    assert await data.quota() == 11 * TB
    await data.cap(NewCap(capacity=3 * TB))
    assert await data.quota() == 13 * TB
    await data.cap(None)
    assert await data.quota() is None


async def test_money_caps_by_the_price_and_what_is_spent(client: ClusterClient) -> None:
    """At 10 cents, EUR 100 a month: computed when it is set, and again when the month has cost something."""
    data = await Overdrawn.of(client, 0)
    await client.cast.price(data.partner, "10", client.clock.now)
    await data.cap(NewCap(amount=Decimal(100)))
    today = client.clock.now.date()
    days, left = 31, 31 - today.day + 1  # of March, in which the clock of the tests begins
    assert today.month == 3
    assert await data.quota() == 1000 * GB * days // left
    await record(client.cast, (data.account, client.clock.now, 200 * GB), now=client.clock.now)
    client.clock.now = client.clock.now.replace(day=today.day + 2)
    await actions.compute_all(client.database, client.clock.now)
    quota = await data.quota()
    assert quota is not None
    # A day and a part of one at 200 GB are spent.
    assert 900 * GB * days // left < quota < 1000 * GB * days // (left - 2)


async def test_a_partners_cap_is_shared_by_its_accounts(client: ClusterClient) -> None:
    data = await Overdrawn.of(client)
    fixed = await client.cast.account(data.partner, 5 * TB)
    assert [await data.quota(), await data.quota(fixed)] == [None, 5 * TB]
    await data.cap_partner(NewCap(percent=10))
    assert [await data.quota(), await data.quota(fixed)] == [17 * TB, 5 * TB]
    # With its allocation the percentage changes, and so the quotas.
    change = PartnerChange(allocated_capacity=30 * TB)
    now = client.clock.now
    await client.database.run(partners.update_partner, data.distributor, data.whose, change, now)
    assert [await data.quota(), await data.quota(fixed)] == [28 * TB, 5 * TB]
    # Another account takes its allocation out of what is shared.
    another = await client.cast.account(data.partner, 8 * TB)
    assert [await data.quota(), await data.quota(fixed), await data.quota(another)] == [20 * TB, 5 * TB, 8 * TB]
    await data.cap_partner(None)
    assert [await data.quota(), await data.quota(fixed)] == [None, 5 * TB]


async def test_a_customer_stores_up_to_the_cap(client: ClusterClient) -> None:
    data = await Overdrawn.of(client, 10 * KB)
    await data.cap(NewCap(percent=40))
    await client.work()
    made = await (await client.backend()).create_key(ClusterUser(data.account), "CAPPED00000000000000000000000001")
    customer: Customer
    with client.customer(made.access_key, made.secret_key) as customer:
        customer.s3.create_bucket(Bucket="data")
        stored = [customer.stores("data", 4 * KB, name) for name in ("first", "second", "third", "fourth")]
        assert stored == ["done", "done", "done", "QuotaExceeded"]
        await data.cap(NewCap(percent=80))
        await client.work()
        assert customer.stores("data", 4 * KB, "fourth") == "done"
        assert customer.stores("data", 4 * KB, "fifth") == "QuotaExceeded"
