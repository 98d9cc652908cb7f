"""`tonnage jobs`"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest

from tests.cli.command import Command

Queue = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def own_database(new_database: Callable[[], AbstractContextManager[str]]) -> Generator[str]:
    """A database without a worker."""
    with new_database() as conninfo:
        yield conninfo


@pytest.fixture
def queue(own_database: str) -> Generator[Queue]:
    with psycopg.connect(own_database, autocommit=True) as conn:
        yield conn


@pytest.fixture
def tonnage(own_database: str) -> Command:
    return Command(own_database)


def job(queue: Queue, status: str, attempts: int = 0, *, kind: str | None = None, reason: str = "") -> int:
    """Returns the id of a new job. `kind`: of which only one may wait."""
    row = queue.execute(
        """
        insert into procrastinate_jobs (queue_name, task_name, queueing_lock, args, status, attempts, scheduled_at)
        select 'default', %(name)s, %(kind)s, '{"subject": "7"}', given.status, %(attempts)s,
            case when given.status = 'todo' and %(attempts)s > 0 then timestamptz '2099-01-01 00:00:00Z' end
        from (select %(status)s::procrastinate_job_status as status) as given
        returning id
        """,
        {"name": kind or "provisioning.full_reconcile", "kind": kind, "status": status, "attempts": attempts},
    ).fetchone()
    assert row is not None
    if reason:
        failure = "insert into job_failure (job_id, failed_at, reason) values (%s, '2026-03-01 12:00:00Z', %s)"
        queue.execute(failure, [row[0], reason])
    return row[0]


def queued(queue: Queue) -> list[tuple[Any, ...]]:
    return queue.execute("select id, status::text, scheduled_at is null from procrastinate_jobs order by id").fetchall()


def test_jobs_are_listed(queue: Queue, tonnage: Command) -> None:
    waiting, retrying = job(queue, "todo"), job(queue, "todo", 3, reason="The cluster sleeps.")
    running, failed = job(queue, "doing"), job(queue, "failed", 1, reason="KeyError('x')")
    seen = tonnage.json("jobs", "list")
    of_all = {"name": "provisioning.full_reconcile", "subject": "7"}
    failure = {"failedAt": "2026-03-01T12:00:00Z"}
    # Only the queue knows when a job was deferred, and only for jobs that are waiting.
    asked = [one.pop("askedAt", None) for one in seen]
    assert seen == [
        {**of_all, "id": waiting, "status": "waiting", "attempts": 0},
        {**of_all, "id": retrying, "status": "retrying", "attempts": 3, "nextTryAt": "2099-01-01T00:00:00Z",
         "reason": "The cluster sleeps.", **failure},
        {**of_all, "id": running, "status": "running", "attempts": 0},
        {**of_all, "id": failed, "status": "failed", "attempts": 1, "reason": "KeyError('x')", **failure},
    ]  # fmt: skip
    assert [at is not None for at in asked] == [True, True, False, False]
    assert [one["id"] for one in tonnage.json("jobs", "list", "--limit", "2")] == [running, failed]
    assert [one["id"] for one in tonnage.json("jobs", "list", "--failed")] == [failed]
    table = tonnage.ok("jobs", "list").splitlines()
    assert table[0].split()[:5] == ["ID", "Name", "Subject", "Status", "Attempts"]
    assert table[2].split()[:5] == [str(retrying), "provisioning.full_reconcile", "7", "retrying", "3"]
    assert table[2].endswith("The cluster sleeps.")


def test_regions_and_partners_are_shown_by_name(queue: Queue, tonnage: Command) -> None:
    where = ("--s3-url", "https://s3", "--iam-url", "https://iam", "--sts-url", "https://sts")
    tonnage.ok("region", "add", "eu-central-2", *where)
    region = queue.execute("select id::text from region").fetchone()
    assert region is not None
    partner = tonnage.partner(tonnage.contract(tonnage.distributor()))
    subjects = {region[0]: "eu-central-2", partner: "Partner", "12345": "12345"}
    for subject in subjects:
        asked = "update procrastinate_jobs set args = jsonb_build_object('subject', %s::text) where id = %s"
        queue.execute(asked, [subject, job(queue, "failed")])
    without = job(queue, "failed")
    queue.execute("update procrastinate_jobs set args = '{}' where id = %s", [without])
    seen = tonnage.json("jobs", "list")
    assert [one.get("subject") for one in seen] == [*subjects, None]
    table = tonnage.ok("jobs", "list").splitlines()
    assert [line.split()[2] for line in table[1:]] == [*subjects.values(), "failed"]


def test_some_jobs_are_retried(queue: Queue, tonnage: Command) -> None:
    retrying, failed, other = job(queue, "todo", 3), job(queue, "failed", 1), job(queue, "failed", 1)
    assert tonnage("jobs", "retry", str(retrying), str(failed)).stderr == "2 jobs are retried within seconds.\n"
    now = [(retrying, "todo", True), (failed, "todo", True)]
    assert queued(queue) == [*now, (other, "failed", True)]
    assert "1 job is retried" in tonnage("jobs", "retry", str(other)).stderr


def test_all_failed_jobs_are_retried(queue: Queue, tonnage: Command) -> None:
    job(queue, "todo")
    job(queue, "doing")
    before = queued(queue)
    retrying, failed = job(queue, "todo", 3), job(queue, "failed", 1)
    tonnage.ok("jobs", "retry", "--all")
    assert queued(queue) == [*before, (retrying, "todo", True), (failed, "todo", True)]
    assert "2 jobs are" in tonnage("jobs", "retry", "--all").stderr, "they still wait, and that hurts nobody"


def test_only_one_of_a_kind_may_wait(queue: Queue, tonnage: Command) -> None:
    job(queue, "failed", 1, kind="metering.sample_all")
    job(queue, "failed", 1, kind="metering.sample_all")
    newest = job(queue, "failed", 1, kind="metering.sample_all")
    old = job(queue, "failed", 1, kind="provisioning.purge_all")
    next_one = job(queue, "todo", kind="provisioning.purge_all")
    output = tonnage("jobs", "retry", "--all").stderr
    assert output.splitlines() == [
        "1 job is retried within seconds.",
        "3 more were dropped: the next job of their kind does their work.",
    ]
    assert queued(queue) == [(newest, "todo", True), (next_one, "todo", True)]
    assert f"There is no failed or retrying job with the id {old}." in tonnage.refused("jobs", "retry", str(old))


def test_jobs_that_cannot_be_retried(queue: Queue, tonnage: Command) -> None:
    waiting, running, failed = job(queue, "todo"), job(queue, "doing"), job(queue, "failed", 1)
    before = queued(queue)
    output = tonnage.refused("jobs", "retry", *map(str, (failed, running, waiting, 999_999)))
    assert f"There is no failed or retrying job with the id {waiting}, {running}, 999999." in output
    assert queued(queue) == before


def test_wrong_usage(tonnage: Command) -> None:
    assert "Give job ids, or --all." in tonnage.misused("jobs", "retry")
    assert "Give job ids, or --all." in tonnage.misused("jobs", "retry", "1", "--all")
    for given in ("abc", str(2**63)):
        assert f"'{given}' is not a job id; see: tonnage jobs list" in tonnage.misused("jobs", "retry", given)
    assert "is not in the range" in tonnage.misused("jobs", "list", "--limit", "0")
