"""SQL of sampling: the runs, one for each region and hour, and the accounts that they still have to read."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.db import Connection, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.metering.sampling import SampledThrough, SamplingRun
from tonnage.storage.backend import ClusterUser

# Looks up each account's own samples, instead of a join that reads 40 days of all samples; OFFSET enforces that.
_SAMPLED: LiteralString = """
    select from usage_sample u where u.account_id = s.id and u.sampled_at = %(hour)s offset 0"""


async def begin(conn: Connection, region_id: int, hour: datetime, now: datetime) -> SamplingRun:
    """Starts the run of that hour, or continues one that was started already."""
    cursor = await conn.execute(
        """
        insert into sampling_run (region_id, hour, started_at) values (%(region)s, %(hour)s, %(now)s)
        on conflict (region_id, hour) do update set started_at = sampling_run.started_at
        returning region_id, hour, started_at, finished_at is not null, missed
        """,
        {"region": region_id, "hour": hour, "now": now},
    )
    return SamplingRun(*await one_row(cursor))


async def unsampled(conn: Connection, run: SamplingRun, after: int, limit: int) -> list[ClusterUser]:
    """The next accounts after the id `after` that the run has to read: not purged, on the cluster, created before the
    run started, and without a sample of its hour.
    """
    cursor = await conn.execute(
        f"""
        select s.id, s.cluster_user from storage_account s
        where s.region_id = %(region)s and s.id > %(after)s and s.purged_at is null and s.purge_started_at is null
            and s.applied_revision > 0 and s.created_at <= %(began)s
            and not exists ({_SAMPLED})
        order by s.id limit %(limit)s
        """,
        {"region": run.region_id, "after": after, "began": run.started_at, "hour": run.hour, "limit": limit},
    )
    return [ClusterUser(*row) for row in await cursor.fetchall()]


async def serialise_runs(conn: Connection, run: SamplingRun) -> None:
    """Locks the run until the transaction ends. A separate statement, so that the next one sees what others have
    committed."""
    await conn.execute(
        "select from sampling_run where region_id = %s and hour = %s for no key update", [run.region_id, run.hour]
    )


async def still_unsampled(conn: Connection, run: SamplingRun, account_ids: list[int]) -> list[int]:
    """Those that still have no sample of the hour, and were not purged meanwhile."""
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
    """Adds to the number of accounts that have their sample."""
    await conn.execute(
        "update sampling_run set sampled = sampled + %s where region_id = %s and hour = %s",
        [sampled, run.region_id, run.hour],
    )


async def finish(conn: Connection, run: SamplingRun, missed: int, now: datetime) -> None:
    """Marks the run as finished; `missed` accounts did not respond."""
    await conn.execute(
        "update sampling_run set finished_at = %s, missed = %s where region_id = %s and hour = %s",
        [now, missed, run.region_id, run.hour],
    )


async def freshness(conn: Connection, *, counted: bool) -> bytes:
    """The freshness of the usage of every region, as an object with one field; regions by name.

    `asOf` is the time of the samples of the last finished run. `counted`: with the numbers of accounts of the last run,
    which reveal the operator's size. The time of the last import is not included: that would require reading every
    account.
    """
    cursor = await conn.execute(
        f"""
        select json_build_object('regions', coalesce(json_agg(json_strip_nulls(json_build_object(
            'region', r.name, 'backend', r.backend, 'asOf', to_char(done.hour, {TIMESTAMP_FORMAT}),
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
    return (await one_row(cursor))[0]


async def not_sampled_through(
    conn: Connection, seller_id: UUID, first: datetime, end: datetime
) -> SampledThrough | None:
    """The region whose cluster was sampled least, of those that had accounts of the seller between these moments and
    were not sampled since the end. `seller_id`: the operator, a distributor or a partner.

    Accounts are looked at only if a region is late, and then those of the seller, partner by partner: one plan serves
    sellers with three accounts and with all of them.
    """
    cursor = await conn.execute(
        """
        with late as materialized (
            select r.id, r.name, (
                select hour from sampling_run s where s.region_id = r.id and s.finished_at is not null
                order by hour desc limit 1) as sampled
            from region r
            where r.backend <> 'metered' and r.connected_at < %(end)s and not exists (
                select from sampling_run s where s.region_id = r.id and s.finished_at is not null and s.hour >= %(end)s)
        )
        select r.name, r.sampled from late r
        where exists (
            select from (
                select id from partner where id = %(seller)s
                union all select id from partner where distributor_id = %(seller)s
                union all select id from partner where %(seller)s = (select operator_id())) p
            cross join lateral (
                select from storage_account a
                where a.partner_id = p.id and a.region_id = r.id and a.created_at < %(end)s
                    and (a.purged_at is null or a.purged_at >= %(first)s) limit 1) a)
        order by r.sampled nulls first, r.id limit 1
        """,
        {"seller": seller_id, "first": first, "end": end},
    )
    row = await cursor.fetchone()
    return SampledThrough(*row) if row else None
