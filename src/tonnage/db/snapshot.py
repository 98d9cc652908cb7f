"""Transactions that see one moment."""

from typing import LiteralString

from tonnage.db import Connection


async def take_snapshot(conn: Connection, *, writes: bool = False) -> None:
    """Lets all reads of the transaction that has just begun see the same moment, and what it writes itself. Unless it
    `writes`, it cannot."""
    access: LiteralString = "read write" if writes else "read only"
    await conn.execute(f"set transaction isolation level repeatable read, {access}")
