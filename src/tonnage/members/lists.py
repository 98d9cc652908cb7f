"""SQL of members as pages show them: the operator's list of all members."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.access.actor import Kind, Role
from tonnage.db import Connection
from tonnage.email_address import email_search
from tonnage.keyset import Sort, bigint, by_name, text, timestamptz, uuid
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


class MemberRow(NamedTuple):
    """A member and its organisation."""

    id: UUID
    name: str | None
    email: str
    role: Role
    has_second_factor: bool
    created_at: datetime
    last_seen: datetime | None
    """When it last signed in."""
    locked_at: datetime | None
    organisation_id: UUID
    organisation: str
    kind: Kind


_SORTS: Mapping[str, Sort] = {
    "created": (bigint("m.seq"),),
    "email": (text('m.email_key collate "C"'),),
    "name": (
        text("coalesce(m.name_key, '')"),
        text("coalesce(m.name, '') collate \"C\""),
        uuid("m.id"),
    ),
    "organisation": (*by_name("o"), bigint("m.seq")),
    "role": (bigint("array_position(array['viewer', 'staff', 'admin'], m.role)"), bigint("m.seq")),
    "seen": (timestamptz("coalesce(m.last_signed_in_at, '-infinity')"), bigint("m.seq")),
}

MEMBERS = ListSpec(
    sorts=_SORTS,
    filters=tuple(kind.value for kind in Kind),
    descending_by_default=frozenset({"created", "seen"}),
)
"""The sorts and filters of the list of all members."""

_SEARCHED: LiteralString = """
    and (strpos(m.email_key, %(email_key)s) > 0 or strpos(m.email, %(email_text)s) > 0
        or strpos(m.name_key, %(search_key)s) > 0
        or m.organisation_id in (select id from organisation where strpos(name_key, %(search_key)s) > 0))"""


def _members(state: ListState) -> LiteralString:
    """Joins organisations only if the state needs them, since the join takes longer than all the rest. No member
    belongs to a closed organisation: members are deleted when it closes.
    """
    sort = state.sort_columns
    joined = state.filter or state.sort == "organisation"
    return f"""
        with found as {"materialized" if state.search else "not materialized"} (
            select m.id, {sort_columns(sort)}
            from member m {"join organisation o on o.id = m.organisation_id" if joined else ""}
            where true
                {"and o.kind = %(kind)s" if state.filter else ""}
                {_SEARCHED if state.search else ""}
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, m.id, m.name, m.email, m.role, m.second_factor_enabled_at is not null,
            m.created_at, m.last_signed_in_at, m.locked_at, o.id, o.name, o.kind
        from counted left join (
            chosen f
            join lateral (select * from member where id = f.id offset 0) m on true
            join lateral (select * from organisation where id = m.organisation_id offset 0) o on true
        ) on true
        order by {page_order(state, sort)}
        """


async def member_rows(conn: Connection, state: ListState) -> PageOf[MemberRow]:
    """A page of the members of all organisations, for the operator.

    The search covers names, addresses and the names of organisations.
    """
    params = {
        "kind": state.filter,
        **email_search(state.search),
        **page_params(state),
    }
    cursor = await conn.execute(_members(state), params)
    return page_of(await cursor.fetchall(), state, _member_row)


def _member_row(*columns: object) -> MemberRow:
    row = MemberRow._make(columns)
    return row._replace(role=Role(row.role), kind=Kind(row.kind))
