"""Compares the database's epoch with what is recorded outside, advances it, and puts an older database on hold.

The order is always the same: outside is read, then the database; the database commits, then outside is written. So a
process that is interrupted, or slower than another, never makes a current database look old.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.authentication.reset_queries import discard_all_resets
from tonnage.authentication.session_queries import end_all_sessions
from tonnage.db import Connection
from tonnage.devices.queries import forget_all_devices
from tonnage.epoch import queries, record_actions, revocation_queries
from tonnage.epoch.epoch import Hold, Installation, OnHold, Permit, on_hold
from tonnage.epoch.record import PREFIX, EpochRecord, highest, older
from tonnage.epoch.record_actions import WrittenTwice
from tonnage.epoch.revocation import Revocation
from tonnage.epoch.revocation_actions import record_revocations, withhold
from tonnage.errors import Sentence, TonnageError
from tonnage.organisations.queries import operator_id
from tonnage.regions.queries import cluster, clusters
from tonnage.services import Services
from tonnage.storage.backend import Cluster, StorageBackend

_log = logging.getLogger(__name__)

_COPY = Sentence(
    "Another copy of this database is in use: both have recorded the same epoch on a cluster. Stop one of them."
)


async def check(services: Services) -> Hold | None:
    """Compares with every place that can be reached; an older database is put on hold. Returns the hold that is on."""
    _, hold, _ = await _compare(services)
    return hold


async def read_records(services: Services) -> tuple[Installation, list[EpochRecord]]:
    """What every place has, and the database after that. Changes nothing, except that a cluster which another
    installation uses counts as another region's."""
    found = await services.database.run(queries.installation)
    records = [
        *await record_actions.read_local(services, found.id),
        *await record_actions.read_clusters(services, found.id),
    ]
    return await services.database.run(queries.installation), records


async def _compare(services: Services) -> tuple[Installation, Hold | None, list[EpochRecord]]:
    found, records = await read_records(services)
    return found, await _hold_if_older(services, found, records), records


async def _hold_if_older(services: Services, found: Installation, records: Sequence[EpochRecord]) -> Hold | None:
    """The hold that is on, after a comparison with these records. `found`: read after them."""
    top = highest(records)
    if top is not None and (top.epoch > found.epoch or found.hold is not None):
        reason = older(top.place, found.epoch, top.epoch)
        return await _hold(services, reason, top.epoch, {one for record in records for one in record.revoked})
    services.seen.see(found.id, found.epoch)
    return found.hold


async def _hold(services: Services, reason: str, outside: int, revoked: Iterable[Revocation]) -> Hold | None:
    actor = await _actor(services)
    return await services.database.transaction(
        _begin_hold, actor, reason, outside, frozenset(revoked), services.wall_clock()
    )


async def _begin_hold(
    conn: Connection, actor: Actor, reason: str, outside: int, revoked: frozenset[Revocation], now: datetime
) -> Hold | None:
    """In the caller's transaction. What had ended, was used or was revoked before the restore does not come back."""
    if await queries.begin_hold(conn, reason, outside, now, actor.stamp):
        _log.error("On hold: %s Run `tonnage restore check`.", reason)
        await end_all_sessions(conn)
        await discard_all_resets(conn)
        await forget_all_devices(conn)
    await withhold(conn, revoked, now)
    return await queries.hold_of(conn)


async def _actor(services: Services) -> Actor:
    return Actor(await services.database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")


async def require_running(services: Services) -> None:
    """Raises OnHold while the database is on hold, or if this process or its data directory has seen a newer one.

    For work that changes no cluster, such as mails.
    """
    found = await services.database.run(queries.installation)
    hold = found.hold
    if hold is None:
        records = await record_actions.read_local(services, found.id)
        hold = await _hold_if_older(services, await services.database.run(queries.installation), records)
    if hold is not None:
        raise on_hold(hold)


async def permit_changes(services: Services, region_id: int, backend: StorageBackend) -> Permit:
    """Permits changes on the cluster of a region, after the epoch was recorded there.

    OnHold: the database is on hold, or older than the record there. Unavailable: the cluster has to be reached for
    this. Misconfigured: its bucket cannot be used, or another installation uses it.
    """
    found = await services.database.run(queries.installation)
    if found.hold is not None:
        raise on_hold(found.hold)
    bucket, listing, now = backend.bucket, None, services.business_clock()
    records = await record_actions.read_local(services, found.id)
    if bucket is not None:
        here, listing = await record_actions.read_bucket(bucket, await _name_of(services, region_id), found.id)
        records, now = [*records, here], min(now, listing.now)
    epoch = await _advance(services, found.id, records)
    if bucket is not None and listing is not None:
        try:
            await record_actions.write_bucket(bucket, found.id, epoch, listing)
        except WrittenTwice:
            raise on_hold(await _copied(services, epoch)) from None
    await record_actions.write_file(services, found.id, epoch)
    return Permit(region_id, epoch, now)


async def _name_of(services: Services, region_id: int) -> str:
    found = await services.database.run(cluster, region_id)
    return found.name if found else str(region_id)


async def _advance(services: Services, installation: UUID, records: Sequence[EpochRecord]) -> int:
    """Increments the epoch in the database and in this process's memory. OnHold: the database is older than these."""
    top = highest(records)
    epoch = await services.database.run(queries.advance, top.epoch if top else 0)
    if epoch is None:
        hold = await _hold_if_older(services, await services.database.run(queries.installation), records)
        raise on_hold(hold) if hold else OnHold("The database was changed at the same moment. Try again.")
    services.seen.see(installation, epoch)
    return epoch


async def advance_here(services: Services) -> None:
    """Before what cannot be undone, and changes no cluster: increments the epoch, and records it in the data directory.
    OnHold: the database is on hold, or older than what this process or its data directory has seen."""
    found = await services.database.run(queries.installation)
    records = await record_actions.read_local(services, found.id)
    epoch = await _advance(services, found.id, records)
    await record_actions.write_file(services, found.id, epoch)


async def _copied(services: Services, epoch: int) -> Hold:
    hold = await _hold(services, _COPY, epoch, ())
    if hold is None:
        raise OnHold(_COPY)
    return hold


async def advance(services: Services) -> None:
    """The regular step: compares, increments, and records the epoch and revocations wherever that is possible.

    Nothing happens on hold.
    """
    found, hold, records = await _compare(services)
    if hold is not None:
        return
    epoch = await _advance(services, found.id, records)
    recent, last = await services.database.run(revocation_queries.recent_revocations)
    known = recent.union(*(record.revoked for record in records))
    complete = await record_actions.write_file(services, found.id, epoch, known)
    for region in await services.database.run(clusters):
        complete &= await _record(services, found, region, epoch, known)
    if complete:
        await services.database.run(revocation_queries.record_revocations_read, last)


async def _record(
    services: Services, found: Installation, region: Cluster, epoch: int, revoked: set[Revocation]
) -> bool:
    """Records both on one cluster. False: it could not be reached, and the next step tries again."""
    if region.identity_unverified is not None:
        return False
    try:
        bucket = (await services.backends.of(region.region_id)).bucket
        if bucket is not None:
            await record_actions.write_bucket(bucket, found.id, epoch, await bucket.objects(PREFIX))
            await record_revocations(bucket, revoked)
    except WrittenTwice:
        await _copied(services, epoch)
        return False
    except TonnageError as error:
        _log.warning("could not record the epoch on the cluster of the region %s: %s", region.name, error)
        return False
    return True


async def earliest_time(services: Services) -> datetime:
    """The earliest of this machine's time and the times of all clusters that can be reached.

    For what is deleted by its age: a clock that is ahead must not make it old.
    """
    found = await services.database.run(queries.installation)
    records = await record_actions.read_clusters(services, found.id)
    return min([services.business_clock(), *(one.time for one in records if one.time is not None)])
