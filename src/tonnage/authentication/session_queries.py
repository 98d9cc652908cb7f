"""SQL of sessions."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role, suspension_reason
from tonnage.authentication.session import CODE_WAIT, LONGEST, REAUTHENTICATE_AFTER, SignedInMember, Stage
from tonnage.db import Connection

_MOVED_AFTER = timedelta(minutes=1)
"""How far `last_seen_at` may lag behind: this avoids a write for every page."""


class SessionRow(NamedTuple):
    """A session as the list shows it to its member."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    ip_address: str
    user_agent: str


async def find_session(conn: Connection, token_digest: bytes, now: datetime, idle: timedelta) -> SignedInMember | None:
    """The member whose session has that digest. None if the session ended, was idle for `idle` or is LONGEST old, or
    the member or its organisation is locked.
    """
    cursor = await conn.execute(
        """
        with found as (
            select s.id, m.id as member_id, o.id as organisation_id, o.kind, m.role, o.name as organisation_name,
                m.email, m.name, m.locale, m.time_zone, m.second_factor_enabled_at is not null as has_factor,
                o.second_factor_required, s.stage, s.created_at, s.last_seen_at,
                coalesce(s.authenticated_at, s.created_at) as authenticated_at, p.suspension_reason,
                p.suspension_overdue
            from session s join member m on m.id = s.member_id join organisation o on o.id = m.organisation_id
            left join partner p on p.id = o.id
            where s.digest = %(digest)s and o.closed_at is null and o.locked_at is null and m.locked_at is null
                and s.last_seen_at > %(now)s - %(idle)s::interval
                and s.created_at > %(now)s - case s.stage
                    when 'code' then %(code_wait)s::interval else %(longest)s::interval end
        ), moved as (
            update session s set last_seen_at = %(now)s from found
            where s.id = found.id and s.last_seen_at <= %(now)s - %(moved_after)s::interval
        )
        select id, member_id, organisation_id, kind, role, organisation_name, email, name, locale, time_zone,
            has_factor, second_factor_required, stage, created_at, authenticated_at <= %(now)s - %(proof)s::interval,
            suspension_reason, suspension_overdue
        from found
        """,
        {
            "digest": token_digest,
            "now": now,
            "idle": idle,
            "code_wait": CODE_WAIT,
            "longest": LONGEST,
            "moved_after": _MOVED_AFTER,
            "proof": REAUTHENTICATE_AFTER,
        },
    )
    row = await cursor.fetchone()
    return _visitor(row) if row else None


def _visitor(row: tuple[Any, ...]) -> SignedInMember:
    session_id, member_id, organisation_id, kind, role, organisation_name, email, name, locale, zone, *state = row
    has_factor, required, stage, since, must_reauthenticate, reason, overdue = state
    actor = Actor(
        organisation_id,
        Kind(kind),
        Role(role),
        "member",
        member_id,
        must_reauthenticate=must_reauthenticate,
        suspension_reason=suspension_reason(reason, overdue),
    )
    return SignedInMember(
        session_id,
        member_id,
        actor,
        organisation_name,
        email,
        name,
        locale,
        zone,
        has_second_factor=has_factor,
        second_factor_required=required,
        stage=Stage.ENROLMENT if stage == Stage.OPEN and required and not has_factor else Stage(stage),
        since=since,
    )


async def rotate_token(
    conn: Connection, session_id: UUID, token_digest: bytes, *, authenticated_at: datetime | None = None
) -> bool:
    """Gives a session another token, which invalidates the one before. False if there is no such session.

    `authenticated_at`: when the member has just proved who it is.
    """
    cursor = await conn.execute(
        """
        update session set digest = %(digest)s, stage = 'open',
            authenticated_at = coalesce(%(authenticated_at)s::timestamptz, authenticated_at)
        where id = %(session)s returning id
        """,
        {"digest": token_digest, "authenticated_at": authenticated_at, "session": session_id},
    )
    return await cursor.fetchone() is not None


async def lock_session(conn: Connection, session_id: UUID) -> bool:
    """Locks a session until the transaction ends. False if there is no such session."""
    cursor = await conn.execute("select id from session where id = %s for key share", [session_id])
    return await cursor.fetchone() is not None


async def sessions_of(conn: Connection, member_id: UUID, now: datetime, idle: timedelta) -> list[SessionRow]:
    """A member's open sessions, the most recently used first."""
    cursor = await conn.execute(
        """
        select id, created_at, last_seen_at, ip_address, user_agent from session
        where member_id = %(member)s and stage = 'open' and last_seen_at > %(now)s - %(idle)s::interval
            and created_at > %(now)s - %(longest)s::interval
        order by last_seen_at desc, created_at desc, id
        """,
        {"member": member_id, "now": now, "idle": idle, "longest": LONGEST},
    )
    return [SessionRow(*row) for row in await cursor.fetchall()]


async def sign_out(conn: Connection, member_id: UUID, session_id: UUID, stamp: str) -> bool:
    """Ends the session that a member leaves. False if the member had no such session."""
    cursor = await conn.execute(
        """
        with s as (delete from session where id = %(session)s and member_id = %(member)s returning member_id)
        select audit(%(stamp)s, m.organisation_id, 'member.sign-out', m.id::text, null, null)
        from s join member m on m.id = s.member_id
        """,
        {"session": session_id, "member": member_id, "stamp": stamp},
    )
    return await cursor.fetchone() is not None


async def end_other_sessions(conn: Connection, member_id: UUID, but: UUID | None) -> None:
    """Ends all sessions of a member but one; all of them for None.

    This is a statement of its own, after the one that changed the member, so that it sees what that one had to wait
    for.
    """
    await conn.execute(
        "delete from session where member_id = %(member)s and (%(but)s::uuid is null or id <> %(but)s)",
        {"member": member_id, "but": but},
    )


async def end_sessions_of_organisation(conn: Connection, organisation_id: UUID) -> None:
    """Ends the sessions of all members of an organisation."""
    await conn.execute(
        "delete from session s using member m where m.id = s.member_id and m.organisation_id = %s", [organisation_id]
    )


async def record_authentication(conn: Connection, session_id: UUID, now: datetime) -> bool:
    """Records that the member has proved again who it is. False if the session has ended."""
    cursor = await conn.execute(
        "update session set authenticated_at = %s where id = %s and stage = 'open' returning id", [now, session_id]
    )
    return await cursor.fetchone() is not None


async def end_all_sessions(conn: Connection) -> None:
    """Ends the sessions of all members: some of a restored database had ended already."""
    await conn.execute("delete from session")


async def delete_stale(conn: Connection, now: datetime, idle: timedelta) -> None:
    """Deletes the sessions that no cookie can open any more."""
    await conn.execute(
        """
        delete from session where last_seen_at <= %(now)s - %(idle)s::interval
            or created_at <= %(now)s - %(longest)s::interval
        """,
        {"now": now, "idle": idle, "longest": LONGEST},
    )
