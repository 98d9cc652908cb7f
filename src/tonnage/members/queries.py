"""SQL of an organisation's members."""

from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.access.actor import Role
from tonnage.db import Connection, ListQuery
from tonnage.db.rendered import Rendered
from tonnage.email_address import email_key
from tonnage.members.member import MemberChange, NewMember, TeamMember
from tonnage.names import name_key
from tonnage.organisations.queries import hold_open_organisation

MOST_SHOWN = 1000
"""The most members of an organisation that one page shows; organisations have few members."""

_MEMBER = "json_strip_nulls(json_build_object('id', m.id, 'name', m.name, 'email', m.email, 'role', m.role))"


class TeamRow(NamedTuple):
    """A member as pages show it."""

    id: UUID
    name: str | None
    email: str
    role: Role
    has_second_factor: bool
    created_at: datetime
    last_seen: datetime | None
    """To the minute."""
    locked_at: datetime | None


async def insert_member(
    conn: Connection, organisation_id: UUID, member: NewMember, most: int, now: datetime, stamp: str
) -> Rendered[UUID] | None:
    """Returns the new member; None if the organisation, whose row is held, has `most` members."""
    cursor = await conn.execute(
        f"""
        with m as (
            insert into member (organisation_id, email, email_key, name, name_key, role, password_hash, created_at)
            select %(organisation)s, %(email)s, %(email_key)s, %(name)s, %(name_key)s, %(role)s, %(hash)s, %(now)s
            where (select count(*) from member where organisation_id = %(organisation)s) < %(most)s
            returning *
        )
        select m.id, save_response(%(stamp)s, {_MEMBER}),
               audit(%(stamp)s, m.organisation_id, 'member.create', m.id::text,
                     null, jsonb_build_object('role', m.role))
        from m
        """,
        {
            "organisation": organisation_id,
            "most": most,
            "email": member.email,
            "email_key": email_key(member.email),
            "name": member.name,
            "name_key": member.name and name_key(member.name),
            "role": member.role,
            "hash": member.password_hash,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Rendered(*row[:2]) if row else None


async def is_open(conn: Connection, organisation_id: UUID, parent: UUID | None) -> bool:
    """Whether an organisation is open, and a partner of `parent` (None: of anyone)."""
    cursor = await conn.execute(
        """
        select from organisation
        where id = %(organisation)s and (%(parent)s::uuid is null or parent_id = %(parent)s) and closed_at is null
        """,
        {"organisation": organisation_id, "parent": parent},
    )
    return await cursor.fetchone() is not None


async def delete_partner_member(conn: Connection, scope: UUID, partner_id: UUID, member_id: UUID, stamp: str) -> bool:
    """Deletes a member. False if the distributor `scope` has no such partner with such a member."""
    cursor = await conn.execute(
        """
        with m as (
            delete from member m using organisation o
            where m.id = %(member)s and m.organisation_id = %(partner)s and o.id = m.organisation_id
                and o.parent_id = %(scope)s and o.closed_at is null
            returning m.*
        )
        select audit(%(stamp)s, organisation_id, 'member.delete', id::text, jsonb_build_object('role', role), null),
               save_response(%(stamp)s, null)
        from m
        """,
        {"member": member_id, "partner": partner_id, "scope": scope, "stamp": stamp},
    )
    return await cursor.fetchone() is not None


def members(organisation_id: UUID, parent: UUID | None) -> ListQuery:
    """The members of an open organisation; `parent` as above."""
    return ListQuery(
        f"""
        select coalesce(m.seq, 0), case when m.id is not null then {_MEMBER} end
        from organisation o
        left join member m on m.organisation_id = o.id and (%(after)s::bigint is null or m.seq > %(after)s)
        where o.id = %(organisation)s and (%(parent)s::uuid is null or o.parent_id = %(parent)s) and o.closed_at is null
        order by m.seq limit %(limit)s
        """,
        {"organisation": organisation_id, "parent": parent},
    )


async def team(conn: Connection, scope: UUID | None, organisation_id: UUID) -> list[TeamRow] | None:
    """The members of an open organisation, in order of creation, MOST_SHOWN at most.

    None: the organisation is neither `scope` itself nor one of its partners. (`scope` None: any organisation.)
    """
    return await _team(conn, scope, organisation_id, None)


async def team_member(conn: Connection, scope: UUID | None, organisation_id: UUID, member_id: UUID) -> TeamRow | None:
    """One of these members."""
    rows = await _team(conn, scope, organisation_id, member_id)
    return rows[0] if rows else None


async def _team(
    conn: Connection, scope: UUID | None, organisation_id: UUID, member_id: UUID | None
) -> list[TeamRow] | None:
    cursor = await conn.execute(
        """
        select m.id, m.name, m.email, m.role, m.second_factor_enabled_at is not null, m.created_at,
            greatest(m.last_signed_in_at, (select max(s.last_seen_at) from session s where s.member_id = m.id)),
            m.locked_at
        from organisation o
        left join member m on m.organisation_id = o.id and (%(member)s::uuid is null or m.id = %(member)s)
        where o.id = %(organisation)s and o.closed_at is null
            and (%(scope)s::uuid is null or %(scope)s in (o.id, o.parent_id))
        order by m.seq limit %(most)s
        """,
        {"organisation": organisation_id, "scope": scope, "member": member_id, "most": MOST_SHOWN},
    )
    rows = await cursor.fetchall()
    found = [TeamRow(*row) for row in rows if row[0] is not None]
    return [row._replace(role=Role(row.role)) for row in found] if rows else None


async def hold_team(conn: Connection, organisation_id: UUID, parent: UUID | None) -> dict[UUID, TeamMember] | None:
    """The members of an open organisation with their roles, locked until the transaction ends. `parent` as above.

    Two statements: the second sees what the first had to wait for.
    """
    if not await hold_open_organisation(conn, organisation_id, parent):
        return None
    cursor = await conn.execute(
        "select id, role, locked_at is null and withheld_at is null from member where organisation_id = %s",
        [organisation_id],
    )
    return {member_id: TeamMember(Role(role), can_sign_in) for member_id, role, can_sign_in in await cursor.fetchall()}


_UPDATE: LiteralString = """
    with old as (
        select id, name, name_key, role from member where id = %(member)s for no key update
    ), stale as (
        select coalesce(
            coalesce(old.name, '') not in (%(expected_name)s::text, %(name)s::text)
            or old.role not in (%(expected_role)s::text, %(role)s::text), false) as is_stale
        from old
    ), m as (
        update member set name = nullif(coalesce(%(name)s::text, old.name), ''),
            name_key = nullif(coalesce(%(name_key)s::text, old.name_key), ''),
            role = coalesce(%(role)s::text, old.role)
        from old, stale where member.id = old.id and not stale.is_stale
            and (coalesce(%(name)s::text, old.name, ''), coalesce(%(role)s::text, old.role))
                <> (coalesce(old.name, ''), old.role)
        returning member.*, old.role as role_before, old.name is distinct from member.name as renamed
    )
    select stale.is_stale, case when m.id is not null then
        audit(%(stamp)s, m.organisation_id, 'member.update', m.id::text, jsonb_build_object('role', m.role_before),
              jsonb_strip_nulls(jsonb_build_object('role', m.role, 'nameChanged', nullif(m.renamed, false)))) end
    from stale left join m on true"""


async def update_member(
    conn: Connection, member_id: UUID, change: MemberChange, expected: MemberChange | None, stamp: str
) -> tuple[bool, int | None]:
    """Updates a member whose organisation's members are locked; returns True, and the audit entry if anything was
    changed. False: a field is neither as expected nor already at the new value; then nothing is changed. The audit log
    records that a name was changed, but not the name of a person.
    """
    expected = expected or MemberChange()
    cursor = await conn.execute(
        _UPDATE,
        {
            "member": member_id,
            "name": change.name,
            "name_key": None if change.name is None else name_key(change.name),
            "role": change.role,
            "expected_name": expected.name,
            "expected_role": expected.role,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return (not row[0], row[1]) if row else (True, None)


async def delete_member(conn: Connection, member_id: UUID, stamp: str) -> None:
    """Deletes a member whose organisation's members are locked. Its sessions, codes and second factor are deleted with
    it.
    """
    cursor = await conn.execute(
        """
        with m as (delete from member where id = %(member)s returning *)
        select audit(%(stamp)s, organisation_id, 'member.delete', id::text, jsonb_build_object('role', role), null)
        from m
        """,
        {"member": member_id, "stamp": stamp},
    )
    await cursor.fetchone()


async def set_password(conn: Connection, member_id: UUID, password_hash: str, stamp: str) -> int | None:
    """Sets the hash; returns the audit entry. None if there is no such member. The caller ends sessions and discards
    links in the next statement.
    """
    cursor = await conn.execute(
        """
        with m as (update member set password_hash = %(hash)s where id = %(member)s returning *)
        select audit(%(stamp)s, organisation_id, 'member.set-password', id::text, null, null) from m
        """,
        {"hash": password_hash, "member": member_id, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def find_member(conn: Connection, email: str) -> tuple[UUID, UUID] | None:
    """The ids of the organisation of the member with that address and of the member, for the command line."""
    cursor = await conn.execute("select organisation_id, id from member where email_key = %s", [email_key(email)])
    return await cursor.fetchone()


async def organisation_of(conn: Connection, email: str) -> str:
    """The name of the organisation of the member with that address; "" without such a member."""
    cursor = await conn.execute(
        "select o.name from organisation o join member m on m.organisation_id = o.id where m.email_key = %s",
        [email_key(email)],
    )
    row = await cursor.fetchone()
    return row[0] if row else ""
