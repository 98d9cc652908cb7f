"""SQL of password resets."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection


class Reset(NamedTuple):
    """The member for whom a reset token is valid."""

    member_id: UUID
    organisation_id: UUID
    kind: str
    role: str
    email: str
    organisation: str
    """Its name."""

    @property
    def actor(self) -> Actor:
        """The member as an actor; a reset needs no session."""
        return Actor(self.organisation_id, Kind(self.kind), Role(self.role), "member", self.member_id)


async def insert_reset(
    conn: Connection, member_id: UUID, token_digest: bytes, now: datetime, lasting: timedelta, pause: timedelta
) -> str | None:
    """Returns the member's address, which the token is sent to. Older tokens become invalid.

    None: there is no such member in an open organisation, one of the two is locked, or the last token was sent less
    than `pause` ago.
    """
    cursor = await conn.execute(
        """
        with m as (
            select m.id, m.email from member m join organisation o on o.id = m.organisation_id
            where m.id = %(member)s and o.closed_at is null and m.withheld_at is null
                and o.locked_at is null and m.locked_at is null
        ), r as (
            insert into password_reset as r (digest, member_id, expires_at)
            select %(digest)s, m.id, %(now)s + %(lasting)s::interval from m
            on conflict (member_id) do update set digest = excluded.digest, expires_at = excluded.expires_at
            where r.expires_at <= %(now)s + %(lasting)s::interval - %(pause)s::interval
            returning member_id
        )
        select m.email from m join r on r.member_id = m.id
        """,
        {"member": member_id, "digest": token_digest, "now": now, "lasting": lasting, "pause": pause},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def delete_reset(conn: Connection, token_digest: bytes) -> None:
    """Deletes a token whose mail could not be delivered."""
    await conn.execute("delete from password_reset where digest = %s", [token_digest])


async def find_reset(conn: Connection, token_digest: bytes, now: datetime) -> Reset | None:
    """Finds a token. None: no such token, or it is used, replaced or expired, or the member or its organisation is
    locked.
    """
    cursor = await conn.execute(
        """
        select m.id, m.organisation_id, o.kind, m.role, m.email, o.name
        from password_reset r join member m on m.id = r.member_id join organisation o on o.id = m.organisation_id
        where r.digest = %s and r.expires_at > %s and o.closed_at is null
            and o.locked_at is null and m.locked_at is null
        """,
        [token_digest, now],
    )
    row = await cursor.fetchone()
    return Reset(*row) if row else None


async def consume_reset(conn: Connection, token_digest: bytes, now: datetime) -> Reset | None:
    """As `find_reset`, and uses the token up: of two concurrent requests only one gets it."""
    cursor = await conn.execute(
        """
        with r as (
            delete from password_reset where digest = %s returning member_id, expires_at
        )
        select m.id, m.organisation_id, o.kind, m.role, m.email, o.name
        from r join member m on m.id = r.member_id join organisation o on o.id = m.organisation_id
        where r.expires_at > %s and o.closed_at is null and o.locked_at is null and m.locked_at is null
        """,
        [token_digest, now],
    )
    row = await cursor.fetchone()
    return Reset(*row) if row else None


async def discard_resets(conn: Connection, member_id: UUID) -> None:
    """Discards the member's tokens after a password change by other means: a pending link must not undo it."""
    await conn.execute("delete from password_reset where member_id = %s", [member_id])


async def discard_all_resets(conn: Connection) -> None:
    """Discards every token: some of a restored database were used already."""
    await conn.execute("delete from password_reset")


async def delete_expired(conn: Connection, now: datetime) -> None:
    """Deletes the tokens that were not used in time."""
    await conn.execute("delete from password_reset where expires_at <= %s", [now])


async def email_of(conn: Connection, member_id: UUID) -> str | None:
    """The address of a member of an open organisation; None if there is no such one."""
    cursor = await conn.execute(
        """
        select m.email from member m join organisation o on o.id = m.organisation_id
        where m.id = %s and o.closed_at is null
        """,
        [member_id],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def email_to_notify(conn: Connection, member_id: UUID, now: datetime, pause: timedelta) -> str | None:
    """Returns the member's address; None if it was notified less than `pause` ago, or no longer exists."""
    cursor = await conn.execute(
        """
        select m.email from member m join organisation o on o.id = m.organisation_id
        where m.id = %(member)s and o.closed_at is null
            and (m.sign_in_warning_sent_at is null or m.sign_in_warning_sent_at <= %(now)s - %(pause)s::interval)
        """,
        {"member": member_id, "now": now, "pause": pause},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def record_notification(conn: Connection, member_id: UUID, now: datetime, stamp: str) -> None:
    """Records that the member was notified."""
    cursor = await conn.execute(
        """
        with m as (update member set sign_in_warning_sent_at = %(now)s where id = %(member)s returning *)
        select audit(%(stamp)s, organisation_id, 'member.blocked', id::text, null, null) from m
        """,
        {"member": member_id, "now": now, "stamp": stamp},
    )
    await cursor.fetchone()
