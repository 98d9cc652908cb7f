"""A partner's commercial side: its part of a contract."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tonnage.money import Money


@dataclass(frozen=True)
class NewPartner:
    """The data of a new partner. Allocated capacity in bytes; 0 is pay-per-use. Overdraft None: never set."""

    contract_id: UUID
    name: str
    allocated_capacity: int
    allow_overdraft: bool | None = None


@dataclass(frozen=True)
class PartnerChange:
    """The fields to change; None leaves a field as it is."""

    name: str | None = None
    allocated_capacity: int | None = None
    allow_overdraft: bool | None = None

    @property
    def of_pool(self) -> bool:
        """Whether the change concerns what the partner's accounts share."""
        return self.allocated_capacity is not None or self.allow_overdraft is not None


@dataclass(frozen=True)
class CapacityFigures:
    """The numbers that an error message needs: a partner's capacities and its contract's, in bytes."""

    allocated: int
    allocated_to_accounts: int
    overrides_of_accounts: int
    """What overrides add to that."""
    accounts: int
    contract_remaining: int


@dataclass(frozen=True, slots=True)
class OverdraftCap:
    """How much a partner or a storage account may use beyond its allocation, or of pay-per-use."""

    allows: int | None
    """Bytes. None: percent of pay-per-use, which is no limit."""
    percent: int | None
    """Of the allocation."""
    amount: Money | None
    """A month: only for the seller and its buyer."""

    @classmethod
    def read(
        cls, allows: Decimal | None, percent: int | None, amount: Decimal | None, currency: str | None
    ) -> "OverdraftCap | None":
        """As a statement has read it; None: there is none."""
        if allows is None and percent is None:
            return None
        money = Money(amount, currency) if amount is not None and currency else None
        return cls(None if allows is None else int(allows), percent, money)


def effective_capacity(allocated: int, override: int | None, until: datetime | None, now: datetime) -> int:
    """The bytes of an allocation while an override runs, which ends by the clock. Pay-per-use, 0, has none."""
    if allocated == 0 or override is None or until is None or now >= until:
        return allocated
    return max(allocated, override)
