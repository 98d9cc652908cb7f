"""Actions on suspensions: a distributor suspends a partner as a whole, and resumes it."""

from datetime import datetime
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection
from tonnage.db.rendered import Versioned
from tonnage.errors import EditConflict, NotFound, PreconditionFailed
from tonnage.organisations.organisation import no_partner
from tonnage.provisioning.actions import defer_reapply
from tonnage.suspensions import queries


async def show_suspension(conn: Connection, actor: Actor, partner_id: UUID) -> Versioned:
    """Whether a partner is suspended, and why, as JSON. NotFound."""
    found = await queries.rendered_suspension(conn, actor.organisation_id, partner_id)
    if found is None:
        raise no_partner(partner_id)
    return found


async def suspend_partner(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    reason: str,
    now: datetime,
    *,
    expected_reason: str | None = None,
    revision: int | None = None,
) -> Versioned:
    """Suspends a partner with all of its storage accounts; returns its suspension. If it is suspended already only the
    reason changes, and from then on no payment ends it. A job applies it to the clusters.

    NotFound. EditConflict: the present reason is not `expected_reason`; "" expects that there is none.
    PreconditionFailed: the partner is not in the given `revision`.
    """
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    async with conn.transaction():
        changed = await queries.suspend_partner(
            conn, actor.organisation_id, partner_id, reason, expected_reason, revision, now, actor.stamp
        )
        if changed is None:
            raise await _not_changeable(conn, actor.organisation_id, partner_id, revision)
        if changed.stale:
            raise EditConflict
        if changed.began_or_ended:
            await defer_reapply(conn, [partner_id])
    return changed.partner


async def resume_partner(conn: Connection, actor: Actor, partner_id: UUID, *, revision: int | None = None) -> None:
    """Ends a suspension; storage accounts that are suspended by themselves stay so. Idempotent.

    NotFound; PreconditionFailed.
    """
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    async with conn.transaction():
        resumed = await queries.resume_partner(conn, actor.organisation_id, partner_id, revision, actor.stamp)
        if resumed is None:
            raise await _not_changeable(conn, actor.organisation_id, partner_id, revision)
        if resumed:
            await defer_reapply(conn, [partner_id])


async def _not_changeable(
    conn: Connection, scope: UUID, partner_id: UUID, revision: int | None
) -> NotFound | PreconditionFailed:
    present = None if revision is None else await queries.rendered_suspension(conn, scope, partner_id)
    return PreconditionFailed(*present) if present else no_partner(partner_id)
