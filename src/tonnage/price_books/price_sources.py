"""What a seller charges, as far as many of its buyers depend on it."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from tonnage.price_books.assignment import Assignment, Assignments, Book
from tonnage.price_books.version import Prices


@dataclass(frozen=True)
class PriceSources:
    """A seller's assignments to some subjects, its default book, and the published versions of all of these books."""

    assignments: dict[UUID | int, list[Assignment]] = field(default_factory=dict[UUID | int, list[Assignment]])
    """By contract, partner or account, in the order in which they were made."""
    default: Book | None = None
    versions: dict[UUID, list[tuple[date, Prices]]] = field(default_factory=dict[UUID, list[tuple[date, Prices]]])
    """By book, in the order of publication: the first day, and the prices."""

    def of(self, *nearest_first: UUID | int | None) -> tuple[Assignments, ...]:
        """The assignments to these subjects that have any."""
        return tuple(self.assignments[one] for one in nearest_first if one is not None and one in self.assignments)
