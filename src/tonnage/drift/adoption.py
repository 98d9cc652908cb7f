"""Adopting a user of a cluster: what it becomes here, and what changes on the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass

from tonnage.accounts.account import NewAccount
from tonnage.email_address import email_key
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, NotFound
from tonnage.provisioning.drift import AttributeDifference
from tonnage.storage.backend import Access, UnmanagedUser

SUSPENSION_REASON = "Suspended on the storage cluster"
"""Of an account that was suspended there by other means."""


@dataclass(frozen=True)
class Adoption:
    """An adopted user. Nothing of its data changes; its access keys stay."""

    user: UnmanagedUser
    account: bytes
    """The new account as JSON, its published fields."""
    leaving: bool
    """It was waiting for deletion, and is scheduled again."""
    changes: tuple[AttributeDifference, ...]
    """What changes on the cluster."""


def adopted_account(user: UnmanagedUser, account: NewAccount) -> NewAccount:
    """The account for a user. One that Tonnage has named keeps its number, so that its history fits."""
    if user.account_id is not None:
        return account.of_user(user.account_id, None)
    return account.of_user(None, user.uid)


def was_waiting_for_deletion(user: UnmanagedUser) -> bool:
    """Whether it is a user of Tonnage's that is read-only, as accounts are before their purge."""
    return user.account_id is not None and user.state.access is Access.READ_ONLY


def chosen_user(users: Mapping[str, UnmanagedUser], uid: str, email: str) -> UnmanagedUser:
    """One of the users that are no accounts, to be adopted with that contact address. Conflict: it is none of them or
    cannot be adopted, or another one has the address."""
    user = users.get(uid)
    if user is None:
        raise Conflict(
            "The user {user} is not on the cluster, or is a storage account already.",
            ConflictCode.NOT_ADOPTABLE,
            user=uid,
        )
    if user.obstacles:
        raise not_adoptable(user)
    for other in users.values():
        if other.uid != uid and other.state.email and email_key(other.state.email) == email_key(email):
            raise email_taken(email, other.uid)
    return user


def no_user(uid: str, region: str) -> NotFound:
    """The error for an unknown user."""
    return NotFound("There is no user {user} on the cluster of the region {region}.", user=uid, region=region)


def already_known(uid: str) -> Conflict:
    """The error for a user that is an account, or was one."""
    return Conflict(
        "The user {user} is a storage account already, or was one that has been deleted.",
        ConflictCode.NOT_ADOPTABLE,
        user=uid,
    )


def not_adoptable(user: UnmanagedUser) -> Conflict:
    """The error for a user that cannot be a storage account."""
    return Conflict(
        "The user {user} cannot become a storage account. {reasons}",
        ConflictCode.NOT_ADOPTABLE,
        user=user.uid,
        reasons=" ".join(user.obstacles),
    )


def email_taken(email: str, other: str) -> Conflict:
    """The error for an address that another user of the cluster has."""
    return Conflict(
        "The user {other} of the cluster has the e-mail address {email}. Use another address.",
        ConflictCode.EMAIL_TAKEN,
        other=other,
        email=email,
        field="contactEmail",
    )
