"""Freezes a month: computes it from one snapshot, checks itself, and gives the statements their numbers.

Each stage can be interrupted: what is computed is computed again, and numbers are taken in the transaction that
freezes.
"""

import logging
from datetime import date, datetime, timedelta

import psycopg
from psycopg.errors import LockNotAvailable, UniqueViolation

from tonnage.access.actor import Actor, Role
from tonnage.billing_profiles.document_number import DocumentNumberFormat
from tonnage.billing_profiles.settings_queries import seller_settings
from tonnage.db import Connection, Database, broken_constraint
from tonnage.db.deadlines import JOB_WAIT, WaitLimit, limited
from tonnage.epoch.epoch import on_hold
from tonnage.epoch.queries import hold_of
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Sentence, TonnageError
from tonnage.month_end import freezing_queries as queries
from tonnage.month_end.computed_actions import compute
from tonnage.month_end.freezing import FreezeResult, require_over
from tonnage.statements.frozen_queries import STATEMENTS_AT_ONCE, verify
from tonnage.utc import day_of

_log = logging.getLogger(__name__)

_IN_PROGRESS = Sentence("The month {month} is being frozen already. Try again when that is done.")


async def freeze(database: Database, actor: Actor, first: date, now: datetime) -> FreezeResult:
    """Freezes the actor's statements of the month that begins on `first`. What is frozen stays as it is; of a month
    that is frozen as a whole nothing changes.

    Conflict: the month is not over, or is being frozen, or another statement has a number. OnHold: the database was
    restored from a backup.
    """
    actor.require(actor.kind, Role.ADMIN)
    require_over(first, day_of(now))
    with limited(WaitLimit(JOB_WAIT)):
        return await database.run(_freeze_alone, actor, first, now)


async def _freeze_alone(conn: Connection, actor: Actor, first: date, now: datetime) -> FreezeResult:
    """All stages on one connection, whose lock keeps other freezes of the month away: with a second connection, as many
    freezes as there are connections would wait for each other."""
    try:
        await queries.lock_month(conn, actor.organisation_id, first)
    except LockNotAvailable as error:
        raise Conflict(_IN_PROGRESS, ConflictCode.FREEZE_IN_PROGRESS, month=f"{first:%Y-%m}") from error
    try:
        return await _freeze(conn, actor, first, now)
    finally:
        try:
            await queries.unlock_month(conn, actor.organisation_id, first)
        except psycopg.Error:
            await conn.close()


async def _freeze(conn: Connection, actor: Actor, first: date, now: datetime) -> FreezeResult:
    if (hold := await hold_of(conn)) is not None:
        raise on_hold(hold)
    async with conn.transaction():
        await compute(conn, actor, first, now)
    ids = await queries.ready_to_freeze(conn, actor.organisation_id, first)
    for start in range(0, len(ids), STATEMENTS_AT_ONCE):
        if differing := await verify(conn, ids[start : start + STATEMENTS_AT_ONCE]):
            raise RuntimeError(f"what was just computed differs from what it was computed from: {differing}")
    async with conn.transaction():
        numbers = await _number(conn, actor, first, now)
        blocked = await queries.blocked_buyers(conn, actor.organisation_id, first)
        done = FreezeResult(actor.organisation_id, first, numbers, blocked)
        await queries.save_result(conn, done, actor.stamp)
    return done


async def _number(conn: Connection, actor: Actor, first: date, now: datetime) -> list[str]:
    """In one short transaction."""
    seller = actor.organisation_id
    ids = await queries.ready_to_freeze(conn, seller, first)
    if not ids:
        return []
    settings = (await seller_settings(conn, seller)).settings
    form = DocumentNumberFormat.read(settings.number_format)
    numbers = await queries.take_numbers(conn, seller, form, settings.number_start, len(ids), day_of(now))
    try:
        await queries.freeze(conn, seller, first, dict(zip(ids, numbers, strict=True)), now, actor.stamp)
    except UniqueViolation as error:
        if broken_constraint(error) != "statement_number":
            raise
        raise Conflict(
            "The format {format} gives a number that another statement has. Set another format, and freeze the month "
            "again.",
            ConflictCode.NUMBER_TAKEN,
            format=form.text,
        ) from error
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
