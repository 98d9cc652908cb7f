"""Usage of a database of 0.1.0: which days are computed again, and which keep their values."""

from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.migrations.released import first_release
from tonnage import migrations

pytestmark = pytest.mark.oldest_postgresql

PARTNER = "00000000-0000-4000-8000-000000000001"
KEPT, LOST, GONE, SILENT = 100_000_000_001, 100_000_000_002, 100_000_000_003, 100_000_000_004
EARLIER, ACROSS = 100_000_000_005, 100_000_000_006

DATA = f"""
    set session_replication_role = replica;
    insert into storage_account (id, partner_id, region_id, name, name_key, contact_email, contact_email_key,
        password_hash, allocated_capacity, allow_overdraft, created_at, rolled_up_to, used, purged_at,
        purge_started_at, deletion_requested_at, pending_deleted_at)
    values
        ({KEPT}, '{PARTNER}', 1, 'a', 'a', 'a', 'a', 'a', 0, false, '2026-01-01 12:00Z', '2026-01-04', 40, null,
            null, null, null),
        ({LOST}, '{PARTNER}', 1, 'b', 'b', 'b', 'b', 'b', 0, false, '2026-01-01Z', '2026-01-03', 9, null,
            null, null, null),
        ({GONE}, '{PARTNER}', 1, 'c', 'c', null, null, null, 0, false, '2026-01-01Z', '2026-01-03', 0,
            '2026-01-05 06:00Z', '2026-01-05 06:00Z', '2026-01-02Z', '2026-01-04Z'),
        ({SILENT}, '{PARTNER}', 1, 'd', 'd', 'd', 'd', 'd', 0, false, '2026-01-01Z', '2025-12-31', 0, null,
            null, null, null);
    set session_replication_role = origin;
    select ensure_usage_partitions('2026-01-01', '2026-01-31');
    insert into usage_sample (account_id, sampled_at, bytes) values
        ({KEPT}, '2026-01-01 18:00Z', 40), ({KEPT}, '2026-01-03 12:00Z', 80), ({KEPT}, '2026-01-03 18:00Z', 40),
        ({LOST}, '2026-01-02 12:00Z', 9), ({GONE}, '2026-01-03Z', 48);
    insert into daily_usage (account_id, day, usage, closing, samples) values
        ({KEPT}, '2026-01-01', 40, 40, 1), ({KEPT}, '2026-01-02', 40, 40, 0), ({KEPT}, '2026-01-03', 60, 40, 2),
        ({KEPT}, '2026-01-04', 40, 40, 0),
        ({LOST}, '2026-01-01', 7, 7, 3), ({LOST}, '2026-01-02', 8, 9, 2), ({LOST}, '2026-01-03', 9, 9, 0),
        ({GONE}, '2026-01-01', 0, 0, 0), ({GONE}, '2026-01-02', 0, 0, 0), ({GONE}, '2026-01-03', 48, 48, 1);
"""


def rows(conn: "psycopg.Connection[Any]", query: str) -> list[tuple[Any, ...]]:
    return conn.execute(query.encode()).fetchall()


def upgraded(conninfo: str, folder: Path, data: str) -> "psycopg.Connection[Any]":
    migrations.upgrade(conninfo, revisions=first_release(folder))
    with psycopg.connect(conninfo) as conn:
        conn.execute(data.encode())
    migrations.upgrade(conninfo)
    return psycopg.connect(conninfo)


def test_days_whose_readings_are_all_there_are_computed_again(empty_database: str, tmp_path: Path) -> None:
    with upgraded(empty_database, tmp_path, DATA) as conn:
        # One of two readings of 2 January is lost.
        assert rows(conn, "select readings_closed_before from usage_retention") == [(date(2026, 1, 3),)]
        assert rows(conn, "select account_id, day, usage, closing, samples from daily_usage order by 1, 2") == [
            (KEPT, date(2026, 1, 1), 40, 40, 1),
            (KEPT, date(2026, 1, 2), 40, 40, 0),
            (KEPT, date(2026, 1, 3), 50, 40, 2),
            (KEPT, date(2026, 1, 4), 40, 40, 0),
            (LOST, date(2026, 1, 1), 7, 7, 3),
            (LOST, date(2026, 1, 2), 8, 9, 2),
            (LOST, date(2026, 1, 3), 9, 9, 0),
            (GONE, date(2026, 1, 1), 0, 0, 0),
            (GONE, date(2026, 1, 2), 0, 0, 0),
            (GONE, date(2026, 1, 3), 48, 48, 1),
            (GONE, date(2026, 1, 4), 48, 48, 0),
            (GONE, date(2026, 1, 5), 12, 48, 0),
        ]
        kept = "select count(*), (select array_agg(part::text) from time_partitions('usage_sample')) from usage_sample"
        assert rows(conn, kept) == [(5, ["usage_sample_earlier"])]
        sums = rows(conn, "select day, usage from partner_usage order by day")
        assert [int(usage) for _, usage in sums] == [47, 48, 107, 88, 12]
        ends = rows(conn, "select account_id, rolled_up_to from account_usage order by account_id")
        assert ends == [
            (KEPT, date(2026, 1, 4)),
            (LOST, date(2026, 1, 3)),
            (GONE, date(2026, 1, 5)),
            (SILENT, date(2025, 12, 31)),
        ]


def test_a_database_that_has_lost_no_reading_has_no_closed_day(empty_database: str, tmp_path: Path) -> None:
    lost = f"({LOST}, '2026-01-02 12:00Z', 9)"
    whole = DATA.replace(lost, f"({LOST}, '2026-01-02Z', 7), {lost}")
    whole = whole.replace("'2026-01-01', 7, 7, 3", "'2026-01-01', 0, 0, 0")
    with upgraded(empty_database, tmp_path, whole) as conn:
        assert rows(conn, "select readings_closed_before = '-infinity' from usage_retention") == [(True,)]
        assert rows(conn, f"select usage from daily_usage where account_id = {KEPT} order by day") == [
            (10,),
            (40,),
            (50,),
            (40,),
        ]


def test_a_purged_account_has_its_closed_days_too(empty_database: str, tmp_path: Path) -> None:
    """Of these nobody had written the days from the last reading to the purge, since reports filled them in."""
    columns = "id, partner_id, name, name_key, allocated_capacity, allow_overdraft, created_at, rolled_up_to, used"
    dates = "purged_at, purge_started_at, deletion_requested_at, pending_deleted_at"
    older = f"""
        set session_replication_role = replica;
        insert into storage_account ({columns}, {dates})
        select id, '{PARTNER}', 'e', 'e', 0, false, '2025-12-31Z', '2025-12-31', 0, at, at, '2025-12-31Z', at
        from (values ({EARLIER}, timestamptz '2026-01-02 06:00Z'), ({ACROSS}, '2026-01-04 06:00Z')) a (id, at);
        set session_replication_role = origin;
        select ensure_usage_partitions('2025-12-31', '2025-12-31');
        insert into daily_usage (account_id, day, usage, closing, samples)
        values ({EARLIER}, '2025-12-31', 48, 48, 1), ({ACROSS}, '2025-12-31', 48, 48, 1);
    """
    days = "select extract(day from day)::integer, usage, closing from daily_usage"
    with upgraded(empty_database, tmp_path, DATA + older) as conn:
        assert rows(conn, "select readings_closed_before from usage_retention") == [(date(2026, 1, 3),)]
        earlier, across = [(31, 48, 48), (1, 48, 48), (2, 12, 48)], [(31, 48, 48), (1, 48, 48), (2, 48, 48)]
        assert rows(conn, f"{days} where account_id = {EARLIER} order by day") == earlier
        assert rows(conn, f"{days} where account_id = {ACROSS} order by day") == [*across, (3, 48, 48), (4, 12, 48)]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_days_are_those_of_utc_in_every_zone_of_the_server(empty_database: str, tmp_path: Path, zone: str) -> None:
    there = make_conninfo(empty_database, options=f"-c TimeZone={zone} -c DateStyle=SQL,DMY")
    with upgraded(there, tmp_path, DATA) as conn:
        assert rows(conn, "select readings_closed_before from usage_retention") == [(date(2026, 1, 3),)]
        days = f"select usage from daily_usage where account_id in ({KEPT}, {GONE}) order by account_id, day"
        assert [usage for (usage,) in rows(conn, days)] == [40, 40, 50, 40, 0, 0, 48, 48, 12]
        # Also in a session of another zone.
        conn.execute("select ensure_day_partitions('usage_sample', array['2100-01-01'::date])")
        conn.execute("set timezone to 'UTC'")
        limits = rows(conn, "select distinct until::time::text from time_partitions('usage_sample')")
        assert limits == [("00:00:00",)]
