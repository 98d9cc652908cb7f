"""Lists of what has reached a level: the highest level of each account, partner and contract."""

from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.alerts.alert_level import AlertSubject
from tonnage.db import Connection, ListQuery
from tonnage.db.rendered import TIMESTAMP_FORMAT

_HIGHEST: LiteralString = """
    (%(scope)s::uuid is null or %(scope)s in (o.id, o.parent_id)) and not exists (
        select from alert h where h.level > a.level and h.of_cap = a.of_cap
            and (h.account_id = a.account_id or h.partner_id = a.partner_id or h.contract_id = a.contract_id))"""

_FROM: LiteralString = """
    alert a join organisation o on o.id = a.organisation_id
    left join storage_account s on s.id = a.account_id
    left join contract k on k.id = a.contract_id"""

_OF: LiteralString = "case when a.of_cap then 'overdraft_cap' else 'capacity' end"

_SUBJECT: LiteralString = """case when a.account_id is not null then 'account'
    when a.partner_id is not null then 'partner' else 'contract' end"""

_ALERT: LiteralString = f"""json_strip_nulls(json_build_object(
    'subject', {_SUBJECT}, 'subjectId', coalesce(a.account_id::text, a.partner_id::text, a.contract_id::text),
    'name', coalesce(s.name, k.details, case when a.partner_id is not null then o.name end),
    'organisationId', a.organisation_id, 'of', {_OF}, 'level', a.level,
    'crossedAt', to_char(a.crossed_at, {TIMESTAMP_FORMAT}), 'used', a.used, 'capacity', a.capacity))"""


def alerts_of(scope: UUID | None) -> ListQuery:
    """What has reached a level, in the order in which it did: of an organisation and its partners; None: of all."""
    return ListQuery(
        f"""
        select a.seq, {_ALERT} from {_FROM}
        where {_HIGHEST} and (%(after)s::bigint is null or a.seq > %(after)s) order by a.seq limit %(limit)s
        """,
        {"scope": scope},
    )


class AlertRow(NamedTuple):
    """Something that has reached a level."""

    seq: int
    subject: AlertSubject
    subject_id: str
    name: str
    organisation_id: UUID
    organisation: str
    level: int
    crossed_at: datetime
    used: int
    """When it was crossed."""
    capacity: int
    """Likewise."""
    of_cap: bool
    """Of the cap of its overdraft or pay-per-use: what is used beyond its allocation."""


async def alert_rows(conn: Connection, scope: UUID | None, before: int | None, most: int) -> list[AlertRow]:
    """The newest first, of those before a row."""
    cursor = await conn.execute(
        f"""
        select a.seq, {_SUBJECT}, coalesce(a.account_id::text, a.partner_id::text, a.contract_id::text),
            coalesce(s.name, k.details, o.name), o.id, o.name, a.level, a.crossed_at,
            a.used::bigint, a.capacity::bigint, a.of_cap
        from {_FROM} where {_HIGHEST} and (%(before)s::bigint is null or a.seq < %(before)s)
        order by a.seq desc limit %(most)s
        """,
        {"scope": scope, "before": before, "most": most},
    )
    return [AlertRow(row[0], AlertSubject(row[1]), *row[2:]) for row in await cursor.fetchall()]


async def counts_by_level(conn: Connection) -> list[tuple[str, int, int]]:
    """What has reached a level of its capacity now, of everybody: subject, level, number."""
    cursor = await conn.execute(
        f"select {_SUBJECT} as subject, level, count(*) from alert a where not of_cap group by 1, 2 order by 1, 2"
    )
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]
