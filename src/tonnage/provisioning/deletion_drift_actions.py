"""Drift of deletions: compares which accounts wait for their deletion here with the marks on their cluster."""

from collections.abc import Sequence
from datetime import datetime

from tonnage.epoch.deletion_mark import DeletionMarks
from tonnage.epoch.deletion_mark_actions import remove_mark
from tonnage.provisioning.actions import mark
from tonnage.provisioning.drift import LEFT, Drift
from tonnage.provisioning.state import ProvisioningState
from tonnage.storage.backend import ActualAccount, StorageBackend


async def compare_marks(
    backend: StorageBackend,
    marks: DeletionMarks | None,
    seen: Sequence[tuple[ProvisioningState, ActualAccount | None]],
    now: datetime,
    *,
    repair: bool,
) -> list[Drift]:
    """The drift of the deletions of these accounts.

    `repair`: an account that is not due yet is marked, and one that does not wait loses its mark. An account that is
    due without its mark is left: a newer database may have cancelled or postponed its deletion.
    """
    if marks is None or backend.bucket is None:
        return []
    found: list[Drift] = []
    for account, actual in seen:
        marked = marks.waiting.get(account.account_id)
        if account.due is None and marked is not None:
            found.append(_drift(account, "is marked on the cluster, but cancelled here", "removed", repaired=repair))
            if repair:
                await remove_mark(backend.bucket, marks, account.account_id)
        elif account.due is not None and actual is not None and not marks.names(account.account_id, account.due):
            mends = repair and account.due > now
            how = "is scheduled here, but not marked on the cluster" if marked is None else _OTHER_DATE
            found.append(_drift(account, how, "marked" if account.due > now else LEFT, repaired=mends))
            if mends:
                await mark(backend, account, marks, now)
    return found


_OTHER_DATE = "is scheduled here, but marked with another date on the cluster"


def _drift(account: ProvisioningState, description: str, remedy: str, *, repaired: bool) -> Drift:
    subject = f"deletion of storage account {account.account_id}"
    return Drift(subject, description, remedy, repaired, expected=not account.is_applied)
