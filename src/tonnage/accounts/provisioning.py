"""What an account should be on its cluster, worked out of what the database says."""

from dataclasses import dataclass

from tonnage.accounts.quota import Pool, Share, quota
from tonnage.storage.plane import Access, DesiredAccount


@dataclass(frozen=True)
class Standing:
    """An account as the database has it at one moment."""

    account_id: int
    region_id: int
    desired_revision: int
    applied_revision: int
    told_quota: int | None
    name: str
    email: str
    suspended: bool
    share: Share
    pool: Pool

    @property
    def desired(self) -> DesiredAccount:
        """What its cluster should make of it."""
        return DesiredAccount(self.account_id, self.name, self.email, quota(self.share, self.pool), self._access)

    @property
    def _access(self) -> Access:
        if self.suspended:
            return Access.SUSPENDED
        return Access.READ_ONLY if self.share.leaving else Access.FULL

    @property
    def is_told(self) -> bool:
        """Whether the cluster has heard of all changes so far."""
        return self.applied_revision >= self.desired_revision
