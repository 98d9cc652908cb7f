"""A cluster that was changed behind our back, or is ahead of the database, or behind it."""

import asyncio
import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from testbed.gateway import Gateway
from tests.cast import TB
from tests.cli.command import Command
from tests.clustered import REGION, ClusterHouse
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


async def swept(house: ClusterHouse) -> list[Drift]:
    """What a sweep finds of our own accounts: others' tests leave theirs on the same gateway."""
    return await _ours(house, await everything_swept(house))


async def everything_swept(house: ClusterHouse) -> Comparison:
    return await full_reconcile(
        house.database, await house.backend(), house.region_id, house.cast.operator, house.services.wall_clock
    )


async def planned(house: ClusterHouse) -> list[Drift]:
    return await _ours(
        house, await full_reconcile_dry_run(house.database, await house.backend(), house.region_id, house.cast.operator)
    )


async def _ours(house: ClusterHouse, compared: Comparison) -> list[Drift]:
    (ids,) = await house.cast.row("select coalesce(array_agg(id::text), '{}') from storage_account")
    return [finding for finding in compared.findings if any(one in finding.subject for one in ids)]


async def deleted(house: ClusterHouse, partner_id: UUID, account: int) -> None:
    actor = Actor(partner_id, Kind.PARTNER, Role.ADMIN, "cli")
    await house.database.run(actions.delete_account, actor, partner_id, account, 30, house.clock.now)


async def test_nothing_is_found_where_all_is_well(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    await house.business()
    await swept(house)
    assert await swept(house) == []
    assert await house.cast.row("select finished_at, checked from sweep") == (house.clock.now, 1)


async def test_what_was_changed_behind_our_back_is_put_right(cluster_house: ClusterHouse, gateway: Gateway) -> None:
    house = cluster_house
    account = (await house.business()).account
    await swept(house)
    gateway.admin("user", "modify", "--uid", uid(account), "--display-name", "Renamed", "--max-buckets", "7")
    gateway.admin("quota", "disable", "--uid", uid(account), "--quota-scope", "user")
    gateway.admin("user", "suspend", "--uid", uid(account))
    found = [Drift(f"storage account {account}", "differs in display name, max buckets, access, quota", "changed")]
    assert await planned(house) == found
    assert await planned(house) == found, "a plan changes nothing"
    assert [finding.repaired for finding in await swept(house)] == [True]
    actual = await (await house.backend()).state(account)
    assert actual is not None
    assert (actual.quota, actual.quota_exact, actual.access, actual.max_buckets) == (TB, True, Access.FULL, 100)
    assert await swept(house) == []
    assert await house.cast.row("select repaired from sweep") == (1,)


async def test_a_cluster_behind_the_database_gets_what_it_lacks(cluster_house: ClusterHouse, gateway: Gateway) -> None:
    """Put back from an older copy, or somebody has removed the account there."""
    house = cluster_house
    account = (await house.business()).account
    await swept(house)
    gateway.admin("user", "rm", "--uid", uid(account))
    assert await swept(house) == [Drift(f"storage account {account}", "is not on the cluster", "made", repaired=True)]
    assert await (await house.backend()).state(account) is not None


async def test_a_cluster_ahead_of_the_database_keeps_what_the_database_does_not_know(
    cluster_house: ClusterHouse,
) -> None:
    """The database was put back from an older copy: what was opened since holds customers' data."""
    house = cluster_house
    unknown = (await house.business()).account + 1
    await house.provide(unknown)
    whole = await everything_swept(house)
    finding = Drift(f"storage account {unknown}", "is on the cluster, and unknown here", "left")
    assert finding in whole.findings
    assert await (await house.backend()).state(unknown) is not None
    first = house.clock.now

    async def drift() -> list[tuple[str, str, str]]:
        shown = await asyncio.to_thread(Command(house.conninfo).json, "storage", "drift")
        return [(one["what"], one["foundAt"], one["comparedAt"]) for one in shown if one["subject"] == finding.subject]

    def wire(moment: datetime) -> str:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    assert await drift() == [(finding.what, wire(first), wire(first))]
    house.clock.now += timedelta(hours=6)
    await swept(house)
    assert await drift() == [(finding.what, wire(first), wire(house.clock.now))]
    await (await house.backend()).purge(unknown)
    await swept(house)
    assert await drift() == []


async def test_on_what_looks_like_another_cluster_nothing_is_done(
    cluster_house: ClusterHouse, gateway: Gateway
) -> None:
    """Whoever mistypes an address must not find everything made anew in a foreign place, and keys forgotten."""
    house = cluster_house
    business = await house.business()
    key = await house.key(business.partner)
    path = f"/ext/v1/storage-account/{business.account}/access-keys"
    await house.call("POST", path, key, json={})
    second = await house.cast.account(business.partner, 1)
    await house.work()
    backend = await house.backend()
    for account in (business.account, second):
        await backend.purge(account)
    reached = Reached(f"{gateway.address}/admin", gateway.access_key, gateway.secret_key)
    await house.database.transaction(
        connect_region, house.cast.operator, REGION, reached, house.clock(), house.key_file
    )
    assert (await house.call("POST", path, key, json={})).status_code == 503, "nobody has looked yet"
    assert await house.work() == ["provisioning.verify_identity"]
    (identity_unverified,) = await house.cast.row("select trouble from region")
    assert "Of 2 storage accounts that were made on this cluster, 0 are there" in identity_unverified
    assert identity_unverified in json.dumps((await house.call("GET", "/readyz")).json())
    await house.cast.account(business.partner, 1)
    for work in (provisioning_jobs.reconcile, access_key_jobs.clean_up, provisioning_jobs.purge_region):
        with pytest.raises(Misconfigured, match="0 are there"):
            await work(house.services, str(house.region_id))
    assert [await backend.state(account) for account in (business.account, second)] == [None] * 2
    assert len((await house.call("GET", path, key)).json()) == 1


async def test_an_account_of_another_region_is_told_as_such(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    await house.cast.region("elsewhere")
    partner = (await house.business()).partner
    account = await house.cast.account(partner, 1, region="elsewhere")
    await house.provide(account)
    finding = Drift(f"storage account {account}", "is on the cluster, and belongs to another region", "left")
    assert finding in (await everything_swept(house)).findings


async def test_keys_that_went_are_gone_here_too_and_foreign_ones_are_told(
    cluster_house: ClusterHouse, gateway: Gateway
) -> None:
    house = cluster_house
    business = await house.business()
    path = f"/ext/v1/storage-account/{business.account}/access-keys"
    key = await house.key(business.partner)
    lost, kept = [(await house.call("POST", path, key, json={})).json()["accessKey"] for _ in range(2)]
    await swept(house)
    gateway.admin("key", "rm", "--uid", uid(business.account), "--access-key", lost)
    gateway.admin("key", "create", "--uid", uid(business.account), "--access-key", "FOREIGN0FOREIGN0", "--gen-secret")
    subject = f"of storage account {business.account}"
    findings = [
        Drift(f"access key {lost} {subject}", "is not on the cluster", "forgotten"),
        Drift(f"access key FOREIGN0FOREIGN0 {subject}", "is on the cluster, and unknown here", "left"),
    ]
    assert await planned(house) == findings
    assert [finding.repaired for finding in await swept(house)] == [True, False]
    assert [one["accessKey"] for one in (await house.call("GET", path, key)).json()] == [kept]
    actual = await (await house.backend()).state(business.account)
    assert actual is not None
    assert set(actual.access_keys) == {kept, "FOREIGN0FOREIGN0"}


async def test_what_was_purged_is_purged_again(cluster_house: ClusterHouse) -> None:
    """A cluster that was put back from an older copy must not bring back what a customer has had deleted."""
    house = cluster_house
    business = await house.business()
    await deleted(house, business.partner.organisation_id, business.account)
    assert await house.cast.purge(house.clock.now, house.backends) == 0
    house.clock.now += timedelta(days=30)
    account = business.account
    assert await house.cast.purge(house.clock.now, house.backends) == 1
    await house.provide(account)
    assert await planned(house) == [Drift(f"storage account {account}", "was purged, and is on the cluster", "purged")]
    assert [finding.repaired for finding in await swept(house)] == [True]
    assert await (await house.backend()).state(account) is None


async def test_the_command_shows_the_plan_and_carries_it_out(
    cluster_house: ClusterHouse, monkeypatch: pytest.MonkeyPatch
) -> None:

    house = cluster_house
    account = (await house.business()).account
    later = await house.cast.account((await house.business()).partner, 1)
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(house.key_file))
    tonnage = Command(house.conninfo)

    async def rows(*more: str) -> dict[str, tuple[str, str, bool]]:
        printed = await asyncio.to_thread(tonnage.json, "storage", "reconcile", *more)
        assert {row["region"] for row in printed} <= {REGION}
        return {row["subject"]: (row["what"], row["action"], row["done"]) for row in printed}

    subject = f"storage account {later}"
    unknown = f"storage account {later + 1}"
    await house.provide(later + 1)
    assert (await rows("--dry-run"))[subject] == ("is not on the cluster", "made", False)
    told = (await asyncio.to_thread(tonnage.ok, "storage", "reconcile", "--dry-run")).splitlines()
    (made,) = [line for line in told if subject in line]
    assert made.rstrip().endswith("  would be made")
    (left,) = [line for line in told if unknown in line]
    assert left.rstrip().endswith("  left")
    assert (await rows("--region", REGION))[subject] == ("is not on the cluster", "made", True)
    await (await house.backend()).purge(later + 1)
    again = await rows()
    assert subject not in again
    assert f"storage account {account}" not in again
    refused = await asyncio.to_thread(tonnage.refused, "storage", "reconcile", "--region", "elsewhere")
    assert "There is no cluster behind elsewhere" in refused


async def test_the_command_goes_on_where_a_cluster_is_away(
    cluster_house: ClusterHouse, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = cluster_house
    later = await house.cast.account((await house.business()).partner, 1)
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(house.key_file))
    tonnage = Command(house.conninfo)
    where = ("--s3-url", gateway.address, "--iam-url", gateway.address, "--sts-url", gateway.address)
    for name, address in (("dead", "http://127.0.0.1:1"), ("last", gateway.address)):
        add = ("region", "add", name, *where, "--ceph-admin-url", address)
        await asyncio.to_thread(tonnage.ok, *add, stdin=f"{gateway.access_key} {gateway.secret_key}")
    result = await asyncio.to_thread(tonnage, "storage", "reconcile", "--json")
    assert result.exit_code == 1
    row = {"region": REGION, "subject": f"storage account {later}", "what": "is not on the cluster"}
    assert {**row, "action": "made", "done": True} in json.loads(result.stdout)
    *_, counted, away = result.stderr.splitlines()
    assert counted.startswith("2 storage accounts compared, ")
    assert away.startswith("dead: The storage cluster cannot be reached")
    query = "select array_agg(r.name order by r.id) from sweep s join region r on r.id = s.region_id"
    assert await house.cast.row(f"{query} where s.finished_at is not null") == ([REGION, "last"],)
