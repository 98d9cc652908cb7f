"""The accounts whose use has changed most."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

COMPARED_DAYS = 7
MOST_SHOWN = 10

FEW_PARTNERS = 5_000
"""Up to so many, they are told apart in some tens of milliseconds, and a page need not come without them."""


class TopMover(NamedTuple):
    """A living partner, and what its accounts used then and use now, bytes."""

    id: UUID
    name: str
    distributor: str
    before: Decimal
    now: Decimal

    @property
    def change(self) -> Decimal:
        """Negative where less is used now."""
        return self.now - self.before
