"""The quota that a cluster enforces for an account. The rules are the table in docs/operator.md."""

from dataclasses import dataclass

from tonnage.units import MAX_CAPACITY


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
    used: int = 0
    """The sum of the use of all its accounts."""
    cap: int | None = None
    """How much may be used beyond the allocation, with overdraft or of pay-per-use; None: as much as there is."""

    @property
    def limit(self) -> int | None:
        """What all accounts together may use; None: pay-per-use or overdraft without a cap."""
        if self.allocated > 0 and not self.overdraft:
            return self.allocated
        return None if self.cap is None else self.allocated + self.cap


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
    cap: int | None = None
    """As of Pool."""

    @property
    def elastic(self) -> bool:
        """Pay-per-use, or with overdraft: its own allocation is not its limit."""
        return self.overdraft or self.allocated == 0

    @property
    def excess(self) -> int:
        """Use of an elastic account beyond its allocation."""
        return max(0, self.used - self.allocated) if self.elastic else 0

    @property
    def limit(self) -> int | None:
        """What it may use itself; None: as much as there is."""
        if not self.elastic:
            return self.allocated
        return None if self.cap is None else self.allocated + self.cap


def quota(share: Share, pool: Pool) -> int | None:
    """The quota to enforce, bytes; None: no limit.

    What an account may use itself, but not more than its partner's limit leaves: its own guaranteed allocation, plus
    all that is not allocated and not used by other elastic accounts. With a cap, a partner may have allocated more
    than its limit; then nothing is guaranteed, and each account may use what all of them leave.

    The use of others is known from the last samples only: until the next ones, each of k accounts may use the whole
    remainder, so the limit may be exceeded by (k - 1) times the remainder.
    """
    if share.leaving:
        return 0
    limits = [limit for limit in (share.limit, _left_by_pool(share, pool)) if limit is not None]
    return min(*limits, MAX_CAPACITY) if limits else None


def _left_by_pool(share: Share, pool: Pool) -> int | None:
    """What the partner's limit leaves to an account; None: it does not limit it."""
    if pool.limit is None:
        return None
    if pool.allocated_to_accounts > pool.limit and pool.cap is not None:
        return share.used + max(0, pool.limit - pool.used)
    if not share.elastic:
        return None
    left = pool.limit - pool.allocated_to_accounts - (pool.excess - share.excess)
    return share.allocated + max(0, left)
