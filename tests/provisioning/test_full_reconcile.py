"""A cluster that was changed by hand, or is ahead of the database, or behind it."""

import asyncio
import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from testbed.gateway import Gateway
from tests.cast import TB
from tests.ceph_client import REGION, ClusterClient
from tests.cli.command import Command
from tonnage.access.actor import Actor, Kind, Role
from tonnage.access_keys import jobs as access_key_jobs
from tonnage.accounts import actions
from tonnage.provisioning import jobs as provisioning_jobs
from tonnage.provisioning.drift import Drift
from tonnage.provisioning.drift_actions import Comparison, full_reconcile, full_reconcile_dry_run
from tonnage.regions.actions import connect_region
from tonnage.regions.region import Gateway as Reached
from tonnage.storage.backend import Access, ClusterUser
from tonnage.storage.ceph_account import uid
from tonnage.storage.errors import Misconfigured

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


async def reconciled(client: ClusterClient) -> list[Drift]:
    """The findings about this test's accounts: other tests leave theirs on the same gateway."""
    return await _ours(client, await reconcile_all(client))


async def reconcile_all(client: ClusterClient) -> Comparison:
    return await full_reconcile(
        client.database,
        await client.backend(),
        client.region_id,
        client.cast.operator,
        client.services.wall_clock,
        await client.permit_changes(),
    )


async def dry_run(client: ClusterClient) -> list[Drift]:
    return await _ours(
        client,
        await full_reconcile_dry_run(
            client.database, await client.backend(), client.region_id, client.cast.operator, client.clock.now
        ),
    )


async def _ours(client: ClusterClient, compared: Comparison) -> list[Drift]:
    (ids,) = await client.cast.row("select coalesce(array_agg(id::text), '{}') from storage_account")
    return [finding for finding in compared.findings if any(one in finding.subject for one in ids)]


async def delete_account(client: ClusterClient, partner_id: UUID, account: int) -> None:
    actor = Actor(partner_id, Kind.PARTNER, Role.ADMIN, "cli")
    await client.database.run(actions.delete_account, actor, partner_id, account, 30, client.clock.now)


async def test_no_drift(client: ClusterClient) -> None:
    await client.data()
    await reconciled(client)
    assert await reconciled(client) == []
    assert await client.cast.row("select finished_at, checked from full_reconcile") == (client.clock.now, 1)


async def test_manual_changes_are_repaired(client: ClusterClient, gateway: Gateway) -> None:
    account = (await client.data()).account
    await reconciled(client)
    gateway.admin("user", "modify", "--uid", uid(account), "--display-name", "Renamed", "--max-buckets", "7")
    gateway.admin("quota", "disable", "--uid", uid(account), "--quota-scope", "user")
    gateway.admin("user", "suspend", "--uid", uid(account))
    differs = (
        "differs in display name, max buckets (7 there, 100 here), access (another there, full here), "
        "quota (1 TB, not exact there, 1 TB here)"
    )
    found = [Drift(f"storage account {account}", differs, "changed")]
    assert await dry_run(client) == found
    assert await dry_run(client) == found, "a plan changes nothing"
    assert [finding.repaired for finding in await reconciled(client)] == [True]
    actual = await (await client.backend()).state(ClusterUser(account))
    assert actual is not None
    assert (actual.quota, actual.quota_exact, actual.access, actual.max_buckets) == (TB, True, Access.FULL, 100)
    assert await reconciled(client) == []
    assert await client.cast.row("select repaired from full_reconcile") == (1,)


async def test_missing_accounts_are_created(client: ClusterClient, gateway: Gateway) -> None:
    """The cluster was restored from an older copy, or the account was removed on it."""
    account = (await client.data()).account
    await reconciled(client)
    gateway.admin("user", "rm", "--uid", uid(account))
    assert await reconciled(client) == [
        Drift(f"storage account {account}", "is missing on the cluster", "made", repaired=True)
    ]
    assert await (await client.backend()).state(ClusterUser(account)) is not None


async def test_unknown_accounts_are_kept(
    client: ClusterClient,
) -> None:
    """The database was restored from an older copy: accounts created since then hold customers' data."""
    unknown = (await client.data()).account + 1
    await client.provision(unknown)
    whole = await reconcile_all(client)
    finding = Drift(f"storage account {unknown}", "is on the cluster, but not in the database", "left")
    assert finding in whole.findings
    assert await (await client.backend()).state(ClusterUser(unknown)) is not None
    first = client.clock.now

    async def drift() -> list[tuple[str, str, str]]:
        shown = await asyncio.to_thread(Command(client.conninfo).json, "storage", "drift")
        return [
            (one["description"], one["foundAt"], one["comparedAt"])
            for one in shown
            if one["subject"] == finding.subject
        ]

    def wire(moment: datetime) -> str:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    assert await drift() == [(finding.description, wire(first), wire(first))]
    client.clock.now += timedelta(hours=6)
    await reconciled(client)
    assert await drift() == [(finding.description, wire(first), wire(client.clock.now))]
    await (await client.backend()).purge(ClusterUser(unknown))
    await reconciled(client)
    assert await drift() == []


async def test_nothing_is_changed_on_an_apparently_different_cluster(client: ClusterClient, gateway: Gateway) -> None:
    """A mistyped address must not provision all accounts on another cluster, nor delete the records of keys."""
    data = await client.data()
    key = await client.key(data.partner)
    path = f"/ext/v1/storage-account/{data.account}/access-keys"
    await client.call("POST", path, key, json={})
    second = await client.cast.account(data.partner, 1)
    await client.work()
    backend = await client.backend()
    for account in (data.account, second):
        await backend.purge(ClusterUser(account))
    reached = Reached(f"{gateway.address}/admin", client.admin.access_key, client.admin.secret_key)
    await client.database.transaction(
        connect_region, client.cast.operator, REGION, reached, client.clock(), client.key_file
    )
    assert (await client.call("POST", path, key, json={})).status_code == 503, "nobody has looked yet"
    assert await client.work() == ["provisioning.verify_identity"]
    (trouble,) = await client.cast.row("select unhealthy_reason from region")
    assert "Of 2 storage accounts that were created on this cluster, 0 are there" in trouble
    assert trouble in json.dumps((await client.call("GET", "/readyz", await client.key(client.cast.operator))).json())
    await client.cast.account(data.partner, 1)
    for work in (provisioning_jobs.reconcile, access_key_jobs.clean_up, provisioning_jobs.purge_region):
        with pytest.raises(Misconfigured, match="0 are there"):
            await work(client.services, str(client.region_id))
    assert [await backend.state(ClusterUser(account)) for account in (data.account, second)] == [None] * 2
    assert len((await client.call("GET", path, key)).json()) == 1


async def test_an_account_of_another_region_is_reported_as_such(client: ClusterClient) -> None:
    await client.cast.region("elsewhere")
    partner = (await client.data()).partner
    account = await client.cast.account(partner, 1, region="elsewhere")
    await client.provision(account)
    finding = Drift(f"storage account {account}", "is on the cluster, but belongs to another region", "left")
    assert finding in (await reconcile_all(client)).findings


async def test_missing_keys_are_deleted_here_and_foreign_ones_reported(client: ClusterClient, gateway: Gateway) -> None:
    data = await client.data()
    path = f"/ext/v1/storage-account/{data.account}/access-keys"
    key = await client.key(data.partner)
    lost, kept = [(await client.call("POST", path, key, json={})).json()["accessKey"] for _ in range(2)]
    await reconciled(client)
    gateway.admin("key", "rm", "--uid", uid(data.account), "--access-key", lost)
    gateway.admin("key", "create", "--uid", uid(data.account), "--access-key", "FOREIGN0FOREIGN0", "--gen-secret")
    subject = f"of storage account {data.account}"
    findings = [
        Drift(f"access key {lost} {subject}", "is missing on the cluster", "forgotten"),
        Drift(f"access key FOREIGN0FOREIGN0 {subject}", "was not created here", "left"),
    ]
    assert await dry_run(client) == findings
    assert [finding.repaired for finding in await reconciled(client)] == [True, False]
    listed = [(one["accessKey"], one.get("madeHere")) for one in (await client.call("GET", path, key)).json()]
    assert listed == [(kept, None), ("FOREIGN0FOREIGN0", False)]
    actual = await (await client.backend()).state(ClusterUser(data.account))
    assert actual is not None
    assert set(actual.access_keys) == {kept, "FOREIGN0FOREIGN0"}


async def test_a_purged_account_is_purged_again(client: ClusterClient) -> None:
    """By an apply that was under way, for example."""
    data = await client.data()
    await delete_account(client, data.partner.organisation_id, data.account)
    await client.reconcile()
    assert await client.cast.purge(client.clock.now, client.backends) == 0
    client.clock.now += timedelta(days=30)
    account = data.account
    assert await client.cast.purge(client.clock.now, client.backends) == 1
    await client.provision(account)
    assert await dry_run(client) == [Drift(f"storage account {account}", "was purged, but is on the cluster", "purged")]
    assert [finding.repaired for finding in await reconciled(client)] == [True]
    assert await (await client.backend()).state(ClusterUser(account)) is None


async def test_the_command_shows_the_plan_and_carries_it_out(
    client: ClusterClient, monkeypatch: pytest.MonkeyPatch
) -> None:

    account = (await client.data()).account
    later = await client.cast.account((await client.data()).partner, 1)
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(client.key_file))
    tonnage = Command(client.conninfo)

    async def rows(*more: str) -> dict[str, tuple[str, str, bool]]:
        printed = await asyncio.to_thread(tonnage.json, "storage", "reconcile", *more)
        assert {row["region"] for row in printed} <= {REGION}
        return {row["subject"]: (row["description"], row["action"], row["done"]) for row in printed}

    subject = f"storage account {later}"
    unknown = f"storage account {later + 1}"
    await client.provision(later + 1)
    assert (await rows("--dry-run"))[subject] == ("is missing on the cluster", "made", False)
    output = (await asyncio.to_thread(tonnage.ok, "storage", "reconcile", "--dry-run")).splitlines()
    (made,) = [line for line in output if subject in line]
    assert made.rstrip().endswith("  would be made")
    (left,) = [line for line in output if unknown in line]
    assert left.rstrip().endswith("  left")
    assert (await rows("--region", REGION))[subject] == ("is missing on the cluster", "made", True)
    await (await client.backend()).purge(ClusterUser(later + 1))
    again = await rows()
    assert subject not in again
    assert f"storage account {account}" not in again
    refused = await asyncio.to_thread(tonnage.refused, "storage", "reconcile", "--region", "elsewhere")
    assert "There is no region elsewhere with a cluster" in refused
    # Of the two runs that changed something.
    entries = "select array_agg(actor_kind || ' ' || subject_id) from audit_entry where action = 'region.reconcile'"
    assert await client.cast.row(entries) == ([f"cli {REGION}"] * 2,)


async def test_the_command_skips_an_unreachable_cluster(
    client: ClusterClient, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = await client.cast.account((await client.data()).partner, 1)
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(client.key_file))
    tonnage = Command(client.conninfo)
    where = ("--s3-url", gateway.address, "--iam-url", gateway.address, "--sts-url", gateway.address)
    for name, address in (("dead", "http://127.0.0.1:1"), ("last", gateway.address)):
        add = ("region", "add", name, *where, "--ceph-admin-url", address)
        await asyncio.to_thread(tonnage.ok, *add, stdin=f"{client.admin.access_key} {client.admin.secret_key}")
    result = await asyncio.to_thread(tonnage, "storage", "reconcile", "--json")
    assert result.exit_code == 1
    row = {"region": REGION, "subject": f"storage account {later}", "description": "is missing on the cluster"}
    assert {**row, "action": "made", "done": True} in json.loads(result.stdout)
    *_, counted, away = result.stderr.splitlines()
    assert counted.startswith("Compared 2 storage accounts, ")
    assert away.startswith("dead: The storage cluster cannot be reached")
    query = "select array_agg(r.name order by r.id) from full_reconcile s join region r on r.id = s.region_id"
    assert await client.cast.row(f"{query} where s.finished_at is not null") == ([REGION, "last"],)
