"""Actions on jobs."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg.errors import UniqueViolation

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection, savepoint_if_in_transaction
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, NotFound
from tonnage.jobs import queries


class Retried(NamedTuple):
    """How many jobs are retried now, and how many were dropped because the next job of their kind covers them."""

    jobs: int
    dropped: int


async def retry(conn: Connection, actor: Actor, ids: Sequence[int] | None) -> Retried:
    """Runs jobs again now that have failed or wait for their next attempt; for None all of them.

    In the caller's transaction. NotFound: no such job has an id that is among `ids`; then nothing is changed.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    held = await queries.hold_for_retry(conn, ids)
    unknown = sorted(set(ids or ()) - set(held))
    if unknown:
        raise NotFound(
            "There is no failed or retrying job with the id {ids}. See: tonnage jobs list",
            ids=", ".join(map(str, unknown)),
        )
    try:
        async with savepoint_if_in_transaction(conn):
            dropped = await queries.drop_superseded(conn, held)
            await queries.try_now(conn, held)
            await queries.audit_retry(conn, held, actor.stamp)
    except UniqueViolation as error:
        raise Conflict(
            "Another job of the same kind was queued at the same moment. Try again.", ConflictCode.CHANGED_MEANWHILE
        ) from error
    return Retried(len(held) - dropped, dropped)
