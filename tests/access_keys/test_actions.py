"""Access keys through the API, on a real gateway."""

import asyncio
import logging

import pytest

from tests.access_keys.keys import create_key, delete_key, keys_path, list_keys, refused_changes
from tests.api.conftest import AccountData
from tests.cast import TB
from tests.ceph_client import ClusterClient
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import new_access_key
from tonnage.provisioning import purge_queries
from tonnage.storage.backend import MAX_ACCESS_KEYS, ClusterUser

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


async def insert_keys(client: ClusterClient, count: int, data: AccountData) -> None:
    """Inserts `count` keys of the account that no cluster has."""
    for _ in range(count):
        await client.database.run(access_key_queries.insert_key, data.account, new_access_key(), None, client.clock.now)


async def test_a_rotation_has_no_gap(client: ClusterClient) -> None:
    data = await client.data()
    assert await list_keys(client, data) == []
    old = await create_key(client, data, description="  Büro 😀 ")
    assert set(old) == {"accessKey", "secretKey", "description", "createdAt"}
    assert (old["description"], old["createdAt"]) == ("Büro 😀", "2026-03-15T12:00:00Z")
    with client.customer(old["accessKey"], old["secretKey"]) as before:
        before.s3.create_bucket(Bucket="data")
        assert before.stores("data", 10) == "done"
        new = await create_key(client, data)
        assert set(new) == {"accessKey", "secretKey", "createdAt"}
        with client.customer(new["accessKey"], new["secretKey"]) as after:
            assert [one.stores("data", 10) for one in (before, after)] == ["done", "done"]
            assert await delete_key(client, data, old["accessKey"]) == 204
            assert [one.stores("data", 10) for one in (before, after)] == ["InvalidAccessKeyId", "done"]
    shown = {"accessKey": new["accessKey"], "createdAt": "2026-03-15T12:00:00Z", "status": "active"}
    assert await list_keys(client, data) == [shown]
    assert await delete_key(client, data, old["accessKey"]) == 404


async def test_a_distributor_does_it_for_its_partner(client: ClusterClient) -> None:
    data = await client.data()
    key = await client.key(data.distributor)
    path = f"/ext/v1/partner/{data.partner.organisation_id}/storage-accounts/{data.account}/access-keys"
    made = await client.call("POST", path, key, json={"description": "From above"})
    assert made.status_code == 201
    (shown,) = (await client.call("GET", path, key)).json()
    assert shown == {**{k: v for k, v in made.json().items() if k != "secretKey"}, "status": "active"}
    assert await list_keys(client, data) == [shown]
    with client.customer(made.json()["accessKey"], made.json()["secretKey"]) as customer:
        assert customer.attempt("list_buckets") == "done"
    assert (await client.call("DELETE", f"{path}/{shown['accessKey']}", key)).status_code == 204
    assert await (await client.backend()).keys(ClusterUser(data.account)) == ()


async def test_at_most_ten_keys_at_a_time(client: ClusterClient) -> None:
    data = await client.data()
    made = [(await create_key(client, data))["accessKey"] for _ in range(MAX_ACCESS_KEYS)]
    assert [one["accessKey"] for one in await list_keys(client, data)] == made
    refused = await client.call("POST", keys_path(data), await client.key(data.partner), json={})
    assert refused.status_code == 409
    assert refused.json()["detail"] == "The account has 10 access keys and the limit is 10. Delete one first."
    assert sorted(await (await client.backend()).keys(ClusterUser(data.account))) == sorted(made)
    assert await delete_key(client, data, made[3]) == 204
    await create_key(client, data)


async def test_of_two_concurrent_creations_at_nine_keys_one_succeeds(client: ClusterClient) -> None:
    data = await client.data()
    await insert_keys(client, MAX_ACCESS_KEYS - 1, data)
    key = await client.key(data.partner)
    answers = await asyncio.gather(*(client.call("POST", keys_path(data), key, json={}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 503, 503, 503]
    assert len(await (await client.backend()).keys(ClusterUser(data.account))) == 1
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert "being created or deleted" in refused.json()["detail"]


async def test_the_second_creation_at_nine_keys_waits_and_counts_again(client: ClusterClient) -> None:
    data = await client.data()
    await insert_keys(client, MAX_ACCESS_KEYS - 1, data)
    owner, key = data.partner.organisation_id, await client.key(data.partner)
    async with client.database.pool.connection() as conn:
        async with conn.transaction():
            home = await access_key_queries.lock_account(conn, owner, owner, data.account)
            assert (home and home.keys) == MAX_ACCESS_KEYS - 1
            await access_key_queries.insert_key(conn, data.account, new_access_key(), None, client.clock.now)
            asking = asyncio.create_task(client.call("POST", keys_path(data), key, json={}))
            blocked = "select count(*) from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
            async with asyncio.timeout(30):
                while await client.cast.row(blocked, conn.info.backend_pid) == (0,):
                    assert not asking.done()
        assert (await asking).status_code == 503


async def test_concurrent_deletions_of_one_key(client: ClusterClient) -> None:
    data = await client.data()
    made = await create_key(client, data)
    ended = await asyncio.gather(*(delete_key(client, data, made["accessKey"]) for _ in range(3)))
    assert set(ended) <= {204, 404}
    assert 204 in ended
    assert await list_keys(client, data) == []
    audited = await client.cast.row(
        """
        select count(*), count(distinct subject_id) from audit_entry
        where action = 'account.delete-key' and before->>'accessKey' = %s
        """,
        made["accessKey"],
    )
    assert audited == (1, 1)


async def test_the_audit_log_has_the_key_id_and_not_the_secret(client: ClusterClient) -> None:
    data = await client.data()
    made = await create_key(client, data, description="secret of Ann")
    await delete_key(client, data, made["accessKey"])
    (entries,) = await client.cast.row(
        """
        select jsonb_agg(jsonb_build_array(action, organisation_id, subject_id, before, after, actor_kind)
            order by id)
        from audit_entry where action like 'account.%%-key'
        """
    )
    subject = [str(data.partner.organisation_id), str(data.account)]
    named = {"accessKey": made["accessKey"]}
    assert entries == [
        ["account.create-key", *subject, None, named, "key"],
        ["account.delete-key", *subject, named, None, "key"],
    ]


async def test_somebody_elses_key_is_not_found(client: ClusterClient) -> None:
    data = await client.data()
    made = await create_key(client, data)
    sibling = await client.cast.account(data.partner, 0)
    key = await client.key(data.partner)
    unknown = [(sibling, made["accessKey"]), (data.account, "A" * 20), (data.account, "%00" + "A" * 20)]
    for account, access_key in (*unknown, (data.account, made["secretKey"])):
        answer = await client.call("DELETE", f"{keys_path(data, account)}/{access_key}", key)
        assert answer.status_code == 404, access_key
        assert "has no such access key" in answer.json()["detail"]
        assert made["secretKey"] not in answer.text
    for account in ("123", "999999999999", "x" * 12):
        path = f"/ext/v1/storage-account/{account}/access-keys"
        assert (await client.call("GET", path, key)).status_code == 404
        assert (
            await refused_changes(client, path, "A" * 20, key) == [(404, f"There is no storage account {account}.")] * 2
        )
    assert [one["accessKey"] for one in await list_keys(client, data)] == [made["accessKey"]]


async def test_a_description_that_breaks_a_rule(client: ClusterClient) -> None:
    data = await client.data()
    key = await client.key(data.partner)
    for description in ("", "x" * 201, "a\nb", 1):
        answer = await client.call("POST", keys_path(data), key, json={"description": description})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "description")
    assert await list_keys(client, data) == []


async def test_an_unprovisioned_account_gets_no_key(client: ClusterClient) -> None:
    data = await client.data()
    young = await client.cast.account(data.partner, TB)
    answer = await client.call("POST", keys_path(data, young), await client.key(data.partner), json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "not on the storage cluster yet" in answer.json()["detail"]
    assert await client.cast.row("select count(*) from access_key where account_id = %s", young) == (0,)


async def test_in_a_metered_region_there_are_no_keys(client: ClusterClient) -> None:
    data = await client.data()
    metered = await client.cast.account(data.partner, 0, region=await client.cast.region())
    key = await client.key(data.partner)
    path = keys_path(data, metered)
    assert (await client.call("GET", path, key)).json() == []
    for status, sentence in await refused_changes(client, path, "A" * 20, key):
        assert (status, "are created on the cluster itself" in sentence) == (409, True)


async def test_while_it_waits_for_deletion_and_when_it_is_purged(client: ClusterClient) -> None:
    data = await client.data()
    keep, go = [await create_key(client, data) for _ in range(2)]
    key = await client.key(data.partner)
    assert (await client.call("DELETE", f"/v1/storage-account/{data.account}", key)).status_code == 204
    await create_key(client, data)
    assert await delete_key(client, data, go["accessKey"]) == 204
    await client.work()
    client.clock.now = due = client.clock.now.replace(year=2027)
    claimed = await client.database.run(purge_queries.start_purges, [data.account], due)
    assert claimed == [ClusterUser(data.account)]
    for status, sentence in await refused_changes(client, keys_path(data), keep["accessKey"], key):
        assert (status, "are being deleted" in sentence) == (409, True)
    assert await client.cast.purge(due, client.backends) == 1
    assert (await client.call("GET", keys_path(data), key)).status_code == 404
    assert await client.cast.row("select count(*) from access_key where account_id = %s", data.account) == (0,)


async def test_the_secret_is_in_no_log(client: ClusterClient, caplog: pytest.LogCaptureFixture) -> None:
    data = await client.data()
    caplog.set_level(logging.DEBUG)
    for name in ("tonnage", "httpx", "httpcore", "psycopg"):
        caplog.set_level(logging.DEBUG, logger=name)
    made = await create_key(client, data)
    await delete_key(client, data, made["accessKey"])
    assert {"httpx", "httpcore"} <= {record.name.split(".")[0] for record in caplog.records}
    assert made["accessKey"] in caplog.text
    assert made["accessKey"] in client.gateway.log()
    (everything,) = await client.cast.row("select (select jsonb_agg(to_jsonb(a)) from audit_entry a)::text")
    for place in (caplog.text, client.gateway.log(), everything):
        assert made["secretKey"] not in place
