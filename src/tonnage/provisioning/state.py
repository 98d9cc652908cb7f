"""The desired state of an account on its cluster, derived from the database."""

from dataclasses import dataclass
from datetime import datetime

from tonnage.provisioning.quota import Pool, Share, quota
from tonnage.storage.backend import Access, ClusterUser, DesiredAccount


@dataclass(frozen=True)
class ProvisioningState:
    """A snapshot of an account's provisioning state in the database."""

    account_id: int
    desired_revision: int
    applied_revision: int
    apply_attempts: int
    """How often the account was applied to its cluster."""
    refused: bool
    """The cluster refuses its present state."""
    applied_quota: int | None
    name: str
    email: str
    suspended: bool
    """By itself, or with its partner."""
    due: datetime | None
    """When its purge is due; None: it is not scheduled for deletion."""
    share: Share
    pool: Pool
    uid: str | None = None
    """As in ClusterUser."""

    @property
    def desired(self) -> DesiredAccount:
        """The state to apply to the cluster."""
        limit = quota(self.share, self.pool)
        return DesiredAccount(self.account_id, self.name, self.email, limit, self._access, uid=self.uid)

    @property
    def _access(self) -> Access:
        if self.suspended:
            return Access.SUSPENDED
        return Access.READ_ONLY if self.share.leaving else Access.FULL

    @property
    def is_applied(self) -> bool:
        """Whether all changes so far are applied to the cluster."""
        return self.applied_revision >= self.desired_revision


@dataclass(frozen=True)
class Applied:
    """What was applied to a cluster for an account: the revision, and the quota in bytes (None: no limit).

    `apply_attempts`: the number of earlier attempts, as read before this one. `made`: the account was created.
    """

    user: ClusterUser
    revision: int
    quota: int | None
    apply_attempts: int
    made: bool = False

    @property
    def account_id(self) -> int:
        """The account of the user."""
        return self.user.account_id

    @classmethod
    def of(cls, account: ProvisioningState, *, made: bool = False) -> "Applied":
        """The present desired state of an account, as applied."""
        limit = account.desired.write_limit
        return cls(account.desired.user, account.desired_revision, limit, account.apply_attempts, made)
