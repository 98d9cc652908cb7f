"""A storage account: a customer's root account, its allocation, and how it is deleted."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from tonnage.errors import Conflict
from tonnage.units import MAX_CAPACITY, Size


@dataclass(frozen=True)
class NewAccount:
    """What it takes to create one. Allocated capacity in bytes; 0 is pay-per-use."""

    name: str
    contact_email: str
    password_hash: str
    allocated_capacity: int
    allow_overdraft: bool
    region: str | None = None
    """Its name; None: the default one."""


@dataclass(frozen=True)
class AccountChange:
    """What changes; None leaves a thing as it is."""

    name: str | None = None
    allocated_capacity: int | None = None
    allow_overdraft: bool | None = None


@dataclass(frozen=True)
class PartnerRemaining:
    """What a refusal has to explain: a partner's allocation and what it has given to other accounts, bytes."""

    allocated: int
    allocated_to_accounts: int
    bounded: bool
    """Neither pay-per-use nor with overdraft: then only the largest number there is bounds what it gives."""

    def refusal(self, wanted: int) -> Conflict:
        """Why an account cannot have `wanted` bytes."""
        if not self.bounded:
            return Conflict(
                "The partner's other accounts have {given} between them; {wanted} more would be over the largest "
                "number there is, {most} bytes; ask for less.",
                given=Size(self.allocated_to_accounts),
                wanted=Size(wanted),
                most=MAX_CAPACITY,
                field="allocatedCapacity",
            )
        return Conflict(
            "The partner has {remaining} left of its {allocated}, and the request is for {wanted}; ask for less, or "
            "have the partner's allocation raised.",
            remaining=Size(max(0, self.allocated - self.allocated_to_accounts)),
            allocated=Size(self.allocated),
            wanted=Size(wanted),
            field="allocatedCapacity",
        )


def new_account_id() -> int:
    """A random number of 12 digits; the chance to meet a taken one among a million accounts is one in a million."""
    return 100_000_000_000 + secrets.randbelow(900_000_000_000)


def account_id(text: str) -> int | None:
    """The number that `clientAccountId` writes, None for what cannot be one."""
    return int(text) if len(text) == 12 and text.isascii() and text.isdigit() else None


def earliest_purge(first_request: datetime, grace_days: int) -> datetime:
    """When an account may be purged at the earliest."""
    return first_request + timedelta(days=grace_days)
