"""Access keys through the API, on a real gateway."""

import asyncio
import logging

import pytest

from tests.access_keys.keys import changed, drop, keys_path, listed, make
from tests.api.conftest import Business
from tests.cast import TB
from tests.clustered import ClusterHouse
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import new_access_key
from tonnage.provisioning import purge_queries
from tonnage.storage.backend import MAX_ACCESS_KEYS

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


async def rows(house: ClusterHouse, count: int, business: Business) -> None:
    """So many keys of the account that no cluster knows."""
    for _ in range(count):
        await house.database.run(
            access_key_queries.insert_key, business.account, new_access_key(), None, house.clock.now
        )


async def test_a_rotation_without_a_gap(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    assert await listed(house, business) == []
    old = await make(house, business, description="  Büro 😀 ")
    assert set(old) == {"accessKey", "secretKey", "description", "createdAt"}
    assert (old["description"], old["createdAt"]) == ("Büro 😀", "2026-03-15T12:00:00Z")
    with house.customer(old["accessKey"], old["secretKey"]) as before:
        before.s3.create_bucket(Bucket="data")
        assert before.stores("data", 10) == "done"
        new = await make(house, business)
        assert set(new) == {"accessKey", "secretKey", "createdAt"}
        with house.customer(new["accessKey"], new["secretKey"]) as after:
            assert [one.stores("data", 10) for one in (before, after)] == ["done", "done"]
            assert await drop(house, business, old["accessKey"]) == 204
            assert [one.stores("data", 10) for one in (before, after)] == ["InvalidAccessKeyId", "done"]
    shown = {"accessKey": new["accessKey"], "createdAt": "2026-03-15T12:00:00Z", "status": "active"}
    assert await listed(house, business) == [shown]
    assert await drop(house, business, old["accessKey"]) == 404


async def test_a_distributor_does_it_for_its_partner(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    key = await house.key(business.distributor)
    path = f"/ext/v1/partner/{business.partner.organisation_id}/storage-accounts/{business.account}/access-keys"
    made = await house.call("POST", path, key, json={"description": "From above"})
    assert made.status_code == 201
    (shown,) = (await house.call("GET", path, key)).json()
    assert shown == {**{k: v for k, v in made.json().items() if k != "secretKey"}, "status": "active"}
    assert await listed(house, business) == [shown]
    with house.customer(made.json()["accessKey"], made.json()["secretKey"]) as customer:
        assert customer.tries("list_buckets") == "done"
    assert (await house.call("DELETE", f"{path}/{shown['accessKey']}", key)).status_code == 204
    assert await (await house.backend()).keys(business.account) == ()


async def test_ten_and_no_more_and_another_after_one_has_gone(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    made = [(await make(house, business))["accessKey"] for _ in range(MAX_ACCESS_KEYS)]
    assert [one["accessKey"] for one in await listed(house, business)] == made
    refused = await house.call("POST", keys_path(business), await house.key(business.partner), json={})
    assert refused.status_code == 409
    assert refused.json()["detail"] == "The account has 10 access keys, and 10 is the most; delete one first."
    assert sorted(await (await house.backend()).keys(business.account)) == sorted(made)
    assert await drop(house, business, made[3]) == 204
    await make(house, business)


async def test_two_at_once_at_nine(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    await rows(house, MAX_ACCESS_KEYS - 1, business)
    key = await house.key(business.partner)
    answers = await asyncio.gather(*(house.call("POST", keys_path(business), key, json={}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 503, 503, 503]
    assert len(await (await house.backend()).keys(business.account)) == 1
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert "of them just being made or deleted" in refused.json()["detail"]


async def test_who_comes_second_at_nine_waits_and_counts_again(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    await rows(house, MAX_ACCESS_KEYS - 1, business)
    owner, key = business.partner.organisation_id, await house.key(business.partner)
    async with house.database.pool.connection() as conn:
        async with conn.transaction():
            home = await access_key_queries.lock_account(conn, owner, owner, business.account)
            assert (home and home.keys) == MAX_ACCESS_KEYS - 1
            await access_key_queries.insert_key(conn, business.account, new_access_key(), None, house.clock.now)
            asking = asyncio.create_task(house.call("POST", keys_path(business), key, json={}))
            blocked = "select count(*) from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
            async with asyncio.timeout(30):
                while await house.cast.row(blocked, conn.info.backend_pid) == (0,):
                    assert not asking.done()
        assert (await asking).status_code == 503


async def test_two_delete_one_key_at_once(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    made = await make(house, business)
    ended = await asyncio.gather(*(drop(house, business, made["accessKey"]) for _ in range(3)))
    assert set(ended) <= {204, 404}
    assert 204 in ended
    assert await listed(house, business) == []
    audited = await house.cast.row(
        """
        select count(*), count(distinct subject_id) from audit_entry
        where action = 'account.delete-key' and before->>'accessKey' = %s
        """,
        made["accessKey"],
    )
    assert audited == (1, 1)


async def test_what_is_audited_is_the_name_and_never_the_secret(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    made = await make(house, business, description="secret of Ann")
    await drop(house, business, made["accessKey"])
    (entries,) = await house.cast.row(
        """
        select jsonb_agg(jsonb_build_array(action, organisation_id, subject_id, before, after, actor_kind)
            order by id)
        from audit_entry where action like 'account.%%-key'
        """
    )
    subject = [str(business.partner.organisation_id), str(business.account)]
    named = {"accessKey": made["accessKey"]}
    assert entries == [
        ["account.create-key", *subject, None, named, "key"],
        ["account.delete-key", *subject, named, None, "key"],
    ]


async def test_somebody_elses_key_is_not_found(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    made = await make(house, business)
    sibling = await house.cast.account(business.partner, 0)
    key = await house.key(business.partner)
    unknown = [(sibling, made["accessKey"]), (business.account, "A" * 20), (business.account, "%00" + "A" * 20)]
    for account, access_key in (*unknown, (business.account, made["secretKey"])):
        answer = await house.call("DELETE", f"{keys_path(business, account)}/{access_key}", key)
        assert answer.status_code == 404, access_key
        assert "has no such access key" in answer.json()["detail"]
        assert made["secretKey"] not in answer.text
    for account in ("123", "999999999999", "x" * 12):
        path = f"/ext/v1/storage-account/{account}/access-keys"
        assert (await house.call("GET", path, key)).status_code == 404
        assert (
            await changed(house, path, "A" * 20, key)
            == [(404, f"There is no storage account {account:0>12} of yours.")] * 2
        )
    assert [one["accessKey"] for one in await listed(house, business)] == [made["accessKey"]]


async def test_a_description_that_breaks_a_rule(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    key = await house.key(business.partner)
    for description in ("", "x" * 201, "a\nb", None, 1):
        answer = await house.call("POST", keys_path(business), key, json={"description": description})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "description")
    assert await listed(house, business) == []


async def test_before_the_cluster_has_heard_of_the_account(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    young = await house.cast.account(business.partner, TB)
    answer = await house.call("POST", keys_path(business, young), await house.key(business.partner), json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "not on the storage cluster yet" in answer.json()["detail"]
    assert await house.cast.row("select count(*) from access_key where account_id = %s", young) == (0,)


async def test_in_a_metered_region_keys_are_made_elsewhere(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    metered = await house.cast.account(business.partner, 0, region=await house.cast.region())
    key = await house.key(business.partner)
    path = keys_path(business, metered)
    assert (await house.call("GET", path, key)).json() == []
    for status, sentence in await changed(house, path, "A" * 20, key):
        assert (status, "are made on the cluster itself" in sentence) == (409, True)


async def test_while_it_waits_for_deletion_and_when_it_is_purged(cluster_house: ClusterHouse) -> None:
    house = cluster_house
    business = await house.business()
    keep, go = [await make(house, business) for _ in range(2)]
    key = await house.key(business.partner)
    assert (await house.call("DELETE", f"/v1/storage-account/{business.account}", key)).status_code == 204
    await make(house, business)
    assert await drop(house, business, go["accessKey"]) == 204
    house.clock.now = due = house.clock.now.replace(year=2027)
    claimed = await house.database.run(purge_queries.start_due_purges, house.region_id, due, 0, 10)
    assert claimed == [business.account]
    for status, sentence in await changed(house, keys_path(business), keep["accessKey"], key):
        assert (status, "being deleted right now" in sentence) == (409, True)
    assert await house.cast.purge(due, house.backends) == 1
    assert (await house.call("GET", keys_path(business), key)).status_code == 404
    assert await house.cast.row("select count(*) from access_key where account_id = %s", business.account) == (0,)


async def test_the_secret_is_in_no_log(cluster_house: ClusterHouse, caplog: pytest.LogCaptureFixture) -> None:
    house = cluster_house
    business = await house.business()
    caplog.set_level(logging.DEBUG)
    for name in ("tonnage", "httpx", "httpcore", "psycopg"):
        caplog.set_level(logging.DEBUG, logger=name)
    made = await make(house, business)
    await drop(house, business, made["accessKey"])
    assert {"httpx", "httpcore"} <= {record.name.split(".")[0] for record in caplog.records}
    assert made["accessKey"] in caplog.text
    assert made["accessKey"] in house.gateway.log()
    (everything,) = await house.cast.row("select (select jsonb_agg(to_jsonb(a)) from audit_entry a)::text")
    for place in (caplog.text, house.gateway.log(), everything):
        assert made["secretKey"] not in place
