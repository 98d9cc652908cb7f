"""SQL of distributors with the totals of their contracts and partners, for the operator's pages."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.keyset import Sort, bigint, by_name, numeric, text
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
    locked_at: datetime | None
    closed_at: datetime | None
    currencies: Sequence[str] | None = None
    """In a list: of what the operator charges for its contracts for the month of the list, in order; None: nothing."""
    nets: Sequence[Decimal] | None = None
    """A sum for each of them."""

    @property
    def fees(self) -> Sequence[Money]:
        """The sums as amounts of money."""
        return [Money(net, currency) for net, currency in zip(self.nets or (), self.currencies or (), strict=True)]

    @property
    def net(self) -> Decimal | None:
        """The first one, for a file; the list is sorted by it."""
        return self.fees[0].amount if self.fees else None

    @property
    def fee_currency(self) -> str | None:
        """Its currency."""
        return self.fees[0].currency if self.fees else None

    @property
    def other_fees(self) -> str | None:
        """The others as `USD 12.00`."""
        return ", ".join(str(fee) for fee in self.fees[1:]) or None


_TOTALS: LiteralString = """
    select o.seq, o.id, o.name, o.name_key, coalesce(k.contracts, 0) as contracts, coalesce(p.partners, 0) as partners,
        coalesce(k.reserved, 0) as reserved, coalesce(k.allocated, 0) as allocated, coalesce(k.used, 0) as used,
        o.created_at, o.locked_at, o.closed_at
    from organisation o
    left join (
        select distributor_id, count(*) as contracts, sum(reserved_capacity) as reserved,
            sum(allocated_capacity) as allocated, sum(used) as used
        from contract group by distributor_id
    ) k on k.distributor_id = o.id
    left join (
        select distributor_id, count(*) as partners from partner where closed_at is null group by distributor_id
    ) p on p.distributor_id = o.id
    where o.kind = 'distributor'"""

_COLUMNS: LiteralString = (
    "f.id, f.name, f.contracts, f.partners, f.reserved, f.allocated, f.used, f.created_at, f.locked_at, f.closed_at"
)

# Contracts have one net a month. Their index is of the rows with a contract: the database has to know that these are.
_WITH_FEES: LiteralString = f"""
    select t.*, n.currencies, n.nets from ({_TOTALS}) t
    left join (
        select distributor_id, array_agg(currency order by currency collate "C") as currencies,
            array_agg(net order by currency collate "C") as nets
        from (
            select k.distributor_id, n.currency::text as currency, sum(n.net) as net
            from contract k join month_net n on n.contract_id = k.id and n.contract_id is not null
                and n.month = %(month)s and n.net is not null
            group by 1, 2
        ) of_currency group by distributor_id
    ) n on n.distributor_id = t.id"""

_SORTS: Mapping[str, Sort] = {
    "created": (bigint("f.seq"),),
    "name": by_name("f"),
    "contracts": (bigint("f.contracts"), bigint("f.seq")),
    "partners": (bigint("f.partners"), bigint("f.seq")),
    "reserved": (numeric("f.reserved"), bigint("f.seq")),
    "allocated": (numeric("f.allocated"), bigint("f.seq")),
    "used": (numeric("f.used"), bigint("f.seq")),
    "fee": (text("coalesce(f.currencies[1], '') collate \"C\""), numeric("coalesce(f.nets[1], 0)"), bigint("f.seq")),
}


_FILTERS: Mapping[str, LiteralString] = {"": "f.closed_at is null", "closed": "f.closed_at is not null"}

DISTRIBUTORS = ListSpec(
    sorts=_SORTS,
    filters=("closed",),
    descending_by_default=frozenset({"created", "contracts", "partners", "reserved", "allocated", "used", "fee"}),
    preserve=("month",),
)
"""The sorts and filters of the list of distributors. Without a filter it has the open ones; `fee` is by currency
first."""


def _rows(state: ListState) -> LiteralString:
    sort = state.sort_columns
    return f"""
        with found as materialized (
            select f.*, {sort_columns(sort)} from ({_WITH_FEES}) f
            where {_FILTERS[state.filter]} and strpos(f.name_key, %(search_key)s) > 0
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, {_COLUMNS}, f.currencies, f.nets
        from counted left join chosen f on true
        order by {page_order(state, sort)}
        """


async def distributor_rows(conn: Connection, state: ListState, month: date) -> PageOf[DistributorRow]:
    """A page of all distributors, open or closed."""
    cursor = await conn.execute(_rows(state), _params(state, month))
    return page_of(await cursor.fetchall(), state, DistributorRow)


def every_distributor(conn: Connection, state: ListState, month: date) -> AsyncGenerator[DistributorRow]:
    """All pages of the same list, row by row. For the connection see `db.streamed`."""
    whole = state.whole
    return each(streamed(conn, _rows(whole), _params(whole, month)), DistributorRow)


def _params(state: ListState, month: date) -> dict[str, object]:
    return {"month": month.replace(day=1), **page_params(state)}


async def one_distributor(conn: Connection, distributor_id: UUID) -> DistributorRow | None:
    """A distributor, open or closed."""
    cursor = await conn.execute(
        f"select {_COLUMNS} from ({_TOTALS} and o.id = %(id)s) f",
        {"id": distributor_id},
    )
    row = await cursor.fetchone()
    return DistributorRow(*row) if row else None
