"""A purge needs the database's date and the cluster's mark. What one side alone says destroys nothing."""

from datetime import datetime, timedelta

import pytest

from tests.api.conftest import AccountData
from tests.cast import ANY_AGE
from tests.ceph_client import ClusterClient
from tests.storage.customer import Customer
from tonnage.accounts import actions
from tonnage.clock import BusinessClock
from tonnage.epoch.deletion_mark import WAITING, due_key, since_key, started_key
from tonnage.epoch.deletion_mark_actions import read_marks
from tonnage.provisioning import purge_queries, queries
from tonnage.provisioning.drift import Drift
from tonnage.provisioning.drift_actions import full_reconcile
from tonnage.provisioning.purge_actions import purge_due
from tonnage.storage.backend import ClusterUser
from tonnage.storage.bucket import Bucket

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

GRACE = timedelta(days=30)


async def bucket_of(client: ClusterClient) -> Bucket:
    bucket = (await client.backend()).bucket
    assert bucket is not None
    return bucket


async def marked(client: ClusterClient) -> list[str]:
    return [one.key for one in (await (await bucket_of(client)).objects(WAITING)).objects]


async def delete(client: ClusterClient, data: AccountData) -> datetime:
    """Schedules the deletion; returns its date."""
    await client.database.run(
        actions.delete_account, data.partner, data.partner.organisation_id, data.account, 30, client.clock.now
    )
    return client.clock.now + GRACE


async def delete_without_marks(client: ClusterClient, data: AccountData) -> datetime:
    """As an earlier release, which knew none."""
    due = await delete(client, data)
    await client.work()
    bucket = await bucket_of(client)
    for key in await marked(client):
        await bucket.delete(key)
    return due


async def set_date(client: ClusterClient, data: AccountData, due: datetime | None) -> None:
    await client.database.run(
        actions.set_deletion, data.partner, data.partner.organisation_id, data.account, due, 30, client.clock.now
    )


async def purge(client: ClusterClient, *, grace: timedelta = ANY_AGE, days: int = 31) -> int:
    """A run of the purge, so many days later by this machine's clock."""
    now = client.clock.now + timedelta(days=days)
    permitted = await client.permit_changes()
    backend, operator = await client.backend(), client.cast.operator
    return await purge_due(client.database, backend, permitted, operator, BusinessClock(lambda: now), grace)


async def stored(client: ClusterClient, data: AccountData) -> Customer:
    """A customer with an object in the account."""
    key = await (await client.backend()).create_key(ClusterUser(data.account), f"CUSTOMER{data.account}")
    customer = client.customer(key.access_key, key.secret_key)
    customer.s3.create_bucket(Bucket="data")
    customer.s3.put_object(Bucket="data", Key="object", Body=b"data")
    return customer


async def compared(client: ClusterClient, *, days: int = 0) -> list[Drift]:
    """A full reconcile's findings about deletions, so many days later."""
    client.clock.now += timedelta(days=days)
    found = await full_reconcile(
        client.database,
        await client.backend(),
        client.region_id,
        client.cast.operator,
        client.services.wall_clock,
        await client.permit_changes(),
    )
    return [one for one in found.findings if one.subject.startswith("deletion of")]


async def test_it_is_set_when_the_account_becomes_read_only_and_removed_when_it_is_restored(
    client: ClusterClient,
) -> None:
    data = await client.data()
    await client.work()
    assert await marked(client) == []
    due = await delete(client, data)
    assert await marked(client) == []
    await client.work()
    assert await marked(client) == sorted([since_key(data.account), due_key(data.account, due)])
    later = due + timedelta(days=10)
    await set_date(client, data, later)
    since = (await read_marks(await bucket_of(client))).waiting[data.account].since
    await client.work()
    assert await marked(client) == sorted([since_key(data.account), due_key(data.account, later)])
    assert (await read_marks(await bucket_of(client))).waiting[data.account].since == since, "it waits since then"
    await set_date(client, data, None)
    await client.work()
    assert await marked(client) == []


async def test_a_purge_leaves_a_record_of_its_start_and_no_mark(client: ClusterClient) -> None:
    data = await client.data()
    await delete(client, data)
    await client.work()
    assert await purge(client) == 1
    assert await marked(client) == []
    assert await (await bucket_of(client)).read(started_key(data.account)) == b""


@pytest.mark.parametrize("mark", ["none", "of another date", "half", "with two dates"])
async def test_without_its_own_mark_nothing_is_purged(client: ClusterClient, mark: str) -> None:
    data = await client.data()
    customer = await stored(client, data)
    due = await delete(client, data)
    await client.work()
    bucket = await bucket_of(client)
    if mark in {"none", "of another date"}:
        await bucket.delete(due_key(data.account, due))
    if mark in {"none", "half"}:
        await bucket.delete(since_key(data.account))
    if mark in {"of another date", "with two dates"}:
        await bucket.create(due_key(data.account, due + timedelta(days=9)))
    assert await purge(client) == 0
    assert await purge(client, days=1000) == 0
    assert customer.s3.get_object(Bucket="data", Key="object")["Body"].read() == b"data"
    (drift,) = await compared(client, days=40)
    assert (drift.subject, drift.remedy, drift.repaired) == (
        f"deletion of storage account {data.account}",
        "left",
        False,
    )
    await client.database.run(queries.mark_needs_apply, [data.account])
    await client.reconcile()
    assert await purge(client) == 0, "neither a comparison nor a change sets a mark of a deletion that is due"


async def test_the_age_of_a_mark_counts_by_the_clock_of_the_cluster(client: ClusterClient) -> None:
    """This machine's clock is years ahead."""
    data = await client.data()
    customer = await stored(client, data)
    await delete(client, data)
    await client.work()
    assert await purge(client, grace=GRACE, days=1000) == 0
    assert customer.s3.get_object(Bucket="data", Key="object")["Body"].read() == b"data"
    assert await purge(client, grace=ANY_AGE, days=29) == 0, "the database's date counts as well"
    assert await purge(client, grace=ANY_AGE, days=30) == 1


async def test_accounts_that_waited_before_there_were_marks_get_theirs(client: ClusterClient) -> None:
    data = await client.data()
    due = await delete_without_marks(client, data)
    (drift,) = await compared(client)
    assert (drift.remedy, drift.repaired) == ("marked", True)
    assert await marked(client) == sorted([since_key(data.account), due_key(data.account, due)])
    assert await compared(client) == []


async def test_a_purge_that_an_earlier_release_has_started_waits_and_is_finished(client: ClusterClient) -> None:
    data = await client.data()
    due = await delete_without_marks(client, data)
    await client.database.run(purge_queries.start_purges, [data.account], due)
    assert await purge(client, grace=GRACE) == 0
    assert await marked(client) == sorted([since_key(data.account), due_key(data.account, due)])
    assert await purge(client) == 1


async def test_an_account_that_is_not_on_the_cluster_needs_no_mark(client: ClusterClient) -> None:
    """Its creation was refused there, for example."""
    data = await client.data()
    await delete(client, data)
    await (await client.backend()).purge(ClusterUser(data.account))
    assert await purge(client) == 1


async def test_a_deletion_that_was_cancelled_here_loses_a_mark_that_stayed(client: ClusterClient) -> None:
    data = await client.data()
    await client.work()
    await (await bucket_of(client)).create(since_key(data.account))
    (drift,) = await compared(client)
    assert (drift.description, drift.repaired) == ("is marked on the cluster, but cancelled here", True)
    assert await marked(client) == []


async def test_a_purged_account_that_the_cluster_knows_nothing_of_is_left(client: ClusterClient) -> None:
    """The cluster was put back from a backup, or the account was put there deliberately."""
    data = await client.data()
    await delete(client, data)
    await client.work()
    assert await purge(client) == 1
    await client.provision(data.account)
    await (await bucket_of(client)).delete(started_key(data.account))
    found = await full_reconcile(
        client.database,
        await client.backend(),
        client.region_id,
        client.cast.operator,
        client.services.wall_clock,
        await client.permit_changes(),
    )
    assert Drift(f"storage account {data.account}", "was purged, but is on the cluster", "left") in found.findings
    assert await (await client.backend()).state(ClusterUser(data.account)) is not None
