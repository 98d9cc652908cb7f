"""The users of a Ceph cluster: all of them, and whether one can become a storage account."""

from collections.abc import AsyncIterator
from operator import index
from typing import Any

from tonnage.errors import Sentence
from tonnage.storage.admin_ops import AdminOps
from tonnage.storage.backend import Access, ListedUser, UnmanagedUser, Usage
from tonnage.storage.ceph_account import account_of, actual
from tonnage.storage.ceph_errors import not_ceph
from tonnage.storage.errors import BackendRefused, Misconfigured, NotProvisioned
from tonnage.units import MAX_CAPACITY


async def every(ops: AdminOps, page_size: int) -> AsyncIterator[ListedUser]:
    """The ids of all users, with their tenants, in no order."""
    marker = ""
    while True:
        asked = {"list": "", "max-entries": str(page_size)} | ({"marker": marker} if marker else {})
        page: Any = await ops.call("GET", "user", asked, bulk=True)
        try:
            users, marker = page["keys"], page["marker"] if page["truncated"] else ""
        except (KeyError, TypeError):
            raise not_ceph("its list of users has an unexpected format") from None
        for user in users:
            yield ListedUser(user, account_of(user))
        if not marker:
            return


async def measured(ops: AdminOps, uid: str) -> tuple[Any, Usage]:
    """A user's record, and what it stores, counted anew. NotProvisioned: no such user. BackendRefused: the cluster
    reports an impossible number."""
    record: Any = await ops.call("GET", "user", {"uid": uid, "stats": "true", "sync": "true"})
    try:
        size, objects = index(record["stats"]["size"]), index(record["stats"]["num_objects"])
    except (KeyError, TypeError):
        raise not_ceph("a user's record has an unexpected format") from None
    if not (0 <= size <= MAX_CAPACITY and 0 <= objects <= MAX_CAPACITY):
        # A counter of Ceph's that has fallen below zero shows as nearly 2**64. Only this user is affected, not the
        # cluster.
        raise BackendRefused(
            f"The storage cluster has counted {size} bytes in {objects} objects, which is "
            f"impossible. Make it count again: radosgw-admin user stats --uid='{uid}' --reset-stats",
            "",
        )
    return record, Usage(size, objects)


async def described(ops: AdminOps, uid: str) -> UnmanagedUser | None:
    """As `StorageBackend.unmanaged_user`. A user has one id only: Ceph also finds `name` as `$name`, and the user of an
    account as `acct_<account id>$$main`. Left out are users in a namespace, of which the record does not show it."""
    try:
        record, usage = await measured(ops, uid)
    except (NotProvisioned, BackendRefused) as error:
        if isinstance(error, BackendRefused) and error.cluster_code != "InvalidArgument":
            raise
        return None
    if uid != _spelled(record):
        return None
    state = actual(record)
    suspended, buckets = bool(record["suspended"]), await _buckets(ops, uid)
    return UnmanagedUser(uid, account_of(uid), state, suspended, usage, buckets, _obstacles(record, ops.access_key))


def _spelled(record: Any) -> str:
    try:
        return f"{record['tenant']}${record['user_id']}" if record["tenant"] else record["user_id"]
    except (KeyError, TypeError):
        raise not_ceph("a user's record has an unexpected format") from None


async def _buckets(ops: AdminOps, uid: str) -> int | None:
    try:
        found: Any = await ops.call("GET", "bucket", {"uid": uid})
    except Misconfigured as error:
        if not error.cluster_code:
            raise
        return None
    return len(found)


def _obstacles(record: Any, own_key: str) -> tuple[str, ...]:
    try:
        found = {
            Sentence("Tonnage itself uses it."): any(key["access_key"] == own_key for key in record["keys"]),
            Sentence("It is a system or admin user."): _is_set(record["system"]) or _is_set(record.get("admin")),
            Sentence("It has capabilities for the admin API. Remove them: radosgw-admin caps rm"): record["caps"],
            Sentence(
                "It has subusers, whose keys have an access level of their own. Remove them: radosgw-admin subuser rm"
            ): record["subusers"] or record["swift_keys"],
            Sentence("It belongs to an account of Ceph's own, which has the quota."): record.get("account_id"),
            Sentence("Its identity comes from another service: {type}.", type=str(record.get("type"))): (
                record.get("type", "rgw") != "rgw"
            ),
            Sentence(
                "It may do only a part: its op-mask is {mask}. Set it to read, write and delete, or suspend the user: "
                "radosgw-admin user modify",
                mask=record["op_mask"],
            ): _is_restricted(record),
        }
    except (KeyError, TypeError):
        raise not_ceph("a user's record has an unexpected format") from None
    return tuple(sentence for sentence, is_so in found.items() if is_so)


def _is_set(flag: object) -> bool:
    """Ceph writes these flags as texts."""
    return str(flag).lower() == "true"


def _is_restricted(record: Any) -> bool:
    """Neither suspended nor permitted to do everything. Tonnage's own users are read-only before their deletion."""
    access = actual(record).access
    own = account_of(_spelled(record)) is not None
    return not record["suspended"] and access is not Access.FULL and not (own and access is Access.READ_ONLY)
