"""SQL of statements: buyers, drafts of their months, and what frozen ones charge in one amount."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.billing.buyer import Buyer, subjects_of
from tonnage.billing.line import Line, SubjectId
from tonnage.billing.month import Month, SubjectMonth, last_day_of
from tonnage.billing.month_prices import CurrencyConflict
from tonnage.billing.queries import (
    Charges,
    account_months,
    charge_contract,
    contract_buyer,
    contract_subjects,
    partner_months,
    partner_subjects,
)
from tonnage.db import Connection, ListQuery
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.money import Money, total
from tonnage.parties.queries import find_party, find_seller
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.statements.adjustment import Adjustment, totals_of
from tonnage.statements.adjustment_queries import next_month, open_adjustments
from tonnage.statements.frozen_queries import BOUGHT, OF_MONTH, OWED, SOLD, of_buyer
from tonnage.statements.statement import Draft, in_order
from tonnage.utc import month_before
from tonnage.workings.working import has_days

_BUYERS: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: """
        select k.id, coalesce(k.details, d.name), o.id, o.name from contract k
        join organisation d on d.id = k.distributor_id cross join organisation o
        where k.id = %(id)s and o.kind = 'operator'
            and (%(viewer)s::uuid is null or %(viewer)s in (o.id, k.distributor_id))""",
    SubjectKind.PARTNER: """
        select p.id, b.name, o.id, o.name from partner p
        join organisation b on b.id = p.id join organisation o on o.id = p.distributor_id
        where p.id = %(id)s and (%(viewer)s::uuid is null or %(viewer)s in (o.id, p.id))""",
    SubjectKind.ACCOUNT: """
        select s.id, s.name, o.id, o.name from storage_account s join organisation o on o.id = s.partner_id
        where s.id = %(id)s and (%(viewer)s::uuid is null or %(viewer)s = o.id)""",
}


async def find_buyer(conn: Connection, viewer: UUID | None, subject: Subject) -> Buyer | None:
    """A buyer, closed ones too, if the viewer is its seller or itself; None is the operator's command line, which may
    see all."""
    cursor = await conn.execute(_BUYERS[subject.kind], {"id": subject.id, "viewer": viewer})
    row = await cursor.fetchone()
    return Buyer(subject.kind, *row) if row else None


async def find_buyer_by_id(conn: Connection, viewer: UUID | None, buyer_id: SubjectId) -> Buyer | None:
    """The same by an id alone."""
    for subject in subjects_of(buyer_id):
        if found := await find_buyer(conn, viewer, subject):
            return found
    return None


async def draft(conn: Connection, buyer: Buyer, month: Month) -> Draft | CurrencyConflict | None:
    """The statement as it would be now; None: the seller sells nothing to that buyer in the month."""
    found = await _charges(conn, buyer, month)
    if not isinstance(found, Charges):
        return found
    names = await subject_names(conn, {line.subject_id for line in found.lines}) | {buyer.id: buyer.name}
    seller, party = (
        await find_seller(conn, buyer.seller_id),
        await find_party(conn, buyer.seller_id, Subject(buyer.kind, buyer.id), buyer.name),
    )
    net = total((line.amount for line in found.lines), found.buyer.currency)
    totals = totals_of(seller, party, buyer.id, month.first, net, await _adjustments(conn, buyer, month.first))
    lines = in_order([*found.lines, *totals.adjustments], names)
    return Draft(buyer, found, lines, names, seller, party, totals)


async def _adjustments(conn: Connection, buyer: Buyer, first: date) -> list[Adjustment]:
    """Those that the next statement of the buyer would have, if this is the one."""
    following = await next_month(conn, buyer)
    if following is not None and following != first:
        return []
    found = (await open_adjustments(conn, buyer.kind, [buyer.id], first)).get(buyer.id, [])
    if following is not None:
        return found
    return [one for one in found if await _is_first_after(conn, buyer, first, one.made_on)]


async def _charges(conn: Connection, buyer: Buyer, month: Month) -> Charges | CurrencyConflict | None:
    if isinstance(buyer.id, int):
        months = await account_months(conn, buyer.seller_id, [buyer.id], month)
    elif buyer.kind is SubjectKind.PARTNER:
        months = await partner_months(conn, buyer.seller_id, [buyer.id], month)
    else:
        return await charge_contract(conn, buyer.seller_id, buyer.id, month)
    return next(months.charges(), None) or next(iter(months.conflicts), None)


async def _is_first_after(conn: Connection, buyer: Buyer, first: date, made_on: date) -> bool:
    """Of a seller that has frozen nothing, whether the statement of a month is the next one after a day: that of the
    month before, if there is one, else that of its own."""
    before = month_before(made_on)
    if first == before:
        return True
    if first != made_on.replace(day=1):
        return False
    charged = await _charges(conn, buyer, Month.of(before, last_day_of(before)))
    return not (isinstance(charged, Charges) and charged.lines)


async def currency_of(conn: Connection, buyer: Buyer, month: Month) -> str | None:
    """Of the buyer's prices of the month; None: it has none, or in several."""
    if buyer.kind is SubjectKind.CONTRACT:
        return (await contract_buyer(conn, buyer.seller_id, UUID(str(buyer.id)), month)).currency
    found = await _charges(conn, buyer, month)
    return found.buyer.currency if isinstance(found, Charges) else None


async def subjects_behind(conn: Connection, statement: Draft, line: Line) -> list[SubjectMonth]:
    """Those that a line of a draft is about, which the transaction has made."""
    charged, subject = statement.charges.buyer, statement.charges.subject
    if not has_days(line):
        return []
    if subject is not None:
        return [subject]
    if isinstance(line.subject_id, UUID) and line.subject_id != charged.id:
        return await partner_subjects(conn, charged, [line.subject_id])
    return [one async for one in contract_subjects(conn, charged)]


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


class MonthCharge(NamedTuple):
    """What a frozen statement charges for its month: its net, adjustments included."""

    id: UUID
    number: str
    net: Money


async def frozen_charges(
    conn: Connection, viewer: UUID, buyer_id: SubjectId, months: Sequence[date]
) -> dict[date, MonthCharge]:
    """Of a buyer, for itself and its seller, by the first days of the months; without those that are not frozen."""
    cursor = await conn.execute(
        f"""
        select s.month, s.id, s.number, s.net, s.currency from statement s
        where {of_buyer(buyer_id)} and s.month = any(%(months)s) and {OF_MONTH} and ({SOLD} or {BOUGHT})
        """,
        {"viewer": viewer, "buyer": buyer_id, "months": list(months)},
    )
    return {
        month: MonthCharge(statement_id, number, Money(net, currency))
        for month, statement_id, number, net, currency in await cursor.fetchall()
    }


async def frozen_parts(
    conn: Connection, operator_id: UUID, partner_id: UUID, months: Sequence[date]
) -> dict[date, list[Money]]:
    """The part of a partner in the statements of its contracts, for the operator, likewise."""
    cursor = await conn.execute(
        f"""
        select s.month, s.currency, coalesce(sum(l.amount), 0) from statement s
        left join statement_line l on l.statement_id = s.id and l.subject_id = %(partner)s
        where s.contract_id in (select t.contract_id from partner_terms t where t.partner_id = %(partner)s)
            and s.month = any(%(months)s) and {OF_MONTH} and {SOLD}
        group by s.month, s.currency order by s.month, s.currency collate "C"
        """,
        {"viewer": operator_id, "partner": partner_id, "months": list(months)},
    )
    found: dict[date, list[Money]] = {}
    for month, currency, amount in await cursor.fetchall():
        found.setdefault(month, []).append(Money(amount, currency))
    return found


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

_OF_BUYER: LiteralString = """s.month = d.month
    and (s.contract_id = d.contract_id or s.partner_id = d.partner_id or s.account_id = d.account_id)"""


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
        where d.net is not null and (%(after)s::bigint is null or d.seq > %(after)s)
            and not exists (select from statement s where {_OF_BUYER} and {OF_MONTH})
            and (exists (select from statement s where {_OF_BUYER} and {OWED}) or not exists (
                select from month_close c where c.seller_id = d.seller_id and c.month = d.month and c.frozen))
        order by d.seq limit %(limit)s
        """,
        {"viewer": viewer, "month": month},
    )
