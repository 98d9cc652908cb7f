"""SQL of contracts and their terms."""

from datetime import date, datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.contracts.contract import Amendment, ContractRemaining, NewContract
from tonnage.db import Connection, ListQuery
from tonnage.db.rendered import Rendered
from tonnage.names import name_key

_CONTRACT = """json_strip_nulls(json_build_object(
    'id', k.id, 'distributorId', k.distributor_id,
    'reservedCapacity', k.reserved_capacity, 'allocatedCapacity', k.allocated_capacity,
    'costStorageGBCents', trim_scale(k.price_cents)::text, 'costEgressGBCents', '0',
    'currency', k.currency, 'details', k.details))"""

_FACTS = """jsonb_build_object(
    'reservedCapacity', k.reserved_capacity, 'costStorageGBCents', trim_scale(k.price_cents)::text,
    'currency', k.currency, 'details', k.details)"""


def contracts_of(scope: UUID) -> ListQuery:
    """The list of the contracts of one distributor."""
    return ListQuery(
        f"""
        select k.seq, {_CONTRACT} from contract k
        where k.distributor_id = %(scope)s and (%(after)s::bigint is null or k.seq > %(after)s)
        order by k.seq limit %(limit)s
        """,
        {"scope": scope},
    )


def all_contracts() -> ListQuery:
    """The list of the contracts of all open distributors, for the operator."""
    return ListQuery(
        f"""
        select k.seq, {_CONTRACT} from contract k
        where k.closed_at is null and (%(after)s::bigint is null or k.seq > %(after)s)
        order by k.seq limit %(limit)s
        """,
        {},
    )


async def remaining(conn: Connection, scope: UUID, contract_id: UUID) -> ContractRemaining | None:
    """The reserved and the allocated capacity of a contract of the open distributor."""
    cursor = await conn.execute(
        """
        select reserved_capacity, allocated_capacity from contract
        where id = %s and distributor_id = %s and closed_at is null
        """,
        [contract_id, scope],
    )
    row = await cursor.fetchone()
    return ContractRemaining(*row) if row else None


async def open_since(conn: Connection, *sellers: UUID) -> date | None:
    """The first day after the last month that one of the sellers has frozen; None: none has frozen any."""
    cursor = await conn.execute(
        "select (max(month) + interval '1 month')::date from month_close where seller_id = any(%s) and frozen",
        [list(sellers)],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def hold_terms(conn: Connection, contract_id: UUID) -> datetime | None:
    """When the present terms of a contract began; nobody else changes them until the transaction ends. None: there is
    no such contract."""
    cursor = await conn.execute(
        "select terms_since from contract where id = %s and closed_at is null for no key update", [contract_id]
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def distributor_of(conn: Connection, contract_id: UUID) -> UUID | None:
    """The open distributor of a contract. For the operator: other actors pass their own scope."""
    cursor = await conn.execute(
        "select distributor_id from contract where id = %s and closed_at is null", [contract_id]
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def insert_contract(
    conn: Connection,
    distributor_id: UUID,
    contract: NewContract,
    now: datetime,
    stamp: str,
    contract_id: UUID | None = None,
) -> Rendered[UUID] | None:
    """Returns the contract; None if there is no such distributor."""
    cursor = await conn.execute(
        f"""
        with o as (
            select id from organisation
            where id = %(distributor)s and kind = 'distributor' and closed_at is null for share
        ), k as (
            insert into contract (id, distributor_id, reserved_capacity, price_cents, currency, details, name_key,
                                  created_at, terms_since)
            select coalesce(%(id)s::uuid, gen_random_uuid()), o.id, %(reserved)s, %(price)s, %(currency)s,
                   %(details)s, %(name_key)s, %(now)s, %(now)s from o returning *
        ), t as (
            insert into contract_terms (contract_id, valid_from, reserved_capacity, price_cents, currency)
            select id, terms_since, reserved_capacity, price_cents, currency from k
        )
        select k.id, {_CONTRACT},
               audit(%(stamp)s, k.distributor_id, 'contract.create', k.id::text, null, {_FACTS}) from k
        """,
        {
            "id": contract_id,
            "distributor": distributor_id,
            "reserved": contract.reserved_capacity,
            "price": contract.price_cents,
            "currency": contract.currency,
            "details": contract.details,
            "name_key": contract.details and name_key(contract.details),
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Rendered(*row[:2]) if row else None


class Amended(NamedTuple):
    """The result of an amendment."""

    stale: bool
    """A field is neither as expected nor already at the new value, so nothing was changed."""
    contract: bytes
    """The contract as JSON after the change."""


_AMEND: LiteralString = f"""
    with old as (
        select * from contract k where k.id = %(id)s and k.closed_at is null for no key update
    ), facts as (
        select {_FACTS} as before from old k
    ), stale as (
        select coalesce(
            old.reserved_capacity not in (%(expected_reserved)s::bigint, %(reserved)s::bigint)
            or old.price_cents not in (%(expected_price)s::numeric, %(price)s::numeric)
            or coalesce(old.details, '') not in (%(expected_details)s::text, %(details)s::text), false) as is_stale
        from old
    ), new as (
        select id, coalesce(%(reserved)s::bigint, reserved_capacity) as reserved_capacity,
            coalesce(%(price)s::numeric, price_cents) as price_cents,
            nullif(coalesce(%(details)s::text, details), '') as details,
            nullif(coalesce(%(name_key)s::text, name_key), '') as name_key,
            coalesce(%(reserved)s::bigint, reserved_capacity) <> reserved_capacity
                or coalesce(%(price)s::numeric, price_cents) <> price_cents as terms_change
        from old, stale where not stale.is_stale
    ), changed as (
        update contract k set
            reserved_capacity = new.reserved_capacity,
            allocated_capacity = old.allocated_capacity,  -- fresh, for the CHECK: see partners/queries.py
            price_cents = new.price_cents, details = new.details, name_key = new.name_key,
            terms_since = case when new.terms_change then greatest(%(now)s, old.terms_since) else old.terms_since end
        from new, old where k.id = new.id and (new.terms_change or new.details is distinct from old.details)
        returning k.*
    ), t as (
        insert into contract_terms (contract_id, valid_from, reserved_capacity, price_cents, currency)
        select k.id, k.terms_since, k.reserved_capacity, k.price_cents, k.currency from changed k, new
        where new.terms_change
    ), k as (
        select * from changed union all
        select old.* from old, stale where not stale.is_stale and not exists (select from changed)
    )
    select stale.is_stale, {_CONTRACT}, case when k.id is not null and facts.before <> {_FACTS} then
        audit(%(stamp)s, k.distributor_id, 'contract.amend', k.id::text, facts.before, {_FACTS}) end
    from facts cross join stale left join k on true"""


async def amend_contract(
    conn: Connection, contract_id: UUID, amendment: Amendment, expected: Amendment | None, now: datetime, stamp: str
) -> Amended | None:
    """Amends a contract of an open distributor. None if there is none. Constraint contract_capacity: below its
    allocations.

    The expected values are compared under the row's lock, so that of two concurrent changes the second one is found to
    be stale.
    """
    expected = expected or Amendment()
    cursor = await conn.execute(
        _AMEND,
        {
            "id": contract_id,
            "reserved": amendment.reserved_capacity,
            "price": amendment.price_cents,
            "details": amendment.details,
            "name_key": None if amendment.details is None else name_key(amendment.details),
            "expected_reserved": expected.reserved_capacity,
            "expected_price": expected.price_cents,
            "expected_details": expected.details,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Amended(*row[:2]) if row else None
