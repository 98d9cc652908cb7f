"""The database's state of accounts is applied to a real gateway, from any initial state and after any interruption."""

from dataclasses import replace
from datetime import timedelta

import pytest

from testbed.gateway import Gateway
from tests.cast import ANY_AGE, TB
from tests.ceph_client import ClusterClient
from tonnage.accounts import actions
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange
from tonnage.provisioning import purge_queries
from tonnage.provisioning import queries as provisioning_queries
from tonnage.provisioning.actions import apply, marks_of, record, requota_sampled
from tonnage.provisioning.state import Applied, ProvisioningState
from tonnage.storage.backend import Access, ActualAccount, ClusterUser
from tonnage.storage.concurrency import BatchResult, for_each_concurrently

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

GB = 10**9


async def actual_of(client: ClusterClient, account: int) -> ActualAccount:
    actual = await (await client.backend()).state(ClusterUser(account))
    assert actual is not None
    return actual


async def revisions(client: ClusterClient, account: int) -> tuple[int, int]:
    desired, applied = await client.cast.row(
        "select desired_revision, applied_revision from storage_account where id = %s", account
    )
    return desired, applied


async def test_a_new_account_is_made_with_its_quota_and_no_key(client: ClusterClient) -> None:
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor), 10 * TB)
    account = await client.cast.account(partner, TB, name="Hillside")
    assert await client.reconcile() == 1
    actual = await actual_of(client, account)
    assert (actual.display_name, actual.quota, actual.quota_exact) == ("Hillside", TB, True)
    assert (actual.access, actual.access_keys, actual.max_buckets) == (Access.FULL, (), 100)
    assert await revisions(client, account) == (1, 1)
    assert await client.reconcile() == 0


async def test_a_scheduled_account_is_read_only_until_restored(client: ClusterClient) -> None:
    data = await client.data()
    partner, account = data.partner, data.account

    async def deletion(due: timedelta | None) -> ActualAccount:
        if due:
            await client.database.run(
                actions.delete_account, partner, partner.organisation_id, account, 30, client.clock.now
            )
        else:
            await client.database.run(
                actions.set_deletion, partner, partner.organisation_id, account, None, 30, client.clock.now
            )
        await client.work()
        return await actual_of(client, account)

    leaving = await deletion(timedelta(days=30))
    assert (leaving.access, leaving.quota) == (Access.READ_ONLY, 0)
    back = await deletion(None)
    assert (back.access, back.quota) == (Access.FULL, TB)


async def test_a_purge_removes_the_account_and_its_keys(client: ClusterClient) -> None:
    data = await client.data()
    partner = data.partner
    await client.database.run(
        actions.delete_account, partner, partner.organisation_id, data.account, 30, client.clock.now
    )
    await client.work()
    client.app.state.services = replace(client.services, deletion_grace_days=ANY_AGE.days)
    client.clock.now += timedelta(days=30)
    from tonnage.provisioning.jobs import purge_all

    await purge_all(client.services, "")
    assert "provisioning.purge_region" in await client.work()
    assert await (await client.backend()).state(ClusterUser(data.account)) is None
    assert await client.cast.row(
        "select allocated_to_accounts, account_count from partner where id = %s", partner.organisation_id
    ) == (0, 0)


async def test_a_resized_partner_gives_its_elastic_accounts_other_quotas(client: ClusterClient) -> None:
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor), 10 * TB)
    fixed = await client.cast.account(partner, 4 * TB)
    elastic = await client.cast.account(partner, TB, overdraft=True)
    paying = await client.cast.account(partner)
    await client.work()
    await client.reconcile()

    async def quotas() -> list[int | None]:
        return [(await actual_of(client, account)).quota for account in (fixed, elastic, paying)]

    async def resize(allocated: int | None = None, *, overdraft: bool | None = None) -> None:
        change = PartnerChange(None, allocated, overdraft)
        await client.database.run(
            partners.update_partner, distributor, partner.organisation_id, change, client.clock.now
        )
        assert "provisioning.requota" in await client.work()

    assert await quotas() == [4 * TB, 6 * TB, 5 * TB]
    await resize(7 * TB)
    assert await quotas() == [4 * TB, 3 * TB, 2 * TB]
    await resize(overdraft=True)
    assert await quotas() == [4 * TB, None, None]
    await resize(5 * TB, overdraft=False)
    assert await quotas() == [4 * TB, TB, 0]
    await resize(0)
    assert await quotas() == [4 * TB, None, None]


async def test_new_samples_change_what_is_left_for_siblings(client: ClusterClient) -> None:
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor), 10 * TB)
    first, second = [await client.cast.account(partner) for _ in range(2)]
    await client.work()
    await client.reconcile()
    assert (await actual_of(client, second)).quota == 10 * TB

    async def use(conn: object) -> None:
        await conn.execute("update account_usage set used = %s where account_id = %s", [4 * TB, first])  # type: ignore[attr-defined]

    await client.database.run(use)
    assert await requota_sampled(client.database, client.region_id) == 1
    await client.work()
    assert ((await actual_of(client, first)).quota, (await actual_of(client, second)).quota) == (10 * TB, 6 * TB)
    assert await requota_sampled(client.database, client.region_id) == 0


async def test_new_samples_concern_only_partners_that_share_a_pool_in_the_region(client: ClusterClient) -> None:
    """After each region's sampling: the accounts of all the others would be read in vain."""
    distributor = await client.cast.distributor()
    contract = await client.cast.contract(distributor)
    sharing, paying, overdrawing, fixed, elsewhere = [
        await client.cast.partner(distributor, contract, allocated * TB, overdraft=overdraft)
        for allocated, overdraft in ((10, None), (0, None), (10, True), (10, None), (10, None))
    ]
    await client.cast.region("metered-2")
    for partner in (sharing, paying, overdrawing):
        await client.cast.account(partner)
    await client.cast.account(fixed, TB)
    await client.cast.account(elsewhere, region="metered-2")
    found = await client.database.run(provisioning_queries.partners_with_pool, client.region_id)
    assert found == [sharing.organisation_id]


async def test_an_address_taken_on_the_cluster_is_reported_and_retried(client: ClusterClient, gateway: Gateway) -> None:
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor), 10 * TB)
    refused, fine = [await client.cast.account(partner, TB) for _ in range(2)]
    (email,) = await client.cast.row("select contact_email from storage_account where id = %s", refused)
    squatter = f"squatter{refused}"
    gateway.admin("user", "create", "--uid", squatter, "--display-name", "x", "--email", email)
    await client.reconcile()
    assert await revisions(client, fine) == (1, 1)
    (refusal,) = await client.cast.row("select rejection_reason from storage_account where id = %s", refused)
    assert "e-mail address" in refusal
    assert await client.reconcile() == 0, "it would be refused again"
    gateway.admin("user", "rm", "--uid", squatter)
    await client.database.run(provisioning_queries.mark_needs_apply, [refused])
    assert await client.reconcile() == 1
    assert await client.cast.row("select rejection_reason from storage_account where id = %s", refused) == (None,)


@pytest.mark.parametrize("newer_first", [True, False])
async def test_the_later_of_two_concurrent_results_defers_another_reconciliation(
    client: ClusterClient, newer_first: bool
) -> None:
    """The order of the two writes is unknown: both have read the account before either recorded its result."""
    account = (await client.data()).account
    await client.work()
    older = await provisioning_state(client, account)
    await client.database.run(provisioning_queries.mark_needs_apply, [account])
    newer = await provisioning_state(client, account)
    assert (older.desired_revision, older.apply_attempts) == (newer.desired_revision - 1, newer.apply_attempts)
    backend = await client.backend()
    for actual_of in (newer, older) if newer_first else (older, newer):
        await record(client.database, backend, client.region_id, BatchResult([(actual_of, Applied.of(actual_of))]))
    assert await client.work() == ["provisioning.reconcile"]
    assert await revisions(client, account) == (newer.desired_revision, newer.desired_revision)


async def provisioning_state(client: ClusterClient, account: int) -> ProvisioningState:
    found = await client.database.run(provisioning_queries.state_of, account)
    assert found is not None
    return found


async def test_an_account_created_after_its_purge_is_removed_again(client: ClusterClient) -> None:
    """The account was read before its purge began, and applied after the purge had removed it."""
    data = await client.data()
    await client.work()
    read = await provisioning_state(client, data.account)
    partner, due = data.partner, client.clock.now + timedelta(days=30)
    await client.database.run(
        actions.delete_account, partner, partner.organisation_id, read.account_id, 30, client.clock.now
    )
    await client.work()
    await client.cast.purge(due, client.backends)
    backend = await client.backend()
    marks = await marks_of(backend)
    outcome = await for_each_concurrently([read], lambda account: apply(backend, account, marks, client.clock.now))
    assert await backend.state(ClusterUser(read.account_id)) is not None
    await record(client.database, backend, client.region_id, outcome)
    assert await backend.state(ClusterUser(read.account_id)) is None


async def test_an_account_elsewhere_takes_from_the_pool_too(client: ClusterClient) -> None:
    await client.cast.region("metered-1")
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor), 10 * TB)
    elastic = await client.cast.account(partner)
    await client.work()
    assert (await actual_of(client, elastic)).quota == 10 * TB
    await client.cast.account(partner, 9 * TB, region="metered-1")
    assert await client.work() == ["provisioning.requota", "provisioning.reconcile"]
    assert (await actual_of(client, elastic)).quota == TB


async def test_an_account_being_purged_is_not_created_again(client: ClusterClient) -> None:
    data = await client.data()
    partner, due = data.partner, client.clock.now + timedelta(days=30)
    await client.database.run(
        actions.delete_account, partner, partner.organisation_id, data.account, 30, client.clock.now
    )
    await client.database.run(purge_queries.start_purges, [data.account], due)
    assert await client.reconcile() == 0
