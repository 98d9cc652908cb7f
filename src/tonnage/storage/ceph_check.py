"""Checks whether a Ceph gateway is ready for use, for `region check`. Changes nothing there."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from tonnage.clock import WallClock
from tonnage.errors import TonnageError, Unavailable
from tonnage.storage.admin_ops import AdminOps
from tonnage.storage.backend import BackendReport
from tonnage.storage.ceph_bucket import BUCKET, CephBucket
from tonnage.storage.ceph_errors import not_ceph, refusal
from tonnage.storage.errors import BackendRefused, Misconfigured

NEEDED = ("users=read", "users=write", "usage=read", "usage=write")
TESTED = ("16.2", "18.2")
"""The releases of Ceph on which the client's tests have run: Debian 12's and Debian 13's."""

ENFORCED = ("quota (to the byte, from the next request)", "read-only accounts", "suspended accounts")

_GRANT = "Grant it: radosgw-admin caps add --uid=ADMIN --caps='users=*;usage=*'"
_SKEW_ALLOWED = timedelta(minutes=5)  # Ceph itself refuses from 15 minutes on


async def check(ops: AdminOps, clock: WallClock) -> BackendReport:
    """Runs the steps in order; the one that cannot continue adds the last problem."""
    try:
        skew = _skew(await ops.front_door(signed=False), clock())
    except Unavailable as error:
        reason = f" ({error.__cause__})" if str(error.__cause__ or "") else ""
        return BackendReport(reachable=False, credentials=False, problems=(f"{error}{reason}",))
    problems = (_clock_problem(skew),) if skew is not None and abs(skew) > _SKEW_ALLOWED.total_seconds() else ()
    accepted = False
    try:
        answer = await ops.front_door(signed=True)
        if answer.status_code == HTTPStatus.FORBIDDEN:
            # With a wrong clock no signature is valid, so nothing is known about the secret.
            refused = ("The cluster refuses the access key or the secret key. Set both again.",)
            return BackendReport(True, False, clock_skew=skew, problems=problems or refused)
        if answer.status_code != HTTPStatus.OK:
            raise refusal(answer)
        accepted = True
        itself = await _admin_user(ops)
        problems += await _bucket_problem(ops, itself)
        present, missing = _sorted_out(itself) if itself else ((), NEEDED)
        facts = (await _release(ops), ("tested with", f"Ceph {' and '.join(TESTED)}"))
        if "usage=read" in present:
            facts += (await _usage_log(ops, clock(), skew, itself),)
    except TonnageError as error:
        return BackendReport(True, accepted, clock_skew=skew, problems=(*problems, str(error)))
    except (KeyError, TypeError, IndexError):
        unlike = str(not_ceph("its answers have an unexpected format"))
        return BackendReport(True, accepted, clock_skew=skew, problems=(*problems, unlike))
    problems += tuple(f"The admin user lacks the capability {name}. {_GRANT}" for name in missing)
    return BackendReport(True, True, present, missing, skew, facts, ENFORCED, problems)


def _skew(answer: httpx.Response, now: datetime) -> float | None:
    try:
        there = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return None
    # The header has whole seconds, truncated: half a second is the best estimate of the rest.
    return round((there + timedelta(seconds=0.5) - now).total_seconds(), 1)


def _clock_problem(skew: float) -> str:
    return (
        f"The cluster's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}. Synchronise both "
        "clocks with NTP."
    )


async def _admin_user(ops: AdminOps) -> Any:
    """The record of the admin user; None if it lacks the capability to read users."""
    try:
        return await ops.call("GET", "user", {"access-key": ops.access_key})
    except Misconfigured as error:
        if not error.cluster_code:
            raise
        # The credentials are valid, as the request to the S3 root has shown. So the capability to read users is
        # missing, and with it the list of its other capabilities.
        return None


async def _bucket_problem(ops: AdminOps, itself: Any) -> tuple[str, ...]:
    """Why Tonnage's own bucket cannot be used. It is created when it is needed."""
    try:
        exists = await CephBucket(ops).exists()
    except (Misconfigured, BackendRefused) as error:
        return (str(error),)
    if itself and itself["max_buckets"] < 0 and not exists:
        return (f"The region's user may not create the bucket {BUCKET}: its maximum number of buckets is none.",)
    return ()


def _sorted_out(record: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The capabilities of NEEDED that are present, and those that are missing."""
    granted = {f"{cap['type']}={right}" for cap in record["caps"] for right in _rights(cap["perm"])}
    return tuple(name for name in NEEDED if name in granted), tuple(name for name in NEEDED if name not in granted)


def _rights(permission: str) -> tuple[str, ...]:
    return ("read", "write") if permission == "*" else tuple(word.strip() for word in permission.split(","))


async def _release(ops: AdminOps) -> tuple[str, str]:
    """Ceph's API has no version, but since 17 it has `info`, which needs no capability."""
    try:
        answer: Any = await ops.call("GET", "info", {"format": "json"})
    except Misconfigured as error:
        return ("release", "Ceph 16 or older" if error.cluster_code == "MethodNotAllowed" else "Ceph 17 or newer")
    except BackendRefused:
        return ("release", "unknown")
    return ("release", f"Ceph 17 or newer, cluster {answer['info']['storage_backends'][0]['cluster_id']}")


async def _usage_log(ops: AdminOps, now: datetime, skew: float | None, itself: Any) -> tuple[str, str]:
    """Whether the usage log is enabled cannot be queried, but each check leaves entries in it, which the next one
    finds.

    Reads only the admin user's own log: a day of all users may be hundreds of megabytes.
    """
    user = f"{itself['tenant']}${itself['user_id']}" if itself["tenant"] else itself["user_id"]
    there = now + timedelta(seconds=skew or 0)
    written = (there - timedelta(hours=24)).strftime("%Y-%m-%d %H:%M:%S")
    answer: Any = await ops.call("GET", "usage", {"uid": user, "start": written, "show-entries": "false"})
    kept = bool(answer["summary"])
    return (
        "usage log",
        "kept" if kept else "empty for the last 24 hours; `rgw enable usage log = true` enables it on the gateway",
    )
