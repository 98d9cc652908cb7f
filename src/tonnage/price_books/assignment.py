"""Which price book applies to a contract, a partner or an account on a day, and on which days that may change."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.errors import Sentence


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


@dataclass(frozen=True)
class Assignment:
    """A book from a day on; None is none of its own."""

    valid_from: date
    book: Book | None


Assignments = Sequence[Assignment]
"""Those of one subject, in the order in which they were written: of two that begin on a day the later counts."""


def assigned_on(assignments: Assignments, day: date) -> Book | None:
    """The subject's own book on a day."""
    begun = [(one.valid_from, position) for position, one in enumerate(assignments) if one.valid_from <= day]
    return assignments[max(begun)[1]].book if begun else None


def book_on(nearest_first: Iterable[Assignments], default: Book | None, day: date) -> Book | None:
    """The book that applies on a day: the nearest one, else the seller's default book."""
    for assignments in nearest_first:
        if book := assigned_on(assignments, day):
            return book
    return default


def refused_change(
    nearest_first: Sequence[Assignments],
    default: Book | None,
    since: date,
    is_tiered: Callable[[Book, date], bool],
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
        if (before and is_tiered(before, day - timedelta(days=1))) or (after and is_tiered(after, day)):
            return Sentence(
                "begins or ends prices by quantity on {day}; that is possible on the first of a month",
                day=day.isoformat(),
            )
    return None
