"""SQL of what is kept beside the entries of the audit log."""

from datetime import datetime

from tonnage.db import Connection


async def delete_client_addresses(conn: Connection, before: datetime, most: int) -> int:
    """Deletes addresses and request ids of entries that were made by then, of the `most` oldest. Returns their number.

    Ids and times have nearly the same order: so the oldest are found at the beginning of the index, however many there
    are.
    """
    cursor = await conn.execute(
        """
        with oldest as (
            select c.entry_id, a.at from audit_entry_client c join audit_entry a on a.id = c.entry_id
            order by c.entry_id limit %(most)s
        )
        delete from audit_entry_client c using oldest o where c.entry_id = o.entry_id and o.at <= %(before)s
        """,
        {"before": before, "most": most},
    )
    return cursor.rowcount
