"""SQL of what was sold and bought in a month."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from tonnage.access.actor import Actor, Kind
from tonnage.billing.lists import OF_CONTRACTS, fees
from tonnage.billing.month import last_day_of
from tonnage.billing.month_net import BUYERS, Fees
from tonnage.billing.month_net_queries import COLUMNS
from tonnage.db import Connection
from tonnage.month_end.freezing import BlockedBuyer, BlockedGroup, MonthSum, SellerMonth, SoFar
from tonnage.month_end.freezing_queries import blocked_buyers, progress_of
from tonnage.numbering.queries import gaps_of
from tonnage.numbering.series import NotedGap
from tonnage.price_books.assignment import SubjectKind
from tonnage.statements.adjustment_lists import correction_sums
from tonnage.statements.frozen_queries import BOUGHT, OF_MONTH, SOLD
from tonnage.utc import midnight, month_after


async def month_of(conn: Connection, actor: Actor, first: date, today: date, at: datetime) -> SellerMonth:
    """What the actor's organisation has sold and bought in the month that begins on `first`. `at`: the present, of
    which freezes that go on are."""
    found = await month_without_blocked(conn, actor, first, today, at)
    return replace(found, blocked=await blocked_buyers(conn, actor.organisation_id, first))


async def month_without_blocked(conn: Connection, actor: Actor, first: date, today: date, at: datetime) -> SellerMonth:
    """The same without the blocked buyers, who may be many."""
    viewer = actor.organisation_id
    sold, bought = await _month_sums(conn, viewer, first)
    so_far = SoFar(await _sold_so_far(conn, actor, first, sold), await _bought_so_far(conn, actor, first))
    gaps = await _gaps_after(conn, viewer, first)
    progress = await progress_of(conn, viewer, first, at)
    adjustments = await correction_sums(conn, viewer, first)
    is_over = last_day_of(first) < today
    return SellerMonth(
        first, is_over, sold, bought, so_far.beside(sold, bought), gaps=gaps, progress=progress, adjustments=adjustments
    )


async def _gaps_after(conn: Connection, viewer: UUID, first: date) -> list[NotedGap]:
    """Missing numbers of the month after the one that begins on `first`: those that its statements would have."""
    following = month_after(first)
    return await gaps_of(conn, viewer, midnight(following), midnight(month_after(following)))


async def _month_sums(conn: Connection, viewer: UUID, first: date) -> tuple[list[MonthSum], list[MonthSum]]:
    """The sums of what was sold, and of what was bought, by currency."""
    sums: dict[bool, list[MonthSum]] = {True: [], False: []}
    columns: LiteralString = "s.currency, s.net, s.gross, s.paid_on, s.credits, s.credited"
    cursor = await conn.execute(
        f"""
        select is_sold, currency, count(*) filter (where credits is null), sum(net), sum(gross),
            coalesce(sum(gross) filter (where paid_on is not null), 0 * sum(gross)),
            coalesce(sum(gross - credited) filter (where paid_on is null and credits is null), 0 * sum(gross))
        from (
            select true as is_sold, {columns} from statement s
            where {SOLD} and s.month = %(month)s and s.number is not null and s.voided_at is null
            union all
            select false, {columns} from statement s
            where {BOUGHT} and s.month = %(month)s and s.number is not null and s.voided_at is null
        ) found
        group by is_sold, currency order by currency collate "C"
        """,
        {"viewer": viewer, "month": first},
    )
    for is_sold, *found in await cursor.fetchall():
        sums[is_sold].append(MonthSum(*found))
    return sums[True], sums[False]


_NOT_FROZEN: Mapping[SubjectKind, LiteralString] = {
    kind: f"""n.month = %(month)s and not exists (
        select from statement s
        where s.{column} = n.{column} and s.month = n.month and s.corrects is null and {OF_MONTH})"""
    for kind, column in COLUMNS.items()
}
"""Rows `n` of month_net of buyers without a frozen statement of the month."""


def _owed(kind: SubjectKind, seller: LiteralString) -> LiteralString:
    """Those that still get a statement when the month of their seller is frozen: theirs was blocked, is void, or is
    computed by a freeze that has not come to its end. What others are charged later becomes adjustments."""
    of_month: LiteralString = f"select b.{COLUMNS[kind]} from statement b where b.seller_id = {seller}"
    of_month += " and b.month = %(month)s"
    return f"""n.{COLUMNS[kind]} in (
        {of_month} and b.blocked is not null
        union all
        {of_month} and b.voided_at is not null
        union all
        {of_month} and b.number is null and b.corrects is null and exists (
            select from month_close c where c.seller_id = {seller} and c.month = %(month)s and c.in_progress))"""


async def _sold_so_far(conn: Connection, actor: Actor, first: date, frozen: Sequence[MonthSum]) -> Fees:
    """What no frozen statement has of what a seller charges. Of a frozen month only a few buyers are read."""
    kind = BUYERS[actor.kind]
    condition: LiteralString = "n.seller_id = %(viewer)s and n.month = %(month)s"
    if frozen:
        condition = f"{condition} and {_owed(kind, '%(viewer)s')} and {_NOT_FROZEN[kind]}"
    return await fees(conn, condition, {"viewer": actor.organisation_id}, first)


async def _bought_so_far(conn: Connection, actor: Actor, first: date) -> Fees:
    """The same of what a distributor or a partner is charged: few rows."""
    match actor.kind:
        case Kind.OPERATOR:
            return Fees()
        case Kind.DISTRIBUTOR:
            bought, kind = OF_CONTRACTS, SubjectKind.CONTRACT
        case Kind.PARTNER:
            bought, kind = "n.partner_id = %(viewer)s", SubjectKind.PARTNER
    condition: LiteralString = f"""{bought} and {_NOT_FROZEN[kind]} and ({_owed(kind, "n.seller_id")} or not exists (
        select from month_close c where c.seller_id = n.seller_id and c.month = n.month and c.frozen))"""
    return await fees(conn, condition, {"viewer": actor.organisation_id}, first)


async def blocked_by_reason(conn: Connection, seller_id: UUID, first: date, most: int) -> list[BlockedGroup]:
    """The buyers whose statements the last freeze could not freeze: of each reason their number, and the first ones."""
    cursor = await conn.execute(
        """
        select g.blocked, g.n, s.document ->> 'buyerName', s.contract_id, s.partner_id, s.account_id, k.distributor_id
        from (
            select blocked, count(*) as n from statement
            where seller_id = %(seller)s and month = %(month)s and blocked is not null group by blocked
        ) g
        cross join lateral (
            select * from statement s where s.seller_id = %(seller)s and s.month = %(month)s and s.blocked = g.blocked
            order by s.buyer_key, s.id limit %(most)s
        ) s
        left join contract k on k.id = s.contract_id
        order by g.n desc, g.blocked collate "C", s.buyer_key, s.id
        """,
        {"seller": seller_id, "month": first, "most": most},
    )
    found: dict[str, BlockedGroup] = {}
    for reason, count, name, contract, partner, account, distributor in await cursor.fetchall():
        group = found.setdefault(reason, BlockedGroup(reason, count, []))
        group.buyers.append(BlockedBuyer(name, contract or partner or account, distributor or partner))
    return list(found.values())
