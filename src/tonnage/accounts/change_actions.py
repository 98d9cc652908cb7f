"""Changes of storage accounts, by their partner or its distributor.

Conflict: the purge has started. PreconditionFailed: the account is not in the given `revision`.
"""

from datetime import datetime
from uuid import UUID

from psycopg.errors import CheckViolation, NumericValueOutOfRange

from tonnage.access.actor import Actor, Role
from tonnage.accounts import change_queries, queries
from tonnage.accounts.account import AccountChange
from tonnage.accounts.actions import enqueue_reconcile, no_account, not_changeable, purge_started
from tonnage.accounts.change import Changed
from tonnage.accounts.extended_queries import extended_account
from tonnage.db import Connection, broken_constraint
from tonnage.db.rendered import Versioned
from tonnage.errors import EditConflict


async def change_account(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    change: AccountChange,
    now: datetime,
    *,
    expected: AccountChange | None = None,
    revision: int | None = None,
) -> Versioned:
    """Changes an account; returns the whole account. EditConflict: a field to be changed is no longer as `expected`.

    Conflict: not enough of the partner's allocation left (with the figures). An allocation below the present use is
    allowed: the data stays, and writes are refused until use falls.
    """
    actor.require_for_storage(Role.STAFF)
    scope = actor.organisation_id
    try:
        async with conn.transaction():
            changed = await change_queries.change_account(
                conn, scope, partner_id, account_id, change, expected, revision, now, actor.stamp
            )
            return await _reconciled(conn, actor, partner_id, account_id, revision, changed)
    except (CheckViolation, NumericValueOutOfRange) as error:
        if change.allocated_capacity is None or broken_constraint(error) not in {
            "partner_allocated_to_accounts",
            "overflow",
        }:
            raise
        room = await queries.partner_remaining(conn, scope, partner_id, account_id)
        raise (room.refusal(change.allocated_capacity) if room else no_account(account_id)) from error


async def suspend_account(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    reason: str,
    now: datetime,
    *,
    expected_reason: str | None = None,
    revision: int | None = None,
) -> Versioned:
    """Suspends an account; returns the whole account. If it is suspended already only the reason changes.

    EditConflict: the present reason is not `expected_reason`; "" expects that there is none.
    """
    actor.require_for_storage(Role.STAFF)
    async with conn.transaction():
        changed = await change_queries.suspend_account(
            conn, actor.organisation_id, partner_id, account_id, reason, expected_reason, revision, now, actor.stamp
        )
        return await _reconciled(conn, actor, partner_id, account_id, revision, changed)


async def resume_account(
    conn: Connection, actor: Actor, partner_id: UUID, account_id: int, *, revision: int | None = None
) -> None:
    """Ends a suspension. Idempotent."""
    actor.require_for_storage(Role.STAFF)
    async with conn.transaction():
        changed = await change_queries.resume_account(
            conn, actor.organisation_id, partner_id, account_id, revision, actor.stamp
        )
        await _reconciled(conn, actor, partner_id, account_id, revision, changed)


async def set_password(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    password_hash: str,
    *,
    revision: int | None = None,
) -> None:
    """Sets a new password for the account's owner. The cluster has no passwords."""
    actor.require_for_storage(Role.STAFF)
    in_time = await change_queries.set_password(
        conn, actor.organisation_id, partner_id, account_id, password_hash, revision, actor.stamp
    )
    if in_time is None:
        raise await not_changeable(extended_account, conn, actor, partner_id, account_id, revision)
    if not in_time:
        raise purge_started()


async def _reconciled(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    revision: int | None,
    changed: Changed | None,
) -> Versioned:
    if changed is None:
        raise await not_changeable(extended_account, conn, actor, partner_id, account_id, revision)
    if changed.too_late:
        raise purge_started()
    if changed.stale:
        raise EditConflict
    await enqueue_reconcile(conn, changed.cluster, partner_id if changed.frees_capacity else None)
    return changed.account
