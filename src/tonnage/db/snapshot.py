"""Transactions that see one moment."""

from tonnage.db import Connection


async def take_snapshot(conn: Connection) -> None:
    """Lets all reads of the transaction that has just begun see the same moment. It cannot write."""
    await conn.execute("set transaction isolation level repeatable read, read only")
