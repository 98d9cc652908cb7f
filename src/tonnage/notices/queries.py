"""SQL of mails about logins, API keys and webhooks."""

from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection

_MOST = 100


class Reader(NamedTuple):
    """A member who gets a mail."""

    organisation_id: UUID
    email: str
    locale: str | None
    time_zone: str | None


async def admins(conn: Connection, organisation_id: UUID) -> list[UUID]:
    """The admins of an open organisation who can sign in."""
    cursor = await conn.execute(
        """
        select m.id from member m join organisation o on o.id = m.organisation_id
        where o.id = %s and o.closed_at is null and m.role = 'admin' and m.locked_at is null and m.withheld_at is null
        order by m.seq limit %s
        """,
        [organisation_id, _MOST],
    )
    return [member_id for (member_id,) in await cursor.fetchall()]


async def find_reader(conn: Connection, member_id: UUID) -> Reader | None:
    """A member of an open organisation; None if there is no such one any more."""
    cursor = await conn.execute(
        """
        select m.organisation_id, m.email, m.locale, m.time_zone
        from member m join organisation o on o.id = m.organisation_id
        where m.id = %s and o.closed_at is null and m.withheld_at is null
        """,
        [member_id],
    )
    row = await cursor.fetchone()
    return Reader(*row) if row else None
