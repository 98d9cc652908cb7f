"""SQL of contracts as pages show them."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection, one_row


class ContractTotals(NamedTuple):
    """Sums over the contracts of open distributors, in bytes; whole numbers."""

    contracts: int
    reserved: Decimal
    allocated: Decimal
    used: Decimal


async def contract_totals(conn: Connection) -> ContractTotals:
    """The totals of all open distributors, in all currencies."""
    cursor = await conn.execute(
        """
        select count(*), coalesce(sum(reserved_capacity), 0), coalesce(sum(allocated_capacity), 0),
            coalesce(sum(used), 0)
        from contract where closed_at is null
        """
    )
    return ContractTotals(*await one_row(cursor))


class ContractTerms(NamedTuple):
    """Terms, and the time from which they applied."""

    valid_from: datetime
    reserved: int
    price_cents: Decimal
    currency: str


async def terms_of(conn: Connection, contract_id: UUID) -> list[ContractTerms]:
    """All terms of a contract, the present ones first. For the operator, who amends them."""
    cursor = await conn.execute(
        """
        select valid_from, reserved_capacity, trim_scale(price_cents), currency from contract_terms
        where contract_id = %s order by valid_from desc, id desc
        """,
        [contract_id],
    )
    return [ContractTerms(*row) for row in await cursor.fetchall()]


async def contract_labels(conn: Connection, scope: UUID | None, ids: Collection[UUID]) -> dict[str, str]:
    """The names of the contracts among `ids` that are the distributor's (None: any distributor's) and have a name."""
    if not ids:
        return {}
    cursor = await conn.execute(
        """
        select id::text, details from contract
        where id = any(%(ids)s::uuid[]) and details is not null
            and (%(scope)s::uuid is null or distributor_id = %(scope)s)
        """,
        {"ids": list(ids), "scope": scope},
    )
    return dict(await cursor.fetchall())
