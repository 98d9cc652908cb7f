"""The quota that a cluster enforces for an account. The rules are the table in docs/operator.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pool:
    """A partner's allocation and what is taken out of it, bytes."""

    allocated: int
    """While an override runs, at least its capacity."""
    overdraft: bool
    allocated_to_accounts: int
    """The sum of the allocations of all its accounts, with their overrides."""
    excess: int
    """The sum of its elastic accounts' use beyond their allocations."""

    @property
    def bounded(self) -> bool:
        """Neither pay-per-use nor with overdraft: the elastic accounts share a limited remainder."""
        return self.allocated > 0 and not self.overdraft


@dataclass(frozen=True)
class Share:
    """An account's part of its partner's pool, bytes."""

    allocated: int
    """While an override runs, at least its capacity."""
    overdraft: bool
    used: int
    leaving: bool = False
    """Scheduled for deletion."""
    overridden: bool = False
    """It has an override, so its allocation is not its own."""

    @property
    def elastic(self) -> bool:
        """Pay-per-use, or with overdraft: its own allocation is not its limit."""
        return self.overdraft or self.allocated == 0

    @property
    def excess(self) -> int:
        """Use of an elastic account beyond its allocation."""
        return max(0, self.used - self.allocated) if self.elastic else 0


def quota(share: Share, pool: Pool) -> int | None:
    """The quota to enforce, bytes; None: no limit.

    An elastic account of a bounded partner has its own guaranteed allocation, plus all of the partner's that is not
    allocated and not used by other elastic accounts. Their use is known from the last samples only: until the next
    ones, each of k elastic accounts may use the whole remainder, so the pool may be exceeded by (k - 1) times the
    remainder.
    """
    if share.leaving:
        return 0
    if not share.elastic:
        return share.allocated
    if not pool.bounded:
        return None
    left = pool.allocated - pool.allocated_to_accounts - (pool.excess - share.excess)
    return share.allocated + max(0, left)
