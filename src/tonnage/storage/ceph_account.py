"""Accounts as Ceph represents them: the user `acct_<account id>$main`, alone in its tenant, or an adopted user."""

import re
from typing import Any

from tonnage.storage.backend import Access, ActualAccount, ClusterUser, DesiredAccount
from tonnage.storage.ceph_errors import not_ceph

_UID = re.compile(r"acct_([1-9][0-9]{11})\$main")

# The op-mask restricts the account's own requests; suspension also stops reads by guests. Writes by guests to its
# buckets are stopped by its quota.
_ACCESS: dict[Access, tuple[bool, frozenset[str]]] = {
    Access.FULL: (False, frozenset({"read", "write", "delete"})),
    Access.READ_ONLY: (False, frozenset({"read"})),
    Access.SUSPENDED: (True, frozenset({"read"})),
}


def uid(account_id: int) -> str:
    """The Ceph user of an account. ValueError: not a number of 12 digits. Ceph itself would accept nearly any id."""
    text = f"acct_{account_id}$main"
    if not _UID.fullmatch(text):
        raise ValueError(f"{account_id} is not the id of a storage account")
    return text


def user_id(user: ClusterUser) -> str:
    """The Ceph user of an account, named by Tonnage or adopted. ValueError as for `uid`."""
    return uid(user.account_id) if user.uid is None else user.uid


def account_of(user: str) -> int | None:
    """The account of a Ceph user; None for a user that is not a Tonnage account."""
    match = _UID.fullmatch(user)
    return int(match[1]) if match else None


def attributes(desired: DesiredAccount) -> dict[str, str]:
    """The parameters for creating and changing a user, without the quota."""
    suspended, mask = _ACCESS[desired.access]
    return {
        "uid": user_id(desired.user),
        "display-name": desired.display_name,
        "email": desired.email,
        "max-buckets": str(desired.max_buckets),
        "suspended": str(suspended).lower(),
        "op-mask": ",".join(sorted(mask)),
    }


def quota(limit: int | None) -> dict[str, object]:
    """The body of a request that sets a quota, bytes.

    No limit is an enabled quota too: the gateway counts an account from its first upload only under an enabled quota,
    and a limit set later would find no totals. `check_on_raw` makes the quota exact; without it each object counts in
    steps of 4 KiB. It can only be set in a body; any other way of setting a quota resets it.
    """
    return {"enabled": True, "max_size": -1 if limit is None else limit, "max_objects": -1, "check_on_raw": True}


def actual(record: Any) -> ActualAccount:
    """The actual state from a user's record. Misconfigured for a record that Ceph would not send."""
    try:
        held: dict[str, Any] = record["user_quota"]
        mask = frozenset(word for word in re.split(r"[,\s]+", record["op_mask"]) if word)
        return ActualAccount(
            display_name=record["display_name"],
            email=record["email"],
            max_buckets=record["max_buckets"],
            quota=held["max_size"] if held["max_size"] >= 0 else None,
            quota_exact=held["enabled"] and held["check_on_raw"] and held["max_objects"] < 0,
            access=next((name for name, so in _ACCESS.items() if so == (bool(record["suspended"]), mask)), None),
            access_keys=tuple(sorted(key["access_key"] for key in record["keys"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise not_ceph("a user's record has an unexpected format") from None
