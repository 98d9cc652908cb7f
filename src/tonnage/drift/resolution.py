"""Deciding differences between a cluster and the database: which of the cluster's values can be taken over."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from tonnage.provisioning.drift import AttributeDifference, attributes_that_differ
from tonnage.provisioning.state import ProvisioningState
from tonnage.storage.backend import Access, ActualAccount

_LONGEST_NAME = 200


class Side(StrEnum):
    """Whose value counts."""

    CLUSTER = "cluster"
    DATABASE = "database"


class Step(StrEnum):
    """A change of an account here, in the order in which several are done."""

    RESTORE = "restore"
    RESUME = "resume"
    RENAME = "rename"
    RESIZE = "resize"
    SUSPEND = "suspend"
    DELETE = "delete"
    """Schedules the deletion, with the whole grace period."""


@dataclass(frozen=True)
class Resolution:
    """What is done about a difference. `left`: why nothing is, None if it is resolved."""

    difference: AttributeDifference
    steps: tuple[Step, ...] = ()
    left: str | None = None


def from_cluster(state: ProvisioningState, actual: ActualAccount | None) -> tuple[Resolution, ...]:
    """How the database can get what the cluster has. A quota is taken over where it is the account's own allocation."""
    if actual is None:
        missing = AttributeDifference("account", "missing", "there")
        left = "it is scheduled for deletion already" if state.share.leaving else None
        return (Resolution(missing, () if left else (Step.DELETE,), left),)
    return tuple(_attribute(one, state, actual) for one in attributes_that_differ(state.desired, actual))


def _attribute(difference: AttributeDifference, state: ProvisioningState, actual: ActualAccount) -> Resolution:
    match difference.name:
        case "display name" if _is_name(actual.display_name):
            return Resolution(difference, (Step.RENAME,))
        case "display name":
            return Resolution(difference, left="it is not a valid name here")
        case "access" if actual.access is None:
            return Resolution(difference, left="Tonnage has no such state")
        case "access":
            return Resolution(difference, _access(state, actual.access or Access.FULL))
        case "quota":
            return _quota(difference, state, actual)
        case _:
            return Resolution(difference, left="only the database decides it")


def _access(state: ProvisioningState, there: Access) -> tuple[Step, ...]:
    """A suspension hides on the cluster whether the account waits for its deletion, so that stays as it is here."""
    if there is Access.SUSPENDED:
        return (Step.SUSPEND,)
    steps: list[Step] = []
    if state.share.leaving and there is Access.FULL:
        steps.append(Step.RESTORE)
    if state.suspended:
        steps.append(Step.RESUME)
    if not state.share.leaving and there is Access.READ_ONLY:
        steps.append(Step.DELETE)
    return tuple(steps)


def _quota(difference: AttributeDifference, state: ProvisioningState, actual: ActualAccount) -> Resolution:
    if actual.access is not Access.FULL:
        # 0 as long as nobody may write; nothing is known about the allocation.
        return Resolution(difference) if actual.access else Resolution(difference, left="Tonnage has no such state")
    if not actual.quota_exact:
        return Resolution(difference, left="Tonnage has not set it")
    if state.share.elastic or not actual.quota:
        return Resolution(difference, left="it does not say what the allocation is: change the allocation instead")
    if actual.quota == state.share.allocated:
        return Resolution(difference)
    if state.share.overridden:
        return Resolution(difference, left="an override runs: end it, or change the allocation instead")
    return Resolution(difference, (Step.RESIZE,))


def _is_name(text: str) -> bool:
    plain = not any(unicodedata.category(character) == "Cc" for character in text)
    return plain and text == text.strip() and 1 <= len(text) <= _LONGEST_NAME
