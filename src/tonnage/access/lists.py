"""SQL of the audit log.

Each entry stores its organisation and that organisation's parent. So the latest entries of a distributor and all its
partners are at the ends of two indexes, however many partners there are.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any, LiteralString
from uuid import UUID

from tonnage.access.audit import AuditEntry, AuditFilter, AuditPosition
from tonnage.db import Connection, ListQuery, one_row, streamed
from tonnage.email_address import email_search
from tonnage.names import name_key

_MOST_NAMED = 500
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_FROM_MEMBER: LiteralString = "coalesce(m.name, m.email)"
_FROM_KEY: LiteralString = "k.description || ' (' || k.prefix || '…)'"

_DISCLOSED: LiteralString = "%(scope)s::uuid is null or %(scope)s in (ao.id, ao.parent_id)"

# The actor's identity and address, beyond its organisation, are shown only to readers who may see that organisation. An
# address without an actor's organisation is that of a stranger, who tried something at one of the reader's members. The
# id of a subject is only compared where it can be one: others are numbers, or names of regions.
_SHOWN: LiteralString = f"""
    select a.id, a.at, a.actor_kind, a.actor_id,
        case when {_DISCLOSED} then coalesce(
            (select {_FROM_MEMBER} from member m where m.id = a.actor_id and a.actor_kind = 'member'),
            (select {_FROM_KEY} from api_key k where k.id = a.actor_id and a.actor_kind = 'key')) end,
        ao.name, a.organisation_id, o.name, a.action, a.subject_id,
        coalesce(
            (select name from organisation where id = s.id),
            (select {_FROM_MEMBER} from member m where m.id = s.id),
            (select {_FROM_KEY} from api_key k where k.id = s.id)),
        a.before, a.after,
        case when ao.id is null or {_DISCLOSED} then host(c.address) end, c.request_id
    from chosen a
    left join audit_entry_client c on c.entry_id = a.id
    left join organisation o on o.id = a.organisation_id
    left join organisation ao on ao.id = a.actor_organisation_id
    cross join lateral (
        select case when a.subject_id ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'
            then a.subject_id::uuid end as id offset 0) s
    order by a.id desc"""


async def audit_entries(
    conn: Connection, scope: UUID | None, wanted: AuditFilter, position: AuditPosition, limit: int
) -> list[AuditEntry]:
    """The newest entries first: the `limit` entries at the position.

    Entries of `scope` and its partners; all entries for None.
    """
    cursor = await conn.execute(_statement(scope, wanted, position), _params(scope, wanted, position, limit))
    return [AuditEntry(*row) for row in await cursor.fetchall()]


async def every_audit_entry(conn: Connection, scope: UUID | None, wanted: AuditFilter) -> AsyncGenerator[AuditEntry]:
    """All matching entries, for a file. For the connection see `db.streamed`."""
    newest = AuditPosition()
    rows = streamed(conn, _statement(scope, wanted, newest), _params(scope, wanted, newest, None))
    try:
        async for row in rows:
            yield AuditEntry(*row)
    finally:
        await rows.aclose()


async def find_entry(conn: Connection, scope: UUID | None, entry_id: int) -> AuditEntry | None:
    """One entry, with what may be disclosed to `scope`: see `audit_entries`. The caller knows that it may be read."""
    statement: LiteralString = f"with chosen as (select * from audit_entry where id = %(entry)s) {_SHOWN}"
    row = await (await conn.execute(statement, {"scope": scope, "entry": entry_id})).fetchone()
    return AuditEntry(*row) if row else None


async def ids_by_name(conn: Connection, scope: UUID | None, text: str) -> list[str]:
    """The ids of the organisations, members and keys whose names contain the text; at most 500 of each.

    Of `scope` and its partners, or of all organisations for None; closed organisations too.
    """
    cursor = await conn.execute(
        """
        with o as materialized (
            select id, seq, name_key from organisation where %(scope)s::uuid is null or %(scope)s in (id, parent_id)
        )
        (select o.id::text from o where strpos(o.name_key, %(search_key)s) > 0 order by o.seq desc limit %(most)s)
        union all
        (select m.id::text from member m join o on o.id = m.organisation_id
         where strpos(m.name_key, %(search_key)s) > 0 or strpos(m.email_key, %(email_key)s) > 0
            or strpos(m.email, %(email_text)s) > 0
         order by m.seq desc limit %(most)s)
        union all
        (select k.id::text from api_key k join o on o.id = k.organisation_id
         where strpos(k.name_key, %(search_key)s) > 0 or starts_with(k.prefix, %(text)s)
         order by k.seq desc limit %(most)s)
        """,
        {
            "scope": scope,
            "text": text,
            "search_key": name_key(text),
            **email_search(text),
            "most": _MOST_NAMED,
        },
    )
    return [found for (found,) in await cursor.fetchall()]


def _params(scope: UUID | None, wanted: AuditFilter, position: AuditPosition, limit: int | None) -> dict[str, Any]:
    return {
        "scope": scope,
        "since": wanted.since,
        "until": wanted.until,
        "action": wanted.action,
        "actor": wanted.actor_id,
        "subject": wanted.subject_id,
        "about": list(wanted.about or ()),
        "actors": [text for text in wanted.about or () if _UUID.fullmatch(text)],
        "entry": position.entry,
        "limit": limit,
        "most": _MOST_NAMED,
    }


def _statement(scope: UUID | None, wanted: AuditFilter, position: AuditPosition) -> LiteralString:
    """The statement with only the conditions that the filter needs, so that the planner can choose the right index."""
    conditions: list[LiteralString] = ["true"]
    if position.entry is not None:
        conditions.append(f"a.id {'>' if position.is_newer else '<'} %(entry)s")
    if wanted.since:
        conditions.append("a.at >= %(since)s")
    if wanted.until:
        conditions.append("a.at < %(until)s")
    if wanted.action:
        conditions.append("(a.action = %(action)s or starts_with(a.action, %(action)s || '.'))")
    if wanted.actor_id:
        conditions.append("a.actor_id = %(actor)s")
    if wanted.subject_id:
        conditions.append("a.subject_id = %(subject)s")
    if wanted.about is not None:
        conditions.append(
            """(a.subject_id = any(%(about)s) or a.actor_id = any(%(actors)s::uuid[]) or a.id = any(array(
                select c.entry_id from audit_entry_client c join audit_entry b on b.id = c.entry_id
                where c.request_id = any(%(about)s)
                    and (%(scope)s::uuid is null or %(scope)s in (b.organisation_id, b.parent_id))
                order by c.entry_id desc limit %(most)s)))"""
        )
    order = "asc" if position.is_newer else "desc"
    return f"with chosen as ({_nearest(scope, ' and '.join(conditions), order, 'limit')}) {_SHOWN}"


def _nearest(scope: UUID | None, matching: LiteralString, order: LiteralString, limit: LiteralString) -> LiteralString:
    """The first rows `a` of the scope that match, newest first (`desc`) or oldest first. `limit` is the name of the
    parameter with their number.
    """
    if scope is None:
        return f"select * from audit_entry a where {matching} order by a.id {order} limit %({limit})s"
    return f"""
        (select * from audit_entry a where a.organisation_id = %(scope)s and {matching}
         order by a.id {order} limit %({limit})s)
        union all
        (select * from audit_entry a where a.parent_id = %(scope)s and {matching}
         order by a.id {order} limit %({limit})s)
        order by id {order} limit %({limit})s"""


_ENTRY = """json_strip_nulls(json_build_object(
    'id', a.id, 'at', to_char(a.at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'actor', a.actor_kind,
    'actorId', a.actor_id, 'organisationId', a.organisation_id, 'action', a.action, 'subjectId', a.subject_id,
    'before', a.before, 'after', a.after, 'address', host(c.address), 'requestId', c.request_id))"""


def latest_audit(organisation_id: UUID | None, newest: int) -> ListQuery:
    """The list of the `newest` last entries, oldest first, for an organisation and its children; for all organisations
    for None.

    Includes the entries of closed organisations.
    """
    return ListQuery(
        f"""
        select coalesce(a.id, 0), case when a.id is not null then {_ENTRY} end
        from (select where %(scope)s::uuid is null
              or exists (select from organisation where id = %(scope)s)) as known
        left join ({_nearest(organisation_id, "true", "desc", "newest")}) a
            on %(after)s::bigint is null or a.id > %(after)s
        left join audit_entry_client c on c.entry_id = a.id
        order by a.id limit %(limit)s
        """,
        {"scope": organisation_id, "newest": newest},
    )


async def entries_of(conn: Connection, actions: Sequence[str], after: int) -> tuple[list[tuple[str, str, Any]], int]:
    """Action, subject and what was before, of the entries of these actions after the entry `after`; and the number of
    the last entry."""
    (last,) = await one_row(await conn.execute("select coalesce(max(id), 0) from audit_entry"))
    cursor = await conn.execute(
        "select action, subject_id, before from audit_entry where id > %s and action = any(%s)", [after, list(actions)]
    )
    return await cursor.fetchall(), last
