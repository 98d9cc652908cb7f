"""Which price book applies to a contract, a partner or an account on a day, and on which days that may change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.errors import Sentence
from tonnage.price_books.version import Versions, in_force


class SubjectKind(StrEnum):
    """What a book can be assigned to."""

    CONTRACT = "contract"
    PARTNER = "partner"
    ACCOUNT = "account"


ASSIGNABLE = {
    Kind.OPERATOR: frozenset({SubjectKind.CONTRACT}),
    Kind.DISTRIBUTOR: frozenset({SubjectKind.CONTRACT, SubjectKind.PARTNER}),
    Kind.PARTNER: frozenset({SubjectKind.PARTNER, SubjectKind.ACCOUNT}),
}
"""By the kind of the seller. A partner assigns to itself what all of its accounts pay."""


@dataclass(frozen=True)
class Subject:
    """A contract, a partner or an account."""

    kind: SubjectKind
    id: UUID | int


@dataclass(frozen=True)
class NewAssignment:
    """`book_id` None ends the one before: the book of what the subject belongs to applies again."""

    book_id: UUID | None
    valid_from: date


@dataclass(frozen=True)
class Book:
    """A book, as far as its assignment depends on it."""

    id: UUID
    currency: str


class Assignment(NamedTuple):
    """A book from a day on; None is none of its own."""

    valid_from: date
    book: Book | None


Assignments: TypeAlias = Sequence[Assignment]
"""Those of one subject, in the order in which they were made: see `in_force`."""


def fitting(default: Book | None, currency: str | None) -> Book | None:
    """The seller's default book, where it can apply: a contract pays in its own currency alone. None: in any."""
    return default if default and currency in {None, default.currency} else None


def book_on(nearest_first: Iterable[Assignments], default: Book | None, day: date) -> Book | None:
    """The book that applies on a day: the nearest one, else the seller's default book."""
    for assignments in nearest_first:
        found = in_force(assignments, day)
        if found and found[1]:
            return found[1]
    return default


def refused_change(
    nearest_first: Sequence[Assignments],
    default: Book | None,
    since: date,
    versions: Mapping[UUID, Versions],
) -> Sentence | None:
    """Why the assignments are not possible from the day `since` on, as a sentence without a subject: in the middle of a
    month neither the currency may change, nor a book with prices by quantity begin or end. None: they are possible.
    """
    starts = {one.valid_from for assignments in nearest_first for one in assignments}
    for day in sorted(start for start in starts if start >= since and start.day != 1):
        before = book_on(nearest_first, default, day - timedelta(days=1))
        after = book_on(nearest_first, default, day)
        if before == after:
            continue
        if before and after and before.currency != after.currency:
            return Sentence(
                "changes the currency from {before} to {after} on {day}; that is possible on the first of a month",
                before=before.currency,
                after=after.currency,
                day=day.isoformat(),
            )
        if _is_tiered(before, day - timedelta(days=1), versions) or _is_tiered(after, day, versions):
            return Sentence(
                "begins or ends prices by quantity on {day}; that is possible on the first of a month",
                day=day.isoformat(),
            )
    return None


def _is_tiered(book: Book | None, day: date, versions: Mapping[UUID, Versions]) -> bool:
    version = in_force(versions.get(book.id, ()), day) if book else None
    return version is not None and version[1].tiers is not None
