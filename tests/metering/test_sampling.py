"""The sampling of a region on a real gateway: its records, and the accounts left to the next run."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from tests.cast import NOW
from tests.metering.sampled import Probe, SampledData
from tests.usage.steps import assert_totals, rows_of
from tonnage.db import Connection
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.metering import jobs as metering_jobs
from tonnage.storage.backend import ClusterUser
from tonnage.storage.errors import BackendRefused

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


async def change(data: SampledData, statement: Any, *values: object) -> None:
    async def run(conn: Connection) -> None:
        await conn.execute(statement, values)

    await data.cast.database.run(run)


async def test_a_run_records_the_usage_of_its_hour(data: SampledData) -> None:
    busy, idle = await data.accounts(2)
    with await data.customer(busy) as customer:
        customer.s3.create_bucket(Bucket="data")
        customer.s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
        assert [customer.stores("data", 1_000) for _ in range(3)] == ["done"] * 3
    data.client.clock.now = NOW + timedelta(minutes=34, seconds=56)
    await data.sample()
    assert await data.samples(busy) == [(NOW, 3_000, 3)]
    assert await data.samples(idle) == [(NOW, 0, 0)]
    query = "select used, objects, measured_at from account_usage where account_id = %s"
    assert await data.cast.row(query, busy) == (3_000, 3, data.client.clock.now)
    assert await rows_of(data.cast, busy) == [(NOW.date(), 1_500, 3_000, 1)]
    assert await data.run() == (NOW, True, 2, 0)
    await assert_totals(data.cast, data.contract)


async def test_unprovisioned_accounts_are_not_read(data: SampledData) -> None:
    ready, purging, forgotten = await data.accounts(3)
    await change(
        data,
        "update storage_account set deletion_requested_at = created_at - interval '2 days', pending_deleted_at ="
        " created_at - interval '1 day', purge_started_at = created_at where id = %s",
        purging,
    )
    await data.probe.purge(ClusterUser(forgotten))
    unprovided = await data.cast.account(data.partner)
    data.cast.now = NOW + MINUTE
    later = await data.cast.account(data.partner)
    await data.provision()
    await change(data, "update storage_account set applied_revision = 0 where id = %s", unprovided)
    await data.sample()
    assert sorted(data.probe.read) == sorted([ready, forgotten])
    for account in (purging, forgotten, unprovided, later):
        assert await data.samples(account) == []
    assert await data.run() == (NOW, True, 1, 1)


async def test_a_run_reports_accounts_missing_on_the_cluster(
    data: SampledData, caplog: pytest.LogCaptureFixture
) -> None:
    for account in await data.accounts(3):
        await data.probe.purge(ClusterUser(account))
    await data.sample()
    assert await data.run() == (NOW, True, 0, 3)
    assert [record.message for record in caplog.records if "not sampled" in record.message] == [
        "storage accounts missing on their cluster and not sampled: 3"
    ]


async def test_a_second_run_of_the_hour_does_nothing_and_the_next_hour_is_another(data: SampledData) -> None:
    (account,) = await data.accounts(1)
    await data.sample()
    data.client.clock.now = NOW + 20 * MINUTE
    await data.sample()
    assert data.probe.read == [account]
    assert len(data.probe.spans) == 1
    data.client.clock.now = NOW + HOUR
    await data.sample()
    assert data.probe.read == [account] * 2
    assert await data.samples(account) == [(NOW, 0, 0), (NOW + HOUR, 0, 0)]
    assert await data.run() == (NOW + HOUR, True, 1, 0)


async def test_a_day_without_a_run_is_a_gap_that_shows(data: SampledData) -> None:
    (account,) = await data.accounts(1)
    with await data.customer(account) as customer:
        customer.s3.create_bucket(Bucket="data")
        assert customer.stores("data", 700) == "done"
    await data.sample()
    data.client.clock.now = NOW + timedelta(days=2)
    await data.sample()
    assert await rows_of(data.cast, account) == [
        (date(2026, 3, 15), 350, 700, 1),
        (date(2026, 3, 16), 700, 700, 0),
        (date(2026, 3, 17), 700, 700, 1),
    ]


async def test_an_interrupted_run_is_continued(data: SampledData) -> None:
    accounts = await data.accounts(9)
    running = asyncio.ensure_future(data.sample(batch=3))

    async def end(account: int) -> None:
        if account == accounts[4]:
            running.cancel()

    data.probe.before = end
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await data.run() == (NOW, False, 3, 0)
    again = Probe(data.client)
    data.client.clock.now = NOW + 10 * MINUTE
    await data.sample(batch=3, probe=again)
    await again.close()
    assert sorted(again.read) == accounts[3:]
    assert await data.run() == (NOW, True, 9, 0)
    measured = "select count(*) from account_usage where measured_at = %s"
    assert await data.cast.row(measured, NOW) == (3,)
    assert await data.cast.row(measured, NOW + 10 * MINUTE) == (6,)


async def test_concurrent_runs_record_everything_once(data: SampledData) -> None:
    accounts = await data.accounts(12)
    other = Probe(data.client)
    await asyncio.gather(data.sample(batch=5), data.sample(batch=5, probe=other))
    await other.close()
    assert set(data.probe.read) | set(other.read) == set(accounts)
    for account in accounts:
        assert await data.samples(account) == [(NOW, 0, 0)]
    assert await data.run() == (NOW, True, 12, 0)
    await assert_totals(data.cast, data.contract)


async def test_only_accounts_that_did_not_answer_are_retried(
    data: SampledData, caplog: pytest.LogCaptureFixture
) -> None:
    accounts = await data.accounts(6)

    async def fail(account: int) -> None:
        if account in accounts[1:3]:
            raise Unavailable(
                "The storage cluster cannot do it now; try again later.", UnavailableCode.CLUSTER_UNAVAILABLE
            )

    data.probe.before = fail
    for _ in range(2):
        with pytest.raises(Unavailable, match="cannot do it now"):
            await data.sample(batch=3)
        assert await data.run() == (NOW, True, 4, 2)
    assert all(f"storage account {account} was not sampled" in caplog.text for account in accounts[1:3])
    # Accounts that did not answer do not end the run.
    assert len(data.probe.spans) == 1
    data.probe.before, data.probe.read = None, []
    data.client.clock.now = NOW + 5 * MINUTE
    await data.sample(batch=2)
    assert sorted(data.probe.read) == accounts[1:3]
    assert await data.run() == (NOW, True, 6, 0)


@pytest.mark.parametrize("others", [0, 1])
async def test_an_account_that_is_refused_is_missed_until_the_next_hour(
    data: SampledData, others: int, caplog: pytest.LogCaptureFixture
) -> None:
    accounts = await data.accounts(1 + others)

    async def refuse(account: int) -> None:
        if account == accounts[0]:
            raise BackendRefused("The storage cluster refuses this.", "Odd")

    data.probe.before = refuse
    await data.sample()
    assert await data.run() == (NOW, True, others, 1)
    assert f"storage account {accounts[0]} was not sampled: The storage cluster refuses this." in caplog.text


@pytest.mark.parametrize("there", ["still there", "gone there"])
async def test_an_account_purged_meanwhile_affects_no_other(data: SampledData, there: str) -> None:
    accounts = await data.accounts(3)

    async def purge(account: int) -> None:
        if account == accounts[1]:
            await change(
                data,
                "update storage_account set deletion_requested_at = created_at - interval '2 days', pending_deleted_at"
                " = created_at - interval '1 day', purge_started_at = created_at, purged_at = created_at - interval"
                " '1 day', contact_email = null, contact_email_key = null, password_hash = null where id = %s",
                account,
            )
            if there == "gone there":
                await data.probe.purge(ClusterUser(account))

    data.probe.before = purge
    await data.sample()
    assert [len(await data.samples(account)) for account in accounts] == [1, 0, 1]
    assert await data.run() == (NOW, True, 2, 0)


async def test_a_run_that_outlasts_its_hour_keeps_its_label_and_a_late_retry_does_not(data: SampledData) -> None:
    accounts = await data.accounts(3)
    data.client.clock.now = NOW + 59 * MINUTE

    async def linger(account: int) -> None:
        data.client.clock.now = NOW + HOUR + MINUTE
        if account == accounts[2]:
            raise Unavailable(
                "The storage cluster did not answer in time. Try again later.", UnavailableCode.CLUSTER_UNAVAILABLE
            )

    data.probe.before = linger
    with pytest.raises(Unavailable):
        await data.sample()
    assert await data.samples(accounts[0]) == [(NOW, 0, 0)]
    measured = await data.cast.row("select measured_at from account_usage where account_id = %s", accounts[0])
    assert measured == (NOW + HOUR + MINUTE,)
    data.probe.before = None
    await data.sample()
    assert await data.samples(accounts[2]) == [(NOW + HOUR, 0, 0)]
    assert await data.run() == (NOW + HOUR, True, 3, 0)


async def test_elastic_quotas_follow(data: SampledData) -> None:
    pool = await data.cast.partner(data.distributor, data.contract, 1_000_000)
    data.partner = pool
    busy, sibling = [await data.cast.account(pool) for _ in range(2)]
    await data.provision()
    with await data.customer(busy) as customer:
        customer.s3.create_bucket(Bucket="data")
        assert customer.stores("data", 400_000) == "done"
    await data.sample()
    await data.provision()
    state = await data.probe.state(ClusterUser(sibling))
    assert state is not None
    assert state.quota == 600_000


async def test_a_killed_gateway_ends_a_run_that_goes_on_later(drill: SampledData) -> None:
    accounts = await drill.accounts(60)
    gateway = drill.client.gateway

    async def kill(account: int) -> None:
        if account == accounts[25]:
            gateway.kill()

    drill.probe.before = kill
    try:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await drill.sample(batch=20)
        hour, finished, sampled, _ = await drill.run()
        assert (hour, finished) == (NOW, False)
        assert 20 <= sampled < 40
        with pytest.raises(Unavailable, match="cannot be reached"):
            await metering_jobs.sample(drill.client.services, str(drill.client.region_id))
        trouble = await drill.cast.row("select unhealthy_reason from region")
        assert "cannot be reached" in trouble[0]
    finally:
        gateway.start()
    drill.probe.before, drill.probe.read = None, []
    await drill.sample(batch=20)
    assert len(drill.probe.read) == 60 - sampled
    assert await drill.run() == (NOW, True, 60, 0)


async def test_a_stalled_gateway_is_given_up(drill: SampledData) -> None:
    accounts = await drill.accounts(40)
    gateway = drill.client.gateway

    async def stall(account: int) -> None:
        if account in accounts[20:]:
            gateway.stall()

    drill.probe.before = stall
    try:
        with pytest.raises(Unavailable, match="in time"):
            await drill.sample(batch=20)
        assert await drill.run() == (NOW, False, 20, 0)
        # Of the concurrent readings at least one timed out before the others were cancelled.
        assert len(drill.probe.read) < 20 + 2 * 16
    finally:
        gateway.resume()


async def test_a_run_without_any_answer_is_unfinished(drill: SampledData, caplog: pytest.LogCaptureFixture) -> None:
    await drill.accounts(2)
    drill.client.gateway.kill()
    try:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await drill.sample()
        assert await drill.run() == (NOW, False, 0, 0)
        assert "was not sampled" not in caplog.text
    finally:
        drill.client.gateway.start()


async def test_the_job_samples_a_region(data: SampledData) -> None:
    (account,) = await data.accounts(1)
    await metering_jobs.sample(data.client.services, str(data.client.region_id))
    assert await data.samples(account) == [(NOW, 0, 0)]
    await metering_jobs.sample_all(data.client.services, "")
    waiting = await data.cast.row("select count(*) from procrastinate_jobs where task_name = 'metering.sample'")
    assert waiting == (1,)
