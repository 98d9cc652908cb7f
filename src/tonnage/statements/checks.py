"""What `tonnage doctor` computes again of frozen statements."""

from tonnage.access.checks import MOST_SHOWN, Check, Checking, Difference, compare
from tonnage.db import Connection
from tonnage.statements.frozen_queries import verify

_NEWEST = 1000
"""Statements; `tonnage statement verify --all` computes all of them."""


async def newest(conn: Connection) -> Check:
    """Computes the newest frozen statements again from what is stored with them."""
    cursor = await conn.execute(
        "select id from statement where number is not null and credits is null order by seq desc limit %s", [_NEWEST]
    )
    ids = [row[0] for row in await cursor.fetchall()]
    found = await verify(conn, ids)
    shown = tuple(Difference(str(one), difference, "as computed") for one, difference in found.items())[:MOST_SHOWN]
    return Check("statements: the newest, computed again", len(ids), len(found), shown)


async def documents(conn: Connection) -> Check:
    """Compares the newest documents with their digests."""
    return await compare(
        conn,
        "statements: digests of the newest documents",
        """
        select statement_id, encode(sha256(pdf), 'hex'), digest
        from (select * from statement_pdf order by rendered_at desc limit %s) newest
        """,
        [_NEWEST],
    )


async def adjustments(conn: Connection) -> Check:
    """Compares what remains of each adjustment with the lines that frozen statements have of it."""
    return await compare(
        conn,
        "statements: what remains of adjustments",
        """
        select a.id, a.remaining, a.amount - coalesce((
            select sum(l.amount) from statement_line l join statement s on s.id = l.statement_id
            where l.adjustment_id = a.id and s.number is not null and s.voided_at is null), 0)
        from adjustment a
        """,
    )


async def corrections(conn: Connection) -> Check:
    """Compares the adjustments of frozen months with the difference between what was computed before and again."""
    return await compare(
        conn,
        "statements: corrections of frozen months",
        """
        with rated as (
            select s.id, s.corrects, s.seq, s.currency, (
                select coalesce(sum(l.amount), 0) from statement_line l
                where l.statement_id = s.id and l.adjustment_id is null) as net
            from statement s
            where s.corrects is not null or exists (select from statement c where c.corrects = s.id)
        ), following as (
            select r.*, lag(net) over versions as net_before, lag(currency) over versions as currency_before
            from rated r window versions as (partition by coalesce(corrects, id) order by seq)
        )
        select f.id, coalesce((
                select sum(a.amount) from adjustment a where a.correction_id = f.id and a.currency = f.currency), 0),
            f.net - case when f.currency_before = f.currency then f.net_before else 0 end
        from following f where f.corrects is not null
            and not exists (select from statement n where n.credits = f.corrects)
        """,
    )


ALL: tuple[Checking, ...] = (newest, documents, adjustments, corrections)
