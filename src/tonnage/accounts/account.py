"""Storage accounts: a customer's root account, its allocation, and the rules of its deletion."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.units import MAX_CAPACITY, Size


@dataclass(frozen=True)
class NewAccount:
    """The data of a new account. Allocated capacity in bytes; 0 is pay-per-use."""

    name: str
    contact_email: str
    password_hash: str
    allocated_capacity: int
    allow_overdraft: bool
    region: str | None = None
    """The region's name; None: the default region."""
    account_id: int | None = None
    """Of a user that Tonnage has named earlier; None: a new number."""
    cluster_user: str | None = None
    """The id of the adopted user on its cluster; None: the user is named after the account."""

    def of_user(self, account_id: int | None, cluster_user: str | None) -> "NewAccount":
        """The same for a user that is on its cluster already."""
        return replace(self, account_id=account_id, cluster_user=cluster_user)


@dataclass(frozen=True)
class AccountChange:
    """A change of an account; None leaves a field unchanged."""

    name: str | None = None
    allocated_capacity: int | None = None
    allow_overdraft: bool | None = None


@dataclass(frozen=True)
class PartnerRemaining:
    """The figures behind a refusal: a partner's allocation and what is allocated to its other accounts, bytes."""

    allocated: int
    allocated_to_accounts: int
    bounded: bool
    """Neither pay-per-use nor with overdraft. Otherwise only the range of the integer type limits what can be
    allocated."""
    accounts: int
    """How many it has."""
    is_suspended: bool

    def refusal(self, wanted: int, field: str = "allocatedCapacity") -> Conflict:
        """The error when `wanted` bytes, those of the input's `field`, cannot be allocated."""
        if not self.bounded:
            return Conflict(
                "Not enough capacity: the partner's other accounts have {allocated_to_accounts}, and {requested} more "
                "would exceed the maximum of {limit} bytes. Ask for less.",
                ConflictCode.TOTAL_TOO_LARGE,
                allocated_to_accounts=Size(self.allocated_to_accounts),
                requested=Size(wanted),
                limit=MAX_CAPACITY,
                field=field,
            )
        return Conflict(
            "Not enough capacity: the partner has {remaining} of its {allocated} left, {requested} asked. Ask "
            "for less, or have the partner's allocation increased.",
            ConflictCode.PARTNER_FULL,
            remaining=Size(max(0, self.allocated - self.allocated_to_accounts)),
            allocated=Size(self.allocated),
            requested=Size(wanted),
            field=field,
        )


def new_account_id() -> int:
    """A random number of 12 digits. With a million accounts the chance of a collision is one in a million."""
    return 100_000_000_000 + secrets.randbelow(900_000_000_000)


def account_id(text: str) -> int | None:
    """The number in a `clientAccountId`; None for a text that cannot be one."""
    return int(text) if len(text) == 12 and text.isascii() and text.isdigit() else None


def earliest_purge(first_request: datetime, grace_days: int) -> datetime:
    """The earliest moment at which an account may be purged."""
    return first_request + timedelta(days=grace_days)
