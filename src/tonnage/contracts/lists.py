"""SQL of contracts as pages show them."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection, one_row
from tonnage.keyset import bigint, timestamptz
from tonnage.lists import (
    ListSpec,
    ListState,
    PageOf,
    page_columns,
    page_ctes,
    page_of,
    page_order,
    page_params,
    sort_columns,
)


class ContractTotals(NamedTuple):
    """Sums over the contracts of open distributors, in bytes; whole numbers."""

    contracts: int
    reserved: Decimal
    allocated: Decimal
    used: Decimal


async def contract_totals(conn: Connection, scope: UUID | None = None) -> ContractTotals:
    """The totals of a distributor, or of all open ones for the operator (None); in all currencies."""
    cursor = await conn.execute(
        """
        select count(*), coalesce(sum(reserved_capacity), 0), coalesce(sum(allocated_capacity), 0),
            coalesce(sum(used), 0)
        from contract where closed_at is null and (%(scope)s::uuid is null or distributor_id = %(scope)s)
        """,
        {"scope": scope},
    )
    return ContractTotals(*await one_row(cursor))


class ContractTerms(NamedTuple):
    """Terms, and the time from which they applied."""

    id: int
    valid_from: datetime
    reserved: int
    price_cents: Decimal
    currency: str
    reserved_before: int | None
    """Of the terms before; None: these are the first ones, and have no price before either."""
    price_before: Decimal | None
    is_present: bool
    """Whether there are no later ones."""


TERMS = ListSpec(
    sorts={"since": (timestamptz("t.valid_from"), bigint("t.id"))},
    descending_by_default=frozenset({"since"}),
    sizes=(25,),
)
"""The history of a contract's terms, the present ones first."""


async def contract_terms(
    conn: Connection, scope: UUID | None, contract_id: UUID, state: ListState
) -> PageOf[ContractTerms]:
    """A page of the terms of the distributor's contract; of any distributor's, for the operator (None)."""
    sort = state.sort_columns
    cursor = await conn.execute(
        f"""
        with t as (
            select t.*, lag(t.reserved_capacity) over terms as reserved_before,
                lag(trim_scale(t.price_cents)) over terms as price_before,
                lead(t.id) over terms is null as is_present
            from contract_terms t join contract k on k.id = t.contract_id
            where t.contract_id = %(contract)s and (%(scope)s::uuid is null or k.distributor_id = %(scope)s)
            window terms as (order by t.valid_from, t.id)
        ), found as (
            select t.*, {sort_columns(sort)} from t
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, f.id, f.valid_from, f.reserved_capacity, trim_scale(f.price_cents),
            f.currency, f.reserved_before, f.price_before, f.is_present
        from counted left join chosen f on true
        order by {page_order(state, sort)}
        """,
        {"scope": scope, "contract": contract_id, **page_params(state)},
    )
    return page_of(await cursor.fetchall(), state, ContractTerms)


async def contract_labels(conn: Connection, scope: UUID | None, ids: Collection[UUID]) -> dict[str, str]:
    """The names of the contracts among `ids` that are the distributor's (None: any distributor's) and have a name."""
    if not ids:
        return {}
    cursor = await conn.execute(
        """
        select id::text, details from contract
        where id = any(%(ids)s::uuid[]) and details is not null
            and (%(scope)s::uuid is null or distributor_id = %(scope)s)
        """,
        {"ids": list(ids), "scope": scope},
    )
    return dict(await cursor.fetchall())
