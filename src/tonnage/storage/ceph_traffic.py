"""Ceph's usage log: requests and bytes per user, bucket and hour. Requires `rgw enable usage log = true`."""

import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from tonnage.storage.admin_ops import AdminOps
from tonnage.storage.backend import ClusterUser, Traffic
from tonnage.storage.ceph_account import account_of, user_id
from tonnage.storage.ceph_errors import not_ceph
from tonnage.units import MAX_CAPACITY
from tonnage.utc import hour_of

_log = logging.getLogger(__name__)

_HOUR = timedelta(hours=1)
_COUNTED = ("bytes_sent", "bytes_received", "ops")


async def read(ops: AdminOps, since: datetime, until: datetime, adopted: Mapping[str, int]) -> AsyncIterator[Traffic]:
    """As `StorageBackend.traffic`.

    Traffic in a bucket counts for its owner, whichever user sent the request, or none. The log has
    no pagination, so it is read hour by hour: 700 bytes for each bucket with requests in that hour.
    """
    hour = hour_of(since)
    while hour < until:
        span = {"start": _written(hour), "end": _written(hour + _HOUR)}
        answer = await ops.call("GET", "usage", {**span, "show-summary": "false"}, bulk=True)
        for traffic in _hourly(answer, hour, adopted):
            yield traffic
        hour += _HOUR


async def trim(ops: AdminOps, user: ClusterUser, before: datetime) -> None:
    """As `StorageBackend.trim_traffic`. Always with a user: without one Ceph trims the log of all users."""
    await ops.call("DELETE", "usage", {"uid": user_id(user), "end": _written(hour_of(before))})


def _written(hour: datetime) -> str:
    return hour.strftime("%Y-%m-%d %H:%M:%S")


def _hourly(answer: Any, hour: datetime, adopted: Mapping[str, int]) -> Iterator[Traffic]:
    """One for each account. Adds up entries, since Ceph does not guarantee one entry per user."""
    totals: defaultdict[int, Counter[str]] = defaultdict(Counter)
    try:
        for entry in answer["entries"]:
            account_id = adopted.get(entry["user"], account_of(entry["user"]))
            if account_id is not None:
                for row in (row for bucket in entry["buckets"] for row in bucket["categories"]):
                    totals[account_id] += Counter({name: row[name] for name in _COUNTED})
    except (KeyError, TypeError):
        raise not_ceph("its usage log has an unexpected format") from None
    for account_id, total in totals.items():
        numbers = [total[name] for name in _COUNTED]
        if all(0 <= number <= MAX_CAPACITY for number in numbers):
            yield Traffic(account_id, hour, *numbers)
        else:
            # One wrong counter must not block the hour for all other accounts.
            _log.warning("the usage log has impossible values for storage account %d: %s", account_id, numbers)
