"""Records what is no change, and yet belongs in the audit log: failures, refusals, exports."""

from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from tonnage.access.actor import Actor
from tonnage.access.audit_queries import delete_client_addresses
from tonnage.db import Connection, Database
from tonnage.security_events import queries
from tonnage.security_events.counted_event import GRACE, Counted, CountedEvent
from tonnage.security_events.security_log import log_event
from tonnage.utc import hour_of

_AT_ONCE = 5_000


async def record_attempt(conn: Connection, action: Counted, member_id: UUID, now: datetime) -> None:
    """Counts what was tried at the login of that member, if there is one; the work is the same if there is not."""
    organisation_id = await queries.count_event(conn, CountedEvent.of_stranger(action, member_id, now))
    log_event(action, organisation_id, member=member_id if organisation_id else None)


async def record_refusal(conn: Connection, actor: Actor, code: str, now: datetime) -> None:
    """Counts that a member or key was not allowed to do something."""
    event = CountedEvent.refusal(actor, code, now)
    if event is not None:
        await queries.count_event(conn, event)
        log_event(event.action, actor.organisation_id, **_whom(actor), code=code)


async def record_export(conn: Connection, actor: Actor, organisation_id: UUID, name: str) -> None:
    """Records that a file with that name is exported; `organisation_id`: whose data it has, at least."""
    await queries.audit_export(conn, organisation_id, name, actor.stamp)
    log_event("organisation.export-file", organisation_id, **_whom(actor))


class _Whom(TypedDict):
    member: UUID | None
    key: UUID | None


def _whom(actor: Actor) -> _Whom:
    """Whose doing it is, for the log."""
    return {
        "member": actor.via_id if actor.via == "member" else None,
        "key": actor.via_id if actor.via == "key" else None,
    }


async def write_counted(database: Database, now: datetime) -> int:
    """Writes the entries of the hours that have ended. Returns their number."""
    return await database.run(queries.audit_counted, hour_of(now - GRACE))


async def delete_addresses(database: Database, kept: timedelta, now: datetime) -> None:
    """Deletes the addresses of clients that are older, in batches."""
    while await database.run(delete_client_addresses, now - kept, _AT_ONCE) == _AT_ONCE:
        pass
