"""SQL of price books. `seller_id` is the scope: a book of another seller is not found."""

from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection, ListQuery
from tonnage.db.rendered import TIMESTAMP_FORMAT, Rendered
from tonnage.names import name_key
from tonnage.price_books.price_book import NewPriceBook

_BOOK: LiteralString = f"""json_build_object(
    'id', b.id, 'name', b.name, 'currency', b.currency, 'isDefault', b.is_default,
    'createdAt', to_char(b.created_at, {TIMESTAMP_FORMAT}))"""


class BookRow(NamedTuple):
    """A price book, for pages."""

    id: UUID
    name: str
    currency: str
    is_default: bool
    created_at: datetime


async def every_book(conn: Connection, seller_id: UUID) -> list[BookRow]:
    """The seller's books, by name."""
    cursor = await conn.execute(
        """
        select id, name, currency, is_default, created_at from price_book where seller_id = %s
        order by name_key, name collate "C", id
        """,
        [seller_id],
    )
    return [BookRow(*row) for row in await cursor.fetchall()]


async def book_row(conn: Connection, seller_id: UUID, book_id: UUID) -> BookRow | None:
    """None: the seller has no such book."""
    cursor = await conn.execute(
        "select id, name, currency, is_default, created_at from price_book where seller_id = %s and id = %s",
        [seller_id, book_id],
    )
    row = await cursor.fetchone()
    return BookRow(*row) if row else None


async def lock_prices(conn: Connection, seller_id: UUID) -> None:
    """Until the end of the transaction nobody else publishes or assigns prices of the seller: what is checked against
    other versions and assignments is true when it is written.
    """
    await conn.execute("select pg_advisory_xact_lock(hashtext('prices'), hashtext(%s::text))", [seller_id])


async def insert_book(
    conn: Connection, seller_id: UUID, book: NewPriceBook, now: datetime, stamp: str
) -> Rendered[UUID] | None:
    """Returns the book; None: the seller is closed. Constraint price_book_one_default: it has a default book."""
    cursor = await conn.execute(
        f"""
        with o as (
            select id from organisation where id = %(seller)s and closed_at is null for share
        ), b as (
            insert into price_book (seller_id, name, name_key, currency, is_default, created_at)
            select id, %(name)s, %(name_key)s, %(currency)s, %(default)s, %(now)s from o returning *
        )
        select b.id, save_response(%(stamp)s, {_BOOK}), audit(%(stamp)s, b.seller_id, 'prices.create-book', b.id::text,
            null, jsonb_build_object('name', b.name, 'currency', b.currency, 'isDefault', b.is_default)) from b
        """,
        {
            "seller": seller_id,
            "name": book.name,
            "name_key": name_key(book.name),
            "currency": book.currency,
            "default": book.is_default,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Rendered(*row[:2]) if row else None


async def one_book(conn: Connection, seller_id: UUID, book_id: UUID) -> bytes | None:
    """The book; None: the seller has no such book."""
    cursor = await conn.execute(
        f"select {_BOOK} from price_book b where b.id = %s and b.seller_id = %s", [book_id, seller_id]
    )
    row = await cursor.fetchone()
    return row[0] if row else None


def books_of(seller_id: UUID) -> ListQuery:
    """The list of the seller's books."""
    return ListQuery(
        f"""
        select b.seq, {_BOOK} from price_book b
        where b.seller_id = %(scope)s and (%(after)s::bigint is null or b.seq > %(after)s)
        order by b.seq limit %(limit)s
        """,
        {"scope": seller_id},
    )


async def seller_of(conn: Connection, book_id: UUID) -> UUID | None:
    """The seller whose book it is. For the operator's command line: other actors pass their own scope."""
    cursor = await conn.execute("select seller_id from price_book where id = %s", [book_id])
    row = await cursor.fetchone()
    return row[0] if row else None
