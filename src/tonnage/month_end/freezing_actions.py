"""Freezes a month: computes it from one snapshot, checks itself, and gives the statements their numbers.

Each stage can be interrupted: what is computed is computed again, and numbers are taken in the transaction that
freezes.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

import psycopg
from psycopg.errors import LockNotAvailable

from tonnage.access.actor import Actor, Role
from tonnage.billing_profiles.document_number import DocumentNumberFormat
from tonnage.billing_profiles.settings_queries import seller_settings
from tonnage.db import Connection, Database
from tonnage.db.deadlines import JOB_WAIT, WaitLimit, limited
from tonnage.epoch.epoch import on_hold
from tonnage.epoch.queries import hold_of
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Sentence, TonnageError
from tonnage.month_end import freezing_queries as queries
from tonnage.month_end.computed_actions import compute
from tonnage.month_end.freezing import Frozen, require_over
from tonnage.statements.frozen_queries import verify
from tonnage.utc import day_of

T = TypeVar("T")

_log = logging.getLogger(__name__)

_IN_PROGRESS = Sentence("The month {month} is being frozen already. Try again when that is done.")


async def freeze(database: Database, actor: Actor, first: date, now: datetime) -> Frozen:
    """Freezes the actor's statements of the month that begins on `first`. What is frozen stays as it is; of a month
    that is frozen as a whole nothing changes.

    Conflict: the month is not over, or is being frozen. OnHold: the database was restored from a backup.
    """
    actor.require(actor.kind, Role.ADMIN)
    require_over(first, day_of(now))
    with limited(WaitLimit(JOB_WAIT)):
        return await database.run(_alone, actor, first, partial(_freeze, database, actor, first, now))


async def _alone(conn: Connection, actor: Actor, first: date, work: Callable[[], Awaitable[T]]) -> T:
    """On a connection of its own, whose lock keeps other freezes of the month away."""
    try:
        await queries.lock_month(conn, actor.organisation_id, first)
    except LockNotAvailable as error:
        raise Conflict(_IN_PROGRESS, ConflictCode.FREEZE_IN_PROGRESS, month=f"{first:%Y-%m}") from error
    try:
        return await work()
    finally:
        try:
            await queries.unlock_month(conn, actor.organisation_id, first)
        except psycopg.Error:
            await conn.close()


async def _freeze(database: Database, actor: Actor, first: date, now: datetime) -> Frozen:
    if (hold := await database.run(hold_of)) is not None:
        raise on_hold(hold)
    await database.transaction(compute, actor, first, now)
    for statement_id in await database.run(queries.ready, actor.organisation_id, first):
        if (difference := await database.run(verify, statement_id)) is not None:
            raise RuntimeError(
                f"a statement that was just computed differs from what it was computed from: {difference}"
            )
    numbers = await database.transaction(_number, actor, first, now)
    blocked = await database.run(queries.blocked_buyers, actor.organisation_id, first)
    return Frozen(actor.organisation_id, first, numbers, blocked)


async def _number(conn: Connection, actor: Actor, first: date, now: datetime) -> list[str]:
    """In one short transaction."""
    seller = actor.organisation_id
    ids = await queries.ready(conn, seller, first)
    if not ids:
        return []
    settings = (await seller_settings(conn, seller)).settings
    form = DocumentNumberFormat.read(settings.number_format)
    numbers = await queries.take_numbers(conn, seller, form, settings.number_start, len(ids), day_of(now))
    await queries.freeze(conn, seller, first, dict(zip(ids, numbers, strict=True)), now, actor.stamp)
    return numbers


async def freeze_due(database: Database, now: datetime) -> None:
    """Freezes the month before of every seller whose day for that has come. One that fails does not keep the others
    from it; TonnageError: it is the last one that failed."""
    failed: TonnageError | None = None
    today = day_of(now)
    first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    for seller_id, kind in await database.run(queries.due_sellers, today.day):
        try:
            await freeze(database, Actor(seller_id, kind, Role.ADMIN, "job"), first, now)
        except TonnageError as error:
            _log.warning("the statements of %s of %s were not frozen: %s", seller_id, f"{first:%Y-%m}", error)
            failed = error
    if failed is not None:
        raise failed
