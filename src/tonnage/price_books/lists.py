"""What applies to many buyers of a seller: the books assigned to them, and the prices in those."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tonnage.db import Connection
from tonnage.price_books.assignment import Assignment, Book
from tonnage.price_books.assignment_queries import default_book
from tonnage.price_books.price_sources import PriceSources
from tonnage.price_books.version import Prices
from tonnage.price_books.version_queries import published_prices


async def price_sources(
    conn: Connection,
    seller_id: UUID,
    *,
    contract_ids: Sequence[UUID] = (),
    partner_ids: Sequence[UUID] = (),
    account_ids: Sequence[int] = (),
) -> PriceSources:
    """What the seller has assigned to these, and what the books cost."""
    cursor = await conn.execute(
        """
        select coalesce(a.contract_id, a.partner_id), a.account_id, a.valid_from, b.id, b.currency
        from price_assignment a left join price_book b on b.id = a.book_id
        where a.seller_id = %(seller)s and (a.contract_id = any(%(contracts)s) or a.partner_id = any(%(partners)s)
            or a.account_id = any(%(accounts)s))
        order by a.id
        """,
        {
            "seller": seller_id,
            "contracts": list(contract_ids),
            "partners": list(partner_ids),
            "accounts": list(account_ids),
        },
    )
    assignments: dict[UUID | int, list[Assignment]] = {}
    for organisation_or_contract, account, since, book, currency in await cursor.fetchall():
        subject = organisation_or_contract or account
        assignments.setdefault(subject, []).append(Assignment(since, Book(book, currency) if book else None))
    default = await default_book(conn, seller_id)
    books = {one.book.id for of_subject in assignments.values() for one in of_subject if one.book}
    books |= {default.id} if default else set()
    versions: dict[UUID, list[tuple[date, Prices]]] = {}
    for book_id, since, prices in await published_prices(conn, books):
        versions.setdefault(book_id, []).append((since, prices))
    return PriceSources(assignments, default, versions)
