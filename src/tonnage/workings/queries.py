"""SQL of what statements were computed from, which is stored with them."""

from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple
from uuid import UUID

from tonnage.db import Connection

SUBJECTS_AT_ONCE = 500


class StoredInputs(NamedTuple):
    """What a statement was computed from, without its subjects."""

    buyer: bytes
    digest: str


async def inputs_of(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, StoredInputs]:
    """By statement; those for which nothing was computed are left out."""
    cursor = await conn.execute(
        "select id, input::text, digest from statement where id = any(%s) and input is not null", [list(ids)]
    )
    return {row[0]: StoredInputs(row[1].encode(), row[2]) for row in await cursor.fetchall()}


async def subjects_of(
    conn: Connection, ids: Sequence[UUID], subject_id: UUID | None = None
) -> AsyncGenerator[tuple[UUID, bytes]]:
    """The subjects of statements as they are stored, each with its statement, in order of statement and position; of
    one partner if its id is given."""
    after: tuple[UUID, int] = (UUID(int=0), 0)
    while True:
        cursor = await conn.execute(
            """
            select statement_id, position, input::text from statement_subject
            where statement_id = any(%(ids)s) and (statement_id, position) > (%(statement)s, %(position)s)
                and coalesce(subject_id = %(subject)s::uuid, true)
            order by statement_id, position limit %(most)s
            """,
            {
                "ids": list(ids),
                "statement": after[0],
                "position": after[1],
                "subject": subject_id,
                "most": SUBJECTS_AT_ONCE,
            },
        )
        rows = await cursor.fetchall()
        for row in rows:
            yield row[0], row[2].encode()
        if len(rows) < SUBJECTS_AT_ONCE:
            return
        after = rows[-1][:2]
