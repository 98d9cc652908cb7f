"""A cluster that was changed behind our back, or is ahead of the database, or behind it."""

import asyncio
import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from testbed.gateway import Gateway
from tests.cast import TB
from tests.cli.command import Command
from tests.clustered import REGION, ClusterClient
from tonnage.access.actor import Actor, Kind, Role
from tonnage.access_keys import jobs as access_key_jobs
from tonnage.accounts import actions
from tonnage.provisioning import jobs as provisioning_jobs
from tonnage.provisioning.drift import Drift
from tonnage.provisioning.drift_actions import Comparison, full_reconcile, full_reconcile_dry_run
from tonnage.regions.actions import connect_region
from tonnage.regions.region import Gateway as Reached
from tonnage.storage.backend import Access
from tonnage.storage.ceph_account import uid
from tonnage.storage.errors import Misconfigured

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


async def swept(client: ClusterClient) -> list[Drift]:
    """What a sweep finds of our own accounts: others' tests leave theirs on the same gateway."""
    return await _ours(client, await everything_swept(client))


async def everything_swept(client: ClusterClient) -> Comparison:
    return await full_reconcile(
        client.database, await client.backend(), client.region_id, client.cast.operator, client.services.wall_clock
    )


async def planned(client: ClusterClient) -> list[Drift]:
    return await _ours(
        client,
        await full_reconcile_dry_run(client.database, await client.backend(), client.region_id, client.cast.operator),
    )


async def _ours(client: ClusterClient, compared: Comparison) -> list[Drift]:
    (ids,) = await client.cast.row("select coalesce(array_agg(id::text), '{}') from storage_account")
    return [finding for finding in compared.findings if any(one in finding.subject for one in ids)]


async def deleted(client: ClusterClient, partner_id: UUID, account: int) -> None:
    actor = Actor(partner_id, Kind.PARTNER, Role.ADMIN, "cli")
    await client.database.run(actions.delete_account, actor, partner_id, account, 30, client.clock.now)


async def test_nothing_is_found_where_all_is_well(client: ClusterClient) -> None:
    await client.data()
    await swept(client)
    assert await swept(client) == []
    assert await client.cast.row("select finished_at, checked from sweep") == (client.clock.now, 1)


async def test_what_was_changed_behind_our_back_is_put_right(client: ClusterClient, gateway: Gateway) -> None:
    account = (await client.data()).account
    await swept(client)
    gateway.admin("user", "modify", "--uid", uid(account), "--display-name", "Renamed", "--max-buckets", "7")
    gateway.admin("quota", "disable", "--uid", uid(account), "--quota-scope", "user")
    gateway.admin("user", "suspend", "--uid", uid(account))
    found = [Drift(f"storage account {account}", "differs in display name, max buckets, access, quota", "changed")]
    assert await planned(client) == found
    assert await planned(client) == found, "a plan changes nothing"
    assert [finding.repaired for finding in await swept(client)] == [True]
    actual = await (await client.backend()).state(account)
    assert actual is not None
    assert (actual.quota, actual.quota_exact, actual.access, actual.max_buckets) == (TB, True, Access.FULL, 100)
    assert await swept(client) == []
    assert await client.cast.row("select repaired from sweep") == (1,)


async def test_a_cluster_behind_the_database_gets_what_it_lacks(client: ClusterClient, gateway: Gateway) -> None:
    """Put back from an older copy, or somebody has removed the account there."""
    account = (await client.data()).account
    await swept(client)
    gateway.admin("user", "rm", "--uid", uid(account))
    assert await swept(client) == [
        Drift(f"storage account {account}", "is missing on the cluster", "made", repaired=True)
    ]
    assert await (await client.backend()).state(account) is not None


async def test_a_cluster_ahead_of_the_database_keeps_what_the_database_does_not_know(
    client: ClusterClient,
) -> None:
    """The database was put back from an older copy: what was opened since holds customers' data."""
    unknown = (await client.data()).account + 1
    await client.provide(unknown)
    whole = await everything_swept(client)
    finding = Drift(f"storage account {unknown}", "is on the cluster, but not in the database", "left")
    assert finding in whole.findings
    assert await (await client.backend()).state(unknown) is not None
    first = client.clock.now

    async def drift() -> list[tuple[str, str, str]]:
        shown = await asyncio.to_thread(Command(client.conninfo).json, "storage", "drift")
        return [(one["what"], one["foundAt"], one["comparedAt"]) for one in shown if one["subject"] == finding.subject]

    def wire(moment: datetime) -> str:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    assert await drift() == [(finding.what, wire(first), wire(first))]
    client.clock.now += timedelta(hours=6)
    await swept(client)
    assert await drift() == [(finding.what, wire(first), wire(client.clock.now))]
    await (await client.backend()).purge(unknown)
    await swept(client)
    assert await drift() == []


async def test_on_what_looks_like_another_cluster_nothing_is_done(client: ClusterClient, gateway: Gateway) -> None:
    """Whoever mistypes an address must not find everything made anew in a foreign place, and keys forgotten."""
    data = await client.data()
    key = await client.key(data.partner)
    path = f"/ext/v1/storage-account/{data.account}/access-keys"
    await client.call("POST", path, key, json={})
    second = await client.cast.account(data.partner, 1)
    await client.work()
    backend = await client.backend()
    for account in (data.account, second):
        await backend.purge(account)
    reached = Reached(f"{gateway.address}/admin", gateway.access_key, gateway.secret_key)
    await client.database.transaction(
        connect_region, client.cast.operator, REGION, reached, client.clock(), client.key_file
    )
    assert (await client.call("POST", path, key, json={})).status_code == 503, "nobody has looked yet"
    assert await client.work() == ["provisioning.verify_identity"]
    (trouble,) = await client.cast.row("select trouble from region")
    assert "Of 2 storage accounts that were created on this cluster, 0 are there" in trouble
    assert trouble in json.dumps((await client.call("GET", "/readyz")).json())
    await client.cast.account(data.partner, 1)
    for work in (provisioning_jobs.reconcile, access_key_jobs.clean_up, provisioning_jobs.purge_region):
        with pytest.raises(Misconfigured, match="0 are there"):
            await work(client.services, str(client.region_id))
    assert [await backend.state(account) for account in (data.account, second)] == [None] * 2
    assert len((await client.call("GET", path, key)).json()) == 1


async def test_an_account_of_another_region_is_told_as_such(client: ClusterClient) -> None:
    await client.cast.region("elsewhere")
    partner = (await client.data()).partner
    account = await client.cast.account(partner, 1, region="elsewhere")
    await client.provide(account)
    finding = Drift(f"storage account {account}", "is on the cluster, but belongs to another region", "left")
    assert finding in (await everything_swept(client)).findings


async def test_keys_that_went_are_gone_here_too_and_foreign_ones_are_told(
    client: ClusterClient, gateway: Gateway
) -> None:
    data = await client.data()
    path = f"/ext/v1/storage-account/{data.account}/access-keys"
    key = await client.key(data.partner)
    lost, kept = [(await client.call("POST", path, key, json={})).json()["accessKey"] for _ in range(2)]
    await swept(client)
    gateway.admin("key", "rm", "--uid", uid(data.account), "--access-key", lost)
    gateway.admin("key", "create", "--uid", uid(data.account), "--access-key", "FOREIGN0FOREIGN0", "--gen-secret")
    subject = f"of storage account {data.account}"
    findings = [
        Drift(f"access key {lost} {subject}", "is missing on the cluster", "forgotten"),
        Drift(f"access key FOREIGN0FOREIGN0 {subject}", "is on the cluster, but not in the database", "left"),
    ]
    assert await planned(client) == findings
    assert [finding.repaired for finding in await swept(client)] == [True, False]
    assert [one["accessKey"] for one in (await client.call("GET", path, key)).json()] == [kept]
    actual = await (await client.backend()).state(data.account)
    assert actual is not None
    assert set(actual.access_keys) == {kept, "FOREIGN0FOREIGN0"}


async def test_what_was_purged_is_purged_again(client: ClusterClient) -> None:
    """A cluster that was put back from an older copy must not bring back what a customer has had deleted."""
    data = await client.data()
    await deleted(client, data.partner.organisation_id, data.account)
    assert await client.cast.purge(client.clock.now, client.backends) == 0
    client.clock.now += timedelta(days=30)
    account = data.account
    assert await client.cast.purge(client.clock.now, client.backends) == 1
    await client.provide(account)
    assert await planned(client) == [Drift(f"storage account {account}", "was purged, but is on the cluster", "purged")]
    assert [finding.repaired for finding in await swept(client)] == [True]
    assert await (await client.backend()).state(account) is None


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
        return {row["subject"]: (row["what"], row["action"], row["done"]) for row in printed}

    subject = f"storage account {later}"
    unknown = f"storage account {later + 1}"
    await client.provide(later + 1)
    assert (await rows("--dry-run"))[subject] == ("is missing on the cluster", "made", False)
    told = (await asyncio.to_thread(tonnage.ok, "storage", "reconcile", "--dry-run")).splitlines()
    (made,) = [line for line in told if subject in line]
    assert made.rstrip().endswith("  would be made")
    (left,) = [line for line in told if unknown in line]
    assert left.rstrip().endswith("  left")
    assert (await rows("--region", REGION))[subject] == ("is missing on the cluster", "made", True)
    await (await client.backend()).purge(later + 1)
    again = await rows()
    assert subject not in again
    assert f"storage account {account}" not in again
    refused = await asyncio.to_thread(tonnage.refused, "storage", "reconcile", "--region", "elsewhere")
    assert "There is no region elsewhere with a cluster" in refused
    # Of the two that changed something.
    entries = "select array_agg(actor_kind || ' ' || subject_id) from audit_entry where action = 'region.reconcile'"
    assert await client.cast.row(entries) == ([f"cli {REGION}"] * 2,)


async def test_the_command_goes_on_where_a_cluster_is_away(
    client: ClusterClient, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = await client.cast.account((await client.data()).partner, 1)
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(client.key_file))
    tonnage = Command(client.conninfo)
    where = ("--s3-url", gateway.address, "--iam-url", gateway.address, "--sts-url", gateway.address)
    for name, address in (("dead", "http://127.0.0.1:1"), ("last", gateway.address)):
        add = ("region", "add", name, *where, "--ceph-admin-url", address)
        await asyncio.to_thread(tonnage.ok, *add, stdin=f"{gateway.access_key} {gateway.secret_key}")
    result = await asyncio.to_thread(tonnage, "storage", "reconcile", "--json")
    assert result.exit_code == 1
    row = {"region": REGION, "subject": f"storage account {later}", "what": "is missing on the cluster"}
    assert {**row, "action": "made", "done": True} in json.loads(result.stdout)
    *_, counted, away = result.stderr.splitlines()
    assert counted.startswith("Compared 2 storage accounts, ")
    assert away.startswith("dead: The storage cluster cannot be reached")
    query = "select array_agg(r.name order by r.id) from sweep s join region r on r.id = s.region_id"
    assert await client.cast.row(f"{query} where s.finished_at is not null") == ([REGION, "last"],)
