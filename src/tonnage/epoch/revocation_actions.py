"""Records revocations outside, and withholds what lives again in an older database."""

from collections.abc import Iterable
from datetime import datetime

from tonnage.api_keys.queries import withhold_keys
from tonnage.db import Connection
from tonnage.epoch.revocation import API_KEY, MEMBER, PREFIX, Revocation, ids, object_key, parsed
from tonnage.members.withheld_queries import withhold_members
from tonnage.storage.bucket import Bucket


async def read_revocations(bucket: Bucket) -> set[Revocation]:
    """Those that are recorded on a cluster."""
    return parsed(one.key for one in (await bucket.objects(PREFIX)).objects)


async def record_revocations(bucket: Bucket, revocations: Iterable[Revocation]) -> None:
    """Records the missing ones on a cluster."""
    for revocation in sorted(set(revocations) - await read_revocations(bucket)):
        await bucket.create(object_key(revocation))


async def withhold(conn: Connection, revocations: Iterable[Revocation], now: datetime) -> None:
    """Withholds keys and members that were revoked and live again. In the caller's transaction."""
    known = set(revocations)
    await withhold_keys(conn, ids(known, API_KEY), now)
    await withhold_members(conn, ids(known, MEMBER), now)
