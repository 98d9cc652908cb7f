"""SQL of distributors with the totals of their contracts and partners, for the operator's pages."""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.lists import (
    ON_PAGE,
    ListSpec,
    ListState,
    PageOf,
    Sort,
    all_params,
    by_name,
    each,
    page_of,
    page_order,
    page_params,
    sort_columns,
)

DISTRIBUTORS = ListSpec(
    sorts=("created", "name", "contracts", "partners", "reserved", "allocated", "used"),
    descending_by_default=frozenset({"created", "contracts", "partners", "reserved", "allocated", "used"}),
)
"""The sorts and filters of the list of distributors."""


class DistributorRow(NamedTuple):
    """A distributor. Capacities in bytes, sums over its contracts; all are whole numbers."""

    id: UUID
    name: str
    contracts: int
    partners: int
    """Open partners."""
    reserved: Decimal
    allocated: Decimal
    used: Decimal
    created_at: datetime


_TOTALS: LiteralString = """
    select o.seq, o.id, o.name, o.name_key, coalesce(k.contracts, 0) as contracts, coalesce(p.partners, 0) as partners,
        coalesce(k.reserved, 0) as reserved, coalesce(k.allocated, 0) as allocated, coalesce(k.used, 0) as used,
        o.created_at
    from organisation o
    left join (
        select distributor_id, count(*) as contracts, sum(reserved_capacity) as reserved,
            sum(allocated_capacity) as allocated, sum(used) as used
        from contract group by distributor_id
    ) k on k.distributor_id = o.id
    left join (
        select distributor_id, count(*) as partners from partner where closed_at is null group by distributor_id
    ) p on p.distributor_id = o.id
    where o.kind = 'distributor' and o.closed_at is null"""

_COLUMNS: LiteralString = "f.id, f.name, f.contracts, f.partners, f.reserved, f.allocated, f.used, f.created_at"

_SORTS: Mapping[str, Sort] = {
    "created": ("f.seq",),
    "name": by_name("f"),
    "contracts": ("f.contracts", "f.seq"),
    "partners": ("f.partners", "f.seq"),
    "reserved": ("f.reserved", "f.seq"),
    "allocated": ("f.allocated", "f.seq"),
    "used": ("f.used", "f.seq"),
}


def _rows(state: ListState) -> LiteralString:
    sort = _SORTS[state.sort]
    order = page_order(state, sort)
    return f"""
        with found as materialized (
            select f.*, {sort_columns(sort)} from ({_TOTALS}) f where strpos(f.name_key, %(search_key)s) > 0
        ), counted as materialized (
            select count(*) as n from found
        ), f as (
            select f.* from found f order by {order} {ON_PAGE}
        )
        select n, {_COLUMNS} from counted left join f on true order by {order}
        """


async def distributor_rows(conn: Connection, state: ListState) -> PageOf[DistributorRow]:
    """A page of all distributors."""
    cursor = await conn.execute(_rows(state), page_params(state))
    return page_of(await cursor.fetchall(), DistributorRow)


def every_distributor(conn: Connection, state: ListState) -> AsyncGenerator[DistributorRow]:
    """All pages of the same list, row by row. For the connection see `db.streamed`."""
    return each(streamed(conn, _rows(state), all_params(state)), DistributorRow)


async def one_distributor(conn: Connection, distributor_id: UUID) -> DistributorRow | None:
    """A distributor that is open."""
    cursor = await conn.execute(
        f"select {_COLUMNS} from ({_TOTALS} and o.id = %(id)s) f",
        {"id": distributor_id},
    )
    row = await cursor.fetchone()
    return DistributorRow(*row) if row else None
