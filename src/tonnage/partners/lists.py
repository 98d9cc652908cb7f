"""SQL of partners as pages show them: lists that are searched, filtered, sorted and paged, and one partner's facts.

`scope` is the distributor that asks; None is the operator, who sees everybody's.

Measured with 100,000 partners of one distributor: a page by name or of the newest, the last ones too, 10 to 20 ms; by
use 30; what a word finds, be it in all names, 20 to 45. That needs no index by use, which would have to be written at
each sampling.
"""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.web.table import Choices, Listed, Wanted, each, in_order, listed, on_page, picked, whole

PARTNERS = Choices(
    sorts=("created", "name", "allocated", "used", "load", "accounts"),
    filters=("pay-per-use", "near", "over"),
    falling=frozenset({"created", "allocated", "used", "load", "accounts"}),
    keeps=("contract",),
)
"""What may be asked of a list of partners. `load` is use by allocation; without an allocation there is none."""


class PartnerRow(NamedTuple):
    """A living partner. Capacities in bytes; `used` is a whole number, too."""

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


_COLUMNS: LiteralString = """
    p.id, o.name, p.contract_id, k.details, p.distributor_id, d.name, p.allocated_capacity,
    coalesce(p.allow_overdraft, false), p.allocated_to_accounts, p.used, p.accounts, o.created_at"""

# Of rows `p`, and `o` of its organisation. Amounts as numbers with a point are sorted in a third of the time, and are
# exact up to 9 PB; beyond, those that differ by a few bytes stand in order of creation.
_SORTS: Mapping[str, LiteralString] = {
    "created": "p.seq",
    "name": "o.name_key",
    "allocated": "p.allocated_capacity",
    "used": "p.used::float8",
    "load": "case when p.allocated_capacity > 0 then p.used::float8 / p.allocated_capacity else -1 end",
    "accounts": "p.accounts",
}

NEAR: LiteralString = (
    "p.allocated_capacity > 0 and p.used <= p.allocated_capacity and p.used >= p.allocated_capacity * 0.9"
)
"""Whether a row `p` of partner uses 90 % of its allocation or more, but no more than that."""

OVER: LiteralString = "p.allocated_capacity > 0 and p.used > p.allocated_capacity"
"""Whether it uses more than its allocation."""

_FILTERS: Mapping[str, LiteralString] = {
    "": "true",
    "pay-per-use": "p.allocated_capacity = 0",
    "near": NEAR,
    "over": OVER,
}

_SEARCHED: LiteralString = "and strpos(o.name_key, lower(%(search)s)) > 0"


def _rows(scope: UUID | None, contract_id: UUID | None, wanted: Wanted) -> LiteralString:
    """What is searched behind a join is found once, else counted and put in order each from the indexes; names are
    looked up for a page's rows.
    """
    by_name = _is_by_name(contract_id, wanted)
    return f"""
        with found as {"materialized" if wanted.search and not by_name else "not materialized"} (
            {_named(scope, wanted) if by_name else _found(scope, contract_id, wanted)}
        ), {picked(wanted, "key", "seq")}
        select n, {_COLUMNS}
        from counted left join (
            chosen f
            join lateral (select * from partner where id = f.id offset 0) p on true
            join lateral (select * from organisation where id = p.id offset 0) o on true
            join lateral (select name from organisation where id = p.distributor_id offset 0) d on true
            join lateral (select details from contract where id = p.contract_id offset 0) k on true
        ) on true
        order by {in_order(wanted, "f.key", "f.seq")}
        """


def _found(scope: UUID | None, contract_id: UUID | None, wanted: Wanted) -> LiteralString:
    joined = wanted.search or wanted.sort == "name"
    return f"""
        select p.id, p.seq, {_SORTS[wanted.sort]} as key
        from partner p {"join organisation o on o.id = p.id" if joined else ""}
        where p.closed_at is null and {_FILTERS[wanted.filter]}
            {"and p.distributor_id = %(scope)s" if scope else ""}
            {"and p.contract_id = %(contract)s" if contract_id else ""}
            {_SEARCHED if wanted.search else ""}"""


def _named(scope: UUID | None, wanted: Wanted) -> LiteralString:
    """The same of the organisations alone."""
    return f"""
        select o.id, o.seq, {"o.name_key" if wanted.sort == "name" else "o.seq"} as key from organisation o
        where o.closed_at is null and {"o.parent_id = %(scope)s" if scope else "o.parent_id is not null"}
            {_SEARCHED if wanted.search else ""}"""


def _is_by_name(contract_id: UUID | None, wanted: Wanted) -> bool:
    """Whether nothing is asked but what organisations know. Joining them takes longer than all the rest."""
    by_name = wanted.sort == "name" or (wanted.sort == "created" and wanted.search)
    return bool(by_name and not wanted.filter and contract_id is None)


async def partner_rows(
    conn: Connection, scope: UUID | None, contract_id: UUID | None, wanted: Wanted
) -> Listed[PartnerRow]:
    """A page of the partners of a contract, or of all contracts of the scope (None)."""
    cursor = await conn.execute(
        _rows(scope, contract_id, wanted), {"scope": scope, "contract": contract_id, **on_page(wanted)}
    )
    return listed(await cursor.fetchall(), PartnerRow)


def every_partner(
    conn: Connection, scope: UUID | None, contract_id: UUID | None, wanted: Wanted
) -> AsyncGenerator[PartnerRow]:
    """All pages of the same list, row by row: for a file of any length. For the connection see `db.streamed`."""
    params = {"scope": scope, "contract": contract_id, **whole(wanted)}
    return each(streamed(conn, _rows(scope, contract_id, wanted), params), PartnerRow)


class PartnerDetail(NamedTuple):
    """A living partner and what its contract leaves it. Capacities in bytes."""

    id: UUID
    name: str
    created_at: datetime
    distributor_id: UUID
    distributor: str
    contract_id: UUID
    contract: str | None
    """The contract's `details`."""
    contract_remaining: int
    """What the contract has left for partners, beyond what this one has."""
    price_cents: Decimal
    currency: str
    allocated: int
    """0: pay-per-use."""
    overdraft: bool
    allocated_to_accounts: int
    used: Decimal
    accounts: int
    members: int


async def partner_detail(conn: Connection, scope: UUID | None, partner_id: UUID) -> PartnerDetail | None:
    """For the partner's distributor and the operator."""
    cursor = await conn.execute(
        """
        select p.id, o.name, o.created_at, p.distributor_id, d.name,
            k.id, k.details, k.reserved_capacity - k.allocated_capacity, trim_scale(k.price_cents), k.currency,
            p.allocated_capacity, coalesce(p.allow_overdraft, false), p.allocated_to_accounts, p.used, p.accounts,
            (select count(*) from member m where m.organisation_id = p.id)
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
    """What a partner has, and what its accounts have of it. Capacities in bytes."""

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
            p.used, p.accounts
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
    """How many partners are near their allocation and how many beyond it, and the fullest MOST_SHOWN, fullest first."""

    near: int
    over: int
    fullest: list[FullPartner]


async def full_partners(conn: Connection, scope: UUID | None) -> FullPartners:
    """One statement: rows of the fullest, each with both numbers."""
    cursor = await conn.execute(
        f"""
        with full_ones as materialized (
            select p.id, p.seq, p.distributor_id, p.allocated_capacity, p.used, {OVER} as is_over
            from partner p
            where p.closed_at is null and ({NEAR} or {OVER})
                and (%(scope)s::uuid is null or p.distributor_id = %(scope)s)
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
        {"scope": scope, "limit": MOST_SHOWN},
    )
    rows = await cursor.fetchall()
    near, over = rows[0][:2] if rows else (0, 0)
    return FullPartners(near, over, [FullPartner(*row[2:]) for row in rows if row[2] is not None])
