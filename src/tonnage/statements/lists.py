"""SQL of statements as lists."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, ListQuery, one_row, streamed
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.keyset import Key, Sort, day, text, uuid
from tonnage.lists import Position
from tonnage.money import Money
from tonnage.statements.frozen_queries import BOUGHT, SOLD, of_buyer

_ISSUED: LiteralString = """exists (
    select from statement_mail m where m.statement_id = s.id and m.sent_at is not null)"""

_STATE: LiteralString = f"""case when s.voided_at is not null then 'void' when s.paid_on is not null then 'paid'
    when s.credited > 0 and s.credited = s.gross then 'credited' when s.due_on < %(today)s then 'overdue'
    when {_ISSUED} then 'issued' else 'frozen' end"""

_KIND: LiteralString = "case when s.credits is null then 'statement' else 'credit_note' end"

_FROZEN: LiteralString = f"""
    'id', s.id, 'number', s.number, 'seller', s.seller_id, 'sellerName', s.document ->> 'sellerName',
    'buyer', coalesce(s.contract_id::text, s.partner_id::text, s.account_id::text),
    'buyerName', s.document ->> 'buyerName',
    'level', case when s.contract_id is not null then 'contract' when s.partner_id is not null then 'partner'
        else 'account' end,
    'kind', {_KIND}, 'month', to_char(s.month, 'YYYY-MM'), 'currency', s.currency,
    'net', s.net::text, 'gross', s.gross::text,
    'frozenAt', to_char(s.frozen_at, {TIMESTAMP_FORMAT}), 'dueOn', s.due_on"""

FROZEN_STATEMENT: LiteralString = f"""json_strip_nulls(json_build_object(
    {_FROZEN}, 'path', '/ext/v1/statements/' || s.id))"""
"""What never changes of a frozen statement `s`, as JSON."""

_STATEMENT: LiteralString = f"""json_strip_nulls(json_build_object(
    {_FROZEN}, 'state', {_STATE}, 'credited', nullif(s.credited, 0)::text, 'paidOn', s.paid_on))"""


UNPAID = "unpaid"
"""The state of what is frozen, issued or overdue, and has something to be paid."""

UNSETTLED: LiteralString = "s.paid_on is null and s.voided_at is null and (s.credited = 0 or s.credited < s.gross)"
"""Rows `s` of statement that are neither paid, void nor credited in full; in the form that indexes have."""

_IN_STATE: Mapping[str, LiteralString] = {
    "frozen": f"{UNSETTLED} and coalesce(s.due_on, 'infinity') >= %(today)s and not {_ISSUED}",
    "issued": f"{UNSETTLED} and coalesce(s.due_on, 'infinity') >= %(today)s and {_ISSUED}",
    "overdue": f"{UNSETTLED} and coalesce(s.due_on, 'infinity') < %(today)s",
    "paid": "s.paid_on is not null",
    "credited": "s.paid_on is null and s.credited > 0 and s.credited = s.gross",
    "void": "s.voided_at is not null",
    UNPAID: f"{UNSETTLED} and s.gross > 0",
}
"""In the form that indexes have."""


@dataclass(frozen=True)
class StatementFilter:
    """Which statements a list has."""

    sold: bool | None = None
    """Those that the viewer has sold; False: that it has bought; None: both."""
    month: date | None = None
    """Its first day."""
    state: str | None = None
    """`frozen`, `issued`, `paid`, `overdue`, `credited`, `void`, or UNPAID."""
    buyer: UUID | int | None = None
    """A contract, a partner or a storage account."""
    number: str = ""
    """The whole number; "" is any."""
    original: UUID | None = None
    """Of credit notes: the statement that they take back."""


def statements_of(viewer: UUID, chosen: StatementFilter, today: date) -> ListQuery:
    """The frozen statements that an organisation has sold or bought, in the order in which they were computed."""
    # Only the conditions that are asked for, and each side by itself: so each is read in the order of an index. With
    # `or`, all statements of a seller would be sorted for each page.
    conditions = _conditions(chosen)
    pages: LiteralString = " union all ".join(
        [
            f"""(select * from statement s where {side} and {conditions}
                and (%(after)s::bigint is null or s.seq > %(after)s) order by s.seq limit %(limit)s)"""
            for side in _sides(chosen)
        ]
    )
    return ListQuery(
        f"select s.seq, {_STATEMENT} from ({pages}) s order by s.seq limit %(limit)s", _params(viewer, chosen, today)
    )


class StatementRow(NamedTuple):
    """A frozen statement in a list that people page through."""

    id: UUID
    number: str
    seller: str
    buyer: str
    month: date
    """Its first day."""
    currency: str
    net: Decimal
    gross: Decimal
    credited: Decimal
    """What credit notes have taken back of it."""
    kind: str
    """`statement` or `credit_note`."""
    state: str
    frozen_at: datetime
    due_on: date | None
    paid_on: date | None
    key: Key
    """Where it stands in the list."""

    @property
    def month_text(self) -> str:
        """`2026-11`, as files have it."""
        return f"{self.month:%Y-%m}"

    def money(self, amount: Decimal) -> Money:
        """One of its amounts, in its currency."""
        return Money(amount, self.currency)


ORDER: Sort = (day("s.month"), text("s.buyer_key"), uuid("s.id"))
"""The newest month first, in it the buyers by name, which is the order of their numbers."""

_FORWARD: LiteralString = "s.month desc, s.buyer_key, s.id"
_BACKWARD: LiteralString = "s.month, s.buyer_key desc, s.id desc"

_ROW: LiteralString = f"""s.id, s.number, s.document ->> 'sellerName', s.document ->> 'buyerName', s.month, s.currency,
    s.net, s.gross, s.credited, {_KIND}, {_STATE}, s.frozen_at, s.due_on, s.paid_on,
    array[s.month::text, s.buyer_key, s.id::text]"""


async def statement_rows(
    conn: Connection, viewer: UUID, chosen: StatementFilter, today: date, position: Position, most: int
) -> list[StatementRow]:
    """The first statements after a position, or the last ones before it, in the order of the list."""
    # Not by one comparison of rows, since months descend and names ascend: the rest of the month of the key, and the
    # other months, each in the order of an index.
    key, is_before = position
    order, month, name = (_BACKWARD, "s.month >", "<") if is_before else (_FORWARD, "s.month <", ">")
    side, conditions = _sides(chosen)[0], _conditions(chosen)
    beyond: Sequence[LiteralString] = (
        ("true",)
        if key is None
        else (
            f"s.month = %(key_month)s::date and (s.buyer_key, s.id) {name} (%(key_name)s::text, %(key_id)s::uuid)",
            f"{month} %(key_month)s::date",
        )
    )
    pages: LiteralString = " union all ".join(
        [
            f"(select * from statement s where {side} and {conditions} and {part} order by {order} limit %(limit)s)"
            for part in beyond
        ]
    )
    cursor = await conn.execute(
        f"select {_ROW} from (select * from ({pages}) s order by {order} limit %(limit)s) s order by {_FORWARD}",
        {
            **_params(viewer, chosen, today),
            **dict(zip(("key_month", "key_name", "key_id"), key or (), strict=False)),
            "limit": most,
        },
    )
    return [_row(row) for row in await cursor.fetchall()]


async def every_statement(
    conn: Connection, viewer: UUID, chosen: StatementFilter, today: date
) -> AsyncGenerator[StatementRow]:
    """All of them, in the same order. For the connection see `db.streamed`."""
    rows = streamed(
        conn,
        f"select {_ROW} from statement s where {_sides(chosen)[0]} and {_conditions(chosen)} order by {_FORWARD}",
        _params(viewer, chosen, today),
    )
    async with aclosing(rows):
        async for row in rows:
            yield _row(row)


async def first_month(conn: Connection, viewer: UUID, *, sold: bool) -> date | None:
    """The first day of the earliest month with a statement; None: there is none."""
    side: LiteralString = SOLD if sold else BOUGHT
    cursor = await conn.execute(
        f"select min(s.month) from statement s where {side} and s.number is not null", {"viewer": viewer}
    )
    row = await cursor.fetchone()
    return row[0] if row else None


class BlockedStatements(NamedTuple):
    """How many statements could not be frozen."""

    number: int
    month: date | None
    """The first day of the last month with one of them."""


async def blocked_statements(conn: Connection, seller: UUID) -> BlockedStatements:
    """Those of a seller."""
    cursor = await conn.execute(
        "select count(*), max(s.month) from statement s where s.seller_id = %s and s.blocked is not null", [seller]
    )
    return BlockedStatements(*await one_row(cursor))


def _row(row: Sequence[Any]) -> StatementRow:
    return StatementRow(*row[:-1], key=tuple(row[-1]))


def _sides(chosen: StatementFilter) -> Sequence[LiteralString]:
    return (SOLD, BOUGHT) if chosen.sold is None else (SOLD if chosen.sold else BOUGHT,)


def _conditions(chosen: StatementFilter) -> LiteralString:
    """Only those that are asked for."""
    conditions: LiteralString = "s.number is not null"
    if chosen.month is not None:
        conditions += " and s.month = %(month)s"
    if chosen.state is not None:
        conditions += f" and {_IN_STATE[chosen.state]}"
    if chosen.buyer is not None:
        conditions += f" and {of_buyer(chosen.buyer)}"
    if chosen.number:
        conditions += " and s.number = %(number)s"
    if chosen.original is not None:
        conditions += " and s.credits = %(original)s"
    return conditions


def _params(viewer: UUID, chosen: StatementFilter, today: date) -> dict[str, object]:
    return {
        "viewer": viewer,
        "month": chosen.month,
        "buyer": chosen.buyer,
        "number": chosen.number,
        "original": chosen.original,
        "today": today,
    }
