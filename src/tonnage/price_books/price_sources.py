"""What a seller charges, as far as many of its buyers depend on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from tonnage.price_books.assignment import Assignment, Assignments, Book, book_on
from tonnage.price_books.version import Prices, Versions, in_force


@dataclass(frozen=True)
class PriceSources:
    """A seller's assignments to some subjects, its default book, and the published versions of all of these books."""

    assignments: dict[UUID | int, list[Assignment]] = field(default_factory=dict[UUID | int, list[Assignment]])
    """By contract, partner or account, in the order in which they were made."""
    default: Book | None = None
    versions: Mapping[UUID, Versions] = field(default_factory=dict[UUID, Versions])
    """By book."""

    def of(self, *nearest_first: UUID | int | None) -> tuple[Assignments, ...]:
        """The assignments to these subjects that have any."""
        return tuple(self.assignments[one] for one in nearest_first if one is not None and one in self.assignments)

    def versions_of(self, book: Book | None) -> Versions:
        """Those of a book; none without one."""
        return self.versions.get(book.id, ()) if book else ()


@dataclass(frozen=True)
class AssumedVersion:
    """A version of a book that is not published, or not in force: for what it would cost if it were."""

    book_id: UUID
    since: date
    """The first day on which it is taken to apply."""
    prices: Prices
    is_alone: bool = False
    """Whether it is taken to apply in place of all published versions; else as the last one that was published."""

    def among(self, sources: PriceSources) -> PriceSources:
        """The sources with this version in place."""
        published = () if self.is_alone else sources.versions.get(self.book_id, ())
        return replace(sources, versions={**sources.versions, self.book_id: [*published, (self.since, self.prices)]})


@dataclass(frozen=True)
class AppliedPrices:
    """What a buyer is charged by from a day on."""

    since: date
    book: Book | None
    prices: Prices | None
    """None: there is no book, or no version of it yet."""


def applied_from(
    nearest_first: Sequence[Assignments], default: Book | None, versions: Mapping[UUID, Versions], today: date
) -> list[AppliedPrices]:
    """What applies today, with the day since which it does, and what is already decided to apply later."""
    starts = {one.valid_from for assignments in nearest_first for one in assignments}
    starts |= {since for of_book in versions.values() for since, _ in of_book}
    found = [AppliedPrices(date.min, *_on(nearest_first, default, versions, date.min))]
    for day in sorted(starts):
        book, prices = _on(nearest_first, default, versions, day)
        if (book, prices) != (found[-1].book, found[-1].prices):
            found.append(AppliedPrices(day, book, prices))
    begun = [one for one in found if one.since <= today]
    return found[len(begun) - 1 :]


def _on(
    nearest_first: Sequence[Assignments], default: Book | None, versions: Mapping[UUID, Versions], day: date
) -> tuple[Book | None, Prices | None]:
    book = book_on(nearest_first, default, day)
    version = in_force(versions.get(book.id, ()), day) if book else None
    return book, version and version[1]
