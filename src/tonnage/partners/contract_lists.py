"""SQL of contracts as pages show them, with the partners that share them. `scope` None is the operator."""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.web.table import ON_PAGE, Choices, Listed, Wanted, each, in_order, listed, on_page, whole

CONTRACTS = Choices(
    sorts=("created", "name", "distributor", "reserved", "allocated", "used", "price"),
    filters=("full",),
    falling=frozenset({"created", "reserved", "allocated", "used", "price"}),
    keeps=("distributor",),
)
"""What may be asked of a list of contracts. `full`: more than 90 % allocated."""


class ContractRow(NamedTuple):
    """A contract. Capacities in bytes; `used` is a whole number, too."""

    id: UUID
    details: str | None
    """Its name."""
    distributor_id: UUID
    distributor: str
    reserved: int
    allocated: int
    used: Decimal
    partners: int
    """Living ones."""
    price_cents: Decimal
    """Per excess GB-month."""
    currency: str
    created_at: datetime

    @property
    def remaining(self) -> int:
        """What may still be allocated to partners."""
        return self.reserved - self.allocated


_COLUMNS: LiteralString = """
    k.id, k.details, k.distributor_id, d.name, k.reserved_capacity, k.allocated_capacity, k.used,
    (select count(*) from partner p
     where p.distributor_id = k.distributor_id and p.contract_id = k.id and p.closed_at is null),
    trim_scale(k.price_cents), k.currency, k.created_at"""

_SORTS: Mapping[str, LiteralString] = {
    "created": "k.seq",
    "name": "lower(coalesce(k.details, ''))",
    "distributor": "lower(d.name)",
    "reserved": "k.reserved_capacity",
    "allocated": "k.allocated_capacity",
    "used": "k.used",
    "price": "k.price_cents",
}

# As numeric: ten times a capacity may be more than bigint holds.
FULL: LiteralString = "k.allocated_capacity::numeric * 10 > k.reserved_capacity::numeric * 9"
"""Whether more than 90 % of a row `k` of contract is allocated."""

_FILTERS: Mapping[str, LiteralString] = {"": "true", "full": FULL}


def _rows(scope: UUID | None, wanted: Wanted) -> LiteralString:
    order = in_order(wanted, "k.key", "k.seq")
    return f"""
        with found as (
            select k.*, {_SORTS[wanted.sort]} as key
            from contract k join organisation d on d.id = k.distributor_id
            where {_FILTERS[wanted.filter]} {"and k.distributor_id = %(scope)s" if scope else ""}
                and strpos(lower(concat_ws(chr(10), k.details, d.name)), lower(%(search)s)) > 0
        ), counted as materialized (
            select count(*) as n from found
        ), k as (
            select k.* from found k order by {order} {ON_PAGE}
        )
        select n, {_COLUMNS}
        from counted left join (k join organisation d on d.id = k.distributor_id) on true
        order by {order}
        """


async def contract_rows(conn: Connection, scope: UUID | None, wanted: Wanted) -> Listed[ContractRow]:
    """A page of contracts, searched by their names and their distributors'."""
    cursor = await conn.execute(_rows(scope, wanted), {"scope": scope, **on_page(wanted)})
    return listed(await cursor.fetchall(), ContractRow)


def every_contract(conn: Connection, scope: UUID | None, wanted: Wanted) -> AsyncGenerator[ContractRow]:
    """All pages of the same list, row by row. For the connection see `db.streamed`."""
    return each(streamed(conn, _rows(scope, wanted), {"scope": scope, **whole(wanted)}), ContractRow)


async def contract_picker(conn: Connection, scope: UUID) -> list[ContractRow]:
    """All contracts of a distributor, in order of creation."""
    cursor = await conn.execute(
        f"""
        select {_COLUMNS} from contract k join organisation d on d.id = k.distributor_id
        where k.distributor_id = %(scope)s order by k.seq
        """,
        {"scope": scope},
    )
    return [ContractRow(*row) for row in await cursor.fetchall()]


async def one_contract(conn: Connection, scope: UUID | None, contract_id: UUID) -> ContractRow | None:
    """A contract of the distributor, or anybody's for the operator."""
    cursor = await conn.execute(
        f"""
        select {_COLUMNS} from contract k join organisation d on d.id = k.distributor_id
        where k.id = %(id)s and (%(scope)s::uuid is null or k.distributor_id = %(scope)s)
        """,
        {"scope": scope, "id": contract_id},
    )
    row = await cursor.fetchone()
    return ContractRow(*row) if row else None
