"""SQL of the stored nets as tiles show them: their sums. Lists of buyers join the table themselves.

Who sees the statement of a buyer sees its net: the seller, and the buyer itself.
"""

from collections.abc import Mapping
from datetime import date
from typing import LiteralString
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.billing.month_net import Fees
from tonnage.db import Connection
from tonnage.money import Money
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.utc import month_before

_CLOSED: Mapping[Kind, LiteralString] = {
    Kind.OPERATOR: "n.contract_id in (select id from contract where closed_at >= %(month)s)",
    Kind.DISTRIBUTOR: """n.partner_id in (
        select id from partner where distributor_id = %(viewer)s and closed_at >= %(month)s)""",
    Kind.PARTNER: """n.account_id in (
        select id from storage_account where partner_id = %(viewer)s and purged_at >= %(month)s)""",
}
_UNDER_CONTRACT: LiteralString = """
    and n.partner_id in (select id from partner where distributor_id = %(viewer)s and contract_id = %(contract)s)"""

OF_CONTRACTS: LiteralString = "n.contract_id in (select id from contract where distributor_id = %(viewer)s)"
"""Rows `n` of month_net of what a distributor, the parameter `viewer`, buys."""

_SEEN: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: f"""n.contract_id = %(id)s and (n.seller_id = %(viewer)s
        or {OF_CONTRACTS})""",
    SubjectKind.PARTNER: "n.partner_id = %(id)s and %(viewer)s in (n.seller_id, n.partner_id)",
    SubjectKind.ACCOUNT: "n.account_id = %(id)s and n.seller_id = %(viewer)s",
}


async def sold(conn: Connection, seller_id: UUID, kind: Kind, month: date, contract_id: UUID | None = None) -> Fees:
    """What the seller charges all of its buyers; of a distributor also those that are under a contract now."""
    condition: LiteralString = f"n.seller_id = %(viewer)s {_UNDER_CONTRACT if contract_id else ''}"
    return await fees(conn, condition, {"viewer": seller_id, "contract": contract_id}, month, _CLOSED[kind])


async def bought(conn: Connection, distributor_id: UUID, month: date, contract_id: UUID | None = None) -> Fees:
    """What a distributor is charged for one of its contracts, or for all."""
    condition: LiteralString = f"{OF_CONTRACTS} and (%(contract)s::uuid is null or n.contract_id = %(contract)s)"
    return await fees(conn, condition, {"viewer": distributor_id, "contract": contract_id}, month)


async def fee_of(conn: Connection, viewer: UUID, subject: Subject, month: date) -> Fees:
    """What one buyer is charged, for itself and its seller; nothing for others."""
    return await fees(conn, _SEEN[subject.kind], {"viewer": viewer, "id": subject.id}, month)


async def fees(
    conn: Connection,
    condition: LiteralString,
    params: Mapping[str, object],
    month: date,
    closed: LiteralString = "false",
) -> Fees:
    """The sums of the rows `n` of month_net under a condition, of a month and of the one before; `closed`: which of
    them are of buyers that are gone."""
    first = month.replace(day=1)
    cursor = await conn.execute(
        f"""
        select n.month = %(month)s, n.currency, count(*), sum(n.net), sum(n.net) filter (where {closed}),
            min(n.computed_at)
        from month_net n where n.month = any(%(months)s) and {condition}
            and (n.problem is null or n.problem = 'several_currencies')
        group by 1, 2 order by n.currency collate "C"
        """,
        {**params, "month": first, "months": [first, *([month_before(first)] if first > date.min else [])]},
    )
    found = await cursor.fetchall()
    rows = [row for is_chosen, *row in found if is_chosen]
    return Fees(
        [Money(net, currency) for currency, _, net, *_ in rows if currency],
        [Money(gone, currency) for currency, _, _, gone, _ in rows if currency and gone],
        sum(count for currency, count, *_ in rows if currency is None),
        min((computed_at for *_, computed_at in rows), default=None),
        [Money(net, currency) for is_chosen, currency, _, net, *_ in found if currency and not is_chosen],
    )
