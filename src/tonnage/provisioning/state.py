"""What an account should be on its cluster, worked out of what the database says."""

from dataclasses import dataclass

from tonnage.provisioning.quota import Pool, Share, quota
from tonnage.storage.backend import Access, DesiredAccount


@dataclass(frozen=True)
class ProvisioningState:
    """An account as the database has it at one moment."""

    account_id: int
    desired_revision: int
    applied_revision: int
    apply_attempts: int
    """How often its cluster was told of it."""
    refused: bool
    """The cluster refuses it as it is."""
    applied_quota: int | None
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
    def is_applied(self) -> bool:
        """Whether the cluster has heard of all changes so far."""
        return self.applied_revision >= self.desired_revision


@dataclass(frozen=True)
class Applied:
    """What a cluster was told of an account: the revision, and the write limit in bytes (None: none).

    `apply_attempts` is how often it had been told before, as far as the teller knew. `made`: it was not there.
    """

    account_id: int
    revision: int
    quota: int | None
    apply_attempts: int
    made: bool = False

    @classmethod
    def of(cls, account: ProvisioningState, *, made: bool = False) -> "Applied":
        """All that there is to tell of an account."""
        limit = account.desired.write_limit
        return cls(account.account_id, account.desired_revision, limit, account.apply_attempts, made)
