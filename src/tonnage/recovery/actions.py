"""Compares a restored database with the world around it, and confirms it."""

from dataclasses import dataclass, replace
from datetime import datetime

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access_keys.queries import discard_pending
from tonnage.accounts.deletion_queries import cancel_deletions
from tonnage.api_keys.queries import release_keys, revoke_withheld_keys
from tonnage.authentication.reset_queries import discard_all_resets
from tonnage.authentication.session_queries import end_all_sessions
from tonnage.db import Connection
from tonnage.devices.queries import forget_all_devices
from tonnage.epoch import queries as epoch_queries
from tonnage.epoch import record_actions
from tonnage.epoch.actions import advance, read_records
from tonnage.epoch.deletion_mark_actions import read_marks
from tonnage.epoch.record import EpochRecord, not_compared
from tonnage.epoch.revocation import API_KEY, MEMBER, Revocation, ids
from tonnage.epoch.revocation_actions import withhold
from tonnage.error_codes import UnavailableCode
from tonnage.errors import NotFound, TonnageError, Unavailable
from tonnage.jobs import defer
from tonnage.jobs.queries import count_jobs, drop_restored, newest_job
from tonnage.members.queries import delete_member
from tonnage.members.withheld_queries import release_members, withheld_members
from tonnage.numbering.actions import open_stores, recorded
from tonnage.numbering.queries import missing, skip
from tonnage.provisioning.drift_actions import confirm_cluster, full_reconcile_dry_run
from tonnage.recovery import queries
from tonnage.recovery.findings import MAILS, Confirmed, Findings, RegionFindings, WaitingAccount
from tonnage.regions.queries import clusters, set_identity_unverified
from tonnage.services import Services
from tonnage.storage.backend import Cluster


@dataclass(frozen=True)
class ConfirmOptions:
    """What the operator decides differently from the defaults."""

    keep_revoked: bool = False
    """API keys that were revoked, and members that were removed, after the backup stay."""
    keep_deletions: bool = False
    """Deletions stay scheduled that the clusters do not know."""


async def inspect(services: Services, actor: Actor) -> Findings:
    """What `confirm` would decide about. Changes nothing."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    found, records = await read_records(services)
    revoked = _revoked(records)
    active_again = await services.database.run(queries.active_again, ids(revoked, API_KEY), ids(revoked, MEMBER))
    newest = found.hold.newest_job if found.hold else await services.database.run(newest_job)
    mails = await services.database.run(count_jobs, MAILS, newest)
    # What was requested on hold is no decision of the backup: it waits to be applied and marked.
    since = found.hold.since if found.hold else None
    regions = [await _compared(services, actor, one, since) for one in await services.database.run(clusters)]
    has_epoch = any(one.place == record_actions.FILE and one.epoch > 0 for one in records)
    outside = await recorded(await open_stores(services), has_epoch=has_epoch)
    gaps = await services.database.run(missing, outside.numbers)
    unread = () if outside.is_known else outside.problems
    whole = Findings(found.epoch, found.hold, records, active_again, mails, regions, gaps, unread)
    return whole if whole.may_lack_numbers else replace(whole, numbers=[])


def _revoked(records: list[EpochRecord]) -> set[Revocation]:
    return {one for record in records for one in record.revoked}


async def _compared(
    services: Services, actor: Actor, cluster: Cluster, requested_before: datetime | None
) -> RegionFindings:
    found = RegionFindings(cluster.name, cluster.region_id)
    found.unconfirmed = cluster.identity_unverified == not_compared(cluster.name)
    try:
        _, backend = await services.backends.any_state(cluster.region_id)
        if backend.bucket is not None:
            marks = await read_marks(backend.bucket)
            waiting = await services.database.run(queries.waiting_accounts, cluster.region_id, requested_before)
            found.waiting = [WaitingAccount(*one, marks.names(one[0], one[2])) for one in waiting]
        compared = await full_reconcile_dry_run(
            services.database, backend, cluster.region_id, actor, services.wall_clock()
        )
        found.drift = compared.findings
    except TonnageError as error:
        found.problem = str(error)
    return found


async def confirm(services: Services, actor: Actor, choices: ConfirmOptions) -> Confirmed:
    """Makes the database the newest one: its epoch becomes greater than every one that is recorded outside.

    Accounts that wait for their deletion here, but not on their cluster, stay: their deletion is taken back. What was
    revoked or removed after the backup is so again. All sessions and links for new passwords end, and mails of the
    backup are dropped. Numbers of documents go on after the last ones that were recorded outside. Then every cluster is
    compared, and the database's state is applied. A cluster that could not be compared is not changed until it was, and
    the database is confirmed once more: its epoch may be lower than the new one although it was changed after the
    backup.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    found = await inspect(services, actor)
    if found.unread:
        raise Unavailable(
            "The numbers of documents that were given after the backup cannot be read, and would be given again: "
            "{problems}. Make one of these places work, then confirm.",
            UnavailableCode.NUMBERS_NOT_RECORDED,
            problems="; ".join(found.unread),
        )
    done = await services.database.transaction(_confirm, actor, found, choices, services.wall_clock())
    services.seen.see((await services.database.run(epoch_queries.installation)).id, done.epoch)
    await advance(services)
    return done


async def _confirm(
    conn: Connection, actor: Actor, found: Findings, choices: ConfirmOptions, now: datetime
) -> Confirmed:
    """In the caller's transaction."""
    cancelled = [] if choices.keep_deletions else [one.account_id for of in found.regions for one in of.cancelled]
    deletions = await cancel_deletions(conn, cancelled, actor.stamp)
    keys, members, kept = await _revoke(conn, actor, found, choices, now)
    await end_all_sessions(conn)
    await discard_all_resets(conn)
    await forget_all_devices(conn)
    mails = await drop_restored(conn, MAILS, found.hold.newest_job if found.hold else await newest_job(conn))
    pending = await discard_pending(conn, found.hold.since if found.hold else now)
    outside = max((record.epoch for record in found.records), default=0)
    epoch = await epoch_queries.end_hold(conn, outside, actor.stamp)
    await skip(conn, found.numbers, now, actor.stamp)
    regions = await _open_regions(conn, found)
    return Confirmed(epoch, deletions, keys, members, kept, mails, pending, found.numbers, regions)


async def _open_regions(conn: Connection, found: Findings) -> dict[str, bool]:
    """The regions, and whether their cluster is compared now."""
    problems = {one.region_id: one.problem for one in found.regions}
    regions: dict[str, bool] = {}
    for cluster in await clusters(conn):
        reason = not_compared(cluster.name)
        compared = problems.get(cluster.region_id, reason) is None
        if not compared:
            await set_identity_unverified(conn, cluster, cluster.identity_unverified or reason)
        elif cluster.identity_unverified == reason:
            await set_identity_unverified(conn, cluster, None)
        if compared:
            await defer(conn, "provisioning.full_reconcile", cluster.region_id)
        regions[cluster.name] = compared
    return regions


async def _revoke(
    conn: Connection, actor: Actor, found: Findings, choices: ConfirmOptions, now: datetime
) -> tuple[int, int, list[str]]:
    """Revokes keys and removes members again, or releases them: their numbers, and the organisations whose last admin
    stays."""
    # Also of a database that was not put on hold, because no process has run since the restore.
    await withhold(conn, _revoked(found.records), now)
    if choices.keep_revoked:
        await release_keys(conn, now)
        await release_members(conn, now)
        return 0, 0, []
    keys = await revoke_withheld_keys(conn, now, actor.stamp)
    removed = await withheld_members(conn)
    gone = [one for one in removed if not one.is_last_admin]
    for member in gone:
        await delete_member(conn, member.id, actor.stamp)
    await release_members(conn, now)
    return keys, len(gone), [one.organisation for one in removed if one.is_last_admin]


async def take_over(services: Services, actor: Actor, region: str) -> list[str]:
    """Removes the epochs of other installations from the cluster of a region; returns the ids of those installations.

    The marks of deletions stay. NotFound: there is no such region with a cluster.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    found = {one.name: one for one in await services.database.run(clusters)}
    if region not in found:
        raise NotFound("The region {region} has no cluster to take over.", region=region)
    own = (await services.database.run(epoch_queries.installation)).id
    _, backend = await services.backends.any_state(found[region].region_id)
    removed = [] if backend.bucket is None else await record_actions.remove_foreign(backend.bucket, own)
    await services.database.transaction(confirm_cluster, actor, found[region])
    return removed
