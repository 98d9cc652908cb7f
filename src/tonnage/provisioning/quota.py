"""How much a cluster lets an account store. The source is the table in docs/operator.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pool:
    """A partner's allocation and what is taken out of it, bytes."""

    allocated: int
    overdraft: bool
    allocated_to_accounts: int
    """The allocations of all its accounts."""
    excess: int
    """What its elastic accounts use beyond their allocations, all together."""

    @property
    def bounded(self) -> bool:
        """Neither pay-per-use nor with overdraft: there is only so much for the elastic accounts to share."""
        return self.allocated > 0 and not self.overdraft


@dataclass(frozen=True)
class Share:
    """What an account has of its partner's pool, bytes."""

    allocated: int
    overdraft: bool
    used: int
    leaving: bool = False
    """It waits for its deletion."""

    @property
    def elastic(self) -> bool:
        """Pay-per-use, or with overdraft: its own allocation is not the end."""
        return self.overdraft or self.allocated == 0

    @property
    def excess(self) -> int:
        """What an elastic account uses beyond its allocation."""
        return max(0, self.used - self.allocated) if self.elastic else 0


def quota(share: Share, pool: Pool) -> int | None:
    """The quota to enforce, bytes; None: no limit.

    An elastic account of a bounded partner has its own allocation, which nobody takes from it, and whatever is left of
    the partner's. What its elastic siblings have taken is known from the last samples: until the next ones, k of them
    may each take all that is left, and so exceed the pool by (k - 1) times that.
    """
    if share.leaving:
        return 0
    if not share.elastic:
        return share.allocated
    if not pool.bounded:
        return None
    left = pool.allocated - pool.allocated_to_accounts - (pool.excess - share.excess)
    return share.allocated + max(0, left)
