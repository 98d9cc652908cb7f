"""SQL of the job queue, beyond what the queue library offers."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tonnage.db import Connection, ListQuery, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT

STATUS = """
    case when j.status = 'todo' and j.attempts = 0 then 'waiting'
         when j.status = 'todo' then 'retrying'
         when j.status in ('doing', 'aborting') then 'running'
         else j.status::text end
"""
"""The status for display. Successful jobs are deleted from the table."""

ASKED_AT = "(select min(e.at) from procrastinate_events e where e.job_id = j.id)"

_TO_RETRY = "(j.status = 'failed' or j.status = 'todo' and j.attempts > 0)"


class JobCount(NamedTuple):
    """Jobs of one name in one status. `asked_at`: when the oldest whose lock is free was deferred; None without one."""

    name: str
    status: str
    jobs: int
    asked_at: datetime | None


async def run_now(conn: Connection, lock: str) -> None:
    """Makes the job with this lock that waits for its retry start at once.

    Skips a row that is locked by another transaction, to avoid waiting for it.
    """
    await conn.execute(
        """
        update procrastinate_jobs set scheduled_at = null where id in (
            select id from procrastinate_jobs where lock = %s and status = 'todo' and scheduled_at > now()
            for update skip locked)
        """,
        [lock],
    )


async def database_time(conn: Connection) -> datetime:
    """The database's time: what is taken or deleted is never decided by the clock of one machine."""
    return (await one_row(await conn.execute("select clock_timestamp()")))[0]


async def coalesce(conn: Connection, job_id: int, lock: str) -> datetime:
    """Deletes the waiting and the failed jobs with the same lock as the job that is about to start.

    The transactions that deferred them have committed, so the job sees their changes. Returns the database's time.
    """
    cursor = await conn.execute(
        """
        with absorbed as (
            delete from procrastinate_jobs where lock = %s and status in ('todo', 'failed') and id <> %s
        )
        select clock_timestamp()
        """,
        [lock, job_id],
    )
    return (await one_row(cursor))[0]


async def deferred_jobs(conn: Connection, names: Sequence[str], known: Sequence[int]) -> list[tuple[int, str, str]]:
    """The ids, names and subjects of the jobs of these names that wait or run, without the known ones; oldest first."""
    cursor = await conn.execute(
        """
        select id, task_name, args->>'subject' from procrastinate_jobs
        where task_name = any(%s) and status in ('todo', 'doing') and id <> all(%s) order by id
        """,
        [list(names), list(known)],
    )
    return await cursor.fetchall()


async def drop_waiting(conn: Connection, ids: Sequence[int]) -> None:
    """Deletes those of these jobs that still wait: what they would do is done."""
    await conn.execute("delete from procrastinate_jobs where id = any(%s) and status = 'todo'", [list(ids)])


async def drop_missed(conn: Connection, name: str) -> datetime:
    """Deletes the failed and interrupted runs of a recurring job: the run that starts now covers them. Returns the
    database's time.
    """
    cursor = await conn.execute(
        """
        with missed as (
            delete from procrastinate_jobs where task_name = %s and status in ('failed', 'aborted')
        )
        select clock_timestamp()
        """,
        [name],
    )
    return (await one_row(cursor))[0]


async def record_failure(conn: Connection, job_id: int, reason: str, now: datetime) -> None:
    """Records the last error of a job."""
    await conn.execute(
        """
        insert into job_failure (job_id, failed_at, reason) values (%(id)s, %(now)s, %(reason)s)
        on conflict (job_id) do update set failed_at = excluded.failed_at, reason = excluded.reason
        """,
        {"id": job_id, "now": now, "reason": reason},
    )


async def delete_stale_failures(conn: Connection) -> None:
    """Deletes errors of jobs that no longer exist: they succeeded later, or were deleted after the retention period."""
    await conn.execute(
        "delete from job_failure f where not exists (select from procrastinate_jobs j where j.id = f.job_id)"
    )


def latest_jobs(newest: int, *, failed: bool) -> ListQuery:
    """The `newest` latest jobs, oldest first; with `failed`, only those that have failed and are not retried."""
    return ListQuery(
        f"""
        select l.id, json_strip_nulls(json_build_object(
            'id', l.id, 'name', l.task_name, 'subject', l.args->>'subject', 'status', l.state, 'attempts', l.attempts,
            'askedAt', to_char(l.asked_at, {TIMESTAMP_FORMAT}),
            'nextTryAt', to_char(l.next_try_at, {TIMESTAMP_FORMAT}),
            'failedAt', to_char(f.failed_at, {TIMESTAMP_FORMAT}), 'reason', f.reason))
        from (
            select j.id, j.task_name, j.args, j.attempts, {STATUS} as state, {ASKED_AT} as asked_at,
                case when j.status = 'todo' then j.scheduled_at end as next_try_at
            from procrastinate_jobs j where not %(failed)s or j.status = 'failed'
            order by j.id desc limit %(newest)s
        ) l
        left join job_failure f on f.job_id = l.id
        where %(after)s::bigint is null or l.id > %(after)s
        order by l.id limit %(limit)s
        """,
        {"newest": newest, "failed": failed},
    )


async def job_counts(conn: Connection) -> list[JobCount]:
    """The number of jobs by name and status."""
    cursor = await conn.execute(
        f"""
        select j.task_name, {STATUS}, count(*), min({ASKED_AT}) filter (where not exists (
            select from procrastinate_jobs other where other.lock = j.lock and other.status = 'doing'))
        from procrastinate_jobs j
        group by 1, 2 order by 1, 2
        """
    )
    return [JobCount(*row) for row in await cursor.fetchall()]


async def hold_for_retry(conn: Connection, ids: Sequence[int] | None) -> list[int]:
    """Those of these jobs, or of all, that have failed or wait for their retry; locked until the transaction ends."""
    cursor = await conn.execute(
        f"""
        select j.id from procrastinate_jobs j
        where {_TO_RETRY} and (%(ids)s::bigint[] is null or j.id = any(%(ids)s))
        order by j.id for update
        """,
        {"ids": None if ids is None else list(ids)},
    )
    return [job_id for (job_id,) in await cursor.fetchall()]


async def count_jobs(conn: Connection, names: Sequence[str], newest: int) -> int:
    """How many jobs of these names there are up to the number `newest`."""
    cursor = await conn.execute(
        "select count(*) from procrastinate_jobs where task_name = any(%s) and id <= %s", [list(names), newest]
    )
    return (await one_row(cursor))[0]


async def drop_restored(conn: Connection, names: Sequence[str], newest: int) -> int:
    """Deletes the jobs of these names up to the number `newest`, except those that a living worker runs: they were in a
    backup, and have run since. Returns their number.
    """
    cursor = await conn.execute(
        """
        delete from procrastinate_jobs j where task_name = any(%(names)s) and id <= %(newest)s and not (
            status = 'doing' and exists (
                select from procrastinate_workers w
                where w.id = j.worker_id and w.last_heartbeat > clock_timestamp() - interval '2 minutes'))
        """,
        {"names": list(names), "newest": newest},
    )
    return cursor.rowcount


async def newest_job(conn: Connection) -> int:
    """The number of the newest job; 0 if there is none."""
    return (await one_row(await conn.execute("select coalesce(max(id), 0) from procrastinate_jobs")))[0]


async def audit_retry(conn: Connection, ids: Sequence[int], stamp: str) -> None:
    """Writes an audit entry for each of these jobs that is still there, with its name and what it is about."""
    await conn.execute(
        """
        select audit(%(stamp)s, o.id, 'job.retry', j.id::text, null, jsonb_strip_nulls(
            jsonb_build_object('name', j.task_name, 'subject', nullif(j.args->>'subject', ''))))
        from procrastinate_jobs j, organisation o where j.id = any(%(ids)s) and o.kind = 'operator' order by j.id
        """,
        {"ids": list(ids), "stamp": stamp},
    )


async def drop_superseded(conn: Connection, ids: Sequence[int]) -> int:
    """Deletes failed jobs that the next job of their kind covers: one that waits, runs or is among `ids` too. Returns
    how many."""
    cursor = await conn.execute(
        """
        delete from procrastinate_jobs j
        where j.id = any(%(ids)s) and j.status = 'failed' and exists (
            select from procrastinate_jobs next
            where next.id <> j.id and (next.queueing_lock = j.queueing_lock or next.lock = j.lock) and (
                next.status in ('todo', 'doing')
                or next.status = 'failed' and next.id > j.id and next.id = any(%(ids)s)))
        """,
        {"ids": list(ids)},
    )
    return cursor.rowcount


async def try_now(conn: Connection, ids: Sequence[int]) -> None:
    """Makes the queue run these now.

    Constraint procrastinate_jobs_queueing_lock_idx_v1: the next job of the same kind was deferred meanwhile.
    """
    await conn.execute(
        """
        select procrastinate_retry_job_v2(j.id, null, null, null, null) from procrastinate_jobs j
        where j.id = any(%(ids)s) and j.status = 'failed'
        """,
        {"ids": list(ids)},
    )
    await conn.execute(
        "update procrastinate_jobs set scheduled_at = null where id = any(%(ids)s) and status = 'todo'",
        {"ids": list(ids)},
    )


async def active_locks(conn: Connection, locks: Sequence[str]) -> set[str]:
    """Those of these locks of which a job is waiting or running."""
    cursor = await conn.execute(
        "select distinct lock from procrastinate_jobs where lock = any(%s) and status in ('todo', 'doing')",
        [list(locks)],
    )
    return {row[0] for row in await cursor.fetchall()}
