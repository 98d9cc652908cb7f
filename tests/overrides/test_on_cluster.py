"""Overrides on a real gateway: the quota there is what the rule says once a worker has run."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cast import TB
from tests.ceph_client import ClusterClient
from tests.provisioning.test_reconcile import actual_of, revisions
from tests.storage.customer import Customer
from tonnage.accounts.account import AccountChange
from tonnage.accounts.change_actions import change_account
from tonnage.overrides import actions
from tonnage.overrides.override import NewOverride
from tonnage.storage.backend import ClusterUser

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

KB = 1000


async def test_the_quota_is_the_override_until_its_last_day_is_over(client: ClusterClient) -> None:
    data = await client.data()
    now, whose = client.clock.now, data.partner.organisation_id
    override = NewOverride(5 * TB, now.date() + timedelta(days=1), "Migration")
    await client.database.run(actions.grant_to_account, data.partner, whose, data.account, override, now)
    assert (await actual_of(client, data.account)).quota == TB
    await client.work()
    assert (await actual_of(client, data.account)).quota == 5 * TB
    # It survives a resize.
    change = AccountChange(allocated_capacity=2 * TB)
    await client.database.run(change_account, data.partner, whose, data.account, change, now)
    await client.work()
    assert (await actual_of(client, data.account)).quota == 5 * TB
    over = datetime.combine(now.date() + timedelta(days=2), datetime.min.time(), UTC)
    assert await actions.end_due(client.database, over - timedelta(seconds=1)) == 0
    assert await actions.end_due(client.database, over) == 1
    desired, applied = await revisions(client, data.account)
    assert applied < desired
    await client.work()
    assert (await actual_of(client, data.account)).quota == 2 * TB


async def test_an_override_of_a_partner_is_what_its_elastic_accounts_share(client: ClusterClient) -> None:
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor), 10 * TB)
    fixed, elastic = await client.cast.account(partner, 4 * TB), await client.cast.account(partner)
    await client.work()
    await client.reconcile()
    now, whose = client.clock.now, partner.organisation_id

    async def quotas() -> list[int | None]:
        await client.work()
        return [(await actual_of(client, account)).quota for account in (fixed, elastic)]

    assert await quotas() == [4 * TB, 6 * TB]
    override = NewOverride(15 * TB, now.date(), "Season")
    await client.database.run(actions.grant_to_partner, distributor, whose, override, now)
    assert await quotas() == [4 * TB, 11 * TB]
    # Out of the partner's own, at the cost of what the elastic ones share; it ends with that.
    of_account = NewOverride(12 * TB, now.date() + timedelta(days=80), "Migration")
    await client.database.run(actions.grant_to_account, partner, whose, fixed, of_account, now)
    assert await quotas() == [12 * TB, 3 * TB]
    assert await actions.end_due(client.database, now + timedelta(days=1)) == 1
    assert await quotas() == [4 * TB, 6 * TB]


async def test_a_customer_stores_more_while_it_runs_and_only_reads_afterwards(client: ClusterClient) -> None:
    data = await client.data()
    now, whose = client.clock.now, data.partner.organisation_id
    change = AccountChange(allocated_capacity=5 * KB)
    await client.database.run(change_account, data.partner, whose, data.account, change, now)
    await client.work()
    made = await (await client.backend()).create_key(ClusterUser(data.account), "OVERRIDE0000000000000000000000001")
    customer: Customer
    with client.customer(made.access_key, made.secret_key) as customer:
        customer.s3.create_bucket(Bucket="data")
        assert [customer.stores("data", 4 * KB, name) for name in ("first", "second")] == ["done", "QuotaExceeded"]
        override = NewOverride(10 * KB, now.date(), "Migration")
        await client.database.run(actions.grant_to_account, data.partner, whose, data.account, override, now)
        await client.work()
        assert customer.stores("data", 4 * KB, "second") == "done"
        await actions.end_due(client.database, now + timedelta(days=1))
        await client.work()
        assert customer.stores("data", 1, "third") == "QuotaExceeded"
        assert customer.s3.get_object(Bucket="data", Key="second")["ContentLength"] == 4 * KB
