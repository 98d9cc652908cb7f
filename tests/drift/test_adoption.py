"""Users of a cluster become storage accounts: customers from before Tonnage, and accounts that a database lacks."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from testbed.gateway import Gateway
from tests.cast import TB
from tests.ceph_client import REGION, ClusterClient
from tests.cli.command import Command
from tests.roles import as_owner, url_of
from tests.storage.customer import Customer
from tests.unchanged import assert_same, snapshot
from tonnage.access.actor import Actor, Role
from tonnage.metering import traffic_actions
from tonnage.metering.sampling_actions import sample_region
from tonnage.provisioning.drift import Drift
from tonnage.provisioning.drift_actions import full_reconcile, identity_problem
from tonnage.storage.backend import Access, AccessKey, ClusterUser
from tonnage.storage.ceph_account import uid as named_by_tonnage

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


@dataclass
class Existing:
    """A user of the cluster, made by its administrator, with three objects of 1,000 bytes in a bucket."""

    gateway: Gateway
    uid: str
    key: AccessKey

    def customer(self) -> Customer:
        return Customer(self.gateway, self.key)


def existing(gateway: Gateway, *options: str, tenant: str = "") -> Existing:
    name = f"user {uuid.uuid4().hex[:12]}&ü"
    uid = f"{tenant}${name}" if tenant else name
    key = AccessKey(f"by-hand.{uuid.uuid4().hex[:12]}", "secret of a customer")
    keys = ("--access-key", key.access_key, "--secret-key", key.secret_key)
    gateway.admin("user", "create", "--uid", uid, "--display-name", "Old name", *keys, *options)
    with Customer(gateway, key) as customer:
        bucket = f"data{uuid.uuid4().hex[:8]}"
        customer.s3.create_bucket(Bucket=bucket)
        for number in range(3):
            customer.s3.put_object(Bucket=bucket, Key=f"object {number}", Body=b"x" * 1000)
    return Existing(gateway, uid, key)


@dataclass
class PartnerOnCluster:
    client: ClusterClient
    partner: Actor
    tonnage: Command

    def options(self, user: str, **more: str) -> list[str]:
        options = {
            "region": REGION,
            "partner": str(self.partner.organisation_id),
            "name": "Customer Ltd",
            "email": f"{uuid.uuid4().hex}@customer.example",
            "allocated": "10KB",
        } | more
        return ["storage", "adopt", user, *(part for name in options for part in (f"--{name}", options[name]))]

    async def adopt(self, user: str, *flags: str, **more: str) -> dict[str, Any]:
        return await asyncio.to_thread(self.tonnage.json, *self.options(user, **more), *flags)

    async def refused(self, user: str, *flags: str, **more: str) -> str:
        """The sentence of the refusal, which has changed nothing."""
        before = await self.client.database.run(snapshot)
        sentence = await asyncio.to_thread(self.tonnage.refused, *self.options(user, **more), *flags)
        assert_same(before, await self.client.database.run(snapshot))
        return sentence

    async def unknown(self, *flags: str) -> dict[str, dict[str, Any]]:
        found = await asyncio.to_thread(self.tonnage.json, "storage", "unknown", *flags)
        return {one["user"]: one for one in found}

    async def drift(self, *words: str) -> list[Drift]:
        client = self.client
        backend, operator = await client.backend(), client.cast.operator
        permitted = await client.permit_changes()
        whole = await full_reconcile(
            client.database, backend, client.region_id, operator, client.services.wall_clock, permitted
        )
        return [one for one in whole.findings if any(word in one.subject for word in words)]

    async def forget(self, account: int) -> None:
        """The database is that of a backup from before the account was created."""

        async with await psycopg.AsyncConnection.connect(as_owner(url_of(self.client.database))) as conn:
            await conn.execute("set session_replication_role = replica")
            for table, column in (
                ("access_key", "account_id"),
                ("account_terms", "account_id"),
                ("account_usage", "account_id"),
                ("storage_account", "id"),
            ):
                await conn.execute(f"delete from {table} where {column} = %s".encode(), [account])
            await conn.execute("update partner set allocated_to_accounts = 0, account_count = 0, used = 0")


@pytest.fixture
async def data(client: ClusterClient, monkeypatch: pytest.MonkeyPatch) -> PartnerOnCluster:
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(client.key_file))
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor), 10 * TB)
    return PartnerOnCluster(client, partner, Command(client.conninfo))


async def owned(data: PartnerOnCluster, account: str, method: str = "GET", path: str = "", **body: Any) -> Any:
    key = await data.client.key(data.partner, Role.ADMIN)
    answer = await data.client.call(method, f"/ext/v1/storage-account/{account}{path}", key, **body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def test_an_existing_user_becomes_an_account_with_all_its_data(data: PartnerOnCluster) -> None:
    client, user = data.client, existing(data.client.gateway, "--max-buckets", "7")
    listed = (await data.unknown())[user.uid]
    assert (listed["bytes"], listed["objects"], listed["buckets"]) == (3000, 3, None)
    assert (listed["accessKeys"], listed["account"]) == ([user.key.access_key], None)
    made = await data.adopt(user.uid)
    account = made["clientAccountId"]
    assert (len(account), made["adopted"], made["state"]) == (12, True, "active")
    with user.customer() as customer:
        assert customer.attempt("list_buckets") == "done", "the key still works"
        await client.work()
        (bucket,) = customer.s3.list_buckets()["Buckets"]
        listed = customer.s3.list_objects_v2(Bucket=bucket["Name"])["Contents"]
        assert [(one["Key"], one["Size"]) for one in listed] == [(f"object {n}", 1000) for n in range(3)]
        assert customer.stores(bucket["Name"], 6_000) == "done"
        assert customer.stores(bucket["Name"], 2_000, "more") == "QuotaExceeded", "its quota is enforced"
    assert await data.drift(account, user.uid, user.key.access_key) == []
    assert (await owned(data, account))["provisioning"] == "done"
    (key,) = await owned(data, account, path="/access-keys")
    assert key.pop("createdAt")
    assert key == {"accessKey": user.key.access_key, "status": "active", "madeHere": False}
    assert user.uid not in await data.unknown("--all")


async def test_its_use_is_sampled_and_its_keys_are_managed(data: PartnerOnCluster) -> None:
    client, user = data.client, existing(data.client.gateway)
    account = (await data.adopt(user.uid))["clientAccountId"]
    await client.work()
    client.clock.now = (await client.cast.row("select created_at from storage_account"))[0] + timedelta(hours=1)
    await sample_region(
        client.database, await client.backend(), client.region_id, client.services.business_clock, client.permit_changes
    )
    shown = await owned(data, account)
    assert (shown["used"], shown["objects"]) == (3000, 3)
    made = await owned(data, account, "POST", "/access-keys", json={})
    with Customer(client.gateway, AccessKey(made["accessKey"], made["secretKey"])) as customer:
        assert len(customer.s3.list_buckets()["Buckets"]) == 1, "it is the same user"
    await owned(data, account, "DELETE", f"/access-keys/{user.key.access_key}")
    with user.customer() as customer:
        assert customer.attempt("list_buckets") == "InvalidAccessKeyId"
    assert [one["accessKey"] for one in await owned(data, account, path="/access-keys")] == [made["accessKey"]]
    assert await data.drift(account) == []


async def test_its_traffic_is_read_and_trimmed(data: PartnerOnCluster) -> None:
    client, user = data.client, existing(data.client.gateway)
    account = int((await data.adopt(user.uid))["clientAccountId"])
    hour = timedelta(hours=1)
    async with asyncio.timeout(30):
        # The gateway writes its log with a delay, and in parts: of a bucket and three objects.
        while await _requests(data, account) < 4:
            await traffic_actions.read(client.database, await client.backend(), client.region_id, utc_now() + hour)
            await client.cast.row("update region set traffic_read_to = null returning id")
    backend = await client.backend()
    await backend.trim_traffic(ClusterUser(account, user.uid), utc_now() + hour)
    since = utc_now() - hour
    assert [
        row async for row in backend.traffic(since, utc_now() + hour, {user.uid: account}) if row.account_id == account
    ] == []


async def _requests(data: PartnerOnCluster, account: int) -> int:
    query = "select coalesce(sum(requests), 0)::integer from daily_traffic where account_id = %s"
    return (await data.client.cast.row(query, account))[0]


def utc_now() -> datetime:
    return datetime.now(UTC)


async def test_it_is_suspended_resumed_and_purged_like_others(data: PartnerOnCluster) -> None:
    client, user = data.client, existing(data.client.gateway)
    account = (await data.adopt(user.uid))["clientAccountId"]
    await client.work()
    with user.customer() as customer:
        await owned(data, account, "PUT", "/suspension", json={"reason": "Unpaid"})
        await client.work()
        assert customer.attempt("list_buckets") == "UserSuspended"
        await owned(data, account, "DELETE", "/suspension")
        await client.work()
        assert customer.attempt("list_buckets") == "done"
    client.clock.now = (await client.cast.row("select created_at from storage_account"))[0]
    key = await client.key(data.partner, Role.ADMIN)
    assert (await client.call("DELETE", f"/v1/storage-account/{account}", key)).status_code == 204
    await client.work()
    assert await client.cast.purge(client.clock.now + timedelta(days=31), client.backends) == 1
    backend = await client.backend()
    assert await backend.state(ClusterUser(int(account), user.uid)) is None
    assert await data.drift(account) == []
    # A new user with the same id is another one: it is not purged again, and can be adopted.
    client.gateway.admin("user", "create", "--uid", user.uid, "--display-name", "Namesake")
    assert await data.drift(account, user.uid) == []
    assert await backend.state(ClusterUser(int(account), user.uid)) is not None
    assert (await data.adopt(user.uid))["clientAccountId"] != account


async def test_an_account_that_the_database_has_lost_keeps_its_number_and_tenant(data: PartnerOnCluster) -> None:
    client = data.client
    account = await client.cast.account(data.partner, TB)
    await client.work()
    made = await owned(data, str(account), "POST", "/access-keys", json={})
    await data.forget(account)
    assert [one.description for one in await data.drift(str(account))] == ["is on the cluster, but not in the database"]
    listed = (await data.unknown())[named_by_tonnage(account)]
    assert (listed["account"], listed["accessKeys"]) == (str(account), [made["accessKey"]])
    adopted = await data.adopt(named_by_tonnage(account), allocated="1TB")
    assert adopted["clientAccountId"] == str(account)
    recorded = "select count(*) from drift where subject = %s"
    assert await client.cast.row(recorded, f"storage account {account}") == (0,), "it is decided"
    assert {one["what"] for one in adopted["changes"]} == {"display name", "e-mail"}
    assert await client.cast.row("select cluster_user from storage_account") == (None,)
    await client.work()
    assert await data.drift(str(account)) == []


async def test_a_dry_run_shows_it_all_and_changes_nothing(data: PartnerOnCluster) -> None:
    client, user = data.client, existing(data.client.gateway, "--max-buckets", "7")
    await client.work()
    before = await client.database.run(snapshot)
    plan = await data.adopt(user.uid, "--dry-run", email="ann@customer.example")
    assert_same(before, await client.database.run(snapshot))
    assert (plan["clientAccountId"], plan["adopted"]) == (None, False)
    assert (plan["name"], plan["allocatedCapacity"], plan["accessKeys"]) == (
        "Customer Ltd",
        10_000,
        [user.key.access_key],
    )
    assert plan["changes"] == [
        {"what": "display name", "from": "Old name", "to": "Customer Ltd"},
        {"what": "e-mail", "from": "", "to": "ann@customer.example"},
        {"what": "max buckets", "from": "7", "to": "100"},
        {"what": "quota", "from": "none, not exact", "to": "10 KB"},
    ]
    assert await client.work() == []
    shown = await asyncio.to_thread(data.tonnage.ok, *data.options(user.uid), "--dry-run")
    assert "display name: Old name -> Customer Ltd" in shown
    actual = await (await client.backend()).state(ClusterUser(0, user.uid))
    assert (actual and actual.display_name) == "Old name"


async def test_suspended_and_leaving_users_stay_so(data: PartnerOnCluster) -> None:
    client, user = data.client, existing(data.client.gateway)
    client.gateway.admin("user", "suspend", "--uid", user.uid)
    suspended = await data.adopt(user.uid)
    leaving = await client.cast.account(data.partner, TB)
    key = await client.key(data.partner, Role.ADMIN)
    await client.call("DELETE", f"/v1/storage-account/{leaving}", key)
    await client.work()
    await data.forget(leaving)
    plan = await data.adopt(named_by_tonnage(leaving), allocated="1TB")
    assert (suspended["state"], plan["state"]) == ("suspended", "waiting for deletion")
    await client.work()
    shown = await owned(data, suspended["clientAccountId"])
    assert shown["suspension"]["reason"] == "Suspended on the storage cluster"
    assert (await owned(data, str(leaving)))["pendingDeletedAt"] > "2026"
    backend = await client.backend()
    states = [
        await backend.state(ClusterUser(int(suspended["clientAccountId"]), user.uid)),
        await backend.state(ClusterUser(leaving)),
    ]
    assert [one and one.access for one in states] == [Access.SUSPENDED, Access.READ_ONLY]


async def test_what_cannot_be_an_account(data: PartnerOnCluster) -> None:
    gateway = data.client.gateway
    capable = existing(gateway, "--caps", "buckets=read").uid
    system, restricted, with_subuser = [existing(gateway).uid for _ in range(3)]
    gateway.admin("user", "modify", "--uid", system, "--system")
    gateway.admin("user", "modify", "--uid", restricted, "--op-mask", "read,delete")
    gateway.admin("subuser", "create", "--uid", with_subuser, "--subuser", "ro", "--access", "read")
    shown, every = await data.unknown(), await data.unknown("--all")
    (own,) = [uid for uid, one in every.items() if data.client.admin.access_key in one["accessKeys"]]
    reasons = {
        own: "Tonnage itself uses it.",
        capable: "capabilities for the admin API",
        system: "system or admin user",
        restricted: "its op-mask is read, delete",
        with_subuser: "subusers",
    }
    for uid, reason in reasons.items():
        assert reason in await data.refused(uid)
        assert (uid in shown, reason in " ".join(every[uid]["obstacles"])) == (False, True)
    assert "There is no user nobody on the cluster of the region on-ceph." in await data.refused("nobody")
    account = await data.client.cast.account(data.partner, 1)
    await data.client.work()
    assert "is a storage account already" in await data.refused(named_by_tonnage(account))


async def test_a_user_has_one_id_only(data: PartnerOnCluster) -> None:
    """Ceph finds a user by other spellings too, under which it would be adopted, and purged, a second time."""
    user = existing(data.client.gateway).uid
    account = await data.client.cast.account(data.partner, 1)
    await data.client.work()
    own = named_by_tonnage(account)
    for uid in ("", f"${user}", f"$${user}", own.replace("$", "$$")):
        assert f"There is no user {uid} on" in await data.refused(uid)
    assert {user, own} & set(await data.unknown("--all")) == {user}


async def test_it_is_a_creation_under_the_rules_of_capacity(data: PartnerOnCluster) -> None:
    user = existing(data.client.gateway)
    assert "the partner has 10 TB" in await data.refused(user.uid, allocated="11TB")
    assert "Not enough capacity" in await data.refused(user.uid, "--dry-run", allocated="11TB")


async def test_addresses_are_unique_here_and_on_the_cluster(data: PartnerOnCluster) -> None:
    email = f"{uuid.uuid4().hex}@customer.example"
    other = existing(data.client.gateway, "--email", email)
    user = existing(data.client.gateway)
    for flags in (["--dry-run"], []):
        sentence = await data.refused(user.uid, *flags, email=email.upper())
        assert f"The user {other.uid} of the cluster has the e-mail address" in sentence
    made = await data.adopt(other.uid, email=email.upper())
    assert "e-mail" not in {one["what"] for one in made["changes"]}, "it is its own"
    await data.client.cast.account(data.partner, 1)
    (email,) = await data.client.cast.row("select contact_email from storage_account order by seq desc limit 1")
    assert "cannot be used for a new storage account" in await data.refused(user.uid, email=email)


async def test_a_user_is_adopted_once(data: PartnerOnCluster) -> None:
    user = existing(data.client.gateway, tenant=f"tenant{uuid.uuid4().hex[:8]}")
    commands = [asyncio.to_thread(data.tonnage, *data.options(user.uid)) for _ in range(3)]
    results = [(await one) for one in commands]
    assert sorted(one.exit_code for one in results) == [0, 1, 1]
    assert "is a storage account already" in next(one.stderr for one in results if one.exit_code)
    assert await data.client.cast.row("select count(*) from storage_account") == (1,)
    await data.client.work()
    assert await identity_problem(data.client.database, await data.client.backend(), data.client.region_id) is None


async def test_what_is_asked_for_is_prompted(data: PartnerOnCluster) -> None:
    user = existing(data.client.gateway)
    lines = [str(data.partner.organisation_id), "Customer Ltd", f"{uuid.uuid4().hex}@c.example", "0", "Secret-123", ""]
    result = await asyncio.to_thread(
        data.tonnage, "storage", "adopt", user.uid, "--region", REGION, "--password", stdin="\n".join(lines)
    )
    assert result.exit_code == 0, result.output
    hashed, allocated = await data.client.cast.row("select password_hash, allocated_capacity from storage_account")
    assert (hashed.startswith("$argon2id$"), allocated) == (True, 0)
    assert await data.client.services.passwords.verify(hashed, "Secret-123")


async def test_it_is_audited_without_names(data: PartnerOnCluster) -> None:
    user = existing(data.client.gateway)
    account = (await data.adopt(user.uid))["clientAccountId"]
    entries = await data.client.cast.row(
        """
        select array_agg(action order by id), jsonb_agg(after order by id)->-1, bool_or(after::text like %s)
        from audit_entry where subject_id = %s
        """,
        f"%{user.uid}%",
        account,
    )
    facts = {"region": REGION, "used": 3000, "objects": 3, "accessKeys": 1, "revision": 1}
    assert entries == (["account.create", "account.adopt"], facts, False)
