"""SQL of the stored nets as tiles show them, which is their sums, and as a list of drafts. Lists of buyers join the
table themselves.

Who sees the statement of a buyer sees its net: the seller, and the buyer itself.
"""

from collections.abc import Mapping
from datetime import date
from typing import LiteralString
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.billing.month_net import Fees
from tonnage.db import Connection, ListQuery
from tonnage.db.rendered import TIMESTAMP_FORMAT
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

_CONTRACTS: LiteralString = """
    select k.seq, k.id::text as buyer, coalesce(k.details, d.name) as name, 'contract' as level, n.*
    from contract k join organisation d on d.id = k.distributor_id
    join month_net n on n.contract_id = k.id and n.month = %(month)s"""
_PARTNERS: LiteralString = """
    select p.seq, p.id::text as buyer, o.name, 'partner' as level, n.*
    from partner p join organisation o on o.id = p.id
    join month_net n on n.partner_id = p.id and n.partner_id is not null and n.month = %(month)s"""
_ACCOUNTS: LiteralString = """
    select b.seq, b.id::text as buyer, b.name, 'account' as level, n.*
    from storage_account b join month_net n on n.account_id = b.id and n.month = %(month)s"""

_DRAFTS: Mapping[tuple[Kind, bool], LiteralString] = {
    (Kind.OPERATOR, True): _CONTRACTS,
    (Kind.DISTRIBUTOR, True): f"{_PARTNERS} where p.distributor_id = %(viewer)s",
    (Kind.DISTRIBUTOR, False): f"{_CONTRACTS} where k.distributor_id = %(viewer)s",
    (Kind.PARTNER, True): f"{_ACCOUNTS} where b.partner_id = %(viewer)s",
    (Kind.PARTNER, False): f"{_PARTNERS} where p.id = %(viewer)s",
}
"""By the kind of the viewer, and whether it has sold."""


def drafts_of(viewer: UUID, kind: Kind, month: date, *, sold: bool) -> ListQuery:
    """What buyers are charged so far for a month that begins on that day, and of which they still get a statement, in
    the order in which they were made. Who had nothing to pay when it was frozen gets an adjustment. The operator buys
    nothing."""
    drafts: LiteralString = _DRAFTS.get((kind, sold), f"{_PARTNERS} where false")
    return ListQuery(
        f"""
        select d.seq, json_build_object(
            'id', 'draft-' || d.buyer || to_char(d.month, '-YYYY-MM'), 'seller', d.seller_id, 'sellerName', o.name,
            'buyer', d.buyer, 'buyerName', d.name, 'level', d.level, 'kind', 'statement',
            'month', to_char(d.month, 'YYYY-MM'), 'currency', d.currency, 'state', 'draft', 'net', d.net::text,
            'computedAt', to_char(d.computed_at, {TIMESTAMP_FORMAT}))
        from ({drafts}) d join organisation o on o.id = d.seller_id
        cross join lateral (
            select coalesce(bool_or(s.number is not null and s.voided_at is null), false) as is_frozen,
                count(*) > 0 as has_any
            from statement s where s.month = d.month and s.corrects is null and s.credits is null
                and (s.contract_id = d.contract_id or s.partner_id = d.partner_id or s.account_id = d.account_id)) s
        where d.net is not null and (%(after)s::bigint is null or d.seq > %(after)s) and not s.is_frozen
            and (s.has_any or not exists (
                select from month_close c where c.seller_id = d.seller_id and c.month = d.month and c.frozen))
        order by d.seq limit %(limit)s
        """,
        {"viewer": viewer, "month": month},
    )


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
