"""SQL of what storage accounts are called, deleted ones too: for the record of what was done to them."""

from collections.abc import Collection
from uuid import UUID

from tonnage.db import Connection

_MOST_NAMED = 500


async def account_names(conn: Connection, scope: UUID | None, numbers: Collection[int]) -> dict[str, str]:
    """The names of those accounts among `numbers` that are a partner's or its distributor's (None: anybody's)."""
    if not numbers:
        return {}
    cursor = await conn.execute(
        """
        select s.id::text, s.name from storage_account s join partner p on p.id = s.partner_id
        where s.id = any(%(numbers)s::bigint[]) and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
        """,
        {"numbers": list(numbers), "scope": scope},
    )
    return dict(await cursor.fetchall())


async def accounts_named(conn: Connection, scope: UUID | None, text: str) -> list[str]:
    """The numbers of the accounts of the same scope whose names contain the text; the newest 500."""
    cursor = await conn.execute(
        """
        select s.id::text from storage_account s
        where strpos(lower(s.name), lower(%(text)s)) > 0 and (%(scope)s::uuid is null
            or s.partner_id in (select p.id from partner p where %(scope)s in (p.id, p.distributor_id)))
        order by s.seq desc limit %(most)s
        """,
        {"text": text, "scope": scope, "most": _MOST_NAMED},
    )
    return [number for (number,) in await cursor.fetchall()]
