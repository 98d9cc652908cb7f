"""SQL of the epoch and of the hold."""

from datetime import datetime
from typing import Any

from tonnage.db import Connection, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.epoch.epoch import Hold, Installation, OnHold, Permit, on_hold
from tonnage.jobs.queries import newest_job

_INSTALLATION = "id, epoch, held_since, held_reason, held_epoch, held_job"


async def installation(conn: Connection) -> Installation:
    """This database's installation, epoch and hold."""
    return _parsed(await one_row(await conn.execute(f"select {_INSTALLATION} from installation")))


def _parsed(row: tuple[Any, ...]) -> Installation:
    return Installation(row[0], row[1], Hold(*row[2:]) if row[2] is not None else None)


async def hold_of(conn: Connection) -> Hold | None:
    """The hold that is on; None: there is none."""
    return (await installation(conn)).hold


async def cursor_key(conn: Connection) -> bytes:
    """The key of the cursors in links to the next page of a list."""
    return (await one_row(await conn.execute("select cursor_key from installation")))[0]


async def rendered_hold(conn: Connection) -> bytes | None:
    """The hold that is on, as JSON: since when, and why."""
    cursor = await conn.execute(
        f"""
        select json_build_object('since', to_char(held_since, {TIMESTAMP_FORMAT}), 'detail', held_reason)
        from installation where held_since is not null
        """
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def require_permit(conn: Connection, permit: Permit) -> None:
    """Raises OnHold if the database is on hold, or older than when it permitted the changes.

    On the connection that reads what is going to be done: a connection does not survive that another database is put in
    the place of this one.
    """
    found = await installation(conn)
    if found.hold is not None:
        raise on_hold(found.hold)
    if found.epoch < permit.epoch:
        raise OnHold("The database is older than a moment ago. The next check finds out why.")


async def advance(conn: Connection, outside: int) -> int | None:
    """Increments the epoch and returns it. None: the database is on hold, or older than `outside`."""
    cursor = await conn.execute(
        "update installation set epoch = epoch + 1 where held_since is null and epoch >= %s returning epoch", [outside]
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def begin_hold(conn: Connection, reason: str, outside: int, now: datetime, stamp: str) -> bool:
    """Puts the database on hold. False: it is already; then only a greater epoch is recorded."""
    newest = await newest_job(conn)
    cursor = await conn.execute(
        """
        with old as (
            select * from installation for update
        ), i as (
            update installation i set held_since = coalesce(old.held_since, %(now)s),
                held_reason = coalesce(old.held_reason, %(reason)s), held_epoch = greatest(old.held_epoch, %(outside)s),
                held_job = coalesce(old.held_job, %(newest)s)
            from old
        )
        select old.held_since is null, case when old.held_since is null then
            audit(%(stamp)s, o.id, 'installation.hold', old.id::text, null,
                  jsonb_build_object('reason', %(reason)s::text)) end
        from old, organisation o where o.kind = 'operator'
        """,
        {"now": now, "reason": reason, "outside": outside, "newest": newest, "stamp": stamp},
    )
    return (await one_row(cursor))[0]


async def end_hold(conn: Connection, outside: int, stamp: str) -> int:
    """Ends the hold, with an epoch above every one that was seen outside. Returns the new epoch."""
    cursor = await conn.execute(
        """
        with old as (
            select * from installation for update
        ), i as (
            update installation i set held_since = null, held_reason = null, held_epoch = null, held_job = null,
                epoch = greatest(old.epoch, coalesce(old.held_epoch, 0), %(outside)s) + 1
            from old returning i.epoch
        )
        select i.epoch, audit(%(stamp)s, o.id, 'installation.confirm', old.id::text,
            jsonb_build_object('epoch', old.epoch), jsonb_build_object('epoch', i.epoch))
        from old, i, organisation o where o.kind = 'operator'
        """,
        {"outside": outside, "stamp": stamp},
    )
    return (await one_row(cursor))[0]
