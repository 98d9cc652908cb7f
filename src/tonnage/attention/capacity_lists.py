"""SQL of what needs a person because of its capacity: beyond it, at an alert level, or growing."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from tonnage.access.actor import Kind
from tonnage.accounts.queries import EFFECTIVE
from tonnage.attention.attention import FULL_SOON, JUST_REACHED, SOON, Attention, AttentionReader, AttentionRow, rounded
from tonnage.attention.lists import found, read
from tonnage.db import Connection
from tonnage.errors import Sentence
from tonnage.partners.lists import OVER, FullPartners
from tonnage.partners.queries import EFFECTIVE as EFFECTIVE_OF_PARTNER
from tonnage.usage.lists import has_few_partners, top_movers
from tonnage.usage.top_movers import COMPARED_DAYS

_PARTNERS: Mapping[Kind, LiteralString] = {
    Kind.OPERATOR: "true",
    Kind.DISTRIBUTOR: "p.distributor_id = %(scope)s",
    Kind.PARTNER: "p.id = %(scope)s",
}
"""The partners `p` whose capacity is the reader's business."""

_MOST_EXCESS: LiteralString = "(f.used - f.capacity)::float8 desc, f.id"


async def partners_over(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """Partners that use more than their allocation, the largest excess first; for a partner itself."""
    sql = found(
        f"""
        select p.id, p.distributor_id, p.used, {EFFECTIVE_OF_PARTNER} as capacity from partner p
        where p.closed_at is null and {OVER} and {_PARTNERS[reader.kind]}
        """,
        _MOST_EXCESS,
        """f.id::text, o.name, f.id, d.name, f.used, f.capacity,
            (select min(a.crossed_at) from alert a where a.partner_id = f.id and not a.of_cap and a.level >= 100)""",
        "join organisation o on o.id = f.id join organisation d on d.id = f.distributor_id",
    )
    return await read(conn, sql, {"scope": reader.scope, "most": most}, _over)


async def among_full(conn: Connection, full: FullPartners, most: int) -> Attention:
    """The same, the fullest first, of what an overview has counted already: reading all partners twice would take as
    long again."""
    first = [one for one in full.fullest if one.used > one.allocated][:most]
    cursor = await conn.execute(
        """
        select partner_id, min(crossed_at) from alert where partner_id = any(%s) and not of_cap and level >= 100
        group by partner_id
        """,
        [[one.id for one in first]],
    )
    since = dict(await cursor.fetchall())
    rows = [
        AttentionRow(
            str(one.id), one.name, one.id, one.distributor, _over((one.used, one.allocated, since.get(one.id)))
        )
        for one in first
    ]
    return Attention(full.over, rows)


async def contracts_over(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """Contracts whose partners use more than they reserve, the largest excess first."""
    of_scope: LiteralString = "" if reader.scope is None else "and k.distributor_id = %(scope)s"
    sql = found(
        f"""
        select k.id, k.details, k.distributor_id, k.used, k.reserved_capacity as capacity from contract k
        where k.closed_at is null and k.reserved_capacity > 0 and k.used > k.reserved_capacity {of_scope}
        """,
        _MOST_EXCESS,
        """f.id::text, coalesce(f.details, left(f.id::text, 8)), f.distributor_id, d.name, f.used, f.capacity,
            (select min(a.crossed_at) from alert a where a.contract_id = f.id and a.level >= 100)""",
        "join organisation d on d.id = f.distributor_id",
    )
    return await read(conn, sql, {"scope": reader.scope, "most": most}, _over)


async def accounts_over(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """A partner's storage accounts that use more than their allocation, the largest excess first."""
    sql = found(
        f"""
        select s.id, s.name, s.partner_id, u.used, {EFFECTIVE} as capacity
        from storage_account s join account_usage u on u.account_id = s.id
        where s.partner_id = %(partner)s and s.purged_at is null
            and s.allocated_capacity > 0 and u.used > {EFFECTIVE}
        """,
        _MOST_EXCESS,
        """f.id::text, f.name, f.partner_id, '', f.used, f.capacity,
            (select min(a.crossed_at) from alert a where a.account_id = f.id and not a.of_cap and a.level >= 100)""",
    )
    return await read(conn, sql, {"partner": reader.organisation_id, "most": most}, _over)


def _over(values: Sequence[Any]) -> Sentence:
    used, capacity, since = values
    sizes = {"excess": rounded(used - capacity), "capacity": rounded(capacity)}
    if since is None:
        return Sentence("{excess} more than its {capacity}", **sizes)
    return Sentence("{excess} more than its {capacity}, since {since}", since=since.date(), **sizes)


_FORECAST: Mapping[Kind, tuple[LiteralString, LiteralString, LiteralString]] = {
    Kind.OPERATOR: (
        "contract k join organisation o on o.id = k.distributor_id",
        "k.id = f.contract_id and k.closed_at is null and k.reserved_capacity = f.capacity",
        "k.id::text as id, coalesce(k.details, left(k.id::text, 8)) as name, o.id as organisation_id, o.name as whose",
    ),
    Kind.DISTRIBUTOR: (
        "partner p join organisation o on o.id = p.id",
        "p.id = f.partner_id and p.closed_at is null and p.allocated_capacity = f.capacity",
        "p.id::text as id, o.name, p.id as organisation_id, '' as whose",
    ),
    Kind.PARTNER: (
        "storage_account s",
        "s.id = f.account_id and s.purged_at is null and s.allocated_capacity = f.capacity",
        "s.id::text as id, s.name, s.partner_id as organisation_id, '' as whose",
    ),
}
"""What the reader has given a capacity, which a forecast `f` counts for as long as it is that capacity."""


async def full_soon(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """What is likely full within some weeks, the first one first: of an operator its contracts, of a distributor its
    partners, of a partner its storage accounts."""
    table, same, columns = _FORECAST[reader.kind]
    sql = found(
        f"""
        select {columns}, f.earliest, f.likely, f.latest, f.capacity from forecast f join {table} on {same}
        where f.seller_id = %(seller)s and f.likely <= %(until)s
        """,
        "f.likely, f.id",
        "f.id, f.name, f.organisation_id, f.whose, f.earliest, f.likely, f.latest, f.capacity",
    )
    until = reader.today + FULL_SOON
    return await read(conn, sql, {"seller": reader.organisation_id, "until": until, "most": most}, _full)


def _full(values: Sequence[Any]) -> Sentence:
    earliest, likely, latest, capacity = values
    days = {"capacity": rounded(capacity), "earliest": earliest, "likely": likely}
    if latest is None:
        return Sentence("Its {capacity} are full on {earliest} at the earliest, likely on {likely}", **days)
    return Sentence(
        "Its {capacity} are full between {earliest} and {latest}, likely on {likely}", latest=latest, **days
    )


_ALERTED_PARTNERS: Mapping[Kind, LiteralString] = {
    Kind.OPERATOR: "a.partner_id is not null",
    Kind.DISTRIBUTOR: """a.partner_id is not null
        and (select p.distributor_id from partner p where p.id = a.partner_id) = %(scope)s""",
    Kind.PARTNER: "a.partner_id = %(scope)s",
}


async def partner_alerts(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """Partners that have reached an alert level below their allocation; for a partner itself."""
    sql = _alerts(
        _ALERTED_PARTNERS[reader.kind],
        "h.partner_id = a.partner_id",
        "f.partner_id::text, o.name, f.partner_id, d.name",
        "join organisation o on o.id = f.partner_id left join organisation d on d.id = o.parent_id",
    )
    return await _alerted(conn, sql, reader, most)


async def contract_alerts(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """Contracts that have reached an alert level below what they reserve."""
    of_scope: LiteralString = "" if reader.scope is None else "and a.organisation_id = %(scope)s"
    sql = _alerts(
        f"a.contract_id is not null {of_scope}",
        "h.contract_id = a.contract_id",
        "f.contract_id::text, coalesce(k.details, left(k.id::text, 8)), o.id, o.name",
        "join contract k on k.id = f.contract_id join organisation o on o.id = k.distributor_id",
    )
    return await _alerted(conn, sql, reader, most)


async def account_alerts(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """A partner's storage accounts that have reached an alert level below their allocation."""
    sql = _alerts(
        "a.account_id is not null and a.organisation_id = %(scope)s",
        "h.account_id = a.account_id",
        "f.account_id::text, s.name, s.partner_id, ''",
        "join storage_account s on s.id = f.account_id",
    )
    return await _alerted(conn, sql, reader, most)


def _alerts(of: LiteralString, same: LiteralString, columns: LiteralString, joins: LiteralString) -> LiteralString:
    """What has reached a level in the last days, each with its highest one, the newest first. What is at 100 % is over
    its capacity, which another list has."""
    rows: LiteralString = f"""
        select a.* from alert a where a.crossed_at > %(since)s and a.level < 100 and not a.of_cap
            and {of} and (select max(h.level) from alert h where {same} and not h.of_cap) = a.level"""
    return found(rows, "f.seq desc", f"{columns}, f.level::int, f.capacity, f.crossed_at", joins)


async def _alerted(conn: Connection, sql: LiteralString, reader: AttentionReader, most: int) -> Attention:
    values = {"scope": reader.scope, "since": reader.business_now - JUST_REACHED, "most": most}
    return await read(conn, sql, values, _level)


def _level(values: Sequence[Any]) -> Sentence:
    level, capacity, since = values
    return Sentence(
        "Reached {level} % of its {capacity} on {since}", level=level, capacity=rounded(capacity), since=since.date()
    )


async def growing_partners(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """The partners whose use has grown most. None where there are so many that it would keep a page waiting: there the
    top movers come after it."""
    if not await has_few_partners(conn, reader.scope):
        return Attention(0, [])
    movers = [one for one in await top_movers(conn, reader.today, reader.scope) if one.change > 0]
    rows = [
        AttentionRow(str(one.id), one.name, one.id, one.distributor, _grown((one.change, one.now))) for one in movers
    ]
    return Attention(len(rows), rows[:most])


async def growing_accounts(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """The storage accounts of a partner whose use has grown most. One without a sample since then has not changed."""
    sql = found(
        """
        select s.id, s.name, s.partner_id, u.used, u.used - coalesce(d.usage, 0) as change
        from storage_account s join account_usage u on u.account_id = s.id
        left join daily_usage d on d.account_id = s.id and d.day = %(then)s
        where s.partner_id = %(partner)s and s.purged_at is null and u.rolled_up_to >= %(then)s
            and u.used > coalesce(d.usage, 0)
        """,
        "f.change::float8 desc, f.id",
        "f.id::text, f.name, f.partner_id, '', f.change, f.used",
    )
    then = (reader.business_now - SOON).date()
    return await read(conn, sql, {"partner": reader.organisation_id, "then": then, "most": most}, _grown)


def _grown(values: Sequence[Any]) -> Sentence:
    change, used = values
    return Sentence(
        "{change} more in {days} days, now {used}",
        change=rounded(change),
        days=COMPARED_DAYS,
        used=rounded(used),
    )
