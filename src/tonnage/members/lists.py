"""SQL of members as pages show them: the operator's list of all members."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.access.actor import Kind, Role
from tonnage.db import Connection
from tonnage.web.table import Choices, Listed, Wanted, in_order, listed, on_page, picked

MEMBERS = Choices(
    sorts=("created", "email", "name", "organisation", "role", "seen"),
    filters=tuple(kind.value for kind in Kind),
    falling=frozenset({"created", "seen"}),
)
"""What may be asked of the list of all members."""


class MemberRow(NamedTuple):
    """A member and where it belongs."""

    id: UUID
    name: str | None
    email: str
    role: Role
    has_second_factor: bool
    created_at: datetime
    last_seen: datetime | None
    """When it last signed in."""
    organisation_id: UUID
    organisation: str
    kind: Kind


_SORTS: Mapping[str, LiteralString] = {
    "created": "m.seq",
    "email": "m.email_key",
    "name": "lower(m.name)",
    "organisation": "o.name_key",
    "role": "array_position(array['viewer', 'staff', 'admin'], m.role)",
    "seen": "coalesce(m.signed_in_at, '-infinity')",
}


_SEARCHED: LiteralString = """
    and (strpos(m.email_key, lower(%(search)s)) > 0 or strpos(lower(m.name), lower(%(search)s)) > 0
        or m.organisation_id in (select id from organisation where strpos(name_key, lower(%(search)s)) > 0))"""


def _members(scope: UUID | None, wanted: Wanted) -> LiteralString:
    """Organisations are joined only where they matter, since they take longer than all the rest. None is closed: its
    members went with it.
    """
    joined = scope or wanted.filter or wanted.sort == "organisation"
    return f"""
        with found as {"materialized" if wanted.search else "not materialized"} (
            select m.id, m.seq, {_SORTS[wanted.sort]} as key
            from member m {"join organisation o on o.id = m.organisation_id" if joined else ""}
            where true
                {"and %(scope)s in (o.id, o.parent_id)" if scope else ""}
                {"and o.kind = %(kind)s" if wanted.filter else ""}
                {_SEARCHED if wanted.search else ""}
        ), {picked(wanted, "key", "seq")}
        select n, m.id, m.name, m.email, m.role, m.factor_since is not null, m.created_at, m.signed_in_at,
            o.id, o.name, o.kind
        from counted left join (
            chosen f
            join lateral (select * from member where id = f.id offset 0) m on true
            join lateral (select * from organisation where id = m.organisation_id offset 0) o on true
        ) on true
        order by {in_order(wanted, "f.key", "f.seq")}
        """


async def members_of_scope(conn: Connection, scope: UUID | None, wanted: Wanted) -> Listed[MemberRow]:
    """A page of the members of an organisation and of its partners; of all organisations for None.

    Searched are names, addresses and the names of organisations.
    """
    params = {"scope": scope, "kind": wanted.filter, **on_page(wanted)}
    cursor = await conn.execute(_members(scope, wanted), params)
    return listed(await cursor.fetchall(), _member_row)


def _member_row(*columns: object) -> MemberRow:
    row = MemberRow._make(columns)
    return row._replace(role=Role(row.role), kind=Kind(row.kind))
