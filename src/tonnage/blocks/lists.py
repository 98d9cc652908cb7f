"""SQL of blocks as pages and commands show them. A block is in force while `now` is before its end."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.authentication.throttling import MOST_AT_ADDRESS
from tonnage.blocks.block import Block
from tonnage.db import Connection
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.email_address import email_search
from tonnage.keyset import Sort, bigint, text, timestamptz, uuid
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

_SORTS: Mapping[str, Sort] = {
    "since": (timestamptz("b.since"), uuid("b.id")),
    "until": (timestamptz("b.until"), uuid("b.id")),
    "failures": (bigint("b.failures"), uuid("b.id")),
    "member": (text("coalesce(m.name_key, '')"), text("coalesce(m.email_key, '') collate \"C\""), uuid("b.id")),
}

BLOCKS = ListSpec(
    sorts=_SORTS, filters=("members", "clients"), descending_by_default=frozenset({"since", "until", "failures"})
)
"""The sorts and filters of the list of blocks."""

# The millionth is the rounding error of a sum of fractions, as where failures are counted.
PRESENT: LiteralString = """
    select id, kind, network, member_id, ceil(failures - 0.000001)::bigint as failures, last_failed_at as since,
        blocked_until as until
    from sign_in_throttle where blocked_until > %(now)s
    union all
    select id, 'address', null, member_id, failures, coalesce(last_failed_at, hour), hour + interval '1 hour'
    from sign_in_failures where hour > %(now)s - interval '1 hour' and failures >= %(most)s"""
"""The blocks that are in force, of everybody. Parameters: see `present_params`."""

VISIBLE: LiteralString = """
    b left join member m on m.id = b.member_id left join organisation o on o.id = m.organisation_id
    where (%(scope)s::uuid is null or %(scope)s in (o.id, o.parent_id))"""
"""After `from` and the blocks: those in scope. The operator's scope (None) has those of clients, too."""

_SEARCHED: LiteralString = """
    and (strpos(m.email_key, %(email_key)s) > 0 or strpos(m.email, %(email_text)s) > 0
        or strpos(m.name_key, %(search_key)s) > 0 or strpos(o.name_key, %(search_key)s) > 0
        or starts_with(b.network, %(network)s))"""

_FILTERS: Mapping[str, LiteralString] = {
    "": "",
    "members": "and b.member_id is not null",
    "clients": "and b.member_id is null",
}

_BLOCK: LiteralString = """
    b.id, b.kind, b.network, b.failures, b.since, b.until, m.id as member_id, m.email, m.name,
    o.id as organisation_id, o.name as organisation"""


def present_params(scope: UUID | None, now: datetime) -> dict[str, object]:
    """The parameters of `PRESENT` and `VISIBLE`."""
    return {"scope": scope, "now": now, "most": MOST_AT_ADDRESS}


def _blocks(scope: UUID | None, state: ListState) -> LiteralString:
    """Finds members for all rows only if the state needs them, else for those of the page."""
    sort = state.sort_columns
    joined = scope or state.search or state.sort == "member"
    return f"""
        with present as ({PRESENT}), found as materialized (
            select b.*, {sort_columns(sort)} from present {VISIBLE if joined else "b where true"}
                {_FILTERS[state.filter]} {_SEARCHED if state.search else ""}
        ), {page_ctes(state, sort)}
        select {page_columns(state, sort)}, {_BLOCK}
        from counted left join (
            chosen b
            left join lateral (select * from member where id = b.member_id offset 0) m on true
            left join lateral (select * from organisation where id = m.organisation_id offset 0) o on true
        ) on true
        order by {page_order(state, sort)}
        """


async def block_rows(conn: Connection, scope: UUID | None, now: datetime, state: ListState) -> PageOf[Block]:
    """A page of the blocks of an organisation's members and of its partners' members; of everybody for None.

    The search covers members' names and addresses, organisations' names, and the beginning of a client's network.
    """
    cursor = await conn.execute(
        _blocks(scope, state),
        {
            **present_params(scope, now),
            "network": state.search,
            **email_search(state.search),
            **page_params(state),
        },
    )
    return page_of(await cursor.fetchall(), state, Block)


async def find_block(conn: Connection, scope: UUID | None, block_id: UUID, now: datetime) -> Block | None:
    """A block that is in force and in scope."""
    cursor = await conn.execute(
        f"with present as ({PRESENT}) select {_BLOCK} from present {VISIBLE} and b.id = %(block)s",
        {**present_params(scope, now), "block": block_id},
    )
    row = await cursor.fetchone()
    return Block(*row) if row else None


async def block_documents(conn: Connection, scope: UUID | None, now: datetime) -> list[bytes]:
    """The blocks in scope as JSON, the latest first, for the command line."""
    cursor = await conn.execute(
        f"""
        with present as ({PRESENT})
        select json_strip_nulls(json_build_object(
            'id', b.id, 'kind', b.kind, 'network', b.network, 'member', m.email, 'organisation', o.name,
            'failures', b.failures, 'since', to_char(b.since, {TIMESTAMP_FORMAT}),
            'until', to_char(b.until, {TIMESTAMP_FORMAT})))
        from present {VISIBLE} order by b.since desc, b.id
        """,
        present_params(scope, now),
    )
    return [document for (document,) in await cursor.fetchall()]
