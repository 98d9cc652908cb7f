import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg

from tests.cli.running import started, tonnage
from tonnage import embedded
from tonnage.db import connect
from tonnage.jobs.declaration import DECLARED
from tonnage.jobs.running import take_over_stalled
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.worker import jobs_app

Databases = Callable[[], AbstractContextManager[str]]
RECURRING = sum(declared.cron is not None for declared in DECLARED.values()) + 2
"""Including the queue's own."""

_WAITING = """
insert into procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status)
values ('default', 'provisioning.purge_all', 'provisioning.purge_all', 'provisioning.purge_all', '{"timestamp": 1}', %s)
"""
"""A job; `doing` without a worker is the state that a killed worker leaves."""


def test_it_catches_up_on_recurring_jobs_and_stops_on_a_signal(new_database: Databases) -> None:
    with (
        new_database() as conninfo,
        psycopg.connect(conninfo, autocommit=True) as conn,
        started("worker", "--database-url", conninfo) as worker,
    ):
        worker.wait_for("Tonnage runs jobs")
        deadline = time.monotonic() + 60
        # Jobs that succeeded leave the table.
        while conn.execute(
            "select count(distinct task_name) = %s and not exists (select from procrastinate_jobs)"
            " from procrastinate_periodic_defers",
            [RECURRING],
        ).fetchone() != (True,):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert worker.end(signal.SIGTERM) == 0


def test_on_a_data_directory_it_needs_the_server_and_does_not_keep_the_next_one_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    sentence = f"Error: No server is running on {data}. Run `tonnage serve` on it first, or set --database-url.\n"
    refused = tonnage("worker", "--data-dir", data)
    assert (refused.exit_code, refused.stderr) == (1, sentence)
    assert not data.exists()
    with embedded.connect_or_serve(data, durable=False):
        refused = tonnage("worker", "--data-dir", data)
        assert (refused.exit_code, refused.stderr) == (1, sentence), "a command's server is about to end"
    serve = ("serve", "--no-worker", "--port", "0", "--data-dir", data)
    with started(*serve) as first:
        assert first.origin
        with started("worker", "--data-dir", data) as worker:
            worker.wait_for("Tonnage runs jobs")
            assert first.end(signal.SIGTERM) == 0
            with started(*serve) as second:
                assert second.origin
                assert worker.end(signal.SIGTERM) == 0
                assert second.end(signal.SIGTERM) == 0


def test_jobs_of_killed_workers_are_taken_over(new_database: Databases) -> None:
    with new_database() as conninfo, psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute(_WAITING, ["doing"])
        asyncio.run(_take_over(conninfo))
        assert conn.execute("select status::text, attempts from procrastinate_jobs").fetchall() == [("todo", 1)]
        # Only one of a kind may wait: the job that was running is dropped in its favour.
        conn.execute("update procrastinate_jobs set status = 'doing'")
        conn.execute(_WAITING, ["todo"])
        asyncio.run(_take_over(conninfo))
        assert conn.execute("select status::text, attempts from procrastinate_jobs").fetchall() == [("todo", 0)]


async def _take_over(conninfo: str) -> None:
    async with connect(conninfo) as database:
        app = jobs_app(conninfo, Services(database, OpenBackends(database, None)))
        async with app.open_async():
            await take_over_stalled(app)
