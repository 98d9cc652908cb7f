"""A frozen month that is computed again, because what it was computed from has changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tonnage.billing.buyer import Buyer
from tonnage.statements.adjustment import TaxKind


@dataclass(frozen=True)
class FrozenStatement:
    """A frozen statement that may have to be corrected; or, of a buyer that had none, its first correction."""

    id: UUID
    latest_id: UUID
    """The statement itself, or its last correction."""
    buyer: Buyer
    """As it is named there."""
    document: Mapping[str, Any]
    """What is copied into it."""
    design: str
    """The digest of how it looks."""
    tax: TaxKind | None
    """Of what it was charged for its own month."""
    is_credited: bool
    """Whether credit notes have taken something back."""
