"""What a cluster has and the database has not is decided one by one."""

import asyncio
import uuid
from dataclasses import dataclass, replace
from typing import Any

import pytest

from testbed.gateway import Gateway
from tests.access_keys.keys import create_key, list_keys
from tests.api.conftest import AccountData
from tests.cast import TB
from tests.ceph_client import REGION, ClusterClient
from tests.cli.command import Command
from tests.unchanged import assert_same, snapshot
from tonnage.drift.resolution import Resolution, Step, from_cluster
from tonnage.provisioning.drift_actions import full_reconcile
from tonnage.provisioning.quota import Pool, Share
from tonnage.provisioning.state import ProvisioningState
from tonnage.storage.backend import Access, ActualAccount, ClusterUser, DesiredAccount
from tonnage.storage.ceph_account import uid

STATE = ProvisioningState(
    account_id=123_456_789_012,
    desired_revision=1,
    applied_revision=1,
    apply_attempts=1,
    refused=False,
    applied_quota=5,
    name="Customer",
    email="a@customer.example",
    suspended=False,
    due=None,
    share=Share(allocated=5, overdraft=False, used=0),
    pool=Pool(allocated=10, overdraft=False, allocated_to_accounts=5, excess=0),
)
ACTUAL = ActualAccount("Customer", "a@customer.example", 100, 5, True, Access.FULL, ())


def here(**changes: Any) -> ProvisioningState:
    share = {name: changes.pop(name) for name in ("allocated", "overdraft", "leaving") if name in changes}
    return replace(STATE, share=replace(STATE.share, **share), **changes)


def there(**changes: Any) -> ActualAccount:
    return replace(ACTUAL, **changes)


STOPPED = {"quota": 0}


@pytest.mark.parametrize(
    ("state", "actual", "steps"),
    [
        (here(), there(), {}),
        (here(), there(display_name="Newer"), {"display name": [Step.RENAME]}),
        (here(), there(quota=7), {"quota": [Step.RESIZE]}),
        (here(), there(access=Access.SUSPENDED, **STOPPED), {"access": [Step.SUSPEND], "quota": []}),
        (here(), there(access=Access.READ_ONLY, **STOPPED), {"access": [Step.DELETE], "quota": []}),
        (here(suspended=True), there(), {"access": [Step.RESUME], "quota": []}),
        (here(suspended=True), there(quota=9), {"access": [Step.RESUME], "quota": [Step.RESIZE]}),
        (here(leaving=True), there(), {"access": [Step.RESTORE], "quota": []}),
        (here(leaving=True, suspended=True), there(), {"access": [Step.RESTORE, Step.RESUME], "quota": []}),
        (here(leaving=True), there(access=Access.SUSPENDED, **STOPPED), {"access": [Step.SUSPEND]}),
        (here(suspended=True), there(access=Access.READ_ONLY, **STOPPED), {"access": [Step.RESUME, Step.DELETE]}),
        (here(leaving=True, suspended=True), there(access=Access.READ_ONLY, **STOPPED), {"access": [Step.RESUME]}),
        (here(), None, {"account": [Step.DELETE]}),
    ],
)
def test_what_the_cluster_has_is_taken_over(
    state: ProvisioningState, actual: ActualAccount | None, steps: dict[str, list[Step]]
) -> None:
    resolved = from_cluster(state, actual)
    assert {one.difference.name: list(one.steps) for one in resolved} == steps
    assert [one.left for one in resolved] == [None] * len(steps)


@pytest.mark.parametrize(
    ("state", "actual"),
    [
        (here(leaving=True), None),
        (here(), there(email="b@customer.example")),
        (here(), there(max_buckets=7)),
        (here(), there(access=None)),
        (here(), there(quota=None)),
        (here(), there(quota=0)),
        (here(), there(quota=7, quota_exact=False)),
        (here(overdraft=True), there(quota=7)),
        (here(allocated=0), there(quota=7)),
        (here(), there(display_name=" padded ")),
        (here(), there(display_name="a\nb")),
        (here(), there(display_name="x" * 201)),
        (here(), there(display_name="")),
    ],
)
def test_what_is_not_taken_over_is_left(state: ProvisioningState, actual: ActualAccount | None) -> None:
    (resolved,) = from_cluster(state, actual)
    assert (resolved.steps, bool(resolved.left)) == ((), True)
    assert isinstance(resolved, Resolution)


@dataclass
class Decisions:
    client: ClusterClient
    account: AccountData
    tonnage: Command

    async def resolve(self, *arguments: str) -> dict[str, str]:
        """The decisions about the account, by what differs."""
        command = ["storage", "resolve", str(self.account.account), *arguments]
        found = await asyncio.to_thread(self.tonnage.json, *command)
        return {one["what"]: one["decision"] for one in found}

    async def refused(self, *arguments: str) -> str:
        before = await self.client.database.run(snapshot)
        result = await asyncio.to_thread(self.tonnage, "storage", "resolve", *arguments)
        assert result.exit_code == 1, result.output
        assert_same(before, await self.client.database.run(snapshot))
        return result.stderr

    async def compare(self) -> list[str]:
        """The drift that a full reconcile leaves about the account."""
        client = self.client
        backend, operator = await client.backend(), client.cast.operator
        permitted = await client.permit_changes()
        await full_reconcile(
            client.database, backend, client.region_id, operator, client.services.wall_clock, permitted
        )
        shown = await asyncio.to_thread(self.tonnage.json, "storage", "drift", "--region", REGION)
        return [one["subject"] for one in shown if str(self.account.account) in one["subject"]]

    async def facts(self) -> tuple[Any, ...]:
        return await self.client.cast.row(
            """
            select name, allocated_capacity, suspension_reason, pending_deleted_at is not null
            from storage_account where id = %s
            """,
            self.account.account,
        )

    def by_hand(self, *arguments: str) -> None:
        self.client.gateway.admin(*arguments, "--uid", uid(self.account.account))

    @property
    def gateway(self) -> Gateway:
        return self.client.gateway

    async def actual(self) -> ActualAccount:
        actual = await (await self.client.backend()).state(ClusterUser(self.account.account))
        assert actual is not None
        return actual


@pytest.fixture
async def data(client: ClusterClient, monkeypatch: pytest.MonkeyPatch) -> Decisions:
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(client.key_file))
    account = await client.data()
    await client.work()
    return Decisions(client, account, Command(client.conninfo))


async def newer_on_the_cluster(data: Decisions) -> None:
    """The database is a backup: since then the account was renamed, and got 3 TB."""
    email = (await data.actual()).email
    await (await data.client.backend()).apply(DesiredAccount(data.account.account, "Newer", email, 3 * TB))


@pytest.mark.anyio
@pytest.mark.ceph
async def test_the_clusters_state_is_written_here_and_stays(data: Decisions) -> None:
    await newer_on_the_cluster(data)
    before = await data.client.database.run(snapshot)
    planned = await data.resolve("--use", "cluster", "--dry-run")
    assert planned == {"display name": "would be taken over", "quota": "would be taken over"}
    assert_same(before, await data.client.database.run(snapshot))
    assert await data.resolve("--use", "cluster") == {"display name": "taken over", "quota": "taken over"}
    assert await data.facts() == ("Newer", 3 * TB, None, False)
    await data.client.work()
    assert ((await data.actual()).display_name, (await data.actual()).quota) == ("Newer", 3 * TB)
    assert (await data.compare(), await data.resolve("--use", "cluster")) == ([], {})
    assert await data.client.cast.row("select after, actor_kind from audit_entry where action = 'account.resolve'") == (
        {"use": "cluster", "differences": ["display name", "quota"]},
        "cli",
    )


@pytest.mark.anyio
@pytest.mark.ceph
async def test_the_databases_state_is_applied(data: Decisions) -> None:
    name, *_ = await data.facts()
    await newer_on_the_cluster(data)
    planned = await data.resolve("--use", "database", "--dry-run")
    assert planned == {"display name": "would be applied to the cluster", "quota": "would be applied to the cluster"}
    assert (await data.client.work(), (await data.actual()).quota) == ([], 3 * TB)
    assert set((await data.resolve("--use", "database")).values()) == {"applied to the cluster"}
    await data.client.work()
    assert ((await data.actual()).display_name, (await data.actual()).quota) == (name, TB)
    assert await data.facts() == (name, TB, None, False)


@pytest.mark.anyio
@pytest.mark.ceph
async def test_suspension_and_deletion_follow_the_cluster(data: Decisions) -> None:
    backend, (name, *_) = await data.client.backend(), await data.facts()
    actual = await data.actual()
    for access, reason, leaving in (
        (Access.SUSPENDED, "Suspended on the storage cluster", False),
        (Access.READ_ONLY, None, True),
        (Access.FULL, None, False),
    ):
        await backend.apply(DesiredAccount(data.account.account, name, actual.email, TB, access))
        assert set((await data.resolve("--use", "cluster")).values()) == {"taken over"}
        assert await data.facts() == (name, TB, reason, leaving)
        await data.client.work()
        assert (await data.actual()).access is access
        assert await data.compare() == []


@pytest.mark.anyio
@pytest.mark.ceph
async def test_a_quota_that_does_not_fit_is_refused_with_the_figures(data: Decisions) -> None:
    name, *_ = await data.facts()
    email = (await data.actual()).email
    await (await data.client.backend()).apply(DesiredAccount(data.account.account, name, email, 11 * TB))
    for flags in (["--dry-run"], []):
        assert "the partner has 10 TB" in await data.refused(str(data.account.account), "--use", "cluster", *flags)
    assert "is not in the database" in await data.refused("999999999999", "--use", "cluster")
    assert "There is no storage account" in await data.refused("nobody", "--use", "database")


@pytest.mark.anyio
@pytest.mark.ceph
async def test_what_cannot_be_taken_over_is_said_and_stays_drift(data: Decisions) -> None:
    data.by_hand("user", "modify", "--max-buckets", "7")
    subject, recorded = f"storage account {data.account.account}", "select count(*) from drift where subject = %s"
    await data.client.database.run(_add_drift, data.client.region_id, subject)
    assert await data.resolve("--use", "cluster") == {"max buckets": "left: only the database decides it"}
    assert await data.client.cast.row(recorded, subject) == (1,)
    assert await data.resolve("--use", "database") == {"max buckets": "applied to the cluster"}
    assert await data.client.cast.row(recorded, subject) == (0,)


async def _add_drift(conn: Any, region_id: int, subject: str) -> None:
    await conn.execute("insert into drift values (%s, %s, 'differs', now())", [region_id, subject])


@pytest.mark.anyio
@pytest.mark.ceph
async def test_an_account_missing_on_the_cluster(data: Decisions) -> None:
    data.by_hand("user", "rm")
    assert await data.resolve("--use", "cluster", "--dry-run") == {"account": "would be taken over"}
    assert await data.resolve("--use", "database") == {"account": "applied to the cluster"}
    await data.client.work()
    assert (await data.actual()).access is Access.FULL
    data.by_hand("user", "rm")
    assert await data.resolve("--use", "cluster") == {"account": "taken over"}
    assert (await data.facts())[-1] is True, "scheduled for deletion"


@pytest.mark.anyio
@pytest.mark.ceph
async def test_keys_that_are_on_one_side_only(data: Decisions) -> None:
    made = (await create_key(data.client, data.account))["accessKey"]
    kept, gone = [f"by-hand.{uuid.uuid4().hex}" for _ in range(2)]
    for key in (kept, gone):
        data.by_hand("key", "create", "--gen-secret", "--access-key", key)
    assert len(await data.compare()) == 2
    assert await data.resolve("--key", kept, "--use", "cluster", "--dry-run") == {"access key": "would be accepted"}
    assert len(await data.compare()) == 2
    assert await data.resolve("--key", kept, "--use", "cluster") == {"access key": "accepted"}
    assert await data.resolve("--key", gone, "--use", "database") == {"access key": "deleted on the cluster"}
    listed = [(one["accessKey"], one.get("madeHere")) for one in await list_keys(data.client, data.account)]
    assert (listed, await data.compare()) == ([(made, None), (kept, False)], [])
    account = str(data.account.account)
    assert "nothing to decide" in await data.refused(account, "--key", made, "--use", "database")
    assert "no such access key" in await data.refused(account, "--key", gone, "--use", "cluster")
    data.by_hand("key", "rm", "--access-key", made)
    assert "nobody else has its secret" in await data.refused(account, "--key", made, "--use", "database")
    assert await data.resolve("--key", made, "--use", "cluster") == {"access key": "removed here"}
    assert [one["accessKey"] for one in await list_keys(data.client, data.account)] == [kept]
