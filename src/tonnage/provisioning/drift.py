"""The drift that a comparison of a cluster with the database can find."""

from dataclasses import dataclass

from tonnage.storage.backend import ActualAccount, DesiredAccount, differences
from tonnage.units import format_size

LEFT = "left"


@dataclass(frozen=True)
class Drift:
    """One difference between the cluster and the database."""

    subject: str
    """`storage account 123456789012`, or an access key of it."""
    description: str
    """The difference, as a predicate that follows the subject."""
    remedy: str
    """The repair, as a participle: made, changed, purged, forgotten; or left, for the operator to decide."""
    repaired: bool = False
    """Whether the repair is done; always False in a dry run."""
    expected: bool = False
    """The only cause is a change that is not yet applied to the cluster."""


@dataclass(frozen=True)
class AttributeDifference:
    """One attribute of an account that differs, as text: on the cluster, and in the database."""

    name: str
    """As in `storage.backend.differences`."""
    there: str
    here: str


def account_subject(account_id: int) -> str:
    """The subject of an account's drift."""
    return f"storage account {account_id}"


def access_key_subject(account_id: int, access_key: str) -> str:
    """The subject of an access key's drift."""
    return f"access key {access_key} of storage account {account_id}"


def attributes_that_differ(desired: DesiredAccount, actual: ActualAccount) -> tuple[AttributeDifference, ...]:
    """What `apply` would change, with the values on both sides."""
    values = {
        "display name": (actual.display_name, desired.display_name),
        "e-mail": (actual.email, desired.email),
        "max buckets": (str(actual.max_buckets), str(desired.max_buckets)),
        "access": (actual.access or "another", desired.access),
        "quota": (_quota(actual), _size(desired.write_limit)),
    }
    return tuple(AttributeDifference(name, *values[name]) for name in differences(desired, actual))


def _quota(actual: ActualAccount) -> str:
    return _size(actual.quota) if actual.quota_exact else f"{_size(actual.quota)}, not exact"


def _size(limit: int | None) -> str:
    return "none" if limit is None else format_size(limit)


def difference_of(desired: DesiredAccount, actual: ActualAccount) -> str:
    """The drift of an account that is on the cluster. Without names and addresses: it is logged and kept."""
    shown = [
        one.name if one.name in {"display name", "e-mail"} else f"{one.name} ({one.there} there, {one.here} here)"
        for one in attributes_that_differ(desired, actual)
    ]
    return f"differs in {', '.join(shown)}"
