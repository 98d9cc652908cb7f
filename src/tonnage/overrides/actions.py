"""Actions on timed overrides: who sells an allocation grants and ends them; jobs end them after their last day."""

from datetime import datetime, timedelta
from uuid import UUID

from psycopg.errors import CheckViolation, NumericValueOutOfRange

from tonnage.access.actor import Actor, Kind, Role
from tonnage.accounts.actions import enqueue_reconcile, no_account, not_changeable, purge_started
from tonnage.accounts.extended_queries import extended_account
from tonnage.accounts.queries import partner_remaining
from tonnage.db import Connection, Database, broken_constraint
from tonnage.db.rendered import Versioned
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, EditConflict, Invalid
from tonnage.organisations.organisation import no_partner
from tonnage.overrides import ending_queries, queries
from tonnage.overrides.ending_queries import EndedOverride
from tonnage.overrides.override import REMINDER_DAYS, NewOverride
from tonnage.overrides.queries import Granted
from tonnage.partners.actions import NOT_ENOUGH_CAPACITY, no_room
from tonnage.partners.actions import not_changeable as partner_not_changeable
from tonnage.partners.queries import capacity_figures
from tonnage.units import Size

_AT_ONCE = 1_000


async def grant_to_account(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    override: NewOverride,
    now: datetime,
    *,
    expected: str | None = None,
    revision: int | None = None,
) -> Versioned:
    """Grants a storage account more capacity until a day; returns the override. One that runs ends.

    Invalid: the day is over or too far away, or the capacity is not more than the allocation. Conflict: not enough of
    the partner's allocation left (with the figures), the account is pay-per-use, or its purge has started.
    EditConflict: the override that runs has not the id `expected`; "" expects that there is none. PreconditionFailed:
    the account is not in the given `revision`.
    """
    actor.require_for_storage(Role.STAFF)
    scope, until = actor.organisation_id, override.ends_at(now)
    try:
        async with conn.transaction():
            await queries.hold_account(conn, account_id)
            granted = await queries.grant_to_account(
                conn, scope, partner_id, account_id, override, until, expected, revision, now, actor.stamp
            )
            if granted is None:
                raise await not_changeable(extended_account, conn, actor, partner_id, account_id, revision)
            if granted.purging:
                raise purge_started()
            await enqueue_reconcile(conn, granted.cluster, partner_id if granted.pool_changed else None)
            return _override_of(granted)
    except (CheckViolation, NumericValueOutOfRange) as error:
        if broken_constraint(error) not in {"partner_overrides_of_accounts", "overflow"}:
            raise
        room = await partner_remaining(conn, scope, partner_id, account_id, for_override=True)
        raise (room.refusal(override.capacity, "capacity") if room else no_account(account_id)) from error


async def grant_to_partner(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    override: NewOverride,
    now: datetime,
    *,
    expected: str | None = None,
    revision: int | None = None,
) -> Versioned:
    """The same for a partner, out of what its contract has left."""
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    scope, until = actor.organisation_id, override.ends_at(now)
    try:
        async with conn.transaction():
            await queries.hold_partner(conn, partner_id)
            granted = await queries.grant_to_partner(
                conn, scope, partner_id, override, until, expected, revision, now, actor.stamp
            )
            if granted is None:
                raise await partner_not_changeable(conn, scope, partner_id, revision)
            await enqueue_reconcile(conn, None, partner_id if granted.pool_changed else None)
            return _override_of(granted)
    except (CheckViolation, NumericValueOutOfRange) as error:
        if broken_constraint(error) not in NOT_ENOUGH_CAPACITY:
            raise
        figures = await capacity_figures(conn, scope, partner_id)
        if figures is None:
            raise no_partner(partner_id) from error
        raise no_room(override.capacity, figures.contract_remaining + figures.allocated) from error


def _override_of(granted: Granted) -> Versioned:
    if granted.stale:
        raise EditConflict
    if granted.allocated == 0:
        raise Conflict(
            "Pay-per-use has no allocation that could be overridden: nothing limits it. Set an allocation first.",
            ConflictCode.PAY_PER_USE,
        )
    if granted.refused or granted.override is None:
        raise Invalid.field(
            "capacity", "must be more than the allocation, {allocated}", allocated=Size(granted.allocated)
        )
    return granted.override


async def end_of_account(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    now: datetime,
    *,
    expected: str | None = None,
    revision: int | None = None,
) -> None:
    """Ends the override of a storage account before its last day. Idempotent. EditConflict, PreconditionFailed: as for
    `grant_to_account`."""
    actor.require_for_storage(Role.STAFF)
    scope = actor.organisation_id
    async with conn.transaction():
        await queries.hold_account(conn, account_id)
        ended = await ending_queries.end_of_account(
            conn, scope, partner_id, account_id, expected, revision, now, actor.stamp
        )
        if ended is None:
            raise await not_changeable(extended_account, conn, actor, partner_id, account_id, revision)
        await _reconciled(conn, ended)


async def end_of_partner(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    now: datetime,
    *,
    expected: str | None = None,
    revision: int | None = None,
) -> None:
    """The same for a partner. Conflict: overrides of its storage accounts are taken out of it."""
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    scope = actor.organisation_id
    try:
        async with conn.transaction():
            await queries.hold_partner(conn, partner_id)
            ended = await ending_queries.end_of_partner(conn, scope, partner_id, expected, revision, now, actor.stamp)
            if ended is None:
                raise await partner_not_changeable(conn, scope, partner_id, revision)
            await _reconciled(conn, ended)
    except CheckViolation as error:
        if broken_constraint(error) != "partner_overrides_of_accounts":
            raise
        raise Conflict(
            "Overrides of the partner's storage accounts are taken out of this one. End them first.",
            ConflictCode.ACCOUNTS_OVERRIDDEN,
        ) from error


async def _reconciled(conn: Connection, ended: EndedOverride) -> None:
    if ended.stale:
        raise EditConflict
    await enqueue_reconcile(conn, ended.cluster, ended.pool_of)


async def end_due(database: Database, now: datetime) -> int:
    """Ends the overrides whose last day is over, each in a short transaction. Returns their number.

    Those of a partner's accounts that are taken out of the partner's own end with it: what is left is the allocation,
    and that is never less than what accounts are allocated.
    """
    ended = 0
    while due := await database.run(ending_queries.accounts_due, now, _AT_ONCE):
        for account_id in due:
            ended += await database.transaction(_end_account, account_id, now, now)
    while partners := await database.run(ending_queries.partners_due, now, _AT_ONCE):
        for partner_id in partners:
            ended += await _end_partner(database, partner_id, now)
    return ended


async def _end_partner(database: Database, partner_id: UUID, now: datetime) -> int:
    try:
        return await database.transaction(_end_of_partner, partner_id, now)
    except CheckViolation as error:
        if broken_constraint(error) != "partner_overrides_of_accounts":
            raise
    for account_id in await database.run(ending_queries.accounts_overridden, partner_id):
        await database.transaction(_end_account, account_id, None, now)
    return await database.transaction(_end_of_partner, partner_id, now)


async def _end_account(conn: Connection, account_id: int, before: datetime | None, now: datetime) -> int:
    await queries.hold_account(conn, account_id)
    ended = await ending_queries.end_of_due_account(conn, account_id, before, now)
    if ended is not None:
        await _reconciled(conn, ended)
    return ended is not None


async def _end_of_partner(conn: Connection, partner_id: UUID, now: datetime) -> int:
    await queries.hold_partner(conn, partner_id)
    ended = await ending_queries.end_of_due_partner(conn, partner_id, now)
    if ended is not None:
        await _reconciled(conn, ended)
    return ended is not None


async def remind(database: Database, now: datetime) -> int:
    """Reminds of overrides that end soon, once for each number of days before. Returns how many."""
    reminded = 0
    # The fewest days first: an override about which that was said needs no other reminder.
    for days in sorted(REMINDER_DAYS):
        while found := await database.run(ending_queries.remind, days, now + timedelta(days=days), now, _AT_ONCE):
            reminded += found
    return reminded
