"""Access keys that are on the cluster without having been created here: listed, and deleted like others."""

import asyncio
from datetime import timedelta

import pytest

from testbed.gateway import Gateway
from tests.access_keys.keys import create_key, delete_key, keys_path, list_keys
from tests.api.conftest import AccountData
from tests.cast import Cast
from tests.ceph_client import ClusterClient
from tests.cli.command import Command
from tests.storage.customer import Customer
from tonnage.access.actor import Role
from tonnage.access_keys import jobs as access_key_jobs
from tonnage.access_keys import queries
from tonnage.access_keys.access_key import new_access_key
from tonnage.provisioning import purge_queries
from tonnage.provisioning.drift import Drift
from tonnage.provisioning.drift_actions import full_reconcile, full_reconcile_dry_run
from tonnage.storage.backend import AccessKey, ClusterUser
from tonnage.storage.ceph_account import uid

pytestmark = pytest.mark.anyio

ODD = "made.by-hand"


@pytest.fixture
def client(client: ClusterClient) -> ClusterClient:
    return client


def odd(data: AccountData) -> str:
    """A name that no other test uses: names are unique on a cluster."""
    return f"{ODD}_{data.account}"


def add_by_hand(gateway: Gateway, account: int, access_key: str) -> AccessKey:
    gateway.admin("key", "create", "--uid", uid(account), "--access-key", access_key, "--secret-key", "by hand")
    return AccessKey(access_key, "by hand")


async def compared(client: ClusterClient, data: AccountData) -> list[Drift]:
    """A full reconcile's findings about the account's keys."""
    backend, operator = await client.backend(), client.cast.operator
    found = await full_reconcile(
        client.database, backend, client.region_id, operator, client.services.wall_clock, await client.permit_changes()
    )
    return [one for one in found.findings if one.subject.startswith("access key") and str(data.account) in one.subject]


def drift(data: AccountData) -> list[Drift]:
    return [Drift(f"access key {odd(data)} of storage account {data.account}", "was not created here", "left")]


async def log(client: ClusterClient) -> list[tuple[str, str]]:
    (entries,) = await client.cast.row(
        """
        select coalesce(array_agg(action || ' ' || (coalesce(before, after)->>'accessKey') || ' ' || actor_kind
            order by id), '{}')
        from audit_entry where action in ('account.find-key', 'account.delete-key', 'account.mark-key-lost')
        """
    )
    return entries


@pytest.mark.ceph
async def test_a_comparison_lists_it_and_it_can_be_deleted(client: ClusterClient) -> None:
    data = await client.data()
    made = (await create_key(client, data))["accessKey"]
    pair = add_by_hand(client.gateway, data.account, odd(data))
    backend, operator = await client.backend(), client.cast.operator
    planned = await full_reconcile_dry_run(client.database, backend, client.region_id, operator, client.clock.now)
    assert drift(data)[0] in planned.findings
    assert [one["accessKey"] for one in await list_keys(client, data)] == [made], "a dry run changes nothing"
    assert await compared(client, data) == drift(data)
    client.clock.now += timedelta(hours=6)
    assert await compared(client, data) == drift(data), "until somebody decides"
    ours, foreign = await list_keys(client, data)
    assert (ours["accessKey"], "madeHere" in ours) == (made, False)
    assert foreign == {
        "accessKey": odd(data),
        "createdAt": "2026-03-15T12:00:00Z",
        "status": "active",
        "madeHere": False,
    }
    table = await asyncio.to_thread(Command(client.conninfo).ok, "account", "key", "list", str(data.account))
    assert [line.split()[-3:] == ["not", "made", "here"] for line in table.splitlines()[1:]] == [False, True]
    with Customer(client.gateway, pair) as customer:
        assert customer.attempt("list_buckets") == "done"
        assert await delete_key(client, data, odd(data)) == 204
        assert customer.attempt("list_buckets") == "InvalidAccessKeyId"
    assert [one["accessKey"] for one in await list_keys(client, data)] == [made]
    assert await compared(client, data) == []
    assert await log(client) == [f"account.find-key {odd(data)} cli", f"account.delete-key {odd(data)} key"]


@pytest.mark.ceph
async def test_one_that_no_comparison_has_seen_can_be_deleted(client: ClusterClient) -> None:
    data = await client.data()
    add_by_hand(client.gateway, data.account, odd(data))
    assert await list_keys(client, data) == []
    assert await delete_key(client, data, odd(data)) == 204
    assert await (await client.backend()).keys(ClusterUser(data.account)) == ()
    assert await delete_key(client, data, odd(data)) == 404
    assert await log(client) == [f"account.find-key {odd(data)} key", f"account.delete-key {odd(data)} key"]


@pytest.mark.ceph
async def test_one_that_is_gone_from_the_cluster_leaves_the_list(client: ClusterClient) -> None:
    data = await client.data()
    add_by_hand(client.gateway, data.account, odd(data))
    await compared(client, data)
    client.gateway.admin("key", "rm", "--uid", uid(data.account), "--access-key", odd(data))
    await compared(client, data)
    assert await list_keys(client, data) == []
    assert await log(client) == [f"account.find-key {odd(data)} cli", f"account.mark-key-lost {odd(data)} cli"]


@pytest.mark.ceph
async def test_a_key_that_is_being_created_is_neither_found_nor_deleted(client: ClusterClient) -> None:
    data = await client.data()
    pending = new_access_key()
    await client.database.run(queries.insert_key, data.account, pending, None, client.clock.now)
    await (await client.backend()).create_key(ClusterUser(data.account), pending)
    assert await delete_key(client, data, pending) == 404
    assert await compared(client, data) == []
    assert await (await client.backend()).keys(ClusterUser(data.account)) == (pending,)
    assert await client.cast.row("select state, origin from access_key") == ("pending", "created")


@pytest.mark.ceph
async def test_its_deletion_survives_an_outage(client: ClusterClient) -> None:
    data = await client.data()
    add_by_hand(client.gateway, data.account, odd(data))
    await compared(client, data)
    client.gateway.kill()
    try:
        assert await delete_key(client, data, odd(data)) == 503
        assert await delete_key(client, data, new_access_key()) == 503, "nobody knows whether it is there"
        (listed,) = await list_keys(client, data)
        assert (listed["status"], listed["madeHere"]) == ("deleting", False)
    finally:
        client.gateway.start()
    await access_key_jobs.clean_up(client.services, str(client.region_id))
    assert (await list_keys(client, data), await compared(client, data)) == ([], [])
    assert await (await client.backend()).keys(ClusterUser(data.account)) == ()


@pytest.mark.ceph
async def test_others_can_neither_list_nor_delete_it(client: ClusterClient) -> None:
    data = await client.data()
    add_by_hand(client.gateway, data.account, odd(data))
    stranger = await client.cast.partner(data.distributor, data.contract, 0)
    for actor, role, status in ((stranger, Role.ADMIN, 404), (data.partner, Role.VIEWER, 403)):
        path = f"{keys_path(data)}/{odd(data)}"
        assert (await client.call("DELETE", path, await client.key(actor, role))).status_code == status
    assert await (await client.backend()).keys(ClusterUser(data.account)) == (odd(data),)
    assert await log(client) == []


@pytest.mark.ceph
async def test_the_pages_show_it(client: ClusterClient) -> None:
    data = await client.data()
    add_by_hand(client.gateway, data.account, f"odd&name?#{data.account}")
    await compared(client, data)
    browser = await client.sign_in(data.partner, Role.STAFF)
    path = f"/partner/accounts/{data.account}/access-keys"
    listed = (await browser.get(path)).text
    assert "Not made here" in listed
    link = f"{path}/odd%26name%3F%23{data.account}/delete"
    assert f'href="{link}"' in listed
    assert "was not created in Tonnage" in (await browser.get(link)).text
    assert (await browser.send(link)).status_code == 303
    assert await (await client.backend()).keys(ClusterUser(data.account)) == ()


async def test_accounts_on_two_clusters_may_have_keys_of_one_name(cast: Cast) -> None:
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    region = await cast.region()
    first, second = [await cast.account(partner, region=region) for _ in range(2)]
    stamp = cast.operator.stamp
    both = [(first, ODD), (second, ODD)]
    await cast.database.run(queries.record_found, both, cast.now, stamp)
    assert await cast.database.run(queries.found_keys, [first, second]) == sorted(both)
    assert await cast.database.run(queries.start_deletion, first, ODD, cast.now, stamp)
    await cast.database.run(queries.remove_key, first, ODD)
    assert await cast.database.run(queries.mark_lost, [(first, ODD)], stamp) == []
    assert await cast.database.run(queries.found_keys, [first, second]) == [(second, ODD)]


async def test_an_account_that_is_being_purged_gets_none(cast: Cast) -> None:
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    account = await cast.account(partner, region=await cast.region())
    await cast.row(
        """
        update storage_account set deletion_requested_at = created_at,
            pending_deleted_at = created_at + interval '1 day'
        where id = %s returning id
        """,
        account,
    )
    late = cast.now + timedelta(days=2)
    await cast.database.run(purge_queries.start_purges, [account], late)
    await cast.database.run(queries.record_found, [(account, ODD)], late, cast.operator.stamp)
    assert await cast.database.run(queries.found_keys, [account]) == []
