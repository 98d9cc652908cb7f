"""Actions on storage accounts, by their partner or its distributor."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.errors import CheckViolation, ForeignKeyViolation, NumericValueOutOfRange, UniqueViolation

from tonnage.access.actor import Actor, Role
from tonnage.accounts import deletion_queries, queries
from tonnage.accounts.account import NewAccount, account_id, earliest_purge, new_account_id
from tonnage.config import DEFAULT_LIMITS, Limits
from tonnage.db import ATTEMPTS, Connection, broken_constraint
from tonnage.db.rendered import Rendered, Versioned
from tonnage.error_codes import ConflictCode, RequestCode, UnavailableCode
from tonnage.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, TonnageError, Unavailable
from tonnage.jobs import defer
from tonnage.organisations.organisation import no_partner
from tonnage.regions.actions import no_region


async def create_account(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account: NewAccount,
    now: datetime,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Rendered[int]:
    """Creates an account. NotFound: no such region.

    Conflict: e-mail taken, not enough of the partner's allocation left (with the figures), the partner has the greatest
    number of accounts or is suspended, or there is no region yet.
    """
    actor.require_for_storage(Role.STAFF)
    for _ in range(ATTEMPTS):
        try:
            async with conn.transaction():
                number = account.account_id or new_account_id()
                created = await queries.insert_account(
                    conn, actor.organisation_id, partner_id, account, number, limits.accounts, now, actor.stamp
                )
                if created is not None:
                    await enqueue_reconcile(conn, created.cluster, partner_id if created.bounded else None)
        except (CheckViolation, NumericValueOutOfRange, UniqueViolation) as error:
            if account.account_id or broken_constraint(error) != "storage_account_pkey":
                raise await _refusal(conn, actor, partner_id, account, error) from error
        except ForeignKeyViolation as error:  # the region was deleted concurrently
            raise await _no_place(conn, actor, partner_id, account.region, limits) from error
        else:
            if created is None:
                raise await _no_place(conn, actor, partner_id, account.region, limits)
            return created.account
    raise Unavailable("No free account number was found. Try again.", UnavailableCode.LOCKED)


async def require_partner(conn: Connection, actor: Actor, partner_id: UUID) -> None:
    """For what is expensive and comes before the change. NotFound: not an open partner of the actor's."""
    if await queries.partner_remaining(conn, actor.organisation_id, partner_id) is None:
        raise no_partner(partner_id)


async def require_account(conn: Connection, actor: Actor, partner_id: UUID, account_id: int) -> None:
    """The same for an account."""
    await require_revision(conn, actor, partner_id, account_id, None)


async def require_revision(
    conn: Connection, actor: Actor, partner_id: UUID, account_id: int, revision: int | None
) -> Versioned:
    """The account, for a change that changes nothing. PreconditionFailed: it is not in the given `revision`."""
    found = await queries.one_account(conn, actor.organisation_id, partner_id, account_id)
    if found is None:
        raise no_account(account_id)
    if revision not in {None, found.revision}:
        raise PreconditionFailed(*found)
    return found


async def enqueue_reconcile(conn: Connection, cluster: int | None, pool_of: UUID | None = None) -> None:
    """Enqueues a reconcile of a changed account's region, in the caller's transaction. `cluster` None: metered only,
    no-op.

    `pool_of`: a partner whose other elastic accounts' quotas may change.
    """
    if cluster is not None:
        await defer(conn, "provisioning.reconcile", cluster)
    if pool_of is not None:
        await defer(conn, "provisioning.requota", pool_of)


async def _no_place(
    conn: Connection, actor: Actor, partner_id: UUID, region: str | None, limits: Limits
) -> TonnageError:
    partner = await queries.partner_remaining(conn, actor.organisation_id, partner_id)
    if partner is None:
        return no_partner(partner_id)
    if partner.is_suspended:
        return Conflict(
            "The partner is suspended, so it gets no new storage accounts. Resume it first.",
            ConflictCode.SUSPENDED_PARTNER,
        )
    if partner.accounts >= limits.accounts:
        return Conflict(
            "The partner has the maximum number of storage accounts, {limit}, including those waiting for deletion. "
            "Ask the operator for more.",
            ConflictCode.TOO_MANY_ACCOUNTS,
            limit=limits.accounts,
        )
    if region is not None:
        return no_region(region)
    return Conflict("There is no region for storage accounts yet. Ask the operator to add one.", ConflictCode.NO_REGION)


async def _refusal(
    conn: Connection, actor: Actor, partner_id: UUID, account: NewAccount, error: psycopg.Error
) -> Exception:
    match broken_constraint(error):
        case "storage_account_email":
            return Conflict(
                "The e-mail address {email} cannot be used for a new storage account. Use another one.",
                ConflictCode.EMAIL_TAKEN,
                email=account.contact_email,
                field="contactEmail",
            )
        case "storage_account_pkey" | "storage_account_adopted":
            return Conflict(
                "This user of the storage cluster is a storage account already.", ConflictCode.NOT_ADOPTABLE
            )
        case "partner_allocated_to_accounts" | "overflow":
            room = await queries.partner_remaining(conn, actor.organisation_id, partner_id)
            return room.refusal(account.allocated_capacity) if room else no_partner(partner_id)
        case _:
            return error


async def delete_account(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    grace_days: int,
    now: datetime,
    *,
    revision: int | None = None,
) -> None:
    """Schedules the purge in `grace_days`. Idempotent: an account that is scheduled already keeps its date.

    PreconditionFailed: it is not in the given `revision`.
    """
    actor.require_for_storage(Role.ADMIN)
    requested = now.replace(microsecond=0)
    due = earliest_purge(requested, grace_days)
    async with conn.transaction():
        scheduled = await deletion_queries.schedule_deletion(
            conn, actor.organisation_id, partner_id, account_id, due, revision, requested, actor.stamp
        )
        if scheduled is None:
            raise await not_changeable(queries.one_account, conn, actor, partner_id, account_id, revision)
        await enqueue_reconcile(conn, scheduled.cluster)


async def set_deletion(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    due: datetime | None,
    grace_days: int,
    now: datetime,
    *,
    revision: int | None = None,
) -> Versioned:
    """Sets the date of the purge to `due`, or for None cancels the deletion; returns the account.

    Staff may cancel a deletion. Only admins may set another date (Forbidden), and none earlier than the first request
    plus the grace period (Invalid). Conflict: the purge has started. PreconditionFailed: the account is not in the
    given `revision`.
    """
    actor.require_for_storage(Role.STAFF)
    if due is not None and not actor.role.includes(Role.ADMIN):
        return await _same_date(conn, actor, partner_id, account_id, due, revision)
    scope, requested = actor.organisation_id, now.replace(microsecond=0)
    async with conn.transaction():
        deletion = await deletion_queries.set_deletion(
            conn, scope, partner_id, account_id, due, grace_days, revision, requested, actor.stamp
        )
        if deletion is None:
            raise await not_changeable(queries.one_account, conn, actor, partner_id, account_id, revision)
        if deletion.refused and deletion.purging:
            raise purge_started()
        if deletion.refused:
            raise Invalid.field("pendingDeletedAt", "must not be earlier than {earliest}", earliest=deletion.earliest)
        await enqueue_reconcile(conn, deletion.cluster)
    return deletion.account


async def not_changeable(
    read: Callable[[Connection, UUID, UUID, int], Awaitable[Versioned | None]],
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    account_id: int,
    revision: int | None,
) -> NotFound | PreconditionFailed:
    """Why a change has found no account: there is none, or it is in another revision. `read` finds its present
    state.
    """
    present = None if revision is None else await read(conn, actor.organisation_id, partner_id, account_id)
    return PreconditionFailed(*present) if present else no_account(account_id)


async def _same_date(
    conn: Connection, actor: Actor, partner_id: UUID, account_id: int, due: datetime, revision: int | None
) -> Versioned:
    """Clients send whole objects back, so staff may send the unchanged date."""
    found = await deletion_queries.due_account(conn, actor.organisation_id, partner_id, account_id)
    if found is None:
        raise no_account(account_id)
    account, stands = found
    if revision not in {None, account.revision}:
        raise PreconditionFailed(*account)
    if stands != due:
        raise Forbidden(
            "Changing the deletion date needs the role {role}; yours is {own}.",
            RequestCode.ROLE_TOO_LOW,
            role=Role.ADMIN,
            own=actor.role,
        )
    return account


def purge_started() -> Conflict:
    """The error for an account that its cluster may already have begun to delete."""
    return Conflict(
        "The account is being deleted and can no longer be changed or restored.", ConflictCode.ACCOUNT_DELETING
    )


def account_number(account: str) -> int:
    """The number of a `clientAccountId`; NotFound for a text that cannot be one."""
    number = account_id(account)
    if number is None:
        raise no_account(account)
    return number


def no_account(account_id: int | str) -> NotFound:
    """The same message for an account that never existed, that is purged, and that belongs to another organisation."""
    sent = account_id if isinstance(account_id, str) else f"{account_id:012}"
    return NotFound("There is no storage account {account}.", account=sent)
