"""What needs a person today: things with a reason each, and how many there are."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Kind
from tonnage.errors import Sentence
from tonnage.units import Size, format_size, parse_size

SHOWN = 5
"""Rows of a section of the start page."""
SOON = timedelta(days=7)
"""How far ahead statements and digests look, and how far back growth."""
JUST_REACHED = timedelta(days=3)
"""How long an alert is new: over a weekend."""
FULL_SOON = timedelta(days=42)
"""How long before it is likely full something needs more capacity."""
KEYS_SOON = timedelta(days=30)
"""How long before its end an API key needs a successor."""


class AttentionRow(NamedTuple):
    """A thing that needs a person."""

    id: str
    name: str
    organisation_id: UUID
    """The partner of a storage account, the partner itself, the distributor of a contract; else the reader's own."""
    organisation: str
    """Whose it is, beside its name; "" where that says nothing."""
    reason: Sentence
    """How much, and since when."""


class Attention(NamedTuple):
    """The first rows, and how many there are in all."""

    total: int
    rows: list[AttentionRow]


@dataclass(frozen=True)
class AttentionReader:
    """Who looks, and when."""

    organisation_id: UUID
    kind: Kind
    business_now: datetime
    wall_now: datetime

    @property
    def scope(self) -> UUID | None:
        """None: the operator, who sees all."""
        return None if self.kind is Kind.OPERATOR else self.organisation_id

    @property
    def today(self) -> date:
        """In UTC, by whose days is billed."""
        return self.business_now.date()


def rounded(size: Decimal | int) -> Size:
    """As it is shown in lists: a sentence would add all digits."""
    return Size(parse_size(format_size(int(size))))
