"""The partners whose use has changed most."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

COMPARED_DAYS = 7
MOST_SHOWN = 10

FEW_PARTNERS = 5_000
"""Up to this number, the query takes some tens of milliseconds, and a page can include it at once."""


class TopMover(NamedTuple):
    """An open partner, and the use of its accounts then and now, bytes."""

    id: UUID
    name: str
    distributor: str
    before: Decimal
    now: Decimal

    @property
    def change(self) -> Decimal:
        """Negative if less is used now."""
        return self.now - self.before
