"""A storage account, a partner or a contract with its daily use, as it is read."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID


class MeasuredSubject(NamedTuple):
    """Something that may have a capacity, with its daily use."""

    place: int
    """Where the next part begins."""
    id: int | UUID
    organisation_id: UUID
    """Of an account and a partner: the partner; of a contract: the distributor."""
    seller_id: UUID
    """Who gives it its capacity."""
    contract_id: UUID | None
    """Of a partner."""
    capacity: int
    """Bytes; 0: it has none, or is closed, and only its use counts."""
    born: date
    days: Sequence[int] | None
    """Of which there is a value, counted from the first day that was asked for. A day without one has no use."""
    usage: Sequence[float] | None
    """Bytes, of these days."""
    rolled_up_to: date | None
    """Of an account: `used` is the use of later days."""
    used: float


def place_of(subject: MeasuredSubject) -> int:
    """Where the next part begins."""
    return subject.place
