"""SQL of ending sessions, otherwise than by signing out."""

from uuid import UUID

from tonnage.db import Connection


async def end_sessions(
    conn: Connection, member_id: UUID, stamp: str, *, only: UUID | None = None, but: UUID | None = None
) -> bool:
    """Ends all sessions of a member, or one of them, or all but one. False if there was none to end."""
    cursor = await conn.execute(
        """
        with s as (
            delete from session where member_id = %(member)s
                and (%(only)s::uuid is null or id = %(only)s) and (%(but)s::uuid is null or id <> %(but)s)
            returning id
        ), n as (
            select count(*) as sessions from s having count(*) > 0
        )
        select audit(%(stamp)s, m.organisation_id, 'member.end-sessions', m.id::text, null,
                     jsonb_build_object('sessions', n.sessions))
        from n join member m on m.id = %(member)s
        """,
        {"member": member_id, "only": only, "but": but, "stamp": stamp},
    )
    return await cursor.fetchone() is not None


async def member_of_session(conn: Connection, scope: UUID | None, session_id: UUID) -> tuple[UUID, UUID] | None:
    """The ids of the organisation and of the member whose session it is. None: no member of the organisation `scope`
    (None: any) has it.
    """
    cursor = await conn.execute(
        """
        select m.organisation_id, m.id from session s join member m on m.id = s.member_id
        where s.id = %(session)s and (%(scope)s::uuid is null or m.organisation_id = %(scope)s)
        """,
        {"session": session_id, "scope": scope},
    )
    return await cursor.fetchone()
