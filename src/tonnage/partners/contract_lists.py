"""SQL of contracts as pages show them, with the partners that share them. `scope` None is the operator."""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.keyset import Sort, bigint, by_name, numeric, text, uuid
from tonnage.lists import (
    ListSpec,
    ListState,
    PageOf,
    each,
    page_columns,
    page_ctes,
    page_of,
    page_order,
    page_params,
    sort_columns,
)


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
    """Open partners."""
    price_cents: Decimal
    """Per excess GB-month."""
    currency: str
    created_at: datetime
    closed_at: datetime | None
    """When its distributor was closed."""

    @property
    def remaining(self) -> int:
        """What can still be allocated to partners."""
        return self.reserved - self.allocated


_COLUMNS: LiteralString = """
    k.id, k.details, k.distributor_id, d.name, k.reserved_capacity, k.allocated_capacity, k.used,
    (select count(*) from partner p
     where p.distributor_id = k.distributor_id and p.contract_id = k.id and p.closed_at is null),
    trim_scale(k.price_cents), k.currency, k.created_at, k.closed_at"""

_SORTS: Mapping[str, Sort] = {
    "created": (bigint("k.seq"),),
    "name": (
        text("coalesce(k.name_key, '')"),
        text("coalesce(k.details, '') collate \"C\""),
        uuid("k.id"),
    ),
    "distributor": (*by_name("d"), bigint("k.seq")),
    "reserved": (bigint("k.reserved_capacity"), bigint("k.seq")),
    "allocated": (bigint("k.allocated_capacity"), bigint("k.seq")),
    "used": (numeric("k.used"), bigint("k.seq")),
    "price": (numeric("k.price_cents"), bigint("k.seq")),
}

CONTRACTS = ListSpec(
    sorts=_SORTS,
    filters=("full",),
    descending_by_default=frozenset({"created", "reserved", "allocated", "used", "price"}),
)
"""The sorts and filters of a list of contracts. `full`: more than 90 % allocated."""

# As numeric: ten times a capacity may exceed bigint.
FULL: LiteralString = "k.allocated_capacity::numeric * 10 > k.reserved_capacity::numeric * 9"
"""Whether more than 90 % of a row `k` of contract is allocated."""

_FILTERS: Mapping[str, LiteralString] = {"": "true", "full": FULL}


def _rows(scope: UUID | None, state: ListState) -> LiteralString:
    sort = state.sort_columns
    return f"""
        with found as (
            select k.id, {sort_columns(sort)}
            from contract k join organisation d on d.id = k.distributor_id
            where k.closed_at is null and {_FILTERS[state.filter]} {"and k.distributor_id = %(scope)s" if scope else ""}
                and strpos(concat_ws(chr(10), k.name_key, d.name_key), %(search_key)s) > 0
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, {_COLUMNS}
        from counted left join (
            chosen f join contract k on k.id = f.id join organisation d on d.id = k.distributor_id
        ) on true
        order by {page_order(state, sort)}
        """


async def contract_rows(conn: Connection, scope: UUID | None, state: ListState) -> PageOf[ContractRow]:
    """A page of contracts of open distributors. The search covers their names and their distributors' names."""
    cursor = await conn.execute(_rows(scope, state), {"scope": scope, **page_params(state)})
    return page_of(await cursor.fetchall(), state, ContractRow)


def every_contract(conn: Connection, scope: UUID | None, state: ListState) -> AsyncGenerator[ContractRow]:
    """All pages of the same list, row by row. For the connection see `db.streamed`."""
    whole = state.whole
    return each(streamed(conn, _rows(scope, whole), {"scope": scope, **page_params(whole)}), ContractRow)


async def contract_picker(conn: Connection, scope: UUID) -> list[ContractRow]:
    """All contracts of a distributor, open or closed, in order of creation."""
    cursor = await conn.execute(
        f"""
        select {_COLUMNS} from contract k join organisation d on d.id = k.distributor_id
        where k.distributor_id = %(scope)s order by k.seq
        """,
        {"scope": scope},
    )
    return [ContractRow(*row) for row in await cursor.fetchall()]


async def one_contract(conn: Connection, scope: UUID | None, contract_id: UUID) -> ContractRow | None:
    """A contract of the distributor, or of any distributor, open or closed, for the operator."""
    cursor = await conn.execute(
        f"""
        select {_COLUMNS} from contract k join organisation d on d.id = k.distributor_id
        where k.id = %(id)s and (%(scope)s::uuid is null or k.distributor_id = %(scope)s)
        """,
        {"scope": scope, "id": contract_id},
    )
    row = await cursor.fetchone()
    return ContractRow(*row) if row else None
