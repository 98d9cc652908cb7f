"""Applies the rules of distributors about overdue statements, once a day; and ends what they have suspended."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

from tonnage.db import Connection, Database
from tonnage.provisioning.actions import defer_reapply
from tonnage.suspensions import overdue_queries as queries
from tonnage.suspensions.overdue import ResumedPart, RulePart
from tonnage.utc import day_of

_AT_ONCE = 1_000
_FIRST = UUID(int=0)

_Step: TypeAlias = Callable[[Connection, UUID, UUID, int, date, datetime], Awaitable[RulePart]]


async def apply_rules(database: Database, now: datetime, most: int = _AT_ONCE) -> None:
    """Resumes the partners that have settled all overdue statements, suspends those whose day has come, and warns those
    whose day comes. In short transactions; interrupted, it is done again."""
    await _resume(database, None, now)
    for seller_id in await database.run(queries.sellers_with_rule):
        await _each(database, queries.suspend_due, seller_id, now, most)
        await _each(database, queries.warn_due, seller_id, now, most)


async def resume_if_settled(database: Database, partner_id: UUID, now: datetime) -> None:
    """After one of its statements was settled. A suspension by a person stays."""
    await _resume(database, partner_id, now)


async def _each(database: Database, step: _Step, seller_id: UUID, now: datetime, most: int) -> None:
    after: UUID | None = _FIRST
    while after is not None:
        after = (await database.transaction(_apply, step, seller_id, after, now, most)).last


async def _apply(conn: Connection, step: _Step, seller_id: UUID, after: UUID, now: datetime, most: int) -> RulePart:
    part = await step(conn, seller_id, after, most, day_of(now), now)
    if step is queries.suspend_due:
        await defer_reapply(conn, part.partners)
    return part


async def _resume(database: Database, partner_id: UUID | None, now: datetime) -> None:
    after: UUID | None = _FIRST
    while after is not None:
        after = (await database.transaction(_resume_part, partner_id, after, now)).last


async def _resume_part(conn: Connection, partner_id: UUID | None, after: UUID, now: datetime) -> ResumedPart:
    part = await queries.resume_settled(conn, partner_id, after, _AT_ONCE, day_of(now))
    await defer_reapply(conn, part.resumed)
    return part
