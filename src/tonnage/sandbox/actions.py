"""Advances the clock of a sandbox, day by day."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import psycopg
from psycopg.errors import LockNotAvailable

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection
from tonnage.db.deadlines import JOB_WAIT, WaitLimit, limited
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Invalid, Sentence
from tonnage.sandbox import queries
from tonnage.sandbox.level import LAST_DAY, midnight
from tonnage.sandbox.queries import ClockState
from tonnage.sandbox.steps import run_steps
from tonnage.services import Services
from tonnage.utc import day_of

T = TypeVar("T")

_DAY = timedelta(days=1)

_IN_PROGRESS = Sentence("The clock of this sandbox is being advanced already. Try again when it is there.")

MOST_DAYS = 1100
"""Of one advance: three years."""


def require_sandbox(services: Services) -> datetime:
    """The business time. Conflict: the database is no sandbox."""
    time = services.sandbox_time
    if time is None:
        raise Conflict(
            "This is no sandbox, and cannot become one. Start one with a database of its own: tonnage serve --sandbox",
            ConflictCode.NOT_A_SANDBOX,
        )
    return time


async def advance(services: Services, actor: Actor, until: datetime) -> datetime:
    """Advances the clock to a moment, for the operator, and does for each day that it reaches what recurs then. Returns
    the new time, which is the present one if it was that already.

    Each day is done by itself: where an advance was interrupted, the next one goes on. Conflict: the database is no
    sandbox, the moment has passed, or another advance is in progress. Invalid, naming `advanceTo`: it is too far away.
    OnHold: the database was restored from a backup.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    require_sandbox(services)
    return await _run_alone(services, partial(_advance, services, actor, until))


async def finish_day(services: Services) -> None:
    """Does what is left of the present day, of a new sandbox or after an interruption."""
    await _run_alone(services, partial(_finish, services))


async def _run_alone(services: Services, work: Callable[[], Awaitable[T]]) -> T:
    with limited(WaitLimit(JOB_WAIT)):
        return await services.database.run(_locked, work)


async def _locked(conn: Connection, work: Callable[[], Awaitable[T]]) -> T:
    """On a connection of its own, whose lock keeps others away. The lock ends with the connection, too: a moment later,
    so an advance waits for one that was killed."""
    try:
        await queries.lock(conn)
    except LockNotAvailable as error:
        raise Conflict(_IN_PROGRESS, ConflictCode.ADVANCE_IN_PROGRESS) from error
    try:
        return await work()
    finally:
        try:
            await queries.unlock(conn)
        except psycopg.Error:
            await conn.close()


async def _advance(services: Services, actor: Actor, until: datetime) -> datetime:
    began = (await _state(services)).time
    _check(began, until)
    await _finish(services)
    before = began
    while before < until:
        after = min(until, midnight(day_of(before) + _DAY))
        await services.database.transaction(_move, actor, before, after, until if before == began else None)
        await _finish(services)
        before = after
    return until


def _check(time: datetime, until: datetime) -> None:
    if until < time:
        raise Conflict(
            "The clock of this sandbox is at {time} and never goes back, not to {until} either. Ask for a later time, "
            "or begin with a new sandbox.",
            ConflictCode.CLOCK_NEVER_BACK,
            time=time,
            until=until,
        )
    last = min(time + MOST_DAYS * _DAY, midnight(LAST_DAY))
    if until > last:
        raise Invalid.field("advanceTo", "must be {last} or earlier; go in several steps", last=last)


async def _move(conn: Connection, actor: Actor, before: datetime, after: datetime, started: datetime | None) -> None:
    """In the caller's transaction. `started`: how far the advance goes that begins with this day."""
    if not await queries.move_clock(conn, before, after):
        raise Conflict(_IN_PROGRESS, ConflictCode.ADVANCE_IN_PROGRESS)
    if started is not None:
        await queries.audit_advance(conn, before, started, actor.stamp)


async def _finish(services: Services) -> None:
    state = await _state(services)
    await services.business_now()
    today = day_of(state.time)
    if state.finished < today:
        await run_steps(services)
        await services.database.run(queries.finish_day, today)


async def _state(services: Services) -> ClockState:
    state = await services.database.run(queries.clock_state)
    if state is None:
        raise LookupError("a sandbox has lost its clock")
    return state
