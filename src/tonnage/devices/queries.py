"""SQL of known devices and of the links that make them known."""

from datetime import datetime, timedelta
from uuid import UUID

from tonnage.db import Connection
from tonnage.devices.device import KNOWN_FOR, MOST_DEVICES
from tonnage.email_address import email_key
from tonnage.tokens import digest


async def find_device(conn: Connection, token: str, email: str, now: datetime) -> UUID | None:
    """The device with that token, if it belongs to the member with that address."""
    cursor = await conn.execute(
        """
        select d.id from known_device d join member m on m.id = d.member_id
        where d.digest = %s and m.email_key = %s and d.expires_at > %s
        """,
        [digest(token), email_key(email), now],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def replace_token(conn: Connection, member_id: UUID, before: str, token: str, now: datetime) -> bool:
    """Gives the member's device another token, and time. False: the member has no device with the one before."""
    cursor = await conn.execute(
        """
        update known_device set digest = %(digest)s, expires_at = %(now)s + %(lasting)s::interval
        where digest = %(before)s and member_id = %(member)s returning id
        """,
        {
            "digest": digest(token),
            "before": digest(before),
            "member": member_id,
            "now": now,
            "lasting": KNOWN_FOR,
        },
    )
    return await cursor.fetchone() is not None


async def insert_device(conn: Connection, member_id: UUID, token: str, now: datetime) -> None:
    """Adds a device, in place of the oldest if the member has many."""
    await conn.execute(
        """
        with spare as (
            delete from known_device where member_id = %(member)s and id not in (
                select id from known_device where member_id = %(member)s
                order by expires_at desc, id limit %(others)s)
        )
        insert into known_device (member_id, digest, expires_at)
        values (%(member)s, %(digest)s, %(now)s + %(lasting)s::interval)
        """,
        {
            "member": member_id,
            "digest": digest(token),
            "others": MOST_DEVICES - 1,
            "now": now,
            "lasting": KNOWN_FOR,
        },
    )


async def forget_devices(conn: Connection, member_id: UUID) -> None:
    """Forgets the member's devices and link, after a change of the password."""
    await conn.execute("delete from known_device where member_id = %s", [member_id])
    await conn.execute("delete from device_link where member_id = %s", [member_id])


async def forget_all_devices(conn: Connection) -> None:
    """Forgets everybody's: some of a restored database were forgotten already."""
    await conn.execute("delete from known_device")
    await conn.execute("delete from device_link")


async def insert_link(
    conn: Connection, member_id: UUID, token: str, now: datetime, lasting: timedelta, pause: timedelta
) -> str | None:
    """Returns the member's address, which the link is sent to. An older link becomes invalid.

    None: there is no such member in an open organisation, one of the two is locked, or the last link was made less
    than `pause` ago.
    """
    cursor = await conn.execute(
        """
        with m as (
            select m.id, m.email from member m join organisation o on o.id = m.organisation_id
            where m.id = %(member)s and o.closed_at is null and m.withheld_at is null
                and o.locked_at is null and m.locked_at is null
        ), l as (
            insert into device_link as l (digest, member_id, expires_at)
            select %(digest)s, m.id, %(now)s + %(lasting)s::interval from m
            on conflict (member_id) do update set digest = excluded.digest, expires_at = excluded.expires_at
            where l.expires_at <= %(now)s + %(lasting)s::interval - %(pause)s::interval
            returning member_id
        )
        select m.email from m join l on l.member_id = m.id
        """,
        {"member": member_id, "digest": digest(token), "now": now, "lasting": lasting, "pause": pause},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def audit_link(conn: Connection, member_id: UUID, stamp: str) -> None:
    """Records that the operator has made a link."""
    cursor = await conn.execute(
        """
        select audit(%(stamp)s, organisation_id, 'member.allow-sign-in', id::text, null, null)
        from member where id = %(member)s
        """,
        {"stamp": stamp, "member": member_id},
    )
    await cursor.fetchone()


async def delete_link(conn: Connection, token: str) -> None:
    """Deletes a link whose mail could not be delivered."""
    await conn.execute("delete from device_link where digest = %s", [digest(token)])


async def is_valid_link(conn: Connection, token: str, now: datetime) -> bool:
    """False: there is no such link, or it is used, replaced or expired."""
    cursor = await conn.execute("select from device_link where digest = %s and expires_at > %s", [digest(token), now])
    return await cursor.fetchone() is not None


async def consume_link(conn: Connection, token: str, now: datetime, stamp: str) -> UUID | None:
    """Uses the link up and returns the member: of two concurrent requests only one gets it. None: it is not valid.

    `stamp`: of a member whose id the link knows.
    """
    cursor = await conn.execute(
        """
        with l as (delete from device_link where digest = %(digest)s returning member_id, expires_at)
        select m.id, audit(%(stamp)s::jsonb || jsonb_build_object('id', m.id, 'organisation', m.organisation_id),
                           m.organisation_id, 'member.use-sign-in-link', m.id::text, null, null)
        from l join member m on m.id = l.member_id where l.expires_at > %(now)s
        """,
        {"digest": digest(token), "now": now, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def delete_expired(conn: Connection, now: datetime) -> None:
    """Deletes what no cookie and no link can use any more."""
    await conn.execute("delete from known_device where expires_at <= %s", [now])
    await conn.execute("delete from device_link where expires_at <= %s", [now])
