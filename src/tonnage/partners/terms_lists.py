"""SQL of the history of a partner's terms."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection
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


class PartnerTerms(NamedTuple):
    """Terms of a partner, the time from which they applied, and those before them."""

    id: int
    valid_from: datetime
    contract_id: UUID
    contract: str | None
    """The contract's `details`, as they are now."""
    allocated: int
    """Bytes; 0: pay-per-use."""
    overdraft: bool
    contract_id_before: UUID | None
    """None: these are the first terms."""
    contract_before: str | None
    allocated_before: int | None
    overdraft_before: bool | None
    is_present: bool
    """Whether there are no later ones."""


PARTNER_TERMS = ListSpec(
    sorts={"since": (timestamptz("t.valid_from"), bigint("t.id"))},
    descending_by_default=frozenset({"since"}),
    sizes=(25,),
)
"""The present terms first."""


async def partner_terms(
    conn: Connection, scope: UUID | None, partner_id: UUID, state: ListState
) -> PageOf[PartnerTerms]:
    """A page of the terms of a partner of the distributor, or of any, for the operator (None)."""
    sort = state.sort_columns
    cursor = await conn.execute(
        f"""
        with t as (
            select t.*, lag(t.contract_id) over terms as contract_id_before,
                lag(t.allocated_capacity) over terms as allocated_before,
                lag(t.allow_overdraft) over terms as overdraft_before,
                lead(t.id) over terms is null as is_present
            from partner_terms t join partner p on p.id = t.partner_id
            where t.partner_id = %(partner)s and (%(scope)s::uuid is null or p.distributor_id = %(scope)s)
            window terms as (order by t.valid_from, t.id)
        ), found as (
            select t.*, {sort_columns(sort)} from t
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, f.id, f.valid_from, f.contract_id, k.details, f.allocated_capacity,
            f.allow_overdraft, f.contract_id_before, b.details, f.allocated_before, f.overdraft_before, f.is_present
        from counted left join (
            chosen f join contract k on k.id = f.contract_id left join contract b on b.id = f.contract_id_before
        ) on true
        order by {page_order(state, sort)}
        """,
        {"scope": scope, "partner": partner_id, **page_params(state)},
    )
    return page_of(await cursor.fetchall(), state, PartnerTerms)
