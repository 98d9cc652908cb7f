"""What `tonnage doctor` computes again of frozen statements."""

from tonnage.access.checks import MOST_SHOWN, Check, Checking, Difference, compare
from tonnage.db import Connection
from tonnage.statements.frozen_queries import verify

_NEWEST = 1000
"""Statements; `tonnage statement verify --all` computes all of them."""


async def newest(conn: Connection) -> Check:
    """Computes the newest frozen statements again from what is stored with them."""
    cursor = await conn.execute(
        "select id from statement where number is not null order by seq desc limit %s", [_NEWEST]
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


ALL: tuple[Checking, ...] = (newest, documents)
