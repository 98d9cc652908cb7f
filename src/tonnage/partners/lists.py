"""SQL of partners as pages show them: lists with search, filter, sorting and paging, and the details of one partner.

`scope` is the distributor of the request; None is the operator, who sees all partners.

Measured with 100,000 partners of one distributor: a page by name or of the newest takes 10 to 20 ms, the last pages
too; by use 30 ms; a search for a word 20 to 45 ms, even if it is in all names. So no index by use is needed, which
would have to be written at each sampling.
"""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.keyset import Sort, bigint, by_name, float8
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


_COLUMNS: LiteralString = """
    p.id, o.name, p.contract_id, k.details, p.distributor_id, d.name, p.allocated_capacity,
    coalesce(p.allow_overdraft, false), p.allocated_to_accounts, p.used, p.account_count, o.created_at, o.locked_at"""

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
}

PARTNERS = ListSpec(
    sorts=_SORTS,
    filters=("pay-per-use", "near", "over"),
    descending_by_default=frozenset({"created", "allocated", "used", "load", "accounts"}),
    preserve=("contract",),
)
"""The sorts and filters of a list of partners. `load` is use divided by allocation; without an allocation there is
none.
"""

_OF_ORGANISATIONS: Mapping[str, Sort] = {"created": (bigint("o.seq"),), "name": by_name("o")}

NEAR: LiteralString = (
    "p.allocated_capacity > 0 and p.used <= p.allocated_capacity and p.used >= p.allocated_capacity * 0.9"
)
"""Whether a row `p` of partner uses 90 % of its allocation or more, but at most all of it."""

OVER: LiteralString = "p.allocated_capacity > 0 and p.used > p.allocated_capacity"
"""Whether it uses more than its allocation."""

_FILTERS: Mapping[str, LiteralString] = {
    "": "true",
    "pay-per-use": "p.allocated_capacity = 0",
    "near": NEAR,
    "over": OVER,
}

_SEARCHED: LiteralString = "and strpos(o.name_key, %(search_key)s) > 0"


def _rows(scope: UUID | None, contract_id: UUID | None, state: ListState) -> LiteralString:
    """The CTEs of the list. If the search needs a join, it runs once; otherwise the rows are counted and sorted
    separately, each from the indexes. Names are looked up only for the rows of the page.
    """
    of_organisations = _is_of_organisations(contract_id, state)
    sort = _OF_ORGANISATIONS[state.sort] if of_organisations else state.sort_columns
    return f"""
        with found as {"materialized" if state.search and not of_organisations else "not materialized"} (
            {_of_organisations(scope, state) if of_organisations else _found(scope, contract_id, state)}
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, {_COLUMNS}
        from counted left join (
            chosen f
            join lateral (select * from partner where id = f.id offset 0) p on true
            join lateral (select * from organisation where id = p.id offset 0) o on true
            join lateral (select name from organisation where id = p.distributor_id offset 0) d on true
            join lateral (select details from contract where id = p.contract_id offset 0) k on true
        ) on true
        order by {page_order(state, sort)}
        """


def _found(scope: UUID | None, contract_id: UUID | None, state: ListState) -> LiteralString:
    joined = state.search or state.sort == "name"
    return f"""
        select p.id, {sort_columns(state.sort_columns)}
        from partner p {"join organisation o on o.id = p.id" if joined else ""}
        where p.closed_at is null and {_FILTERS[state.filter]}
            {"and p.distributor_id = %(scope)s" if scope else ""}
            {"and p.contract_id = %(contract)s" if contract_id else ""}
            {_SEARCHED if state.search else ""}"""


def _of_organisations(scope: UUID | None, state: ListState) -> LiteralString:
    """The same from the organisations alone."""
    return f"""
        select o.id, {sort_columns(_OF_ORGANISATIONS[state.sort])} from organisation o
        where o.closed_at is null and {"o.parent_id = %(scope)s" if scope else "o.parent_id is not null"}
            {_SEARCHED if state.search else ""}"""


def _is_of_organisations(contract_id: UUID | None, state: ListState) -> bool:
    """Whether the organisations alone are enough. Joining them takes longer than all the rest."""
    known = state.sort == "name" or (state.sort == "created" and state.search)
    return bool(known and not state.filter and contract_id is None)


async def partner_rows(
    conn: Connection, scope: UUID | None, contract_id: UUID | None, state: ListState
) -> PageOf[PartnerRow]:
    """A page of the partners of a contract, or of all contracts of the scope (None)."""
    cursor = await conn.execute(
        _rows(scope, contract_id, state), {"scope": scope, "contract": contract_id, **page_params(state)}
    )
    return page_of(await cursor.fetchall(), state, PartnerRow)


def every_partner(
    conn: Connection, scope: UUID | None, contract_id: UUID | None, state: ListState
) -> AsyncGenerator[PartnerRow]:
    """All pages of the same list, row by row, for a file of any length. For the connection see `db.streamed`."""
    whole = state.whole
    params = {"scope": scope, "contract": contract_id, **page_params(whole)}
    return each(streamed(conn, _rows(scope, contract_id, whole), params), PartnerRow)


class PartnerDetail(NamedTuple):
    """An open partner and what its contract leaves it. Capacities in bytes."""

    id: UUID
    name: str
    created_at: datetime
    distributor_id: UUID
    distributor: str
    contract_id: UUID
    contract: str | None
    """The contract's `details`."""
    contract_remaining: int
    """What the contract has left for partners, in addition to this partner's allocation."""
    price_cents: Decimal
    currency: str
    allocated: int
    """0: pay-per-use."""
    overdraft: bool
    allocated_to_accounts: int
    used: Decimal
    accounts: int
    members: int
    locked_at: datetime | None
    """None: it is not locked, and has neither of the following."""
    locked_by: str | None
    """The name of its distributor or of the operator."""
    lock_reason: str | None


async def partner_detail(conn: Connection, scope: UUID | None, partner_id: UUID) -> PartnerDetail | None:
    """For the partner's distributor and the operator."""
    cursor = await conn.execute(
        """
        select p.id, o.name, o.created_at, p.distributor_id, d.name,
            k.id, k.details, k.reserved_capacity - k.allocated_capacity, trim_scale(k.price_cents), k.currency,
            p.allocated_capacity, coalesce(p.allow_overdraft, false), p.allocated_to_accounts, p.used, p.account_count,
            (select count(*) from member m where m.organisation_id = p.id),
            o.locked_at, (select name from organisation where id = o.locked_by_id), o.lock_reason
        from partner p
        join organisation o on o.id = p.id
        join organisation d on d.id = p.distributor_id
        join contract k on k.id = p.contract_id
        where p.id = %(partner)s and p.closed_at is null
            and (%(scope)s::uuid is null or p.distributor_id = %(scope)s)
        """,
        {"scope": scope, "partner": partner_id},
    )
    row = await cursor.fetchone()
    return PartnerDetail(*row) if row else None


class PartnerTotals(NamedTuple):
    """A partner's capacity, and how much of it its accounts use. Capacities in bytes."""

    name: str
    allocated: int
    """0: pay-per-use."""
    overdraft: bool
    allocated_to_accounts: int
    used: Decimal
    accounts: int


async def partner_totals(conn: Connection, scope: UUID | None, partner_id: UUID) -> PartnerTotals | None:
    """For the partner itself, its distributor and the operator."""
    cursor = await conn.execute(
        """
        select o.name, p.allocated_capacity, coalesce(p.allow_overdraft, false), p.allocated_to_accounts,
            p.used, p.account_count
        from partner p join organisation o on o.id = p.id
        where p.id = %(partner)s and p.closed_at is null
            and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
        """,
        {"scope": scope, "partner": partner_id},
    )
    row = await cursor.fetchone()
    return PartnerTotals(*row) if row else None


MOST_SHOWN = 20


class FullPartner(NamedTuple):
    """A partner that uses 90 % of its allocation or more, bytes."""

    id: UUID
    name: str
    distributor: str
    allocated: int
    used: Decimal


class FullPartners(NamedTuple):
    """How many partners are near their allocation and how many are above it, and the MOST_SHOWN fullest ones, fullest
    first.
    """

    near: int
    over: int
    fullest: list[FullPartner]


async def full_partners(conn: Connection) -> FullPartners:
    """Of all distributors. One statement: the rows of the fullest partners, each with both counts."""
    cursor = await conn.execute(
        f"""
        with full_ones as materialized (
            select p.id, p.seq, p.distributor_id, p.allocated_capacity, p.used, {OVER} as is_over
            from partner p
            where p.closed_at is null and ({NEAR} or {OVER})
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
        {"limit": MOST_SHOWN},
    )
    rows = await cursor.fetchall()
    near, over = rows[0][:2] if rows else (0, 0)
    return FullPartners(near, over, [FullPartner(*row[2:]) for row in rows if row[2] is not None])
