"""SQL of statements as lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import LiteralString
from uuid import UUID

from tonnage.billing.line import SubjectId
from tonnage.db import ListQuery
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.statements.adjustment_queries import ADJUSTMENT
from tonnage.statements.frozen_queries import BOUGHT, SOLD

_STATE: LiteralString = """case when s.paid_on is not null then 'paid' when s.due_on < %(today)s then 'overdue'
    else 'frozen' end"""

_STATEMENT: LiteralString = f"""json_strip_nulls(json_build_object(
    'id', s.id, 'number', s.number, 'seller', s.seller_id, 'sellerName', s.document ->> 'sellerName',
    'buyer', coalesce(s.contract_id::text, s.partner_id::text, s.account_id::text),
    'buyerName', s.document ->> 'buyerName',
    'level', case when s.contract_id is not null then 'contract' when s.partner_id is not null then 'partner'
        else 'account' end,
    'month', to_char(s.month, 'YYYY-MM'), 'currency', s.currency, 'state', {_STATE},
    'net', s.net::text, 'gross', s.gross::text, 'frozenAt', to_char(s.frozen_at, {TIMESTAMP_FORMAT}),
    'dueOn', s.due_on, 'paidOn', s.paid_on))"""


@dataclass(frozen=True)
class StatementFilter:
    """Which statements a list has."""

    sold: bool | None = None
    """Those that the viewer has sold; False: that it has bought; None: both."""
    month: date | None = None
    """Its first day."""
    state: str | None = None
    """`frozen`, `paid` or `overdue`."""


def statements_of(viewer: UUID, chosen: StatementFilter, today: date) -> ListQuery:
    """The frozen statements that an organisation has sold or bought, in the order in which they were computed."""
    # Only the conditions that are asked for, and each side by itself: so each is read in the order of an index. With
    # `or`, all statements of a seller would be sorted for each page.
    conditions: LiteralString = "s.number is not null and (%(after)s::bigint is null or s.seq > %(after)s)"
    if chosen.month is not None:
        conditions += " and s.month = %(month)s"
    if chosen.state is not None:
        conditions += f" and {_STATE} = %(state)s"
    sides: Sequence[LiteralString] = (SOLD, BOUGHT) if chosen.sold is None else (SOLD if chosen.sold else BOUGHT,)
    pages: LiteralString = " union all ".join(
        [f"(select * from statement s where {side} and {conditions} order by s.seq limit %(limit)s)" for side in sides]
    )
    return ListQuery(
        f"select s.seq, {_STATEMENT} from ({pages}) s order by s.seq limit %(limit)s",
        {"viewer": viewer, "month": chosen.month, "state": chosen.state, "today": today},
    )


def adjustments_of(seller_id: UUID, buyer_id: SubjectId | None = None, *, is_open: bool = False) -> ListQuery:
    """The adjustments of a seller, or of one of its buyers, in the order in which they were made. `is_open`: without
    those that statements have as a whole."""
    condition: LiteralString = "true"
    if isinstance(buyer_id, int):
        condition = "a.account_id = %(buyer)s"
    elif buyer_id is not None:
        condition = "%(buyer)s in (a.contract_id, a.partner_id)"
    if is_open:
        condition += " and a.remaining <> 0"
    return ListQuery(
        f"select a.seq, {ADJUSTMENT} from adjustment a"
        f" where a.seller_id = %(seller)s and {condition} and (%(after)s::bigint is null or a.seq > %(after)s)"
        " order by a.seq limit %(limit)s",
        {"seller": seller_id, "buyer": buyer_id},
    )
