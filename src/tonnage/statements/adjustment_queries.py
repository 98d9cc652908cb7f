"""SQL of adjustments: those that are open, new ones, and that statements have them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from psycopg import AsyncCursor

from tonnage.billing.buyer import Buyer
from tonnage.billing.line import SubjectId
from tonnage.billing_profiles.tax import TaxCategory
from tonnage.db import Connection, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.money import Money
from tonnage.price_books.assignment import SubjectKind
from tonnage.statements.adjustment import Adjustment, MonthCorrection, NewAdjustment, TaxKind

ADJUSTMENT: LiteralString = f"""json_strip_nulls(json_build_object(
    'id', a.id, 'seller', a.seller_id,
    'buyer', coalesce(a.contract_id::text, a.partner_id::text, a.account_id::text), 'buyerName', a.buyer_name,
    'level', case when a.contract_id is not null then 'contract' when a.partner_id is not null then 'partner'
        else 'account' end,
    'currency', a.currency, 'amount', a.amount::text, 'remaining', a.remaining::text, 'reason', a.reason,
    'month', to_char(a.month, 'YYYY-MM'), 'createdAt', to_char(a.created_at, {TIMESTAMP_FORMAT})))"""
"""A row `a` of adjustment as JSON."""

SOLD: LiteralString = "a.seller_id = %(viewer)s"
"""Rows `a` of what the viewer sells; and, below, buys."""
BOUGHT: LiteralString = """(a.partner_id = %(viewer)s or a.contract_id = any(array(
    select k.id from contract k where k.distributor_id = %(viewer)s)))"""

_BUYER: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: "contract_id = any(%(ids)s::uuid[])",
    SubjectKind.PARTNER: "partner_id = any(%(ids)s::uuid[])",
    SubjectKind.ACCOUNT: "account_id = any(%(ids)s::bigint[])",
}


async def open_adjustments(
    conn: Connection, kind: SubjectKind, ids: Sequence[SubjectId], first: date
) -> dict[SubjectId, list[Adjustment]]:
    """What can be added to the statements of the month that begins on `first`: of a month that was computed again, if
    that is an earlier one. By buyer, in the order in which they were made."""
    cursor = await conn.execute(
        f"""
        select coalesce(contract_id, partner_id), account_id, id, remaining, currency, reason, month, tax_category,
            trim_scale(tax_rate), created_at::date
        from adjustment where {_BUYER[kind]} and remaining <> 0 and coalesce(month < %(first)s, true) order by seq
        """,
        {"ids": list(ids), "first": first},
    )
    found: dict[SubjectId, list[Adjustment]] = {}
    for organisation, account, adjustment_id, remaining, currency, *more in await cursor.fetchall():
        reason, month, category, rate, made_on = more
        tax = TaxKind(TaxCategory(category), rate) if category else None
        one = Adjustment(adjustment_id, Money(remaining, currency), reason, month, tax, made_on)
        found.setdefault(organisation or account, []).append(one)
    return found


async def next_month(conn: Connection, buyer: Buyer) -> date | None:
    """The month, by its first day, whose statement of the buyer has the adjustments: the first one in which it still
    gets one, because it was blocked or is void; else the month after those that its seller has frozen. None: the seller
    has frozen none."""
    of_buyer = _BUYER[buyer.kind]
    cursor = await conn.execute(
        f"""
        with s as (
            select month, number is not null and voided_at is null as is_frozen from statement
            where {of_buyer} and corrects is null and credits is null
        )
        select least(
            (select min(month) from (select month from s group by month having not bool_or(is_frozen)) owed),
            (select (max(month) + interval '1 month')::date from month_close where seller_id = %(seller)s and frozen))
        """,
        {"ids": [buyer.id], "seller": buyer.seller_id},
    )
    return (await one_row(cursor))[0]


async def insert_corrections(conn: Connection, corrections: Iterable[MonthCorrection], now: datetime) -> None:
    """Adjustments of what was computed again."""
    columns: LiteralString = """seller_id, contract_id, partner_id, account_id, buyer_name, currency, amount, remaining,
        month, correction_id, tax_category, tax_rate, created_at"""
    async with conn.cursor() as cursor, cursor.copy(f"copy adjustment ({columns}) from stdin") as copy:
        for one in corrections:
            amount = one.amount.amount
            await copy.write_row(
                [one.buyer.seller_id, *_ids(one.buyer), one.buyer.name, one.amount.currency, amount, amount, one.month,
                 one.correction_id, *(one.tax or (None, None)), now]
            )  # fmt: skip


def _ids(buyer: Buyer) -> list[SubjectId | None]:
    return [buyer.id if buyer.kind is kind else None for kind in SubjectKind]


async def create(conn: Connection, buyer: Buyer, new: NewAdjustment, now: datetime, stamp: str) -> bytes:
    """Stores what a person has made; returns it as JSON."""
    return (await one_row(await _insert(conn, None, buyer, new, now, stamp)))[0]


async def create_once(
    conn: Connection, adjustment_id: UUID, buyer: Buyer, new: NewAdjustment, now: datetime, stamp: str
) -> None:
    """The same with that id, unless there is one already."""
    await _insert(conn, adjustment_id, buyer, new, now, stamp)


async def _insert(
    conn: Connection, adjustment_id: UUID | None, buyer: Buyer, new: NewAdjustment, now: datetime, stamp: str
) -> AsyncCursor[Any]:
    contract, partner, account = _ids(buyer)
    return await conn.execute(
        f"""
        with a as (
            insert into adjustment (id, seller_id, contract_id, partner_id, account_id, buyer_name, currency, amount,
                remaining, reason, created_at)
            values (coalesce(%(id)s, gen_random_uuid()), %(seller)s, %(contract)s, %(partner)s, %(account)s, %(name)s,
                %(currency)s, %(amount)s, %(amount)s, %(reason)s, %(now)s)
            on conflict (id) do nothing
            returning *
        )
        select {ADJUSTMENT}, save_response(%(stamp)s, {ADJUSTMENT}), audit(%(stamp)s, a.seller_id,
            'statements.adjust', a.id::text, null, jsonb_build_object('buyer', a.buyer_name)) from a
        """,
        {
            "id": adjustment_id,
            "seller": buyer.seller_id,
            "contract": contract,
            "partner": partner,
            "account": account,
            "name": buyer.name,
            "currency": new.amount.currency,
            "amount": new.amount.amount,
            "reason": new.reason,
            "now": now,
            "stamp": stamp,
        },
    )


async def use(conn: Connection, statement_ids: Sequence[UUID]) -> None:
    """Takes what the lines of statements have of adjustments off what remains of them."""
    await _move(conn, statement_ids, -1)


async def release(conn: Connection, statement_id: UUID) -> None:
    """Gives it back: the statement is void."""
    await _move(conn, [statement_id], 1)


async def _move(conn: Connection, statement_ids: Sequence[UUID], sign: int) -> None:
    await conn.execute(
        """
        update adjustment a set remaining = a.remaining + %(sign)s * used.amount
        from (
            select adjustment_id, sum(amount) as amount from statement_line
            where statement_id = any(%(ids)s) and adjustment_id is not null group by adjustment_id
        ) used
        where a.id = used.adjustment_id
        """,
        {"ids": list(statement_ids), "sign": sign},
    )


async def tax_kinds(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, TaxKind]:
    """Of the adjustments that are not taxed as the statement that has them."""
    cursor = await conn.execute(
        "select id, tax_category, tax_rate from adjustment where id = any(%s) and tax_category is not null", [list(ids)]
    )
    return {row[0]: TaxKind(TaxCategory(row[1]), row[2]) for row in await cursor.fetchall()}


class StoredAdjustment(NamedTuple):
    """An adjustment as JSON; of a month that was computed again the frozen statement, and it before and after that. A
    buyer that had no statement of the month has nothing before, and no statement."""

    json: bytes
    seller_name: str
    before: UUID | None
    after: UUID | None
    statement: UUID | None
    statement_number: str | None


async def find_adjustment(conn: Connection, viewer: UUID | None, adjustment_id: UUID) -> StoredAdjustment | None:
    """None: there is none, or others are its seller and buyer. None as viewer is the operator's command line."""
    cursor = await conn.execute(
        f"""
        select {ADJUSTMENT}, o.name, (
            select coalesce((
                select b.id from statement b where b.corrects = c.corrects and b.seq < c.seq
                order by b.seq desc limit 1), nullif(c.corrects, c.id))), c.id, s.id, s.number
        from adjustment a join organisation o on o.id = a.seller_id
        left join statement c on c.id = a.correction_id
        left join statement s on s.id = c.corrects and s.number is not null
        where a.id = %(id)s and (%(viewer)s::uuid is null or {SOLD} or {BOUGHT})
        """,
        {"id": adjustment_id, "viewer": viewer},
    )
    row = await cursor.fetchone()
    return StoredAdjustment(*row) if row else None


async def statements_with(conn: Connection, adjustment_id: UUID) -> list[dict[str, str]]:
    """The frozen statements that have a part of an adjustment, and the credit notes that take it back, as JSON."""
    cursor = await conn.execute(
        """
        select s.id::text, s.number, to_char(s.month, 'YYYY-MM'), sum(l.amount)::text
        from statement_line l join statement s on s.id = l.statement_id
        where l.adjustment_id = %s and s.number is not null and s.voided_at is null group by s.id order by s.seq
        """,
        [adjustment_id],
    )
    names = ("id", "number", "month", "amount")
    return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
