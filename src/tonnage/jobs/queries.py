"""SQL of the job queue, beyond what the queue itself offers."""

from datetime import datetime

from tonnage.db import Connection


async def absorb(conn: Connection, job_id: int, turn: str) -> None:
    """Takes the jobs away that wait for the same turn as the one that is about to begin.

    Whoever asked for them has committed: what they wanted is seen by whoever looks from now on.
    """
    await conn.execute(
        "delete from procrastinate_jobs where lock = %s and status = 'todo' and id <> %s", [turn, job_id]
    )


async def note_failure(conn: Connection, job_id: int, reason: str, now: datetime) -> None:
    """Keeps why a job failed last, and forgets it of jobs that are gone."""
    await conn.execute(
        """
        with forgotten as (
            delete from job_failure f where not exists (select from procrastinate_jobs j where j.id = f.job_id)
        )
        insert into job_failure (job_id, failed_at, reason) values (%(id)s, %(now)s, %(reason)s)
        on conflict (job_id) do update set failed_at = excluded.failed_at, reason = excluded.reason
        """,
        {"id": job_id, "now": now, "reason": reason},
    )
