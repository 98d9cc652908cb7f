"""SQL of jobs for the operator's page."""

from datetime import datetime
from typing import NamedTuple

from tonnage.db import Connection
from tonnage.jobs.queries import ASKED_AT, STATUS

STATUSES = ("waiting", "retrying", "running", "failed", "cancelled", "aborted")
"""Successful jobs are deleted from the table."""


class JobRow(NamedTuple):
    """A job."""

    id: int
    name: str
    subject: str | None
    """What it is about, where the name does not say it."""
    status: str
    attempts: int
    asked_at: datetime | None
    next_try_at: datetime | None
    failed_at: datetime | None
    """The time of the last failure."""
    reason: str | None


async def job_rows(conn: Connection, status: str, size: int, offset: int) -> tuple[list[JobRow], int]:
    """A page of the jobs with a status ('': all), newest first, and their total number."""
    cursor = await conn.execute(
        f"""
        with found as materialized (
            select j.*, {STATUS} as state from procrastinate_jobs j
            where %(status)s in ('', {STATUS})
        ), counted as (
            select count(*) as n from found
        ), j as (
            select * from found order by id desc limit %(size)s
            offset (select least(%(offset)s::bigint, (greatest(n, 1) - 1) / %(size)s * %(size)s) from counted)
        )
        select n, j.id, j.task_name, j.args->>'subject', j.state, j.attempts, {ASKED_AT},
            case when j.status = 'todo' then j.scheduled_at end, f.failed_at, f.reason
        from counted left join (j left join job_failure f on f.job_id = j.id) on true
        order by j.id desc
        """,
        {"status": status, "size": size, "offset": offset},
    )
    rows = await cursor.fetchall()
    return [JobRow(*row[1:]) for row in rows if row[1] is not None], rows[0][0] if rows else 0
