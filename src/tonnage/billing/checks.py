"""What `tonnage doctor` computes again of the stored nets."""

from collections.abc import Mapping, Sequence
from typing import LiteralString

from tonnage.access.checks import MOST_SHOWN, Check, Checking, Difference
from tonnage.billing.month import Month
from tonnage.billing.month_net import PricedSeller
from tonnage.billing.month_net_queries import COLUMNS
from tonnage.billing.queries import month_nets
from tonnage.db import Connection
from tonnage.price_books.assignment import SubjectKind
from tonnage.utc import day_of

_LOOKED_AT, _AT_MOST = 1000, 100
"""Buyers of each kind that are looked at, by chance, and of these computed. A contract with more partners would take
minutes."""

_OF_PARTNER: LiteralString = """
    select u.xmin from partner_usage u where u.partner_id = {partner} and u.day >= n.month
    union all select m.xmin from account_usage m where m.partner_id = {partner}
    union all select t.xmin from partner_terms t where t.partner_id = {partner}
    union all select p.xmin from partner p where p.id = {partner}
    union all select d.xmin from storage_account s join daily_traffic d on d.account_id = s.id and d.day >= n.month
        where s.partner_id = {partner}"""

_INPUTS: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: f"""
        select t.xmin from contract_terms t where t.contract_id = n.contract_id
        union all select k.xmin from contract k where k.id = n.contract_id
        union all select t.xmin from partner_terms t where t.contract_id = n.contract_id
        union all select i.xmin from (
            select distinct partner_id from partner_terms where contract_id = n.contract_id
        ) o cross join lateral ({_OF_PARTNER.format(partner="o.partner_id")}) i (xmin)""",
    SubjectKind.PARTNER: _OF_PARTNER.format(partner="n.partner_id"),
    SubjectKind.ACCOUNT: """
        select u.xmin from daily_usage u where u.account_id = n.account_id and u.day >= n.month
        union all select m.xmin from account_usage m where m.account_id = n.account_id
        union all select t.xmin from account_terms t where t.account_id = n.account_id
        union all select s.xmin from storage_account s where s.id = n.account_id
        union all select d.xmin from daily_traffic d where d.account_id = n.account_id and d.day >= n.month""",
}

_SMALL: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: """%(most)s >= (
        select count(*) from (select from partner_terms t where t.contract_id = n.contract_id limit %(more)s) few)""",
    SubjectKind.PARTNER: "true",
    SubjectKind.ACCOUNT: "true",
}


async def nets(conn: Connection) -> Check:
    """Computes some nets again, for the moment that each is of: of buyers for whom nothing was written since.

    The rows have the numbers of the transactions that wrote them. One that was open for long may have committed after
    others that began later: so nothing may have been written in those just before, either.
    """
    compared, found = 0, list[Difference]()
    for kind, column in COLUMNS.items():
        cursor = await conn.execute(
            f"""
            select n.seller_id, n.{column}, n.month, n.computed_at, n.currency, n.net, n.problem from (
                select *, xmin as writer from month_net where {column} is not null order by random() limit %(sample)s
            ) n
            where {_SMALL[kind]} and not exists (
                select from ({_INPUTS[kind]}
                    union all select a.xmin from price_assignment a where a.seller_id = n.seller_id
                        and (a.{column} = n.{column} or a.{column} is null)
                    union all select b.xmin from price_book b where b.seller_id = n.seller_id
                    union all select v.xmin from price_version v join price_book b on b.id = v.book_id
                        where b.seller_id = n.seller_id
                ) i (xmin) where age(i.xmin) < age(n.writer) + %(most)s)
            limit %(most)s
            """,
            {"sample": _LOOKED_AT, "most": _AT_MOST, "more": _AT_MOST + 1},
        )
        for seller, buyer, first, computed_at, *stored in await cursor.fetchall():
            month = Month.of(first, day_of(computed_at))
            (again,) = await month_nets(conn, PricedSeller(0, seller, kind), [buyer], month)
            compared += 1
            if again.row != (buyer, *stored):
                found.append(Difference(f"{buyer} {month}", _text(stored), _text(again.row[1:])))
    return Check("stored charges: some, computed again", compared, len(found), tuple(found[:MOST_SHOWN]))


def _text(net: Sequence[object]) -> str:
    return " ".join(str(part) for part in net if part is not None)


ALL: tuple[Checking, ...] = (nets,)
