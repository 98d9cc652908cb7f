"""Actions on partners: a distributor creates, changes, moves and closes them. The operator closes distributors."""

from datetime import datetime
from uuid import UUID

from psycopg.errors import CheckViolation, ForeignKeyViolation, NumericValueOutOfRange

from tonnage.access.actor import Actor, Kind, Role
from tonnage.config import DEFAULT_LIMITS, Limits
from tonnage.contracts.contract import no_contract
from tonnage.contracts.effective_date import EffectiveDate
from tonnage.contracts.queries import open_since, remaining
from tonnage.db import ATTEMPTS, Connection, broken_constraint, savepoint_if_in_transaction
from tonnage.db.rendered import Rendered, Versioned
from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.errors import Conflict, Count, EditConflict, NotFound, PreconditionFailed, Unavailable
from tonnage.jobs import defer
from tonnage.organisations.organisation import no_distributor, no_partner
from tonnage.organisations.queries import hold_open_organisation, operator_id
from tonnage.partners import creation_queries, distributor_queries, move_queries, queries
from tonnage.partners.partner import NewPartner, PartnerChange
from tonnage.units import Size

_MARGIN = 1000
"""More than the connections that a PostgreSQL has."""

NOT_ENOUGH_CAPACITY = {"contract_capacity", "overflow"}
"""Constraints: the contract has less left."""

ACCOUNTS_HAVE_MORE = {"partner_allocated_to_accounts", "partner_overrides_of_accounts"}
"""Constraints: the partner's storage accounts have more, without or with their overrides."""


async def create_partner(
    conn: Connection,
    actor: Actor,
    partner: NewPartner,
    now: datetime,
    *,
    partner_id: UUID | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Rendered[UUID]:
    """Returns the new partner. Conflict, with what remains: the contract does not have enough capacity left; or the
    distributor has the greatest number of partners.
    """
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    scope = actor.organisation_id
    for _ in range(ATTEMPTS):
        try:
            async with savepoint_if_in_transaction(conn):
                return await _insert(conn, actor, partner, limits.partners, now, partner_id)
        except ForeignKeyViolation as error:
            raise no_contract(partner.contract_id) from error
        except (CheckViolation, NumericValueOutOfRange) as error:
            if broken_constraint(error) not in NOT_ENOUGH_CAPACITY:
                raise
            left = await remaining(conn, scope, partner.contract_id)
            if left is None:  # the contract is out of scope, and the overflow was detected first
                raise no_contract(partner.contract_id) from error
            # Otherwise some capacity was freed since the refusal, which was correct a moment before.
            if left.remaining < partner.allocated_capacity:
                raise no_room(partner.allocated_capacity, left.remaining) from error
    raise Unavailable("The contract's capacity is changing too fast. Try again.", UnavailableCode.LOCKED)


async def _insert(
    conn: Connection, actor: Actor, partner: NewPartner, most: int, now: datetime, partner_id: UUID | None
) -> Rendered[UUID]:
    """One statement, unless so many partners were ever created that the distributor may have the greatest number."""
    scope, few = actor.organisation_id, most - _MARGIN
    created = await creation_queries.insert_partner_if_few(conn, scope, partner, few, now, actor.stamp, partner_id)
    if created is not None:
        return created
    async with conn.transaction():
        await _require_room(conn, scope, most)
        return await creation_queries.insert_partner(conn, scope, partner, now, actor.stamp, partner_id)


async def _require_room(conn: Connection, scope: UUID, most: int) -> None:
    """Raises Conflict. Near the limit those who create a partner wait for each other, and count. Who counts without the
    lock does not see what others do at the same moment, but these are never as many as the distance from the limit.
    """
    count = await creation_queries.count_partners(conn, scope, most)
    if count + _MARGIN > most:
        await hold_open_organisation(conn, scope)
        count = await creation_queries.count_partners(conn, scope, most)
    if count >= most:
        raise Conflict(
            "The distributor has the maximum number of partners, {limit}. Close one first, or ask the operator for "
            "more.",
            ConflictCode.TOO_MANY_PARTNERS,
            limit=most,
        )


async def update_partner(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    change: PartnerChange,
    now: datetime,
    *,
    expected: PartnerChange | None = None,
    revision: int | None = None,
) -> Versioned:
    """Returns the partner after the change. Conflict, with the numbers: the contract does not have enough
    capacity left, or more than the new capacity is allocated to storage accounts.

    EditConflict: a field that changes is no longer as `expected`. PreconditionFailed: the partner is not in the given
    `revision`. A job applies the change to the quotas of the storage accounts.
    """
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    scope = actor.organisation_id
    try:
        async with conn.transaction() if change.of_pool else savepoint_if_in_transaction(conn):
            updated = await queries.update_partner(
                conn, scope, partner_id, change, expected, revision, now, actor.stamp
            )
            if updated and updated.pool_changed:
                await defer(conn, "provisioning.requota", partner_id)
    except (CheckViolation, NumericValueOutOfRange) as error:
        if broken_constraint(error) not in NOT_ENOUGH_CAPACITY | ACCOUNTS_HAVE_MORE:
            raise
        raise await _too_much(conn, scope, partner_id, change, broken_constraint(error)) from error
    if updated is None:
        raise await not_changeable(conn, scope, partner_id, revision)
    if updated.stale:
        raise EditConflict
    return updated.partner


async def not_changeable(
    conn: Connection, scope: UUID, partner_id: UUID, revision: int | None
) -> NotFound | PreconditionFailed:
    """Why a change has found no partner: there is none, or it is in another revision."""
    present = None if revision is None else await queries.one_partner(conn, scope, partner_id)
    return PreconditionFailed(*present) if present else no_partner(partner_id)


async def _too_much(
    conn: Connection, scope: UUID, partner_id: UUID, change: PartnerChange, constraint: str
) -> Conflict | NotFound:
    """Which of the two limits was exceeded: the contract's remaining capacity, or what is allocated to storage
    accounts.
    """
    figures = await queries.capacity_figures(conn, scope, partner_id)
    if figures is None:
        return no_partner(partner_id)
    wanted = figures.allocated if change.allocated_capacity is None else change.allocated_capacity
    if constraint in NOT_ENOUGH_CAPACITY:
        return no_room(wanted, figures.contract_remaining + figures.allocated)
    if constraint == "partner_overrides_of_accounts":
        return Conflict(
            "The partner's storage accounts have {with_overrides} with their overrides, more than {requested} without "
            "overdraft. End overrides or reduce allocations first, or allow overdraft.",
            ConflictCode.ALLOCATED_TO_ACCOUNTS,
            with_overrides=Size(figures.allocated_to_accounts + figures.overrides_of_accounts),
            requested=Size(wanted),
        )
    return Conflict(
        "The partner has allocated {allocated_to_accounts} to its storage accounts, more than {requested} without "
        "overdraft. Reduce their allocations first, or allow overdraft.",
        ConflictCode.ALLOCATED_TO_ACCOUNTS,
        allocated_to_accounts=Size(figures.allocated_to_accounts),
        requested=Size(wanted),
    )


async def effective_moment(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    effective: EffectiveDate,
    now: datetime,
    *,
    contract_id: UUID | None = None,
) -> datetime:
    """From when new terms of a partner apply, to be given to what changes them in the same transaction. NotFound; it
    raises as `EffectiveDate.moment` does: what a partner uses is charged by its distributor, and with its contract.
    `contract_id`: the one that it moves to."""
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    since = await queries.hold_terms(conn, actor.organisation_id, partner_id, contract_id)
    if since is None:
        raise no_partner(partner_id)
    return effective.moment(since, await open_since(conn, actor.organisation_id, await operator_id(conn)), now)


async def close_partner(
    conn: Connection, actor: Actor, partner_id: UUID, now: datetime, *, revision: int | None = None
) -> None:
    """Closes a partner without storage accounts and deletes its members and sessions; its keys stop working. Conflict:
    it has storage accounts. PreconditionFailed: it is not in the given `revision`.
    """
    actor.require(Kind.DISTRIBUTOR, Role.ADMIN)
    scope = actor.organisation_id
    try:
        async with savepoint_if_in_transaction(conn):
            closed = await queries.close_partner(conn, scope, partner_id, revision, now, actor.stamp)
    except CheckViolation as error:
        if broken_constraint(error) != "partner_empty":
            raise
        figures = await queries.capacity_figures(conn, scope, partner_id)
        raise Conflict(
            "The partner still has {accounts}, including those waiting for deletion. Delete them and wait "
            "until they are gone.",
            ConflictCode.PARTNER_NOT_EMPTY,
            accounts=Count("{count} storage account", "{count} storage accounts", figures.accounts if figures else 0),
        ) from error
    if not closed:
        raise await not_changeable(conn, scope, partner_id, revision)


async def close_distributor(conn: Connection, actor: Actor, distributor_id: UUID, now: datetime) -> None:
    """Closes a distributor without partners, ends its contracts and deletes its members and sessions; its keys stop
    working. NotFound; ReauthenticationRequired. Conflict: it has partners.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    actor.require_recent_authentication()
    async with conn.transaction():
        if not await distributor_queries.hold_distributor(conn, distributor_id):
            raise no_distributor(distributor_id)
        if not await distributor_queries.close_distributor(conn, distributor_id, now, actor.stamp):
            partners = await creation_queries.count_partners(conn, distributor_id, None)
            raise Conflict(
                "The distributor still has {partners}. Delete them first; you can do it with `tonnage partner close`.",
                ConflictCode.DISTRIBUTOR_NOT_EMPTY,
                partners=Count("{count} partner", "{count} partners", partners),
            )


async def move_partner(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    contract_id: UUID,
    now: datetime,
    *,
    expected: UUID | None = None,
    revision: int | None = None,
) -> Versioned:
    """Returns the partner under another contract of the same distributor; its capacity moves with it.

    Conflict: the other contract does not have enough capacity left, or is in another currency. EditConflict: the
    partner's present contract is not the `expected` one. PreconditionFailed: it is not in the given `revision`.
    """
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    scope = actor.organisation_id
    try:
        async with savepoint_if_in_transaction(conn):
            moved = await move_queries.move_partner(
                conn, scope, partner_id, contract_id, expected, revision, now, actor.stamp
            )
    except (CheckViolation, NumericValueOutOfRange) as error:
        figures = await queries.capacity_figures(conn, scope, partner_id, contract_id)
        if broken_constraint(error) not in NOT_ENOUGH_CAPACITY:
            raise
        if figures is None:
            raise no_partner(partner_id) from error
        raise no_room(figures.allocated, figures.contract_remaining) from error
    if moved is None:
        raise await not_changeable(conn, scope, partner_id, revision)
    if moved.stale:
        raise EditConflict
    if moved.partner is not None:
        return moved.partner
    raise await _not_a_target(conn, scope, contract_id)


async def _not_a_target(conn: Connection, scope: UUID, contract_id: UUID) -> Conflict | NotFound:
    if await remaining(conn, scope, contract_id) is None:
        return no_contract(contract_id)
    return Conflict(
        "The other contract has another currency. Move the partner to a contract in its own currency.",
        ConflictCode.OTHER_CURRENCY,
    )


def no_room(wanted: int, remaining: int) -> Conflict:
    """The error when `wanted` bytes are more than what the contract has left for the partner."""
    return Conflict(
        "Not enough capacity: the contract has {remaining} left for this partner, {requested} asked. Ask for "
        "less, or have the contract amended.",
        ConflictCode.CONTRACT_FULL,
        remaining=Size(remaining),
        requested=Size(wanted),
    )
