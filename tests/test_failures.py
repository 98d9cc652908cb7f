"""What every error of psycopg means: to the web's clients, to jobs, and on the command line."""

import itertools
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from procrastinate.jobs import Job
from psycopg import errors
from psycopg.transaction import OutOfOrderTransactionNesting
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from tonnage.cli.error_messages import error_message
from tonnage.db.deadlines import DeadlinePassed, InDoubt
from tonnage.db.failures import UNAVAILABLE, Failure, failure_of
from tonnage.db.poolers import MixedSessions
from tonnage.jobs.running import RetryWhenAway
from tonnage.web import problem
from tonnage.web.middleware import RequestMiddleware

BUGS = {
    "02": "a statement that returns nothing, of embedded SQL",
    "03": "a statement that is not complete, of embedded SQL",
    "09": "a trigger of ours",
    "0B": "a transaction that our code begins in the wrong state",
    "0F": "large objects, which are not used",
    "0L": "GRANT, which is not used",
    "0P": "roles, which are not used",
    "0Z": "GET STACKED DIAGNOSTICS in a wrong place",
    "10": "XQuery, which is not used",
    "20": "a CASE in PL/pgSQL without the branch that is needed",
    "21": "a subquery with several rows",
    "22": "a value that should have been refused before: every input is validated",
    "34": "a cursor without a name",
    "3F": "a schema that a statement names wrongly",
    "42": "a statement that does not fit the schema; /readyz reports a schema that does not fit the program",
    "44": "a view with a check, which is not used",
    "P0": "raised in PL/pgSQL by a rule of ours that no caller may reach, such as of append-only tables",
}
"""SQLSTATE classes whose errors stay a crash, with the reason. Exceptions are in EXPECTED."""

EXPECTED = {
    Failure.IN_DOUBT: {"08007", "40003"},
    Failure.LOCKED: {"40000", "40001", "40P01", "55006", "55P03"},
    Failure.READ_ONLY: {"25006"},
    Failure.DISK_FULL: {"53100"},
    Failure.CONFLICT: {"22003", "23000", "23001", "23502", "23503", "23505", "23514", "23P01"},
    Failure.UNREACHABLE: {"42501", "42P05"},
}
"""By SQLSTATE."""

UNREACHABLE = {
    *("08", "0A", "24", "25", "26", "27", "28", "2B", "2D", "2F", "38", "39", "3B", "3D", "40", "53", "54", "55", "57"),
    *("58", "72", "F0", "HV", "XX"),
}
"""SQLSTATE classes of what a server, its configuration, its other sessions or a proxy in front of it can cause."""

WITHOUT_STATE: dict[type[psycopg.Error], Failure] = {
    psycopg.OperationalError: Failure.UNREACHABLE,
    psycopg.InterfaceError: Failure.UNREACHABLE,
    psycopg.InternalError: Failure.UNREACHABLE,
    errors.ConnectionTimeout: Failure.UNREACHABLE,
    errors.CancellationTimeout: Failure.UNREACHABLE,
    errors.PipelineAborted: Failure.UNREACHABLE,
    OutOfOrderTransactionNesting: Failure.BUG,
    PoolTimeout: Failure.UNREACHABLE,
    PoolClosed: Failure.UNREACHABLE,
    TooManyRequests: Failure.UNREACHABLE,
    DeadlinePassed: Failure.UNREACHABLE,
    MixedSessions: Failure.UNREACHABLE,
    InDoubt: Failure.IN_DOUBT,
    psycopg.IntegrityError: Failure.CONFLICT,
    psycopg.DataError: Failure.BUG,
    psycopg.ProgrammingError: Failure.BUG,
    psycopg.NotSupportedError: Failure.BUG,
    psycopg.DatabaseError: Failure.BUG,
    psycopg.Error: Failure.BUG,
}

SENTENCES = {
    Failure.UNREACHABLE: problem.NO_DATABASE,
    Failure.LOCKED: problem.LOCKED,
    Failure.READ_ONLY: problem.READ_ONLY,
    Failure.DISK_FULL: problem.DISK_FULL,
    Failure.IN_DOUBT: problem.IN_DOUBT,
    Failure.CONFLICT: problem.CONTRADICTION,
    Failure.BUG: problem.CRASH,
}
"""After a change. A read that was not confirmed has changed nothing."""

STATUS = {
    Failure.UNREACHABLE: 503,
    Failure.LOCKED: 503,
    Failure.READ_ONLY: 503,
    Failure.DISK_FULL: 503,
    Failure.IN_DOUBT: 503,
    Failure.CONFLICT: 409,
    Failure.BUG: 500,
}


def expected_of(state: str) -> Failure:
    """The meaning of a SQLSTATE; KeyError for one that nobody has decided on."""
    for failure, states in EXPECTED.items():
        if state in states:
            return failure
    if state[:2] in UNREACHABLE:
        return Failure.UNREACHABLE
    return dict.fromkeys(BUGS, Failure.BUG)[state[:2]]


def subclasses(kind: type[psycopg.Error]) -> Iterator[type[psycopg.Error]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


EVERY = {kind: expected_of(kind.sqlstate) for kind in subclasses(psycopg.Error) if kind.sqlstate} | WITHOUT_STATE


def test_every_class_has_its_meaning() -> None:
    assert len(EVERY) > 250
    assert {kind: failure_of(kind()) for kind in EVERY} == EVERY
    assert not set(BUGS) & UNREACHABLE


def test_no_class_is_forgotten() -> None:
    ours = {kind for kind in subclasses(psycopg.Error) if kind.__module__.startswith(("psycopg", "tonnage"))}
    assert {kind for kind in ours if not kind.__name__.startswith("_")} <= set(EVERY)


@pytest.mark.anyio
async def test_what_a_client_gets() -> None:
    app, raised = FastAPI(), dict(enumerate(EVERY))
    problem.install(app)
    app.add_middleware(RequestMiddleware)

    @app.api_route("/{number}", methods=["GET", "POST"])
    async def fail(number: int) -> None:  # pyright: ignore[reportUnusedFunction]
        raise raised[number]

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as http:
        for number, kind in raised.items():
            answer = await http.post(f"/{number}")
            assert answer.status_code == STATUS[EVERY[kind]], kind
            assert answer.headers.get("retry-after") == ("5" if answer.status_code == 503 else None), kind
            assert answer.json()["detail"] == SENTENCES[EVERY[kind]], kind
            of_read = Failure.UNREACHABLE if EVERY[kind] is Failure.IN_DOUBT else EVERY[kind]
            assert (await http.get(f"/{number}")).json()["detail"] == SENTENCES[of_read], kind


def test_jobs_are_retried_after_what_passes() -> None:
    strategy, job = RetryWhenAway(), Job(id=1, status="doing", queue="q", lock=None, queueing_lock=None, task_name="t")
    passing = set(Failure) - {Failure.CONFLICT, Failure.BUG}
    for kind, failure in EVERY.items():
        decision = strategy.get_retry_decision(exception=kind(), job=job)
        assert (decision is not None) == (failure in passing), kind
        assert isinstance(kind(), UNAVAILABLE) == (failure in passing), kind


def test_a_command_ends_with_a_sentence() -> None:
    """Of a value that the database refuses too: on the command line it is the person's own."""
    for kind, failure in EVERY.items():
        bug = failure is Failure.BUG and not issubclass(kind, psycopg.DataError)
        assert (error_message(kind()) is None) == bug, kind


def test_the_sentences_differ() -> None:
    said = [error_message(kind()) for kind in (errors.LockNotAvailable, errors.DiskFull, errors.ReadOnlySqlTransaction)]
    assert all(one != another for one, another in itertools.combinations(said, 2))
