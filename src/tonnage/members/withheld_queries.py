"""SQL of members that were removed and are there again in a restored database."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection


class WithheldMember(NamedTuple):
    """A member who cannot sign in: it was removed, but is there again in a restored database."""

    id: UUID
    organisation: str
    email: str
    is_last_admin: bool
    """Of the operator. Another organisation gets a new admin from the one above it."""


async def withhold_members(conn: Connection, member_ids: Sequence[UUID], now: datetime) -> None:
    """Withholds those of these members that exist and were not released."""
    await conn.execute(
        "update member set withheld_at = %s where id = any(%s) and withheld_at is null and released_at is null",
        [now, list(member_ids)],
    )


async def withheld_members(conn: Connection) -> list[WithheldMember]:
    """The members that are withheld, by organisation."""
    cursor = await conn.execute(
        """
        select m.id, o.name, m.email, o.kind = 'operator' and m.role = 'admin' and not exists (
            select from member other
            where other.organisation_id = o.id and other.role = 'admin' and other.withheld_at is null)
        from member m join organisation o on o.id = m.organisation_id
        where m.withheld_at is not null order by o.name_key, o.id, m.seq
        """
    )
    return [WithheldMember(*row) for row in await cursor.fetchall()]


async def release_members(conn: Connection, now: datetime) -> None:
    """Lets the members that are withheld sign in again, for good."""
    await conn.execute("update member set withheld_at = null, released_at = %s where withheld_at is not null", [now])
