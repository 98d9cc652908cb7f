"""The sequence of the audit log: which entries have a position, and what is wrong with one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

NO_DIGEST = b""
"""What stands before the first entry of an organisation."""


class Writers(NamedTuple):
    """The newest entry that is committed, and the transactions that are writing entries at that moment."""

    newest: int
    transactions: frozenset[str]


@dataclass(frozen=True)
class Progress:
    """How far entries have their positions.

    Ids are given before the commit: a transaction that takes long commits an entry behind higher ids. An id is decided
    when everything that was being written while it was the newest one has ended.
    """

    complete_to: int = 0
    """Every entry through this id has a position, or will never exist."""
    awaited_to: int = 0
    """All ids through this one are decided when the awaited transactions have ended."""
    awaited: frozenset[str] = frozenset()

    def low_watermark(self, writers: Writers) -> int:
        """The id through which all entries are committed, and visible to a statement that begins now, or will never
        exist."""
        if not writers.transactions:
            return max(self.awaited_to, writers.newest)
        return self.complete_to if self.awaited & writers.transactions else self.awaited_to

    def advanced(self, writers: Writers, last_of_batch: int | None) -> "Progress":
        """After entries got positions in order of their ids: through `last_of_batch`, or for None all visible ones.

        `writers` as they were before that.
        """
        decided = self.low_watermark(writers)
        complete = decided if last_of_batch is None else max(self.complete_to, min(decided, last_of_batch))
        if complete < self.awaited_to:
            return Progress(complete, self.awaited_to, self.awaited & writers.transactions)
        return Progress(complete, max(complete, writers.newest), writers.transactions)


def first_kept_month(months: int, now: datetime) -> datetime:
    """The beginning of the oldest month whose entries are kept: `months` before the present one. Months are those of
    UTC."""
    year, month = divmod(now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1 - months, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


class Mismatch(NamedTuple):
    """An entry that does not fit into the chain of its organisation."""

    organisation_id: UUID | None
    """None for a position that is missing: the organisation of its entry is not known."""
    position: int | None
    """None for an entry without one."""
    entry_id: int | None
    reason: str

    def __str__(self) -> str:
        where = [
            f"{what} {value}"
            for what, value in zip(("organisation", "position", "entry"), self, strict=False)
            if value is not None
        ]
        return ", ".join(where)


def first_of_each_organisation(mismatches: list[Mismatch]) -> list[Mismatch]:
    """The first of each organisation, in order of their positions; those that have none come last."""
    ordered = sorted(mismatches, key=lambda one: (one.position is None, one.position or 0, one.entry_id or 0))
    found: dict[UUID | None, Mismatch] = {}
    for one in ordered:
        found.setdefault(one.organisation_id, one)
    return list(found.values())
