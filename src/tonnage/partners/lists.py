"""SQL of partners as pages show them: lists with search, filter, sorting and paging. `scope` is the distributor of the
request; None is the operator, who sees all partners.

Measured with 100,000 partners of one distributor: a page by name or of the newest takes 10 to 20 ms, the last pages
too; by use 30 ms; a search for a word 20 to 45 ms, even if it is in all names. So no index by use is needed, which
would have to be written at each sampling.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.keyset import Sort, bigint, by_name, day, float8, numeric, text, uuid
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
from tonnage.partners.forecast_lists import FULL_DAY, PARTNER_FORECAST
from tonnage.partners.queries import EFFECTIVE


class PartnerRow(NamedTuple):
    """An open partner. Capacities in bytes; `used` is a whole number, too."""

    id: UUID
    name: str
    contract_id: UUID
    contract: str | None
    """The contract's `details`."""
    distributor_id: UUID
    distributor: str
    allocated: int
    """0: pay-per-use."""
    overdraft: bool
    allocated_to_accounts: int
    used: Decimal
    accounts: int
    created_at: datetime
    locked_at: datetime | None
    suspended_at: datetime | None
    fee_currency: str | None
    net: Decimal | None
    """What it is charged for the month of the list, in a list for its distributor; None: nothing is sold to it."""
    has_several_currencies: bool
    """Among its prices of the month: it has no net."""
    full_by: date | None
    """By then it is likely full; None: there is no forecast of days."""

    @property
    def fee(self) -> Money | None:
        """The net as an amount of money."""
        return Money(self.net, self.fee_currency) if self.net is not None and self.fee_currency else None


_COLUMNS: LiteralString = """
    p.id, o.name, p.contract_id, k.details, p.distributor_id, d.name, p.allocated_capacity,
    coalesce(p.allow_overdraft, false), p.allocated_to_accounts, p.used, p.account_count, o.created_at, o.locked_at,
    p.suspended_at, n.currency, n.net, coalesce(n.problem = 'several_currencies', false), f.likely"""

# For rows `p`, and `o` of its organisation. Amounts as floating-point numbers are sorted in a third of the time, and
# are exact up to 9 PB; beyond, amounts that differ by a few bytes are in order of creation.
_SORTS: Mapping[str, Sort] = {
    "created": (bigint("p.seq"),),
    "name": by_name("o"),
    "allocated": (bigint("p.allocated_capacity"), bigint("p.seq")),
    "used": (float8("p.used::float8"), bigint("p.seq")),
    "load": (
        float8("case when p.allocated_capacity > 0 then p.used::float8 / p.allocated_capacity else -1 end"),
        bigint("p.seq"),
    ),
    "accounts": (bigint("p.account_count"), bigint("p.seq")),
    "full": (day(FULL_DAY), bigint("p.seq")),
}

# For rows `n` of month_net, too. Not as floating-point numbers: to make them takes longer than to sort.
_NETS: Sort = (text("coalesce(n.currency::text, '') collate \"C\""), numeric("coalesce(n.net, 0)"))
_FEE: Sort = (*_NETS, uuid("p.id"))

PARTNERS = ListSpec(
    sorts=_SORTS,
    filters=("pay-per-use", "near", "over", "suspended"),
    descending_by_default=frozenset({"created", "allocated", "used", "load", "accounts"}),
    preserve=("contract",),
)
"""The sorts and filters of a list of partners. `load` is use divided by allocation, if there is one."""

OWN_PARTNERS = replace(
    PARTNERS,
    sorts={**_SORTS, "fee": _FEE},
    filters=(*PARTNERS.filters, "charged"),
    descending_by_default=PARTNERS.descending_by_default | {"fee"},
    preserve=("contract", "month"),
)
"""The same for their distributor, with what it charges them: others do not see that. By currency, then by amount."""

_OF_NETS: Sort = (*_NETS, uuid("n.partner_id"))
_OF_ORGANISATIONS: Mapping[str, Sort] = {"created": (bigint("o.seq"),), "name": by_name("o")}

NEAR: LiteralString = f"p.allocated_capacity > 0 and p.used <= {EFFECTIVE} and p.used >= {EFFECTIVE} * 0.9"
"""Whether a row `p` of partner uses 90 % of its allocation or more, but at most all of it."""

OVER: LiteralString = f"p.allocated_capacity > 0 and p.used > {EFFECTIVE}"
"""Whether it uses more than its allocation."""

_FILTERS: Mapping[str, LiteralString] = {
    "": "true",
    "pay-per-use": "p.allocated_capacity = 0",
    "near": NEAR,
    "over": OVER,
    "suspended": "p.suspended_at is not null",
    "charged": "n.net <> 0",
}

# Its index is of the rows with a partner: the database has to know that this is one.
_NET: LiteralString = (
    "left join month_net n on n.partner_id = p.id and n.partner_id is not null and n.month = %(month)s"
)
_SEARCHED: LiteralString = "and strpos(o.name_key, %(search_key)s) > 0"


def _rows(scope: UUID | None, contract_id: UUID | None, state: ListState) -> LiteralString:
    """The CTEs of the list. If the search needs a join, it runs once; otherwise the rows are counted and sorted
    separately, each from the indexes. Names are looked up only for the rows of the page.
    """
    net = _NET if "fee" in state.spec.sorts else "left join month_net n on false"
    before: LiteralString = ""
    materialized: LiteralString = "not materialized"
    counted: LiteralString = "found"
    if _is_of_organisations(contract_id, state):
        sort, found = _OF_ORGANISATIONS[state.sort], _of_organisations(scope, state)
    elif _is_of_nets(contract_id, state):
        before, sort, found = f"{_MISSING},", _OF_NETS, _of_nets(state)
    else:
        net_too = _NET if state.sort == "fee" or state.filter == "charged" else ""
        joined: LiteralString = f"{net_too} {PARTNER_FORECAST}" if state.sort == "full" else net_too
        sort, columns = state.sort_columns, sort_columns(state.sort_columns)
        found = f"select p.id, {columns} {_matching(scope, contract_id, state, joined)}"
        materialized = "materialized" if state.search or state.filter == "charged" else materialized
        if state.sort in {"fee", "full"} and materialized != "materialized":
            # PostgreSQL does not see that the nets and forecasts, which decide nothing, add no rows.
            counted = f"(select {_matching(scope, contract_id, state)}) p"
    return f"""
        with {before} found as {materialized} (
            {found}
        ), {page_ctes(state, sort, counted)}
        select {page_columns(state, sort)}, {_COLUMNS}
        from counted left join (
            chosen c
            join lateral (select * from partner where id = c.id offset 0) p on true
            join lateral (select * from organisation where id = p.id offset 0) o on true
            join lateral (select name from organisation where id = p.distributor_id offset 0) d on true
            join lateral (select details from contract where id = p.contract_id offset 0) k on true
            {net} {PARTNER_FORECAST}
        ) on true
        order by {page_order(state, sort)}
        """


def _matching(scope: UUID | None, contract_id: UUID | None, state: ListState, net: LiteralString = "") -> LiteralString:
    joined = state.search or state.sort == "name"
    return f"""
        from partner p {"join organisation o on o.id = p.id" if joined else ""} {net}
        where p.closed_at is null and {_FILTERS[state.filter]}
            {"and p.distributor_id = %(scope)s" if scope else ""}
            {"and p.contract_id = %(contract)s" if contract_id else ""}
            {_SEARCHED if state.search else ""}"""


def _of_organisations(scope: UUID | None, state: ListState) -> LiteralString:
    """The same from the organisations alone, or with their nets."""
    charged: LiteralString = (
        "join month_net n on n.partner_id = o.id and n.month = %(month)s and n.net <> 0" if state.filter else ""
    )
    return f"""
        select o.id, {sort_columns(_OF_ORGANISATIONS[state.sort])} from organisation o {charged}
        where o.closed_at is null and {"o.parent_id = %(scope)s" if scope else "o.parent_id is not null"}
            {_SEARCHED if state.search else ""}"""


def _is_of_organisations(contract_id: UUID | None, state: ListState) -> bool:
    """Whether the organisations alone are enough. Joining them takes longer than all the rest."""
    known = state.sort == "name" or (state.sort == "created" and (state.search or state.filter == "charged"))
    return bool(known and state.filter in {"", "charged"} and contract_id is None)


# Partners that were closed within the month have a row too. Those that were created a minute ago may have none, and in
# the first minutes of a month nobody has: they are only looked for when there are any.
_OPEN_NET: LiteralString = """n.seller_id = %(scope)s and n.month = %(month)s and n.partner_id is not null
    and n.partner_id not in (select id from partner where distributor_id = %(scope)s and closed_at >= %(month)s)"""
_MISSING: LiteralString = f"""missing (n) as materialized (
    select (select count(*) from partner where distributor_id = %(scope)s and closed_at is null)
        - (select count(*) from month_net n where {_OPEN_NET})
), without_net (id) as materialized (
    select p.id from partner p
    where (select n > 1000 from missing) and p.distributor_id = %(scope)s and p.closed_at is null and not exists (
        select from month_net n where n.partner_id = p.id and n.partner_id is not null and n.month = %(month)s)
    union all
    (select p.id from (
        select id from partner where distributor_id = %(scope)s and closed_at is null order by seq desc offset 0) p
    where (select count(*) from month_net n
        where n.partner_id = p.id and n.partner_id is not null and n.month = %(month)s) = 0
    limit (select case when n between 1 and 1000 then n else 0 end from missing)))"""
# A few are the newest ones, such as those created after the last month: they are looked up one by one, from the end.


def _of_nets(state: ListState) -> LiteralString:
    """The same from the nets: joining all partners takes longer than all the rest."""
    columns = sort_columns(_OF_NETS)
    if state.filter:
        return f"select n.partner_id as id, {columns} from month_net n where {_OPEN_NET} and {_FILTERS[state.filter]}"
    return f"""
        select n.partner_id as id, {columns} from month_net n where {_OPEN_NET}
        union all
        select id, ''::text collate "C", 0::numeric, id from without_net"""


def _is_of_nets(contract_id: UUID | None, state: ListState) -> bool:
    """Whether the nets alone are enough, of a list that has all of a distributor's."""
    return state.sort == "fee" and state.filter in {"", "charged"} and not state.search and contract_id is None


async def partner_rows(
    conn: Connection, scope: UUID | None, contract_id: UUID | None, state: ListState, month: date
) -> PageOf[PartnerRow]:
    """A page of the partners of a contract, or of all contracts of the scope (None), with the nets of a month."""
    cursor = await conn.execute(_rows(scope, contract_id, state), _params(scope, contract_id, state, month))
    return page_of(await cursor.fetchall(), state, PartnerRow)


def every_partner(
    conn: Connection, scope: UUID | None, contract_id: UUID | None, state: ListState, month: date
) -> AsyncGenerator[PartnerRow]:
    """All pages of the same list, row by row, for a file of any length. For the connection see `db.streamed`."""
    params = _params(scope, contract_id, state.whole, month)
    return each(streamed(conn, _rows(scope, contract_id, state.whole), params), PartnerRow)


def _params(scope: UUID | None, contract_id: UUID | None, state: ListState, month: date) -> dict[str, object]:
    return {"scope": scope, "contract": contract_id, "month": month.replace(day=1), **page_params(state)}


MOST_SHOWN = 20


class FullPartner(NamedTuple):
    """A partner that uses 90 % of its allocation or more, bytes."""

    id: UUID
    name: str
    distributor: str
    allocated: int
    used: Decimal


class FullPartners(NamedTuple):
    """How many partners are near their allocation and how many are above it, and some of them, the fullest first."""

    near: int
    over: int
    fullest: list[FullPartner]


async def full_partners(conn: Connection, scope: UUID | None = None, most: int = MOST_SHOWN) -> FullPartners:
    """In one statement: the rows of the fullest partners, each with both counts."""
    cursor = await conn.execute(
        f"""
        with full_ones as materialized (
            select p.id, p.seq, p.distributor_id, {EFFECTIVE} as allocated_capacity, p.used, {OVER} as is_over
            from partner p
            where p.closed_at is null and ({NEAR} or {OVER}) {"and p.distributor_id = %(scope)s" if scope else ""}
        ), counted as (
            select count(*) filter (where not is_over) as near, count(*) filter (where is_over) as over from full_ones
        ), fullest as (
            select *, used::float8 / allocated_capacity as load from full_ones order by load desc, seq limit %(limit)s
        )
        select near, over, f.id, o.name, d.name, f.allocated_capacity, f.used
        from counted left join (
            fullest f join organisation o on o.id = f.id join organisation d on d.id = f.distributor_id
        ) on true
        order by f.load desc, f.seq
        """,
        {"scope": scope, "limit": most},
    )
    rows = await cursor.fetchall()
    near, over = rows[0][:2] if rows else (0, 0)
    return FullPartners(near, over, [FullPartner(*row[2:]) for row in rows if row[2] is not None])
