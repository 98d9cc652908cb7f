"""The prices that apply to a buyer on each day of a month. Days are numbers, 0 is the first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from tonnage.billing.month import BuyerMonth, Capacity, Lifetime, Month, Span, overlaps, spans
from tonnage.price_books.assignment import Assignments, Book, book_on
from tonnage.price_books.price_sources import PriceSources
from tonnage.price_books.version import Prices


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
    sources: PriceSources, nearest_first: Sequence[Assignments], default: Book | None, month: Month
) -> list[Span[Prices | None]]:
    """The prices on each day that counts; None where nothing is sold: there is no book, or no version of it yet."""
    found: list[Span[Prices | None]] = []
    for span in books_by_day(nearest_first, default, month):
        versions = sources.versions.get(span.value.id, []) if span.value else []
        written = [(month.number(since), prices) for since, prices in versions]
        begin = span.first
        for part in overlaps(spans(written, month.through), span.first, span.until):
            if begin < part.first:
                found.append(Span(begin, part.first, None))
            found.append(Span(part.first, part.until, part.value))
            begin = part.until
        if begin < span.until:
            found.append(Span(begin, span.until, None))
    return found


def with_excess(among: Sequence[Span[Prices | None]], excess: Sequence[Span[Decimal]]) -> list[Span[Prices | None]]:
    """The prices of a contract: its own price of excess counts in place of the book's, and without a book alone."""
    return [
        Span(part.first, part.until, replace(part.value or Prices(), excess=price.value))
        for price in excess
        for part in overlaps(among, price.first, price.until)
    ]


def until_closed(among: Sequence[Span[Prices | None]], closed: int | None) -> list[Span[Prices | None]]:
    """What was used after the end of a buyer costs what it did on its last day."""
    if closed is None or closed <= 0:
        return list(among)
    last = list(overlaps(among, closed - 1, closed))
    kept = [*overlaps(among, 0, closed)]
    through = max((span.until for span in among), default=closed)
    return [*kept, *(Span(closed, through, span.value) for span in last if closed < through)]


@dataclass(frozen=True, slots=True)
class MixedPrices:
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
) -> BuyerMonth | MixedPrices | None:
    """A partner or an account, and what it pays: by its own assignments, then by those of its contract of the day, then
    by the seller's default. `capacities`: after its end those of its last day. None: it had no price book.
    """
    active = lifetime.cut(capacities)
    currencies: set[str] = set()
    prices: dict[UUID | None, Sequence[Span[Prices | None]]] = {}
    for contract_id in {span.value.contract_id for span in capacities}:
        chain = sources.of(*nearest_first, contract_id)
        prices[contract_id] = until_closed(prices_by_day(sources, chain, sources.default, month), lifetime.closed)
        books = books_by_day(chain, sources.default, month)
        for span in active:
            if span.value.contract_id == contract_id:
                currencies |= {part.value.currency for part in overlaps(books, span.first, span.until) if part.value}
    if len(currencies) > 1:
        return MixedPrices(buyer_id, tuple(sorted(currencies)))
    return BuyerMonth(buyer_id, month, currencies.pop(), active, prices) if currencies else None
