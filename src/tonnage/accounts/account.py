"""A storage account: a customer's root account, its allocation, and how it is deleted."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class NewAccount:
    """What it takes to create one. Allocated capacity in bytes; 0 is pay-per-use."""

    name: str
    contact_email: str
    password_hash: str
    allocated_capacity: int
    allow_overdraft: bool


@dataclass(frozen=True)
class PartnerRoom:
    """What a refusal has to explain: a partner's allocation and what it has given away, bytes."""

    allocated: int
    given: int


def new_account_id() -> int:
    """A random number of 12 digits; the chance to meet a taken one among a million accounts is one in a million."""
    return 100_000_000_000 + secrets.randbelow(900_000_000_000)


def account_id(text: str) -> int | None:
    """The number that `clientAccountId` writes, None for what cannot be one."""
    return int(text) if len(text) == 12 and text.isascii() and text.isdigit() else None


def earliest_purge(first_request: datetime, grace_days: int) -> datetime:
    """When an account may be purged at the earliest."""
    return first_request + timedelta(days=grace_days)
