"""Actions on contracts: the operator signs and amends them."""

from datetime import datetime
from uuid import UUID

from psycopg.errors import CheckViolation

from tonnage.access.actor import Actor, Kind, Role
from tonnage.contracts import queries
from tonnage.contracts.contract import Amendment, NewContract, no_contract
from tonnage.contracts.effective_date import EffectiveDate
from tonnage.db import Connection, broken_constraint, savepoint_if_in_transaction
from tonnage.db.rendered import Rendered
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, EditConflict
from tonnage.organisations.organisation import no_distributor
from tonnage.units import Size


async def create_contract(
    conn: Connection,
    actor: Actor,
    distributor_id: UUID,
    contract: NewContract,
    now: datetime,
    *,
    contract_id: UUID | None = None,
) -> Rendered[UUID]:
    """Returns the new contract."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    created = await queries.insert_contract(conn, distributor_id, contract, now, actor.stamp, contract_id)
    if created is None:
        raise no_distributor(distributor_id)
    return created


async def amend_contract(
    conn: Connection,
    actor: Actor,
    contract_id: UUID,
    amendment: Amendment,
    now: datetime,
    *,
    expected: Amendment | None = None,
) -> bytes:
    """Returns the contract as JSON after the change. Conflict: it would reserve less than is allocated to its partners.

    EditConflict: a field that changes is no longer as `expected`.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    try:
        async with savepoint_if_in_transaction(conn):
            amended = await queries.amend_contract(conn, contract_id, amendment, expected, now, actor.stamp)
    except CheckViolation as error:
        if broken_constraint(error) != "contract_capacity":
            raise
        raise await _below_allocations(conn, contract_id, amendment) from error
    if amended is None:
        raise no_contract(contract_id)
    if amended.stale:
        raise EditConflict
    return amended.contract


async def effective_moment(
    conn: Connection, actor: Actor, contract_id: UUID, effective: EffectiveDate, now: datetime
) -> datetime:
    """From when new terms of a contract apply, to be given to its amendment in the same transaction. NotFound; it
    raises as `EffectiveDate.moment` does."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    since = await queries.hold_terms(conn, contract_id)
    if since is None:
        raise no_contract(contract_id)
    return effective.moment(since, await queries.open_since(conn, actor.organisation_id), now)


async def _below_allocations(conn: Connection, contract_id: UUID, amendment: Amendment) -> Conflict:
    distributor_id = await queries.distributor_of(conn, contract_id)
    room = distributor_id and await queries.remaining(conn, distributor_id, contract_id)
    return Conflict(
        "{requested} is less than the {allocated_to_partners} allocated to the contract's partners. Reduce their "
        "allocations first.",
        ConflictCode.ALLOCATED_TO_PARTNERS,
        requested=Size(amendment.reserved_capacity or 0),
        allocated_to_partners=Size(room.allocated) if room else "more",
    )
