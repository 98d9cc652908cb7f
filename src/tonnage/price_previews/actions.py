"""Previews: the buyers of a book are read, and rated with the prices that apply and with those of a version.

Each reads all in a transaction of the caller that has read nothing yet, and sees one moment. The actor is the seller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor
from tonnage.billing.line import SubjectId
from tonnage.billing.month import Month
from tonnage.billing.month_net import BUYERS, PricedSeller
from tonnage.billing.queries import month_nets
from tonnage.db import Connection
from tonnage.db.snapshot import take_snapshot
from tonnage.lists import ListState, PageOf
from tonnage.price_books.assignment import SubjectKind
from tonnage.price_books.lists import VersionRow, version_row
from tonnage.price_books.price_book import no_book
from tonnage.price_books.queries import BookRow, book_row
from tonnage.price_books.version import NewVersion, no_version
from tonnage.price_books.version_queries import published_prices
from tonnage.price_previews.lists import ruled_after, ruled_buyers
from tonnage.price_previews.price_preview import (
    MOST_IN_SUM,
    MOST_PARTNERS,
    BuyerPreview,
    PreviewSums,
    PreviewTerms,
    RuledBuyer,
    preview_terms,
    previews_of,
    sums_of,
    within,
)
from tonnage.utc import day_of


@dataclass(frozen=True)
class PreviewPage:
    """A page of a preview, for people."""

    book: BookRow
    version: VersionRow
    terms: PreviewTerms
    found: PageOf[BuyerPreview]
    sums: PreviewSums
    is_in_full: bool
    """Whether the totals are those of the whole list, else of the page."""


@dataclass(frozen=True)
class PreviewPart:
    """The next buyers of a preview."""

    terms: PreviewTerms
    previews: Sequence[BuyerPreview]
    level: SubjectKind
    next: int | None
    """The `seq` of the last one, if there are more."""

    @property
    def documents(self) -> list[dict[str, object]]:
        """As JSON."""
        return [one.document(self.level, self.terms) for one in self.previews]


async def preview_page(
    conn: Connection,
    actor: Actor,
    book_id: UUID,
    number: int,
    state: ListState,
    now: datetime,
    *,
    whole: bool,
    most_in_sum: int = MOST_IN_SUM,
    most_partners: int = MOST_PARTNERS,
) -> PreviewPage:
    """NotFound: the actor has no such book, or it has no such version."""
    await take_snapshot(conn)
    book = await _book(conn, actor, book_id)
    version = await _version(conn, actor, book_id, number)
    terms = await _terms_of_version(conn, book, version, now, whole=whole)
    seller, day = _seller(actor), day_of(now)
    found = await ruled_buyers(conn, seller, book_id, day, state)
    every = found.rows
    if seller.buyers is not SubjectKind.CONTRACT and len(found.rows) < found.total <= most_in_sum:
        every = (await ruled_buyers(conn, seller, book_id, day, state.whole)).rows
    rated = await _rated(conn, seller, every, terms, most_partners)
    by_id: dict[SubjectId, BuyerPreview] = {one.id: one for one in rated}
    shown = PageOf([by_id[one.id] for one in found.rows], *found[1:])
    return PreviewPage(book, version, terms, shown, sums_of(rated, book.currency), len(every) == found.total)


async def preview_part(
    conn: Connection,
    actor: Actor,
    book_id: UUID,
    version: int | NewVersion,
    now: datetime,
    after: int | None,
    most: int,
    *,
    whole: bool,
    most_partners: int | None = MOST_PARTNERS,
) -> PreviewPart:
    """The next buyers in order of creation, under a version of that number or one that is not stored.

    `most_partners`: how many partners under contracts are rated; None: all. NotFound as for `preview_page`.
    """
    await take_snapshot(conn)
    book = await _book(conn, actor, book_id)
    if isinstance(version, int):
        stored = await _version(conn, actor, book_id, version)
        terms = await _terms_of_version(conn, book, stored, now, whole=whole)
    else:
        terms = await _terms(conn, book, version, now, whole=whole)
    seller = _seller(actor)
    found = await ruled_after(conn, seller, book_id, day_of(now), after, most + 1)
    previews = await _rated(conn, seller, found[:most], terms, most_partners)
    return PreviewPart(terms, previews, seller.buyers, found[most - 1].seq if len(found) > most else None)


def _seller(actor: Actor) -> PricedSeller:
    return PricedSeller(0, actor.organisation_id, BUYERS[actor.kind])


async def _book(conn: Connection, actor: Actor, book_id: UUID) -> BookRow:
    found = await book_row(conn, actor.organisation_id, book_id)
    if found is None:
        raise no_book(book_id)
    return found


async def _version(conn: Connection, actor: Actor, book_id: UUID, number: int) -> VersionRow:
    found = await version_row(conn, actor.organisation_id, book_id, number)
    if found is None:
        raise no_version(book_id, number)
    return found


async def _terms_of_version(
    conn: Connection, book: BookRow, version: VersionRow, now: datetime, *, whole: bool
) -> PreviewTerms:
    new, is_published = NewVersion(version.valid_from, version.prices), version.published_at is not None
    return await _terms(conn, book, new, now, whole=whole, is_published=is_published)


async def _terms(
    conn: Connection, book: BookRow, version: NewVersion, now: datetime, *, whole: bool, is_published: bool = False
) -> PreviewTerms:
    month = Month.of(day_of(now), day_of(now))
    published = (await published_prices(conn, [book.id])).get(book.id, [])
    return preview_terms(book.id, book.currency, version, published, month, whole=whole, is_published=is_published)


async def _rated(
    conn: Connection,
    seller: PricedSeller,
    buyers: Sequence[RuledBuyer],
    terms: PreviewTerms,
    most_partners: int | None,
) -> list[BuyerPreview]:
    ids = [one.id for one in within(buyers, most_partners)]
    if not ids:
        return previews_of(buyers, [], [])
    now = await month_nets(conn, seller, ids, terms.month)
    then = await month_nets(conn, seller, ids, terms.month, terms.version)
    return previews_of(buyers, now, then)
