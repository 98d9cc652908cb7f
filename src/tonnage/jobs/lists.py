"""SQL of jobs for the operator's page."""

from datetime import datetime
from typing import NamedTuple

from tonnage.db import Connection
from tonnage.jobs.queries import ASKED_AT, STATUS
from tonnage.keyset import bigint
from tonnage.lists import (
    ListSpec,
    ListState,
    PageOf,
    page_columns,
    page_ctes,
    page_of,
    page_order,
    page_params,
    sort_columns,
)

STATUSES = ("waiting", "retrying", "running", "failed", "cancelled", "aborted")
"""Successful jobs are deleted from the table."""

JOBS = ListSpec(
    sorts={"newest": (bigint("j.id"),)},
    filters=STATUSES,
    descending_by_default=frozenset({"newest"}),
)
"""The statuses are the filters."""


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


async def job_rows(conn: Connection, state: ListState) -> PageOf[JobRow]:
    """A page of the jobs. The filter is a status."""
    sort = state.sort_columns
    cursor = await conn.execute(
        f"""
        with found as materialized (
            select j.*, {STATUS} as state, {sort_columns(sort)} from procrastinate_jobs j
            where %(status)s in ('', {STATUS})
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, j.id, j.task_name, j.args->>'subject', j.state, j.attempts, {ASKED_AT},
            case when j.status = 'todo' then j.scheduled_at end, f.failed_at, f.reason
        from counted left join (chosen j left join job_failure f on f.job_id = j.id) on true
        order by {page_order(state, sort)}
        """,
        {"status": state.filter, **page_params(state)},
    )
    return page_of(await cursor.fetchall(), state, JobRow)
