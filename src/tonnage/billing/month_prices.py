"""The prices that apply to a buyer on each day of a month. Days are numbers, 0 is the first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from tonnage.billing.month import BuyerMonth, Capacity, Lifetime, Month, Span, overlaps
from tonnage.price_books.assignment import Assignments, Book, book_on
from tonnage.price_books.price_sources import PriceSources
from tonnage.price_books.version import Prices, Versions, in_force


def books_by_day(nearest_first: Sequence[Assignments], default: Book | None, month: Month) -> list[Span[Book | None]]:
    """The book that applies on each day that counts."""
    starts = {month.number(one.valid_from) for assignments in nearest_first for one in assignments}
    firsts = [0, *sorted(start for start in starts if 0 < start < month.through)]
    ends = [*firsts[1:], month.through]
    return [
        Span(first, end, book_on(nearest_first, default, month.day(first)))
        for first, end in zip(firsts, ends, strict=True)
    ]


def prices_by_day(
    sources: PriceSources,
    nearest_first: Sequence[Assignments],
    default: Book | None,
    month: Month,
    closed: int | None = None,
) -> list[Span[Prices | None]]:
    """The prices on each day that counts; None where nothing is sold: there is no book, or no version of it yet.

    `closed`: the first day at whose end the buyer was not open any more. From then on the prices are those of the day
    before.
    """
    until = month.through if closed is None else min(max(closed, 0), month.through)
    found: list[Span[Prices | None]] = []
    for span in books_by_day(nearest_first, default, month):
        versions = sources.versions_of(span.value)
        changes = {month.number(since) for since, _ in versions}
        firsts = sorted({span.first} | {change for change in changes if span.first < change < span.until})
        for first, end in zip(firsts, [*firsts[1:], span.until], strict=True):
            if first < until:
                found.append(Span(first, min(end, until), _prices_on(versions, month.day(first))))
    if until < month.through:
        last = month.day(closed - 1) if closed is not None else month.last
        versions = sources.versions_of(book_on(nearest_first, default, last))
        found.append(Span(until, month.through, _prices_on(versions, last)))
    return found


def _prices_on(versions: Versions, day: date) -> Prices | None:
    version = in_force(versions, day)
    return version and version[1]


def with_excess(among: Sequence[Span[Prices | None]], excess: Sequence[Span[Decimal]]) -> list[Span[Prices | None]]:
    """The prices of a contract: its own price of excess counts in place of the book's, and without a book alone."""
    return [
        Span(part.first, part.until, replace(part.value or Prices(), excess=price.value))
        for price in excess
        for part in overlaps(among, price.first, price.until)
    ]


@dataclass(frozen=True, slots=True)
class CurrencyConflict:
    """A buyer whose prices of one month are in several currencies: there is no statement until that is corrected."""

    buyer_id: UUID | int
    currencies: tuple[str, ...]


def priced_buyer(
    sources: PriceSources,
    buyer_id: UUID | int,
    nearest_first: Sequence[UUID | int],
    capacities: Sequence[Span[Capacity]],
    lifetime: Lifetime,
    month: Month,
) -> BuyerMonth | CurrencyConflict | None:
    """A partner or an account, and what it pays: by its own assignments, then by those of its contract of the day, then
    by the seller's default. `capacities`: after its end those of its last day. None: it had no price book.
    """
    active = lifetime.cut(capacities)
    currencies: set[str] = set()
    prices: dict[UUID | None, Sequence[Span[Prices | None]]] = {}
    for contract_id in {span.value.contract_id for span in capacities}:
        chain = sources.of(*nearest_first, contract_id)
        prices[contract_id] = prices_by_day(sources, chain, sources.default, month, lifetime.closed)
        books = books_by_day(chain, sources.default, month)
        for span in active:
            if span.value.contract_id == contract_id:
                currencies |= {part.value.currency for part in overlaps(books, span.first, span.until) if part.value}
    if len(currencies) > 1:
        return CurrencyConflict(buyer_id, tuple(sorted(currencies)))
    return BuyerMonth(buyer_id, month, currencies.pop(), active, prices) if currencies else None
