"""SQL of contracts as pages show them, with the partners that share them. `scope` None is the operator."""

from collections.abc import AsyncGenerator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.keyset import Sort, bigint, by_name, day, numeric, text, uuid
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
from tonnage.money import Money
from tonnage.partners.forecast_lists import CONTRACT_FORECAST, FULL_DAY


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
    net: Decimal | None = None
    """What the operator charges for it for the month of the list, in a list."""
    full_by: date | None = None
    """By then it is full with a probability of 50 percent, in a list; None: there is no forecast of days."""

    has_several_currencies = False
    """Its prices are in its own."""

    @property
    def fee(self) -> Money | None:
        """The net as an amount of money."""
        return Money(self.net, self.currency) if self.net is not None else None

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
    "full": (day(FULL_DAY), bigint("k.seq")),
    "fee": (text('k.currency::text collate "C"'), numeric("coalesce(n.net, 0)"), bigint("k.seq")),
}

CONTRACTS = ListSpec(
    sorts=_SORTS,
    filters=("full",),
    descending_by_default=frozenset({"created", "reserved", "allocated", "used", "price", "fee"}),
    preserve=("month",),
)
"""The sorts and filters of a list of contracts. `full`: more than 90 % allocated; `fee` is by currency first."""

# As numeric: ten times a capacity may exceed bigint.
FULL: LiteralString = "k.allocated_capacity::numeric * 10 > k.reserved_capacity::numeric * 9"
"""Whether more than 90 % of a row `k` of contract is allocated."""

_FILTERS: Mapping[str, LiteralString] = {"": "true", "full": FULL}


# Its index is of the rows with a contract: the database has to know that this is one.
_NET: LiteralString = (
    "left join month_net n on n.contract_id = k.id and n.contract_id is not null and n.month = %(month)s"
)


def _rows(scope: UUID | None, state: ListState) -> LiteralString:
    sort = state.sort_columns
    return f"""
        with found as (
            select k.id, {sort_columns(sort)}
            from contract k join organisation d on d.id = k.distributor_id {_NET} {CONTRACT_FORECAST}
            where k.closed_at is null and {_FILTERS[state.filter]} {"and k.distributor_id = %(scope)s" if scope else ""}
                and strpos(concat_ws(chr(10), k.name_key, d.name_key), %(search_key)s) > 0
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, {_COLUMNS}, n.net, f.likely
        from counted left join (
            chosen c join contract k on k.id = c.id join organisation d on d.id = k.distributor_id
            {_NET} {CONTRACT_FORECAST}
        ) on true
        order by {page_order(state, sort)}
        """


async def contract_rows(conn: Connection, scope: UUID | None, state: ListState, month: date) -> PageOf[ContractRow]:
    """A page of contracts of open distributors. The search covers their names and their distributors' names."""
    cursor = await conn.execute(_rows(scope, state), _params(scope, state, month))
    return page_of(await cursor.fetchall(), state, ContractRow)


def every_contract(conn: Connection, scope: UUID | None, state: ListState, month: date) -> AsyncGenerator[ContractRow]:
    """All pages of the same list, row by row. For the connection see `db.streamed`."""
    whole = state.whole
    return each(streamed(conn, _rows(scope, whole), _params(scope, whole, month)), ContractRow)


def _params(scope: UUID | None, state: ListState, month: date) -> dict[str, object]:
    return {"scope": scope, "month": month.replace(day=1), **page_params(state)}


async def contract_picker(conn: Connection, scope: UUID, month: date | None = None) -> list[ContractRow]:
    """All contracts of a distributor, open or closed, in order of creation. `month`: with what they are charged for
    it."""
    cursor = await conn.execute(
        f"""
        select {_COLUMNS}, n.net from contract k join organisation d on d.id = k.distributor_id {_NET}
        where k.distributor_id = %(scope)s order by k.seq
        """,
        {"scope": scope, "month": month.replace(day=1) if month else None},
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
