"""SQL of what needs a person: each list is one statement, with the first rows and how many there are."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, LiteralString

from tonnage.access.actor import Kind
from tonnage.attention.attention import KEYS_SOON, SOON, Attention, AttentionReader, AttentionRow, rounded
from tonnage.db import Connection
from tonnage.errors import Sentence
from tonnage.money import Money
from tonnage.statements.frozen_queries import BOUGHT, SOLD
from tonnage.statements.lists import UNSETTLED


def found(
    rows: LiteralString,
    order: LiteralString,
    columns: LiteralString,
    joins: LiteralString = "",
    *,
    by_index: bool = False,
) -> LiteralString:
    """The first of these rows `f` in an order, each with the number of all. `columns`: id, name, id and name of the
    organisation, then what the reason says. Joined only for the rows that are shown. `by_index`: an index has the
    order, so that the rows are only counted."""
    materialized: LiteralString = "not materialized" if by_index else "materialized"
    return f"""
        with f as {materialized} ({rows}), first as materialized (select * from f order by {order} limit %(most)s)
        select (select count(*) from f), {columns} from first f {joins} order by {order}"""


async def read(
    conn: Connection,
    sql: LiteralString,
    values: Mapping[str, object],
    reason: Callable[[Sequence[Any]], Sentence],
) -> Attention:
    """What `found` has found; `reason` is of what follows the organisation."""
    rows = await (await conn.execute(sql, values)).fetchall()
    total = rows[0][0] if rows else 0
    return Attention(total, [AttentionRow(*row[1:5], reason=reason(row[5:])) for row in rows])


_ACCOUNTS: Mapping[Kind, LiteralString] = {
    Kind.OPERATOR: "true",
    Kind.DISTRIBUTOR: "(select p.distributor_id from partner p where p.id = s.partner_id) = %(scope)s",
    Kind.PARTNER: "s.partner_id = %(scope)s",
}
"""The accounts `s` of the reader: looked up for each that waits, not by all partners of a distributor."""


async def deletions(conn: Connection, reader: AttentionReader, most: int, within: timedelta | None = None) -> Attention:
    """Storage accounts that wait for deletion, the next one first; `within`: only those that are deleted so soon."""
    sql = found(
        f"""
        select s.id, s.name, s.partner_id, s.pending_deleted_at from storage_account s
        where s.pending_deleted_at is not null and s.purged_at is null and {_ACCOUNTS[reader.kind]}
            and (%(until)s::timestamptz is null or s.pending_deleted_at <= %(until)s)
        """,
        "f.pending_deleted_at, f.id",
        "f.id::text, f.name, f.partner_id, o.name, f.pending_deleted_at, u.used",
        "join organisation o on o.id = f.partner_id join account_usage u on u.account_id = f.id",
        by_index=reader.kind is not Kind.PARTNER,
    )
    until = None if within is None else reader.business_now + within
    return await read(conn, sql, {"scope": reader.scope, "until": until, "most": most}, _deleted)


def _deleted(values: Sequence[Any]) -> Sentence:
    at, used = values
    return Sentence("Will be deleted on {day}, with {used}", day=at.date(), used=rounded(used))


async def keys(conn: Connection, reader: AttentionReader, most: int, within: timedelta = KEYS_SOON) -> Attention:
    """The organisation's own API keys that expire soon, the first one first."""
    sql = found(
        """
        select k.id, k.description, k.prefix, k.organisation_id, k.valid_until from api_key k
        where k.organisation_id = %(own)s and k.revoked_at is null
            and k.valid_until > %(now)s and k.valid_until <= %(until)s
        """,
        "f.valid_until, f.id",
        "f.id::text, f.description || ' (' || f.prefix || '…)', f.organisation_id, '', f.valid_until",
    )
    values = {"own": reader.organisation_id, "now": reader.wall_now, "until": reader.wall_now + within, "most": most}
    return await read(conn, sql, values, lambda row: Sentence("Expires at {until}", until=row[0]))


def _unpaid(side: LiteralString, name: LiteralString) -> LiteralString:
    return found(
        f"""
        select s.id, s.seller_id, s.due_on, s.number, s.gross - s.credited as amount, s.currency from statement s
        where {side} and s.number is not null and {UNSETTLED} and s.gross > 0
            and s.due_on >= %(since)s and s.due_on <= %(until)s
        """,
        "f.due_on, f.id",
        f"""f.id::text, s.document ->> '{name}', f.seller_id, f.number, f.due_on < %(today)s, f.due_on, f.amount,
            f.currency""",
        "join statement s on s.id = f.id",
        by_index=True,
    )


async def statements_sold(conn: Connection, reader: AttentionReader, most: int, since: date = date.min) -> Attention:
    """Statements whose buyers have to pay soon, or are late; the first due day first. `since`: only those due then or
    later."""
    return await _statements(conn, _unpaid(SOLD, "buyerName"), reader, most, since)


async def statements_bought(conn: Connection, reader: AttentionReader, most: int, since: date = date.min) -> Attention:
    """The same of those that the reader has to pay."""
    return await _statements(conn, _unpaid(BOUGHT, "sellerName"), reader, most, since)


async def _statements(
    conn: Connection, sql: LiteralString, reader: AttentionReader, most: int, since: date
) -> Attention:
    today = reader.today
    values = {"viewer": reader.organisation_id, "today": today, "until": today + SOON, "since": since, "most": most}
    return await read(conn, sql, values, _due)


def _due(values: Sequence[Any]) -> Sentence:
    is_overdue, day, amount, currency = values
    if is_overdue:
        return Sentence("{amount}, was due on {day}", amount=Money(amount, currency), day=day)
    return Sentence("{amount}, due on {day}", amount=Money(amount, currency), day=day)


async def webhooks(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """The organisation's webhooks that receive nothing, unless a person has disabled them."""
    sql = found(
        """
        select w.id, w.url, w.description, w.organisation_id, w.disabled_at, coalesce(w.disabled_at, w.failing_since)
            as since, w.seq
        from webhook_endpoint w where w.organisation_id = %(own)s and (
            w.disabled_at is not null and w.disabled_reason <> 'by_person'
            or w.disabled_at is null and w.failing_since is not null)
        """,
        "f.since, f.seq",
        "f.id::text, coalesce(f.description, f.url), f.organisation_id, '', f.disabled_at is not null, f.since",
    )
    return await read(conn, sql, {"own": reader.organisation_id, "most": most}, _silent)


def _silent(values: Sequence[Any]) -> Sentence:
    is_disabled, since = values
    if is_disabled:
        return Sentence("Disabled since {since}: no events arrive", since=since)
    return Sentence("Nothing has arrived since {since}", since=since)
