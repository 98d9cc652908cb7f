"""SQL of the stored nets: whose are computed, which of them are chosen, and their rows."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import LiteralString

from tonnage.access.actor import Kind
from tonnage.billing.line import SubjectId
from tonnage.billing.month_net import BUYERS, BuyerFilter, ChangedBuyer, ChangedPrices, MonthNet, PricedSeller
from tonnage.db import Connection
from tonnage.price_books.assignment import SubjectKind

COMMITTED = timedelta(minutes=1)
"""How long after its moment a change is certain to be seen: until then its transaction may still be open."""

COLUMNS: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: "contract_id",
    SubjectKind.PARTNER: "partner_id",
    SubjectKind.ACCOUNT: "account_id",
}
"""The columns of a buyer's id."""
_TYPES: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: "uuid",
    SubjectKind.PARTNER: "uuid",
    SubjectKind.ACCOUNT: "bigint",
}


async def sellers(conn: Connection, after: int, most: int) -> list[PricedSeller]:
    """The next organisations that have prices, closed ones too: the operator's are in the terms of its contracts."""
    cursor = await conn.execute(
        """
        select o.seq, o.id, o.kind from organisation o
        where o.seq > %s and (o.kind = 'operator' or exists (select from price_book b where b.seller_id = o.id))
        order by o.seq limit %s
        """,
        [after, most],
    )
    return [PricedSeller(seq, seller_id, BUYERS[Kind(kind)]) for seq, seller_id, kind in await cursor.fetchall()]


_BUYERS: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: """
        select k.id as id, k.created_at, k.closed_at from contract k where %(seller)s::uuid is not null""",
    SubjectKind.PARTNER: """
        select p.id, o.created_at, p.closed_at from partner p join organisation o on o.id = p.id
        where p.distributor_id = %(seller)s""",
    SubjectKind.ACCOUNT: """
        select s.id, s.created_at, s.purged_at from storage_account s where s.partner_id = %(seller)s""",
}


async def buyers_in(
    conn: Connection, seller: PricedSeller, first: date, chosen: BuyerFilter, after: SubjectId | None, most: int
) -> list[SubjectId]:
    """The next of those that existed in the month, in order of id."""
    column, kind = COLUMNS[seller.buyers], _TYPES[seller.buyers]
    cursor = await conn.execute(
        f"""
        select b.id from ({_BUYERS[seller.buyers]}) b (id, created_at, closed_at)
        where b.created_at < (%(first)s::date + interval '1 month')::timestamp at time zone 'UTC'
            and (b.closed_at is null or b.closed_at::date >= %(first)s)
            and (%(after)s::{kind} is null or b.id > %(after)s)
            and (%(ids)s::{kind}[] is null or b.id = any(%(ids)s))
            and (%(before)s::timestamptz is null or not exists (
                select from month_net n where n.{column} = b.id and n.month = %(first)s
                    and n.computed_at >= %(before)s))
        order by b.id limit %(most)s
        """,
        {
            "seller": seller.id,
            "first": first,
            "before": chosen.before,
            "ids": None if chosen.ids is None else list(chosen.ids),
            "after": after,
            "most": most,
        },
    )
    return [row[0] for row in await cursor.fetchall()]


async def store(conn: Connection, seller: PricedSeller, first: date, nets: Iterable[MonthNet], now: datetime) -> None:
    """Replaces the nets of these buyers, but for those that are of a later moment."""
    column, kind = COLUMNS[seller.buyers], _TYPES[seller.buyers]
    ids, currencies, amounts, problems = zip(*[one.row for one in nets], strict=True)
    await conn.execute(
        f"""
        insert into month_net (month, seller_id, {column}, currency, net, problem, computed_at)
        select %(first)s, %(seller)s, n.*, %(now)s
        from unnest(%(ids)s::{kind}[], %(currencies)s::text[], %(amounts)s::numeric[], %(problems)s::text[])
            n (id, currency, net, problem)
        order by n.id
        on conflict ({column}, month) where {column} is not null do update
        set currency = excluded.currency, net = excluded.net, problem = excluded.problem,
            computed_at = excluded.computed_at
        where month_net.computed_at <= excluded.computed_at
        """,
        {
            "first": first,
            "seller": seller.id,
            "now": now,
            "ids": list(ids),
            "currencies": list(currencies),
            "amounts": list(amounts),
            "problems": list(problems),
        },
    )


async def delete_before(conn: Connection, before: date) -> None:
    """Deletes the nets of the months before that one."""
    await conn.execute("delete from month_net where month < %s", [before])


async def changed_prices(conn: Connection, since: datetime) -> list[ChangedPrices]:
    """Sellers that have published prices, made a default book, or assigned a book to what many buyers belong to."""
    cursor = await conn.execute(
        """
        select o.seq, o.id, o.kind, max(c.at) from (
            select b.seller_id, v.published_at as at from price_version v join price_book b on b.id = v.book_id
            where v.published_at >= %(since)s
            union all
            select seller_id, created_at from price_book where is_default and created_at >= %(since)s
            union all
            select a.seller_id, a.assigned_at from price_assignment a join organisation s on s.id = a.seller_id
            where a.assigned_at >= %(since)s and (s.kind = 'distributor' and a.contract_id is not null
                or s.kind = 'partner' and a.partner_id is not null)
        ) c join organisation o on o.id = c.seller_id
        group by o.seq, o.id, o.kind order by o.seq
        """,
        {"since": since},
    )
    return [
        ChangedPrices(PricedSeller(seq, seller_id, BUYERS[Kind(kind)]), at)
        for seq, seller_id, kind, at in await cursor.fetchall()
    ]


_TERMS: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: "contract_terms",
    SubjectKind.PARTNER: "partner_terms",
    SubjectKind.ACCOUNT: "account_terms",
}

_OVERRIDDEN: LiteralString = """union all
                    select {column}, greatest(valid_from, ended_at) from capacity_override
                    where {column} is not null and is_free and (valid_from >= %(since)s or ended_at >= %(since)s)"""
_OVERRIDES: Mapping[SubjectKind, LiteralString] = {
    # A contract's own capacity has no overrides; those of its partners count when the roll-up of the day has.
    SubjectKind.CONTRACT: "",
    SubjectKind.PARTNER: _OVERRIDDEN.format(column="partner_id"),
    SubjectKind.ACCOUNT: _OVERRIDDEN.format(column="account_id"),
}

# These tables only grow: what is new has the highest ids, and there is no index by time.
_NEWEST: LiteralString = "id > (select max(id) from {table}) - 20000"
_SELLERS: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: "join organisation o on o.kind = 'operator'",
    SubjectKind.PARTNER: "join partner p on p.id = c.id join organisation o on o.id = p.distributor_id",
    SubjectKind.ACCOUNT: "join storage_account s on s.id = c.id join organisation o on o.id = s.partner_id",
}


async def changed_buyers(conn: Connection, first: date, since: datetime) -> list[ChangedBuyer]:
    """Buyers whose terms or own assignments are of then or later, and whose net of the month is not. Those of a seller
    stand together."""
    found: list[ChangedBuyer] = []
    for kind, column in COLUMNS.items():
        terms, overrides = _TERMS[kind], _OVERRIDES[kind]
        cursor = await conn.execute(
            f"""
            select o.seq, o.id, c.id from (
                select id, max(at) as at from (
                    select {column}, valid_from from {terms}
                    where {_NEWEST.format(table=terms)} and valid_from >= %(since)s
                    union all
                    select {column}, assigned_at from price_assignment
                    where {_NEWEST.format(table="price_assignment")} and {column} is not null
                        and assigned_at >= %(since)s
                    {overrides}
                ) every (id, at) group by id
            ) c {_SELLERS[kind]}
            where (o.kind = 'operator' or exists (select from price_book b where b.seller_id = o.id))
                and not exists (
                    select from month_net n where n.{column} = c.id and n.month = %(first)s
                        and n.computed_at >= c.at + %(committed)s)
            order by o.seq, c.id
            """,
            {"first": first, "since": since, "committed": COMMITTED},
        )
        found += [
            ChangedBuyer(PricedSeller(seq, seller, kind), buyer) for seq, seller, buyer in await cursor.fetchall()
        ]
    return found
