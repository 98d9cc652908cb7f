"""SQL of the partners that fill their allocations, for whoever has to talk to them. `scope` None is the operator."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection
from tonnage.partners.page_queries import NEAR, OVER

MOST_SHOWN = 20


class FullPartner(NamedTuple):
    """A partner that uses 90 % of its allocation or more, bytes."""

    id: UUID
    name: str
    distributor: str
    allocated: int
    used: Decimal


class Fullness(NamedTuple):
    """How many partners are near their allocation and how many beyond it, and the fullest MOST_SHOWN, fullest first."""

    near: int
    over: int
    fullest: list[FullPartner]


async def fullness(conn: Connection, scope: UUID | None) -> Fullness:
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
    return Fullness(near, over, [FullPartner(*row[2:]) for row in rows if row[2] is not None])
