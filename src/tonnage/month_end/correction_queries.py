"""SQL of corrections: what was changed of a frozen month, and the statements that it may concern."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.billing.buyer import Buyer
from tonnage.billing.line import SubjectId
from tonnage.billing_profiles.tax import TaxCategory
from tonnage.db import Connection, one_row
from tonnage.month_end.correction import FrozenStatement
from tonnage.price_books.assignment import SubjectKind
from tonnage.statements.adjustment import TaxKind
from tonnage.statements.frozen_queries import FIRST_CORRECTION, OF_MONTH


async def take_changes(conn: Connection, seller_id: UUID, first: date) -> list[UUID]:
    """Deletes the changes of a month that the snapshot has; returns the frozen statements, and first corrections, that
    they may concern."""
    cursor = await conn.execute(
        f"""
        with taken as (
            delete from month_change where seller_id = %(seller)s and month = %(first)s
            returning contract_id, partner_id, account_id
        )
        select s.id from statement s
        where s.seller_id = %(seller)s and s.month = %(first)s and ({OF_MONTH} or {FIRST_CORRECTION}) and (
            exists (select from taken where num_nonnulls(contract_id, partner_id, account_id) = 0)
            or s.account_id in (select account_id from taken)
            or s.partner_id in (select partner_id from taken)
            or s.contract_id in (select contract_id from taken)
            or s.partner_id in (
                select t.partner_id from partner_terms t where t.contract_id in (select contract_id from taken))
            or s.contract_id in (
                select t.contract_id from partner_terms t where t.partner_id in (select partner_id from taken)))
        order by s.id
        """,
        {"seller": seller_id, "first": first},
    )
    return [row[0] for row in await cursor.fetchall()]


async def note_again(conn: Connection, seller_id: UUID, first: date, buyers: Sequence[Buyer]) -> None:
    """Keeps changes for a later correction, which cannot be made now."""
    await conn.execute(
        """
        insert into month_change (seller_id, month, contract_id, partner_id, account_id, postponed)
        select %(seller)s, %(first)s, b.*, true
        from unnest(%(contracts)s::uuid[], %(partners)s::uuid[], %(accounts)s::bigint[]) b
        """,
        {
            "seller": seller_id,
            "first": first,
            "contracts": [one.id if one.kind is SubjectKind.CONTRACT else None for one in buyers],
            "partners": [one.id if one.kind is SubjectKind.PARTNER else None for one in buyers],
            "accounts": [one.id if one.kind is SubjectKind.ACCOUNT else None for one in buyers],
        },
    )


async def changed_or_frozen(conn: Connection, seller_id: UUID, first: date) -> tuple[Sequence[date], bool]:
    """The first days of the seller's earlier frozen months of which changes are noted, in their order; and whether this
    month was frozen once."""
    cursor = await conn.execute(
        """
        select array(
            select distinct n.month from month_change n
            join month_close c on c.seller_id = n.seller_id and c.month = n.month and c.frozen
            where n.seller_id = %(seller)s and n.month < %(first)s order by n.month
        ), exists (select from month_close where seller_id = %(seller)s and month = %(first)s and frozen)
        """,
        {"seller": seller_id, "first": first},
    )
    return await one_row(cursor)


async def changed_sellers(conn: Connection) -> list[tuple[UUID, Kind, date]]:
    """The sellers with frozen months of which changes are noted, and the first day of the last of those."""
    cursor = await conn.execute(
        """
        select o.id, o.kind, max(n.month) from month_change n
        join month_close c on c.seller_id = n.seller_id and c.month = n.month and c.frozen
        join organisation o on o.id = n.seller_id
        group by o.id, o.kind order by o.seq
        """
    )
    return [(row[0], Kind(row[1]), row[2]) for row in await cursor.fetchall()]


async def frozen(conn: Connection, ids: Sequence[UUID]) -> dict[SubjectId, FrozenStatement]:
    """Frozen statements and first corrections of one seller and month, by buyer."""
    cursor = await conn.execute(
        """
        select s.id, coalesce((
                select c.id from statement c where c.corrects = s.id order by c.seq desc limit 1), s.id),
            s.contract_id, s.partner_id, s.account_id, s.seller_id, s.document, s.design, s.credited > 0
        from statement s where s.id = any(%s)
        """,
        [list(ids)],
    )
    found = [_frozen(*row) for row in await cursor.fetchall()]
    return {one.buyer.id: one for one in found}


def _frozen(
    statement_id: UUID,
    latest_id: UUID,
    contract_id: UUID | None,
    partner_id: UUID | None,
    account_id: int | None,
    seller_id: UUID,
    document: dict[str, Any],
    design: str,
    is_credited: bool,
) -> FrozenStatement:
    kinds = {SubjectKind.CONTRACT: contract_id, SubjectKind.PARTNER: partner_id, SubjectKind.ACCOUNT: account_id}
    kind, buyer_id = next((kind, one) for kind, one in kinds.items() if one is not None)
    buyer = Buyer(kind, buyer_id, document["buyerName"], seller_id, document["sellerName"])
    tax = next((TaxKind(TaxCategory(one["category"]), Decimal(one["rate"])) for one in document["taxes"]), None)
    return FrozenStatement(statement_id, latest_id, buyer, document, design, tax, is_credited)


async def audit_corrections(conn: Connection, seller_id: UUID, first: date, count: int, stamp: str) -> None:
    """One entry for the adjustments of a month."""
    await conn.execute(
        """
        select audit(%(stamp)s, %(seller)s, 'statements.correct', to_char(%(month)s::date, 'YYYY-MM'), null,
            jsonb_build_object('adjustments', %(count)s::integer))
        """,
        {"stamp": stamp, "seller": seller_id, "month": first, "count": count},
    )
