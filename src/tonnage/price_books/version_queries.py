"""SQL of the versions of price books. `seller_id` is the scope: a book of another seller is not found."""

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString
from uuid import UUID

from tonnage.db import Connection, ListQuery, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT, Versioned
from tonnage.price_books.version import (
    Band,
    MinimumPool,
    Mode,
    NewVersion,
    PayPerUseMinimum,
    Prices,
    Product,
    Tiers,
)

_VERSION: LiteralString = f"""json_strip_nulls(json_build_object(
    'number', v.number, 'state', case when v.published_at is null then 'draft' else 'published' end,
    'validFrom', v.valid_from, 'reserved', trim_scale(v.reserved)::text, 'excess', trim_scale(v.excess)::text,
    'payPerUse', trim_scale(v.pay_per_use)::text,
    'payPerUseMinimum', case when v.minimum_gb is not null then
        json_build_object('gb', v.minimum_gb, 'pool', v.minimum_pool) end,
    'minimumCharge', trim_scale(v.minimum_charge)::text, 'egressPerGb', trim_scale(v.egress_per_gb)::text,
    'discountPercent', trim_scale(v.discount_percent)::text, 'prorateMinimums', v.prorate_minimums,
    'tiers', v.tiers, 'createdAt', to_char(v.created_at, {TIMESTAMP_FORMAT}),
    'publishedAt', to_char(v.published_at, {TIMESTAMP_FORMAT})))"""

# Prices are left out: a distributor reads the audit log of its partners, and resale prices are not its business.
_FACTS: LiteralString = "jsonb_build_object('version', v.number, 'validFrom', v.valid_from)"

PRICE_COLUMNS: LiteralString = """valid_from, reserved, excess, pay_per_use, minimum_gb, minimum_pool, minimum_charge,
    egress_per_gb, discount_percent, prorate_minimums, tiers"""

_VALUES: LiteralString = """%(valid_from)s, %(reserved)s, %(excess)s, %(pay_per_use)s, %(minimum_gb)s, %(minimum_pool)s,
    %(minimum_charge)s, %(egress_per_gb)s, %(discount_percent)s, %(prorate_minimums)s, %(tiers)s::jsonb"""

_IS_DRAFT: LiteralString = """v.book_id = %(book)s and v.number = %(number)s and v.published_at is null
    and coalesce(v.revision = %(revision)s, true)
    and exists (select from price_book b where b.id = %(book)s and b.seller_id = %(seller)s)"""
"""Rows `v` that are the draft of the seller's book, in the revision if one is given."""

_PRODUCTS = {Product.RESERVED: "reserved", Product.PAY_PER_USE: "payPerUse"}


async def insert_version(
    conn: Connection, seller_id: UUID, book_id: UUID, version: NewVersion, now: datetime, stamp: str
) -> tuple[int, Versioned] | None:
    """Adds a draft; returns its number. None: the seller has no such book."""
    cursor = await conn.execute(
        f"""
        with b as (
            update price_book set last_version = last_version + 1 where id = %(book)s and seller_id = %(seller)s
            returning id, seller_id, last_version
        ), v as (
            insert into price_version (book_id, number, created_at, {PRICE_COLUMNS})
            select id, last_version, %(now)s, {_VALUES} from b returning *
        )
        select v.number, save_response(%(stamp)s, {_VERSION}, v.revision), v.revision,
            audit(%(stamp)s, b.seller_id, 'prices.add-draft', b.id::text, null, {_FACTS}) from v, b
        """,
        {"seller": seller_id, "book": book_id, "now": now, "stamp": stamp, **_values(version)},
    )
    row = await cursor.fetchone()
    return (row[0], Versioned(*row[1:3])) if row else None


async def replace_draft(
    conn: Connection,
    seller_id: UUID,
    book_id: UUID,
    number: int,
    version: NewVersion,
    revision: int | None,
    stamp: str,
) -> Versioned | None:
    """Replaces a draft, if `revision` is given only in that one. None: the seller's book has no such draft."""
    cursor = await conn.execute(
        f"""
        with v as (
            update price_version v set ({PRICE_COLUMNS}, revision) = ({_VALUES}, v.revision + 1) where {_IS_DRAFT}
            returning v.*
        )
        select save_response(%(stamp)s, {_VERSION}, v.revision), v.revision,
            audit(%(stamp)s, %(seller)s, 'prices.change-draft', v.book_id::text, null, {_FACTS}) from v
        """,
        {**_draft(seller_id, book_id, number, revision), "stamp": stamp, **_values(version)},
    )
    row = await cursor.fetchone()
    return Versioned(*row[:2]) if row else None


async def delete_draft(
    conn: Connection, seller_id: UUID, book_id: UUID, number: int, revision: int | None, stamp: str
) -> bool:
    """Deletes a draft, if `revision` is given only in that one. False: the seller's book has no such draft."""
    cursor = await conn.execute(
        f"""
        with v as (
            delete from price_version v where {_IS_DRAFT} returning v.*
        )
        select save_response(%(stamp)s, null),
            audit(%(stamp)s, %(seller)s, 'prices.delete-draft', v.book_id::text, {_FACTS}, null) from v
        """,
        {**_draft(seller_id, book_id, number, revision), "stamp": stamp},
    )
    return await cursor.fetchone() is not None


async def lock_draft(
    conn: Connection, seller_id: UUID, book_id: UUID, number: int, revision: int | None
) -> NewVersion | None:
    """Locks a draft, so that what is checked is what is published. None: as for `replace_draft`."""
    cursor = await conn.execute(
        f"select {PRICE_COLUMNS} from price_version v where {_IS_DRAFT} for no key update",
        _draft(seller_id, book_id, number, revision),
    )
    row = await cursor.fetchone()
    return NewVersion(row[0], prices_of(row[1:])) if row else None


async def publish(
    conn: Connection, seller_id: UUID, book_id: UUID, number: int, now: datetime, stamp: str
) -> Versioned:
    """Publishes a draft that the transaction has locked, with the prices of its seller."""
    cursor = await conn.execute(
        f"""
        with b as (
            update price_book set last_publication = last_publication + 1 where id = %(book)s
            returning id, last_publication
        ), v as (
            update price_version v set published_at = %(now)s, publication = b.last_publication,
                revision = v.revision + 1
            from b where v.book_id = b.id and v.number = %(number)s
            returning v.*
        )
        select save_response(%(stamp)s, {_VERSION}, v.revision), v.revision,
            audit(%(stamp)s, %(seller)s, 'prices.publish', v.book_id::text, null, {_FACTS}) from v
        """,
        {"seller": seller_id, "book": book_id, "number": number, "now": now, "stamp": stamp},
    )
    return Versioned(*(await one_row(cursor))[:2])


async def one_version(conn: Connection, seller_id: UUID, book_id: UUID, number: int) -> Versioned | None:
    """A version, draft or published; None: the seller's book has none of that number."""
    cursor = await conn.execute(
        f"""
        select {_VERSION}, v.revision from price_version v join price_book b on b.id = v.book_id
        where v.book_id = %s and v.number = %s and b.seller_id = %s
        """,
        [book_id, number, seller_id],
    )
    row = await cursor.fetchone()
    return Versioned(*row) if row else None


def versions_of(seller_id: UUID, book_id: UUID) -> ListQuery:
    """The list of a book's versions; no row at all: the seller has no such book."""
    return ListQuery(
        f"""
        select coalesce(v.number, 0)::bigint, case when v.number is not null then {_VERSION} end
        from price_book b
        left join price_version v on v.book_id = b.id and (%(after)s::bigint is null or v.number > %(after)s)
        where b.id = %(book)s and b.seller_id = %(scope)s
        order by v.number limit %(limit)s
        """,
        {"scope": seller_id, "book": book_id},
    )


async def published_prices(conn: Connection, book_ids: Collection[UUID]) -> dict[UUID, list[tuple[date, Prices]]]:
    """The published versions of each of these books that has any."""
    cursor = await conn.execute(
        f"""
        select book_id, {PRICE_COLUMNS} from price_version where book_id = any(%s) and published_at is not null
        order by book_id, publication
        """,
        [list(book_ids)],
    )
    found: dict[UUID, list[tuple[date, Prices]]] = {}
    for book_id, since, *prices in await cursor.fetchall():
        found.setdefault(book_id, []).append((since, prices_of(prices)))
    return found


def prices_of(row: Sequence[Any]) -> Prices:
    """The prices in a row of PRICE_COLUMNS without the first."""
    reserved, excess, pay_per_use, minimum_gb, pool, minimum_charge, egress, discount, prorate, tiers = row
    return Prices(
        reserved,
        excess,
        pay_per_use,
        None if minimum_gb is None else PayPerUseMinimum(minimum_gb, MinimumPool(pool)),
        minimum_charge,
        egress,
        discount,
        prorate,
        tiers and _tiers(tiers),
    )


def _tiers(document: dict[str, Any]) -> Tiers:
    product = next(product for product, name in _PRODUCTS.items() if name == document["on"])
    bands = tuple(Band(band.get("upToGb"), Decimal(band["price"])) for band in document["bands"])
    return Tiers(product, Mode(document["mode"]), bands)


def _tiers_json(tiers: Tiers) -> str:
    bands = [
        {**({} if band.up_to_gb is None else {"upToGb": band.up_to_gb}), "price": f"{band.price:f}"}
        for band in tiers.bands
    ]
    return json.dumps({"on": _PRODUCTS[tiers.product], "mode": tiers.mode, "bands": bands})


def _draft(seller_id: UUID, book_id: UUID, number: int, revision: int | None) -> dict[str, object]:
    return {"seller": seller_id, "book": book_id, "number": number, "revision": revision}


def _values(version: NewVersion) -> dict[str, object]:
    prices = version.prices
    least = prices.pay_per_use_minimum
    return {
        "valid_from": version.valid_from,
        "reserved": prices.reserved,
        "excess": prices.excess,
        "pay_per_use": prices.pay_per_use,
        "minimum_gb": least and least.gb,
        "minimum_pool": least and least.pool,
        "minimum_charge": prices.minimum_charge,
        "egress_per_gb": prices.egress_per_gb,
        "discount_percent": prices.discount_percent,
        "prorate_minimums": prices.prorate_minimums,
        "tiers": prices.tiers and _tiers_json(prices.tiers),
    }
