"""SQL of contracts for the operator's pages: what all of them amount to, and the terms of one."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection


class Capacity(NamedTuple):
    """Sums over all contracts, bytes; whole numbers."""

    contracts: int
    reserved: Decimal
    allocated: Decimal
    used: Decimal


async def capacity(conn: Connection) -> Capacity:
    """Of everybody, whatever the currency."""
    cursor = await conn.execute(
        """
        select count(*), coalesce(sum(reserved_capacity), 0), coalesce(sum(allocated_capacity), 0),
            coalesce(sum(used), 0)
        from contract
        """
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("an aggregate without a group has one row")
    return Capacity(*row)


class ContractTerms(NamedTuple):
    """What applied from a moment on."""

    valid_from: datetime
    reserved: int
    price_cents: Decimal
    currency: str


async def terms_of(conn: Connection, contract_id: UUID) -> list[ContractTerms]:
    """All that ever applied, the present ones first. For the operator, who amends them."""
    cursor = await conn.execute(
        """
        select valid_from, reserved_capacity, trim_scale(price_cents), currency from contract_terms
        where contract_id = %s order by valid_from desc, id desc
        """,
        [contract_id],
    )
    return [ContractTerms(*row) for row in await cursor.fetchall()]
