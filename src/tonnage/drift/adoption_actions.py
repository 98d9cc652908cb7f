"""Adopting users of a cluster as storage accounts: those of accounts that the database does not know, and others.

Nothing is deleted, and no data is moved. The account is created here by the ordinary action, under the ordinary rules
of capacity, and applied to the cluster by the ordinary job.
"""

from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access_keys import queries as access_key_queries
from tonnage.accounts.account import NewAccount
from tonnage.accounts.actions import create_account, delete_account
from tonnage.accounts.change_actions import suspend_account
from tonnage.config import DEFAULT_LIMITS, Limits
from tonnage.db import Connection, Database
from tonnage.drift import adoption_queries
from tonnage.drift.adoption import (
    SUSPENSION_REASON,
    Adoption,
    adopted_account,
    already_known,
    email_taken,
    no_user,
    not_adoptable,
    was_waiting_for_deletion,
)
from tonnage.email_address import email_key
from tonnage.provisioning import drift_queries, queries
from tonnage.provisioning.drift import account_subject, attributes_that_differ
from tonnage.provisioning.drift_actions import batched
from tonnage.storage.backend import Cluster, ClusterUser, ListedUser, StorageBackend, UnmanagedUser
from tonnage.storage.concurrency import for_each_concurrently


async def unknown_users(
    database: Database, backend: StorageBackend, cluster: Cluster, actor: Actor
) -> list[UnmanagedUser]:
    """The users of a region's cluster that are no accounts in the database, in order of their ids. Reads each of them.

    Left out: users that the cluster cannot describe. Raises the errors of the backend.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    found: list[UnmanagedUser] = []
    async for some in batched(backend.users()):
        known = await database.run(adoption_queries.known_users, cluster.region_id, some)
        unknown = [user.uid for user in some if user.uid not in known]
        outcome = await for_each_concurrently(unknown, backend.unmanaged_user)
        if outcome.away:
            raise outcome.away
        found += [user for _, user in outcome.done if user is not None]
    return sorted(found, key=lambda user: user.uid)


async def examine(database: Database, backend: StorageBackend, cluster: Cluster, uid: str, email: str) -> UnmanagedUser:
    """A user that can be adopted with that contact address. NotFound: no such user. Conflict: it cannot be, or another
    user of the cluster has the address, for which all users are read. Raises the errors of the backend."""
    user = await backend.unmanaged_user(uid)
    if user is None:
        raise no_user(uid, cluster.name)
    listed = ListedUser(uid, user.account_id)
    if await database.run(adoption_queries.known_users, cluster.region_id, [listed]):
        raise already_known(uid)
    if user.obstacles:
        raise not_adoptable(user)
    # The cluster keeps addresses unique, regardless of case.
    if email_key(email) != email_key(user.state.email):
        async for some in batched(backend.users()):
            await _require_free(backend, email, [one for one in some if one.uid != uid])
    return user


async def _require_free(backend: StorageBackend, email: str, users: list[ListedUser]) -> None:
    outcome = await for_each_concurrently(users, lambda user: backend.state(ClusterUser(0, user.uid)))
    if outcome.away:
        raise outcome.away
    for user, state in outcome.done:
        if state is not None and email_key(state.email) == email_key(email):
            raise email_taken(email, user.uid)


async def adopt(
    conn: Connection,
    actor: Actor,
    user: UnmanagedUser,
    account: NewAccount,
    grace_days: int,
    now: datetime,
    *,
    dry_run: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Adoption:
    """Makes a user that was examined an account of the actor, a partner. A user that is suspended stays so; one of
    Tonnage's that was waiting for its deletion is scheduled again. With `dry_run` nothing stays.

    Errors: as for `create_account`; Conflict also if the user was adopted meanwhile.
    """
    actor.require(Kind.PARTNER, Role.ADMIN)
    partner_id: UUID = actor.organisation_id
    async with conn.transaction(force_rollback=dry_run):
        made = await create_account(conn, actor, partner_id, adopted_account(user, account), now, limits=limits)
        if user.suspended:
            await suspend_account(conn, actor, partner_id, made.id, SUSPENSION_REASON, now)
        leaving = was_waiting_for_deletion(user)
        if leaving:
            await delete_account(conn, actor, partner_id, made.id, grace_days, now)
        keys = user.state.access_keys
        await access_key_queries.insert_adopted(conn, made.id, keys, now)
        usage = user.usage
        await adoption_queries.audit_adoption(conn, made.id, usage.bytes, usage.objects, len(keys), actor.stamp)
        await drift_queries.remove_drift(conn, account_subject(made.id))
        state = await queries.state_of(conn, made.id)
    changes = attributes_that_differ(state.desired, user.state) if state else ()
    return Adoption(user, made.json, leaving, changes)
