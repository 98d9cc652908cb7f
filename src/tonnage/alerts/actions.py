"""Alerts: evaluates levels, and sets them."""

from collections.abc import Sequence
from datetime import datetime

from tonnage.access.actor import Actor, Role
from tonnage.alerts import queries
from tonnage.alerts.alert_level import MEASURES, require_levels
from tonnage.db import Connection, Database
from tonnage.jobs import defer

_AT_ONCE = 5_000


async def evaluate(database: Database, now: datetime) -> int:
    """Compares the use of all accounts, partners and contracts with their levels, in short statements that lock none of
    them. Returns how many have reached a level that they had not before."""
    raised = 0
    for measure in MEASURES:
        after, found = 0, _AT_ONCE
        while found == _AT_ONCE:
            part = await database.run(queries.evaluate, measure, after, _AT_ONCE, now)
            after, found, raised = part.last, part.subjects, raised + part.raised
    await database.run(queries.delete_obsolete)
    return raised


async def set_levels(conn: Connection, actor: Actor, levels: Sequence[int]) -> None:
    """Sets the levels of the actor's organisation. In the caller's transaction. Invalid.

    What is above a new level already is alerted once, when a job has looked.
    """
    actor.require(actor.kind, Role.ADMIN)
    await _set(conn, actor, require_levels(levels))


async def inherit_levels(conn: Connection, actor: Actor) -> None:
    """The levels of the distributor or the operator count again. In the caller's transaction."""
    actor.require(actor.kind, Role.ADMIN)
    await _set(conn, actor, None)


async def _set(conn: Connection, actor: Actor, levels: list[int] | None) -> None:
    await queries.set_levels(conn, actor.organisation_id, levels, actor.stamp)
    await defer(conn, "alerts.evaluate", "all")
