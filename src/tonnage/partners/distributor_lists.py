"""SQL of distributors with the totals of their contracts and partners, for the operator's pages."""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.web.table import ON_PAGE, Choices, Listed, Wanted, each, in_order, listed, on_page, whole

DISTRIBUTORS = Choices(
    sorts=("created", "name", "contracts", "partners", "reserved", "allocated", "used"),
    falling=frozenset({"created", "contracts", "partners", "reserved", "allocated", "used"}),
)
"""What may be asked of the list of distributors."""


class DistributorRow(NamedTuple):
    """A distributor. Capacities in bytes, sums over its contracts; all whole numbers."""

    id: UUID
    name: str
    contracts: int
    partners: int
    """Living ones."""
    reserved: Decimal
    allocated: Decimal
    used: Decimal
    created_at: datetime


_TOTALS: LiteralString = """
    select o.seq, o.id, o.name, coalesce(k.contracts, 0) as contracts, coalesce(p.partners, 0) as partners,
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

_SORTS: Mapping[str, LiteralString] = {
    "created": "f.seq",
    "name": "lower(f.name)",
    "contracts": "f.contracts",
    "partners": "f.partners",
    "reserved": "f.reserved",
    "allocated": "f.allocated",
    "used": "f.used",
}


def _rows(wanted: Wanted) -> LiteralString:
    order = in_order(wanted, _SORTS[wanted.sort], "f.seq")
    return f"""
        with found as materialized (
            select f.* from ({_TOTALS}) f where strpos(lower(f.name), lower(%(search)s)) > 0
        ), counted as materialized (
            select count(*) as n from found
        ), f as (
            select f.* from found f order by {order} {ON_PAGE}
        )
        select n, {_COLUMNS} from counted left join f on true order by {order}
        """


async def distributor_rows(conn: Connection, wanted: Wanted) -> Listed[DistributorRow]:
    """A page of all distributors."""
    cursor = await conn.execute(_rows(wanted), on_page(wanted))
    return listed(await cursor.fetchall(), DistributorRow)


def every_distributor(conn: Connection, wanted: Wanted) -> AsyncGenerator[DistributorRow]:
    """All pages of the same list, row by row. For the connection see `db.streamed`."""
    return each(streamed(conn, _rows(wanted), whole(wanted)), DistributorRow)


async def one_distributor(conn: Connection, distributor_id: UUID) -> DistributorRow | None:
    """A distributor that is open."""
    cursor = await conn.execute(
        f"select {_COLUMNS} from ({_TOTALS} and o.id = %(id)s) f",
        {"id": distributor_id},
    )
    row = await cursor.fetchone()
    return DistributorRow(*row) if row else None
