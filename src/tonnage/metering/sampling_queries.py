"""SQL of the sampling of clusters: the runs, one for each region and hour, and whom they still have to read."""

from datetime import datetime
from typing import LiteralString

from tonnage.db import Connection
from tonnage.metering.sampling import SamplingRun

# Not to be joined by reading 40 days of everybody's samples: a look at each account's own, which OFFSET makes sure of.
_SAMPLED: LiteralString = """
    select from usage_sample u where u.account_id = s.id and u.sampled_at = %(hour)s offset 0"""


async def begin(conn: Connection, region_id: int, hour: datetime, now: datetime) -> SamplingRun:
    """The run of that hour; one that has begun already is gone on with."""
    cursor = await conn.execute(
        """
        insert into sampling_run (region_id, hour, started_at) values (%(region)s, %(hour)s, %(now)s)
        on conflict (region_id, hour) do update set started_at = sampling_run.started_at
        returning region_id, hour, started_at, finished_at is not null, missed
        """,
        {"region": region_id, "hour": hour, "now": now},
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("an upsert returns its row or raises")
    return SamplingRun(*row)


async def unsampled(conn: Connection, run: SamplingRun, after: int, limit: int) -> list[int]:
    """The next accounts after the id `after` that the run has to read: alive, on the cluster, there when it began, and
    without a sample of its hour.
    """
    cursor = await conn.execute(
        f"""
        select s.id from storage_account s
        where s.region_id = %(region)s and s.id > %(after)s and s.purged_at is null and s.purge_started_at is null
            and s.applied_revision > 0 and s.created_at <= %(began)s
            and not exists ({_SAMPLED})
        order by s.id limit %(limit)s
        """,
        {"region": run.region_id, "after": after, "began": run.started_at, "hour": run.hour, "limit": limit},
    )
    return [account_id for (account_id,) in await cursor.fetchall()]


async def serialise_runs(conn: Connection, run: SamplingRun) -> None:
    """Locks the run until the end of the transaction. A statement of its own: the next one sees what it waited for."""
    await conn.execute(
        "select from sampling_run where region_id = %s and hour = %s for no key update", [run.region_id, run.hour]
    )


async def still_unsampled(conn: Connection, run: SamplingRun, account_ids: list[int]) -> list[int]:
    """Those that have no sample of the hour yet, and were not purged meanwhile."""
    cursor = await conn.execute(
        f"""
        select s.id from storage_account s
        where s.id = any(%(ids)s) and s.purged_at is null
            and not exists ({_SAMPLED})
        order by s.id
        """,
        {"ids": account_ids, "hour": run.hour},
    )
    return [account_id for (account_id,) in await cursor.fetchall()]


async def record_sampled(conn: Connection, run: SamplingRun, sampled: int) -> None:
    """So many more accounts have their sample."""
    await conn.execute(
        "update sampling_run set sampled = sampled + %s where region_id = %s and hour = %s",
        [sampled, run.region_id, run.hour],
    )


async def finish(conn: Connection, run: SamplingRun, missed: int, now: datetime) -> None:
    """The run has been through all accounts; so many did not answer."""
    await conn.execute(
        "update sampling_run set finished_at = %s, missed = %s where region_id = %s and hour = %s",
        [now, missed, run.region_id, run.hour],
    )


async def freshness(conn: Connection, *, counted: bool) -> bytes:
    """How fresh the usage of every region is, as an object with one field; regions by name.

    `asOf` is the time of the samples of the last run that went through. `counted`: with the numbers of accounts of the
    last one, which tell how large the operator is. What was imported last is not said: that would take a look at every
    account.
    """
    cursor = await conn.execute(
        """
        select json_build_object('regions', coalesce(json_agg(json_strip_nulls(json_build_object(
            'region', r.name, 'backend', r.backend, 'asOf', to_char(done.hour, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'sampled', case when %(counted)s then coalesce(run.sampled, 0) end,
            'missed', case when %(counted)s then coalesce(run.missed, 0) end,
            'running', run.hour is not null and run.finished_at is null)) order by r.name collate "C"), '[]'))
        from region r
        left join lateral (
            select * from sampling_run where region_id = r.id order by hour desc limit 1
        ) run on true
        left join lateral (
            select hour from sampling_run where region_id = r.id and finished_at is not null order by hour desc limit 1
        ) done on true
        """,
        {"counted": counted},
    )
    row = await cursor.fetchone()
    return row[0] if row else b"{}"
