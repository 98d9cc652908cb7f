"""SQL of the sessions of an organisation's members, as pages and commands show them. `idle`: how long a session lasts
without being used.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.access.actor import Role
from tonnage.authentication.session import LONGEST
from tonnage.db import Connection
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.email_address import email_search
from tonnage.keyset import Sort, text, timestamptz, uuid
from tonnage.lists import (
    ListSpec,
    ListState,
    PageOf,
    page_columns,
    page_ctes,
    page_of,
    page_order,
    page_params,
    sort_columns,
)


class MemberSession(NamedTuple):
    """An open session, and whose it is."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    """To the minute."""
    ip_address: str
    user_agent: str
    member_id: UUID
    email: str
    name: str | None
    role: Role


_SORTS: Mapping[str, Sort] = {
    "used": (timestamptz("s.last_seen_at"), uuid("s.id")),
    "since": (timestamptz("s.created_at"), uuid("s.id")),
    "member": (text("coalesce(m.name_key, '')"), text('m.email_key collate "C"'), uuid("s.id")),
}

SESSIONS = ListSpec(sorts=_SORTS, descending_by_default=frozenset({"used", "since"}))
"""The sorts of the list of sessions."""

_SEARCHED: LiteralString = """
    and (strpos(m.email_key, %(email_key)s) > 0 or strpos(m.email, %(email_text)s) > 0
        or strpos(m.name_key, %(search_key)s) > 0)"""

_SESSION: LiteralString = """
    s.id, s.created_at, s.last_seen_at, s.ip_address, s.user_agent, m.id as member_id, m.email, m.name, m.role"""

# The conditions are those of `find_session`: others open nothing.
_OPEN: LiteralString = """
    member m join organisation o on o.id = m.organisation_id join session s on s.member_id = m.id
    where m.organisation_id = %(organisation)s and m.locked_at is null and o.locked_at is null
        and o.closed_at is null and s.stage = 'open' and s.last_seen_at > %(now)s - %(idle)s::interval
        and s.created_at > %(now)s - %(longest)s::interval"""


def _params(organisation_id: UUID, now: datetime, idle: timedelta) -> dict[str, object]:
    return {"organisation": organisation_id, "now": now, "idle": idle, "longest": LONGEST}


async def session_rows(
    conn: Connection, organisation_id: UUID, now: datetime, idle: timedelta, state: ListState
) -> PageOf[MemberSession]:
    """A page of the open sessions of an organisation's members. The search covers their names and addresses."""
    sort = state.sort_columns
    cursor = await conn.execute(
        f"""
        with found as materialized (
            select {_SESSION}, {sort_columns(sort)} from {_OPEN} {_SEARCHED if state.search else ""}
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, f.id, f.created_at, f.last_seen_at, f.ip_address, f.user_agent, f.member_id,
            f.email, f.name, f.role
        from counted left join chosen f on true order by {page_order(state, sort)}
        """,
        {**_params(organisation_id, now, idle), **email_search(state.search), **page_params(state)},
    )
    return page_of(await cursor.fetchall(), state, _session)


async def find_member_session(
    conn: Connection, organisation_id: UUID, session_id: UUID, now: datetime, idle: timedelta
) -> MemberSession | None:
    """An open session of one of the organisation's members."""
    cursor = await conn.execute(
        f"select {_SESSION} from {_OPEN} and s.id = %(session)s",
        {**_params(organisation_id, now, idle), "session": session_id},
    )
    row = await cursor.fetchone()
    return _session(*row) if row else None


async def session_documents(conn: Connection, organisation_id: UUID, now: datetime, idle: timedelta) -> list[bytes]:
    """The open sessions of an organisation's members as JSON, the last used first, for the command line."""
    cursor = await conn.execute(
        f"""
        select json_build_object(
            'id', s.id, 'member', m.email, 'signedInAt', to_char(s.created_at, {TIMESTAMP_FORMAT}),
            'lastUsedAt', to_char(s.last_seen_at, {TIMESTAMP_FORMAT}), 'address', s.ip_address,
            'userAgent', s.user_agent)
        from {_OPEN} order by s.last_seen_at desc, s.id
        """,
        _params(organisation_id, now, idle),
    )
    return [document for (document,) in await cursor.fetchall()]


def _session(*columns: object) -> MemberSession:
    row = MemberSession._make(columns)
    return row._replace(role=Role(row.role))
