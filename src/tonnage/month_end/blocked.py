"""Buyers whose statements of a month cannot be frozen, by the reason."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class BlockedBuyer:
    """One of them."""

    name: str
    id: UUID | int
    """Of the contract, the partner or the storage account."""
    organisation_id: UUID | None
    """Whose billing profile is missing, for that reason; None: the profile is that of a storage account."""


@dataclass(frozen=True)
class BlockedGroup:
    """Those with one reason."""

    reason: str
    count: int
    buyers: list[BlockedBuyer]
    """The first ones by name."""
