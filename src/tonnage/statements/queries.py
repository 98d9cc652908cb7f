"""SQL of statements: buyers, and drafts of their months."""

from collections.abc import Collection, Mapping
from typing import LiteralString
from uuid import UUID

from tonnage.billing.line import Line, SubjectId
from tonnage.billing.month import Month
from tonnage.billing.month_prices import MixedPrices
from tonnage.billing.queries import (
    BuyerMonths,
    Charges,
    account_months,
    charge_contract,
    contract_buyer,
    contract_subjects,
    partner_months,
    partner_subjects,
)
from tonnage.billing.working import WorkingDay, working_of
from tonnage.db import Connection
from tonnage.statements.buyer import Buyer, Level
from tonnage.statements.statement import Statement, in_order

_BUYERS: Mapping[Level, LiteralString] = {
    Level.CONTRACT: """
        select k.id, coalesce(k.details, d.name), o.id, o.name from contract k
        join organisation d on d.id = k.distributor_id cross join organisation o
        where k.id = %(id)s and o.kind = 'operator'
            and (%(viewer)s::uuid is null or %(viewer)s in (o.id, k.distributor_id))""",
    Level.PARTNER: """
        select p.id, b.name, o.id, o.name from partner p
        join organisation b on b.id = p.id join organisation o on o.id = p.distributor_id
        where p.id = %(id)s and (%(viewer)s::uuid is null or %(viewer)s in (o.id, p.id))""",
    Level.ACCOUNT: """
        select s.id, s.name, o.id, o.name from storage_account s join organisation o on o.id = s.partner_id
        where s.id = %(id)s and (%(viewer)s::uuid is null or %(viewer)s = o.id)""",
}


async def begin_snapshot(conn: Connection) -> None:
    """All statements of the transaction, which has read nothing yet, see the same state."""
    await conn.execute("set transaction isolation level repeatable read")


async def find_buyer(conn: Connection, viewer: UUID | None, level: Level, buyer_id: UUID | int) -> Buyer | None:
    """A buyer, closed ones too, if the viewer is its seller or itself; None is the operator's command line, which may
    see all."""
    cursor = await conn.execute(_BUYERS[level], {"id": buyer_id, "viewer": viewer})
    row = await cursor.fetchone()
    return Buyer(level, *row) if row else None


async def draft(conn: Connection, buyer: Buyer, month: Month) -> Statement | MixedPrices | None:
    """The statement as it would be now; None: the seller sells nothing to that buyer in the month."""
    found = await _charges(conn, buyer, month)
    if not isinstance(found, Charges):
        return found
    names = await subject_names(conn, {line.subject_id for line in found.lines}) | {buyer.id: buyer.name}
    return Statement(buyer, month, found.buyer.currency, in_order(found.lines, names), names)


async def working(conn: Connection, buyer: Buyer, month: Month, line: Line) -> list[WorkingDay]:
    """The days of a line of the draft."""
    if buyer.level is not Level.CONTRACT or not isinstance(buyer.id, UUID):
        ((charged, subject),) = (await _months(conn, buyer, month)).priced
        return working_of(line, charged, [subject])
    charged = await contract_buyer(conn, buyer.seller_id, buyer.id, month)
    if isinstance(line.subject_id, UUID) and line.subject_id != buyer.id:
        subjects = await partner_subjects(conn, charged, [line.subject_id])
    else:
        subjects = [one async for one in contract_subjects(conn, charged, buyer.id)]
    return working_of(line, charged, subjects)


async def _months(conn: Connection, buyer: Buyer, month: Month) -> BuyerMonths:
    if isinstance(buyer.id, int):
        return await account_months(conn, buyer.seller_id, [buyer.id], month)
    return await partner_months(conn, buyer.seller_id, [buyer.id], month)


async def _charges(conn: Connection, buyer: Buyer, month: Month) -> Charges | MixedPrices | None:
    if buyer.level is Level.CONTRACT and isinstance(buyer.id, UUID):
        return await charge_contract(conn, buyer.seller_id, buyer.id, month)
    months = await _months(conn, buyer, month)
    return next(months.charges(), None) or next(iter(months.mixed), None)


async def subject_names(conn: Connection, ids: Collection[SubjectId]) -> dict[SubjectId, str]:
    """The names of partners and accounts, closed ones too."""
    cursor = await conn.execute(
        """
        select id, null::bigint, name from organisation where id = any(%(organisations)s)
        union all
        select null, id, name from storage_account where id = any(%(accounts)s)
        """,
        {
            "organisations": [one for one in ids if isinstance(one, UUID)],
            "accounts": [one for one in ids if isinstance(one, int)],
        },
    )
    return {organisation or account: name for organisation, account, name in await cursor.fetchall()}
