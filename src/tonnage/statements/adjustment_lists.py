"""SQL of adjustments as lists, and of their sums."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from tonnage.billing.line import SubjectId
from tonnage.db import Connection, ListQuery, streamed
from tonnage.keyset import Key, Sort, bigint
from tonnage.lists import Position
from tonnage.money import Money
from tonnage.statements.adjustment import AdjustmentSum
from tonnage.statements.adjustment_queries import ADJUSTMENT, BOUGHT, SOLD


@dataclass(frozen=True)
class AdjustmentFilter:
    """Which adjustments a list has."""

    sold: bool
    """Those of the viewer's buyers; False: those that concern the viewer as a buyer."""
    month: date | None = None
    """The first day of the month that they correct."""
    buyer: SubjectId | None = None
    """A contract, a partner or a storage account."""
    is_open: bool = False
    """Only those of which something remains for the next statement."""


def adjustments_of(seller_id: UUID, buyer_id: SubjectId | None = None, *, is_open: bool = False) -> ListQuery:
    """The adjustments of a seller, or of one of its buyers, in the order in which they were made. `is_open`: without
    those that statements have as a whole."""
    chosen = AdjustmentFilter(sold=True, buyer=buyer_id, is_open=is_open)
    return ListQuery(
        f"select a.seq, {ADJUSTMENT} from adjustment a"
        f" where {_conditions(chosen)} and (%(after)s::bigint is null or a.seq > %(after)s)"
        " order by a.seq limit %(limit)s",
        _params(seller_id, chosen),
    )


class AdjustmentRow(NamedTuple):
    """An adjustment in a list that people page through."""

    id: UUID
    seller: str
    buyer: str
    month: date | None
    """The first day of the month that it corrects. None: a person made it."""
    reason: str | None
    """Why; None: it corrects a month."""
    currency: str
    amount: Decimal
    """Before taxes; below zero the buyer is charged less."""
    remaining: Decimal
    """What no frozen statement has of it yet."""
    created_at: datetime
    key: Key
    """Where it stands in the list."""

    @property
    def month_text(self) -> str | None:
        """`2026-11`, as files have it."""
        return f"{self.month:%Y-%m}" if self.month else None

    def money(self, amount: Decimal) -> Money:
        """One of its amounts, in its currency."""
        return Money(amount, self.currency)


ORDER: Sort = (bigint("a.seq"),)
"""The newest first."""

_ROW: LiteralString = """a.id, o.name, a.buyer_name, a.month, a.reason, a.currency, a.amount, a.remaining, a.created_at,
    array[a.seq::text]"""


async def adjustment_rows(
    conn: Connection, viewer: UUID, chosen: AdjustmentFilter, position: Position, most: int
) -> list[AdjustmentRow]:
    """The first adjustments after a position, or the last ones before it, in the order of the list."""
    key, is_before = position
    order: LiteralString = "a.seq" if is_before else "a.seq desc"
    beyond: LiteralString = "a.seq > %(key)s::bigint" if is_before else "a.seq < %(key)s::bigint"
    cursor = await conn.execute(
        f"""
        select {_ROW} from (
            select * from adjustment a where {_conditions(chosen)} and {beyond if key else "true"}
            order by {order} limit %(limit)s
        ) a join organisation o on o.id = a.seller_id order by a.seq desc
        """,
        {**_params(viewer, chosen), "key": key[0] if key else None, "limit": most},
    )
    return [_row(row) for row in await cursor.fetchall()]


async def every_adjustment(conn: Connection, viewer: UUID, chosen: AdjustmentFilter) -> AsyncGenerator[AdjustmentRow]:
    """All of them, in the same order. For the connection see `db.streamed`."""
    rows = streamed(
        conn,
        f"select {_ROW} from adjustment a join organisation o on o.id = a.seller_id where {_conditions(chosen)}"
        " order by a.seq desc",
        _params(viewer, chosen),
    )
    async with aclosing(rows):
        async for row in rows:
            yield _row(row)


async def first_corrected_month(conn: Connection, viewer: UUID, *, sold: bool) -> date | None:
    """The first day of the earliest month with a correction; None: there is none."""
    cursor = await conn.execute(
        f"select min(a.month) from adjustment a where {SOLD if sold else BOUGHT}", {"viewer": viewer}
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def correction_sums(conn: Connection, seller_id: UUID, first: date) -> list[AdjustmentSum]:
    """Of a seller's adjustments that correct the month that begins on `first`, by currency."""
    cursor = await conn.execute(
        """
        select currency, count(*), sum(amount) from adjustment where seller_id = %s and month = %s
        group by currency order by currency collate "C"
        """,
        [seller_id, first],
    )
    return [AdjustmentSum(*row) for row in await cursor.fetchall()]


def _row(row: Sequence[Any]) -> AdjustmentRow:
    return AdjustmentRow(*row[:-1], key=tuple(row[-1]))


def _conditions(chosen: AdjustmentFilter) -> LiteralString:
    """Only those that are asked for, so that each list is read in the order of an index."""
    conditions: LiteralString = SOLD if chosen.sold else BOUGHT
    if chosen.month is not None:
        conditions += " and a.month = %(month)s"
    if chosen.buyer is not None:
        conditions += f" and {_of_buyer(chosen.buyer)}"
    if chosen.is_open:
        conditions += " and a.remaining <> 0"
    return conditions


def _of_buyer(buyer_id: SubjectId) -> LiteralString:
    is_account = isinstance(buyer_id, int)
    return "a.account_id = %(buyer)s" if is_account else "(a.contract_id = %(buyer)s or a.partner_id = %(buyer)s)"


def _params(viewer: UUID, chosen: AdjustmentFilter) -> dict[str, object]:
    return {"viewer": viewer, "month": chosen.month, "buyer": chosen.buyer}
