"""SQL of prices as lists: the versions of a book, and what applies to many buyers."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection
from tonnage.price_books.assignment import Assignment, Book
from tonnage.price_books.price_sources import AssumedVersion, PriceSources
from tonnage.price_books.version import Prices
from tonnage.price_books.version_queries import PRICE_COLUMNS, prices_of, published_prices


async def price_sources(
    conn: Connection,
    seller_id: UUID,
    *,
    contract_ids: Sequence[UUID] = (),
    partner_ids: Sequence[UUID] = (),
    account_ids: Sequence[int] = (),
    assumed: AssumedVersion | None = None,
) -> PriceSources:
    """What the seller has assigned to these, and what the books cost; with an assumed version, if one is given."""
    cursor = await conn.execute(
        """
        select coalesce(a.contract_id, a.partner_id), a.account_id, a.valid_from, b.id, b.currency, a.id as made
        from price_assignment a left join price_book b on b.id = a.book_id
        where a.seller_id = %(seller)s and (a.contract_id = any(%(contracts)s) or a.partner_id = any(%(partners)s)
            or a.account_id = any(%(accounts)s))
        union all
        select null, null, null, id, currency, null from price_book where seller_id = %(seller)s and is_default
        order by made
        """,
        {
            "seller": seller_id,
            "contracts": list(contract_ids),
            "partners": list(partner_ids),
            "accounts": list(account_ids),
        },
    )
    assignments: dict[UUID | int, list[Assignment]] = {}
    default: Book | None = None
    books = set[UUID]()
    for organisation_or_contract, account, since, book_id, currency, _ in await cursor.fetchall():
        book = Book(book_id, currency) if book_id else None
        if book is not None:
            books.add(book.id)
        if since is None:
            default = book
        else:
            assignments.setdefault(organisation_or_contract or account, []).append(Assignment(since, book))
    sources = PriceSources(assignments, default, await published_prices(conn, books))
    return assumed.among(sources) if assumed else sources


class VersionRow(NamedTuple):
    """A version of a price book, draft or published."""

    number: int
    created_at: datetime
    published_at: datetime | None
    publication: int | None
    """Of two versions that begin on a day the later published counts."""
    revision: int
    valid_from: date
    prices: Prices


_VERSIONS: LiteralString = f"""
    select v.number, v.created_at, v.published_at, v.publication, v.revision, {PRICE_COLUMNS}
    from price_version v join price_book b on b.id = v.book_id
    where v.book_id = %(book)s and b.seller_id = %(seller)s"""


async def every_version(conn: Connection, seller_id: UUID, book_id: UUID) -> list[VersionRow]:
    """The newest first; none: the seller has no such book, or it has no version."""
    cursor = await conn.execute(f"{_VERSIONS} order by v.number desc", {"seller": seller_id, "book": book_id})
    return [_row(row) for row in await cursor.fetchall()]


async def version_row(conn: Connection, seller_id: UUID, book_id: UUID, number: int) -> VersionRow | None:
    """None: the seller's book has no such version."""
    cursor = await conn.execute(
        f"{_VERSIONS} and v.number = %(number)s", {"seller": seller_id, "book": book_id, "number": number}
    )
    row = await cursor.fetchone()
    return _row(row) if row else None


def _row(row: tuple[object, ...]) -> VersionRow:
    number, created_at, published_at, publication, revision, *prices = row
    return VersionRow._make((number, created_at, published_at, publication, revision, prices[0], prices_of(prices[1:])))
