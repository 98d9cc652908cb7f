"""The operator's overview of regions, contracts and jobs: of all organisations, so in a database of its own."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cast import TB, Cast
from tests.usage.steps import LATER, OPENED, at, partner_data, record
from tonnage.contracts.lists import contract_totals
from tonnage.db import Connection
from tonnage.jobs import defer
from tonnage.jobs.lists import JOBS, STATUSES, JobRow, job_rows
from tonnage.lists import ListState
from tonnage.metering.lists import RegionRow, region_rows
from tonnage.partners.lists import full_partners
from tonnage.usage.lists import top_movers
from tonnage.web.list_state import read_list_state

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


async def test_regions_and_contracts(own_database: Cast) -> None:
    assert await own_database.database.run(contract_totals) == (0, 0, 0, 0)
    assert await own_database.database.run(region_rows) == []
    own_database.now = OPENED
    for name in ("west", "east"):
        await own_database.region(name)
    distributor = await own_database.distributor()
    contract = await own_database.contract(distributor)
    await own_database.contract(distributor)
    partner = await own_database.partner(distributor, contract, 30 * TB)
    for region, allocated in (("west", TB), ("west", 2 * TB), ("east", 4 * TB)):
        account = await own_database.account(partner, allocated, region=region)
        await record(own_database, (account, at("2026-01-06"), allocated // 2))
    assert await own_database.database.run(contract_totals) == (2, 200 * TB, 30 * TB, 35 * TB // 10)
    east, west = await own_database.database.run(region_rows)
    assert (east.name, east.accounts, east.allocated, east.used) == ("east", 1, 4 * TB, 2 * TB)
    assert (west.name, west.accounts, west.allocated, west.used) == ("west", 2, 3 * TB, 15 * TB // 10)
    assert (west.is_default, east.is_default, west.backend, west.as_of, west.missed) == (
        True,
        False,
        "metered",
        None,
        0,
    )
    assert not west.is_stale(datetime.now(UTC))


async def test_a_cluster_that_nobody_samples_is_stale(own_database: Cast) -> None:
    await own_database.region("here")

    async def sampled(conn: Connection) -> RegionRow:
        await conn.execute("update region set backend = 'ceph', admin_url = 'http://rgw', connected_at = %s", [OPENED])
        (before,) = await region_rows(conn)
        assert before.as_of == OPENED
        await conn.execute(
            "insert into sampling_run (region_id, hour, started_at, finished_at, missed) values"
            " (%(id)s, %(hour)s, %(hour)s, %(hour)s, 3), (%(id)s, %(next)s, %(next)s, null, 0)",
            {"id": before.id, "hour": at("2026-01-06"), "next": at("2026-01-06", "01:00:00")},
        )
        (row,) = await region_rows(conn)
        return row

    row = await own_database.database.run(sampled)
    assert (row.as_of, row.missed) == (at("2026-01-06"), 3)
    assert not row.is_stale(at("2026-01-06", "02:00:00"))
    assert row.is_stale(at("2026-01-06", "02:00:00") + timedelta(seconds=1))


def jobs(**query: str) -> ListState:
    return read_list_state(JOBS, query)


async def test_jobs_by_status_and_page(own_database: Cast) -> None:
    async def pages(conn: Connection) -> list[JobRow]:
        for region in ("1", "2", "3"):
            await defer(conn, "provisioning.reconcile", region)
        await conn.execute("update procrastinate_jobs set status = 'failed', attempts = 4 where args->>'subject' = '2'")
        away = "insert into job_failure select id, %s, 'away' from procrastinate_jobs where status = 'failed'"
        await conn.execute(away, [OPENED])
        everything, total, *_ = await job_rows(conn, jobs())
        assert total == 3
        assert [row.subject for row in everything] == ["3", "2", "1"]
        assert (await job_rows(conn, jobs(page="last")))[:2] == (everything, 3)
        assert (await job_rows(conn, jobs(show="failed")))[:2] == (everything[1:2], 1)
        assert (await job_rows(conn, jobs(show="waiting")))[:2] == ([everything[0], everything[2]], 2)
        assert (await job_rows(conn, jobs(show="cancelled")))[:2] == ([], 0)
        return everything

    newest, failed, _ = await own_database.database.run(pages)
    assert (failed.name, failed.status, failed.attempts, failed.failed_at, failed.reason) == (
        "provisioning.reconcile", "failed", 4, OPENED, "away",
    )  # fmt: skip
    assert (newest.status, newest.failed_at, newest.reason) == ("waiting", None, None)
    assert newest.asked_at is not None
    assert {row.status for row in (newest, failed)} <= set(STATUSES)


async def test_partners_that_are_nearly_full_or_over(own_database: Cast) -> None:
    data = await partner_data(own_database)
    nobody = await own_database.database.run(full_partners)
    assert (nobody.near, nobody.over, nobody.fullest) == (0, 0, [])
    uses = {"none": (0, 5), "low": (100, 89), "near": (100, 90), "full": (100, 100), "over": (100, 101), "max": (0, 0)}
    for name, (allocated, used) in uses.items():
        partner = await own_database.partner(data.distributor, data.contract, allocated, name=name)
        await record(own_database, (await own_database.account(partner), at("2026-01-06"), used))
    found = await own_database.database.run(full_partners)
    assert (found.near, found.over) == (2, 1)
    assert [partner.name for partner in found.fullest] == ["over", "full", "near"]


async def test_who_moved_most_within_a_week(own_database: Cast) -> None:
    data = await partner_data(own_database)
    up, down, still, late = [await own_database.partner(data.distributor, data.contract) for _ in range(4)]
    accounts = [await own_database.account(partner) for partner in (up, down, still, late)]
    await record(
        own_database,
        (accounts[0], at("2026-03-08"), 100),
        (accounts[0], at("2026-03-14"), 150),
        (accounts[1], at("2026-03-01"), 900),
        (accounts[1], at("2026-03-14"), 300),
        (accounts[2], at("2026-01-20"), 10**15),
        (accounts[3], at("2026-03-14"), 20),
    )
    found = await own_database.database.run(top_movers, LATER.date())
    assert [(mover.id, int(mover.before), int(mover.change)) for mover in found] == [
        (down.organisation_id, 900, -600),
        (up.organisation_id, 100, 50),
        (late.organisation_id, 0, 20),
    ]
