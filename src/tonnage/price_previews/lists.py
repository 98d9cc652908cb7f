"""SQL of the buyers to whom a price book applies, as lists. `seller_id` is the scope: whose book it is."""

from collections.abc import Mapping
from datetime import date
from typing import LiteralString
from uuid import UUID

from tonnage.billing.month_net import PricedSeller
from tonnage.billing.month_net_queries import COLUMNS
from tonnage.db import Connection
from tonnage.keyset import bigint, numeric, text
from tonnage.lists import (
    ListSpec,
    ListState,
    PageOf,
    page_columns,
    page_ctes,
    page_of,
    page_order,
    page_params,
    sort_columns,
)
from tonnage.price_books.assignment import SubjectKind
from tonnage.price_books.assignment_lists import RULED
from tonnage.price_previews.price_preview import MOST_PARTNERS, RuledBuyer

PREVIEWS = ListSpec(
    sorts={
        "now": (numeric("coalesce(b.net, 0)"), bigint("b.seq")),
        "name": (text("b.name_key"), text('b.name collate "C"'), bigint("b.seq")),
    },
    descending_by_default=frozenset({"now"}),
    sizes=(50, 25),
    preserve=("whole",),
)
"""The sorts of a preview. `now` is the stored net, since what is not rated yet cannot be sorted. A page has few rows,
which are all rated."""

_OF_KIND: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: """
        select k.id, k.seq, coalesce(k.details, '') as name, coalesce(k.name_key, '') as name_key, d.name as owner,
            d.name_key as owner_key, {net}
        from ruled r join contract k on k.id = r.contract_id join organisation d on d.id = k.distributor_id {join}""",
    SubjectKind.PARTNER: """
        select o.id, o.seq, o.name, o.name_key, '' as owner, ''::text collate "C" as owner_key, {net}
        from ruled r join organisation o on o.id = r.partner_id {join}""",
    SubjectKind.ACCOUNT: """
        select s.id, s.seq, s.name, s.name_key, '' as owner, ''::text collate "C" as owner_key, {net}
        from ruled r join storage_account s on s.id = r.account_id {join}""",
}

_PARTNERS: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.CONTRACT: """(select count(*) from (
        select from partner p where p.contract_id = b.id and p.closed_at is null limit %(most_partners)s) few)""",
    SubjectKind.PARTNER: "0",
    SubjectKind.ACCOUNT: "0",
}


def _buyers(kind: SubjectKind, *, with_net: bool) -> LiteralString:
    column = COLUMNS[kind]
    if not with_net:
        return _OF_KIND[kind].format(net="0 as net", join="")
    join: LiteralString = (
        f"left join month_net n on n.{column} = r.{column} and n.{column} is not null and n.month = %(month)s"
    )
    return _OF_KIND[kind].format(net="n.net", join=join)


async def ruled_buyers(
    conn: Connection, seller: PricedSeller, book_id: UUID, day: date, state: ListState
) -> PageOf[RuledBuyer]:
    """A page of the open buyers to whom the book applies on a day. The search covers names, of contracts also those of
    their distributors."""
    sort, kind = state.sort_columns, seller.buyers
    cursor = await conn.execute(
        f"""
        with {RULED}, b as (
            {_buyers(kind, with_net=state.sort == "now")}
        ), found as (
            select b.id, {sort_columns(sort)} from b
            where strpos(concat_ws(chr(10), b.name_key, b.owner_key), %(search_key)s) > 0
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, b.id, b.seq, b.name, b.owner, {_PARTNERS[kind]}
        from counted left join (chosen f join b on b.id = f.id) on true
        order by {page_order(state, sort)}
        """,
        {**_params(seller, book_id, day), **page_params(state)},
    )
    return page_of(await cursor.fetchall(), state, RuledBuyer)


async def ruled_after(
    conn: Connection, seller: PricedSeller, book_id: UUID, day: date, after: int | None, most: int
) -> list[RuledBuyer]:
    """The next of them in order of creation."""
    kind = seller.buyers
    cursor = await conn.execute(
        f"""
        with {RULED}, b as (
            {_buyers(kind, with_net=False)}
        )
        select b.id, b.seq, b.name, b.owner, {_PARTNERS[kind]} from b
        where %(after)s::bigint is null or b.seq > %(after)s order by b.seq limit %(most)s
        """,
        {**_params(seller, book_id, day), "after": after, "most": most},
    )
    return [RuledBuyer(*row) for row in await cursor.fetchall()]


def _params(seller: PricedSeller, book_id: UUID, day: date) -> dict[str, object]:
    return {
        "seller": seller.id,
        "book": book_id,
        "day": day,
        "month": day.replace(day=1),
        "most_partners": MOST_PARTNERS + 1,
    }
