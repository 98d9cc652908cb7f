"""SQL of a member's own profile."""

from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.db import Connection
from tonnage.members.member import ProfileChange
from tonnage.names import name_key


class Profile(NamedTuple):
    """A member's name, and the locale and time zone in which numbers and times are shown."""

    name: str | None
    locale: str | None
    """None: the browser's preference."""
    time_zone: str
    """`UTC` if none was chosen."""


async def profile_of(conn: Connection, member_id: UUID) -> Profile | None:
    """None if there is no such member."""
    cursor = await conn.execute(
        "select name, locale, coalesce(time_zone, 'UTC') from member where id = %s", [member_id]
    )
    row = await cursor.fetchone()
    return Profile(*row) if row else None


_UPDATE: LiteralString = """
    with old as (
        select * from member where id = %(member)s for no key update
    ), stale as (
        select coalesce(
            coalesce(old.name, '') not in (%(expected_name)s::text, %(name)s::text)
            or coalesce(old.locale, '') not in (%(expected_locale)s::text, %(locale)s::text)
            or coalesce(old.time_zone, 'UTC') not in (%(expected_zone)s::text, %(zone)s::text), false) as is_stale
        from old
    ), m as (
        update member set name = nullif(coalesce(%(name)s::text, old.name), ''),
            name_key = nullif(coalesce(%(name_key)s::text, old.name_key), ''),
            locale = nullif(coalesce(%(locale)s::text, old.locale), ''),
            time_zone = coalesce(%(zone)s::text, old.time_zone)
        from old, stale where member.id = old.id and not stale.is_stale
            and (coalesce(%(name)s::text, old.name, ''), coalesce(%(locale)s::text, old.locale, ''),
                 coalesce(%(zone)s::text, old.time_zone, 'UTC'))
                <> (coalesce(old.name, ''), coalesce(old.locale, ''), coalesce(old.time_zone, 'UTC'))
        returning member.*, old.name is distinct from member.name as renamed
    )
    select stale.is_stale, case when m.renamed then
        audit(%(stamp)s, m.organisation_id, 'member.update', m.id::text, jsonb_build_object('role', m.role),
              jsonb_build_object('role', m.role, 'nameChanged', true)) end
    from stale left join m on true"""


async def update_profile(
    conn: Connection, member_id: UUID, change: ProfileChange, expected: ProfileChange | None, stamp: str
) -> bool:
    """Updates a profile. False if a field is neither as expected nor already at the new value: then nothing is changed.

    Changes of locale and time zone are not audited: they concern only the member. A change of the name is, because
    colleagues see it.
    """
    expected = expected or ProfileChange()
    cursor = await conn.execute(
        _UPDATE,
        {
            "member": member_id,
            "name": change.name,
            "name_key": None if change.name is None else name_key(change.name),
            "locale": change.locale,
            "zone": change.time_zone,
            "expected_name": expected.name,
            "expected_locale": expected.locale,
            "expected_zone": expected.time_zone,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return not row[0] if row else True
