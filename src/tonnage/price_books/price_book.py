"""A price book: what a seller charges, in one currency."""

from dataclasses import dataclass
from uuid import UUID

from tonnage.errors import NotFound


@dataclass(frozen=True)
class NewPriceBook:
    """The data of a new price book."""

    name: str
    currency: str
    is_default: bool = False
    """Whether it applies to every buyer that has no other: a seller has at most one such book."""


def no_book(book_id: UUID) -> NotFound:
    """The same message for a book that does not exist, and one of another seller."""
    return NotFound("There is no price book {book}.", book=str(book_id))
